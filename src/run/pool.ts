// Worker threads: started when a program first gains by them, asleep between jobs, never a reason to stay alive.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import {
  FAULT_TRAP,
  MAX_THREADS,
  SCRATCH_BYTES,
  SYNC_FLAGS,
  SYNC_LINE,
  SYNC_READY,
  SYNC_SCRATCH,
} from '../../assembly/abi.ts';
import { NablaError } from '../error.ts';
import { setting } from './env.ts';
import { type Heap, theHeap } from './heap.ts';

/** A worker is this and the kernels; a trap is told to whoever waits. */
const WORKER = `import('node:worker_threads').then(({ workerData: { module, memory, thread, sync, trap } }) => {
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
  try { kernels.work(thread, sync); } catch (error) { kernels.finish(trap, sync); throw error; }
});`;

function checkCount(source: string, n: number): number {
  if (Number.isInteger(n) && n >= 1 && n <= MAX_THREADS) return n;
  throw new NablaError('option', `${source}: got ${n}; expected a whole number from 1 to ${MAX_THREADS}`, {
    threads: n,
  });
}

let wanted = 0;

/** Threads a program may use, this one among them: as set, else `NABLA_THREADS`, else what the machine has. */
export function getThreads(): number {
  if (wanted === 0) {
    const named = setting('NABLA_THREADS');
    wanted = named ? checkCount('NABLA_THREADS', Number(named)) : Math.min(availableParallelism(), MAX_THREADS);
  }
  return wanted;
}

/** Uses `n` threads from now on. Results are the same bit for bit whatever their number. */
export function setThreads(n: number): void {
  wanted = checkCount('setThreads', n);
  if (pool !== null && pool.threads !== wanted) dropPool();
}

/** Workers on one page of shared words. */
class Pool {
  readonly threads: number;
  readonly sync: number;
  readonly #heap: Heap;
  readonly #workers: Worker[];
  readonly #scratch: number;

  constructor(threads: number, heap: Heap) {
    this.threads = threads;
    this.#heap = heap;
    const page = SYNC_FLAGS + threads * SYNC_LINE;
    this.sync = heap.allocate(page);
    this.#scratch = heap.allocate(threads * SCRATCH_BYTES);
    heap.i32.fill(0, this.sync >>> 2, (this.sync + page) >>> 2);
    heap.i32[(this.sync + SYNC_SCRATCH) >>> 2] = this.#scratch;
    const { module, memory } = heap;
    this.#workers = Array.from({ length: threads - 1 }, (_, i) => {
      const workerData = { module, memory, thread: i + 1, sync: this.sync, trap: FAULT_TRAP };
      const worker = new Worker(WORKER, { eval: true, workerData });
      worker.on('error', () => {});
      worker.unref();
      return worker;
    });
  }

  /** Whether every worker waits for jobs; until then programs run on the caller alone, with the same results. */
  get ready(): boolean {
    return Atomics.load(this.#heap.i32, (this.sync + SYNC_READY) >>> 2) === this.threads - 1;
  }

  stop(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

let pool: Pool | null = null;

function dropPool(): void {
  // Its page and scratch stay taken: a worker may still be waking up on them.
  pool?.stop();
  pool = null;
}

/** Whether workers are up and waiting. */
export function poolReady(): boolean {
  return pool?.ready ?? false;
}

/** Runs a program: on several threads where `parallel` says that it gains, and the workers are up. */
export function runProgram(program: number, table: number, parallel: boolean): number {
  const heap = theHeap();
  if (!parallel || getThreads() === 1) return heap.kernels.run(program, table, heap.scratch, 0, 1, 0);
  pool ??= new Pool(getThreads(), heap);
  if (!pool.ready) return heap.kernels.run(program, table, heap.scratch, 0, 1, 0);
  let status = FAULT_TRAP;
  try {
    status = heap.kernels.share(program, table, pool.threads, pool.sync);
  } catch (error) {
    // This thread trapped: nobody shall wait for it.
    heap.kernels.finish(FAULT_TRAP, pool.sync);
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  } finally {
    // A worker that trapped is gone; the next program starts others.
    if ((status & 0xff) === FAULT_TRAP) dropPool();
  }
  return status;
}
