// Runs single instructions on a kernel binary without the TypeScript spine: arrays in, words in, arrays out.
// Every buffer stands between guard words, and outputs start as NaN, so a kernel that writes too much or too
// little is seen.
import { NONE, OP_END, SCRATCH_BYTES } from '../../assembly/abi.ts';
import {
  chooseSimd,
  compileKernels,
  type Host,
  instantiate,
  type Kernels,
  kernelImports,
  type Simd,
} from '../../src/run/wasm.ts';

const GUARD = 0x7fa5a5a5;
const GUARD_WORDS = 16;
const PAGES = 4096; // 256 MiB

type View = Float32Array | Int32Array | Float64Array;
type Type = 'f32' | 'i32' | 'f64';
const ARRAYS = { f32: Float32Array, i32: Int32Array, f64: Float64Array };

export class Harness {
  readonly simd: Simd;
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  /** One thread's scratch, the same for every run. */
  readonly scratch: number;
  #next: number;
  #buffers: View[] = [];

  /** `host` says which runtime the kernels are to believe they run in. */
  constructor(simd: Simd, host: Host = {}) {
    this.simd = chooseSimd(simd);
    this.memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
    this.kernels = instantiate(compileKernels(this.simd), kernelImports(this.memory, host));
    this.scratch = (this.kernels.heapBase() + 4095) & ~4095;
    this.#next = this.scratch + SCRATCH_BYTES;
  }

  /** Forgets every buffer. */
  reset(): void {
    this.#buffers = [];
    this.#next = this.scratch + SCRATCH_BYTES;
  }

  /** Copies an array in; the result is the operand index to put into words. `misalign` bytes off a 64-byte line. */
  put(data: ArrayLike<number>, type: Type = 'f32', misalign = 0): number {
    const view = this.#allocate(data.length, type, misalign);
    view.set(data as never);
    return this.#buffers.push(view) - 1;
  }

  /** Room for n elements, filled with NaN (or the guard pattern, for integers). */
  room(n: number, type: Type = 'f32', misalign = 0): number {
    const view = this.#allocate(n, type, misalign);
    view.fill(type === 'i32' ? GUARD : Number.NaN);
    return this.#buffers.push(view) - 1;
  }

  /** A copy of what operand i holds now. */
  get(i: number): View {
    return (this.#buffers[i] as View).slice() as View;
  }

  /** A 32-bit float's bits, or a whole number, as a word. */
  static bits(x: number): number {
    return new Int32Array(Float32Array.of(x).buffer)[0] as number;
  }

  /**
   * Runs instructions, each an array of words whose word 0 is the opcode (or opcode | flags << 8); lengths are
   * filled in here. `threads` > 1 runs the parts one after another, as if by that many threads.
   */
  run(instructions: number[][], threads = 1): number {
    const prepare = this.prepare(instructions);
    let status = 0;
    for (const step of prepare.steps) {
      for (let t = 0; t < threads; t++)
        status ||= this.kernels.run(step, prepare.table, prepare.scratch, t, threads, 0);
    }
    this.#checkGuards();
    return status;
  }

  /** Lays programs and table into memory; `all` is the whole program, for timing `kernels.run(all, table, scratch, 0, 1)`. */
  prepare(instructions: number[][]): { all: number; steps: number[]; table: number; scratch: number } {
    const u32 = (n: number) => this.#place(n * 4) >>> 2;
    const memory = new Int32Array(this.memory.buffer);
    const table = u32(Math.max(1, this.#buffers.length));
    this.#buffers.forEach((b, i) => {
      memory[table + i] = b.byteOffset;
    });
    const encode = (list: number[][]) => {
      const words = list.flatMap((ins) => [(ins[0] as number) | (ins.length << 16), ...ins.slice(1)]);
      const at = u32(words.length + 1);
      memory.set([...words, OP_END], at);
      return at * 4;
    };
    const steps = instructions.map((ins) => encode([ins]));
    const all = encode(instructions);
    return { all, steps, table: table * 4, scratch: this.scratch };
  }

  #place(bytes: number): number {
    const at = Math.ceil(this.#next / 64) * 64;
    this.#next = at + bytes;
    if (this.#next > this.memory.buffer.byteLength) throw new Error('harness: memory is full; call reset()');
    return at;
  }

  #allocate(n: number, type: Type, misalign: number): View {
    const nWords = (n * ARRAYS[type].BYTES_PER_ELEMENT) / 4 + 2 * GUARD_WORDS;
    const at = this.#place(nWords * 4 + misalign) + misalign;
    new Int32Array(this.memory.buffer, at, nWords).fill(GUARD);
    return new ARRAYS[type](this.memory.buffer, at + GUARD_WORDS * 4, n);
  }

  #checkGuards(): void {
    this.#buffers.forEach((b, i) => {
      const before = new Int32Array(this.memory.buffer, b.byteOffset - GUARD_WORDS * 4, GUARD_WORDS);
      const after = new Int32Array(this.memory.buffer, b.byteOffset + b.byteLength, GUARD_WORDS);
      if ([...before, ...after].some((w) => w !== GUARD))
        throw new Error(`harness: the guard of operand ${i} was overwritten`);
    });
  }
}

export { NONE };
