// Chooses one of the two kernel binaries and instantiates it on a shared memory.
import { baseline, relaxed } from '#kernels';
import { setting } from './env.ts';

export type Simd = 'baseline' | 'relaxed';

/** What the binaries export: see assembly/executor.ts. */
export interface Kernels {
  run(program: number, table: number, scratch: number, thread: number, threads: number, sync: number): number;
  /** Runs a program on `threads` threads, this one among them: see assembly/job.ts. */
  share(program: number, table: number, threads: number, sync: number): number;
  /** Runs a program on `threads` workers, without waiting for them. */
  start(program: number, table: number, threads: number, sync: number): void;
  settled(sync: number): boolean;
  /** Waits for all threads of the present job and returns its status. */
  settle(sync: number): number;
  /** Takes a thread that trapped or died out of the job. */
  leave(worker: number, ticket: number, fault: number, sync: number): void;
  /** What a worker does first, and then all its life. */
  sit(worker: number, ticket: number, sync: number): number;
  work(worker: number, ticket: number, seen: number, sync: number): number;
  heapBase(): number;
  /** What the processor can do: see assembly/limit.ts. */
  multiplyAdds(turns: number, b: number, c: number): number;
  stream(dst: number, src: number, nBytes: number): void;
}

export const PAGE_BYTES = 65536;
export const MAX_PAGES = 65536;

/** A module of one function that uses `f32x4.relaxed_madd`. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11],
);

const hasRelaxed = () => WebAssembly.validate(RELAXED_PROBE);

/**
 * The binary to use: `NABLA_SIMD` where it is set, else relaxed SIMD wherever the runtime has it on. Asked for by
 * name on Node 20, whose V8 knows relaxed SIMD and leaves it off, it is switched on first.
 */
export function chooseSimd(wanted = setting('NABLA_SIMD')): Simd {
  if (wanted === 'baseline') return 'baseline';
  if (wanted !== undefined && wanted !== 'relaxed') {
    throw new Error(`NABLA_SIMD: got "${wanted}"; expected "baseline" or "relaxed"`);
  }
  if (wanted === 'relaxed' && !hasRelaxed()) {
    process.getBuiltinModule?.('node:v8').setFlagsFromString('--experimental-wasm-relaxed-simd');
    if (!hasRelaxed()) throw new Error('NABLA_SIMD=relaxed: this runtime has no relaxed SIMD; use NABLA_SIMD=baseline');
  }
  return hasRelaxed() ? 'relaxed' : 'baseline';
}

export function compileKernels(simd: Simd): WebAssembly.Module {
  return new WebAssembly.Module(Buffer.from(simd === 'relaxed' ? relaxed : baseline, 'base64'));
}

/** What the kernels import: memory, and what they should know of their host (assembly/host.ts). */
export type KernelImports = { env: { memory: WebAssembly.Memory; splatted: number } };

/** Versions of the runtime's parts by name, as in `process.versions`. */
export type Host = Readonly<Record<string, string | undefined>>;

export function kernelImports(memory: WebAssembly.Memory, host: Host = process.versions): KernelImports {
  return { env: { memory, splatted: host.deno || host.bun ? 1 : 0 } };
}

export function instantiate(module: WebAssembly.Module, imports: KernelImports): Kernels {
  return new WebAssembly.Instance(module, imports).exports as unknown as Kernels;
}
