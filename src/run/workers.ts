// Workers on one page of shared words: started, asleep between jobs, told to leave, and forgotten when they are gone.
// They never keep a process alive.
import type { Worker } from 'node:worker_threads';
import * as abi from '../../assembly/abi.ts';
import type { Heap } from './heap.ts';

/** A worker is this and the kernels. Each message says: look at the page. */
const WORKER = `import('node:worker_threads').then(({ parentPort, workerData }) => {
  const { module, memory, worker, sync, left, trap } = workerData;
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
  let job = kernels.enter(sync);
  try {
    do parentPort.postMessage(0); while ((job = kernels.work(worker, sync, job)) !== 0);
  } catch {
    kernels.fail(trap, worker, sync);
  } finally {
    Atomics.store(new Int32Array(memory.buffer), left, 1);
    parentPort.postMessage(0);
  }
});`;

/** How long a blocked wait sleeps before it looks again, in milliseconds. */
const NAP = 100;

export class Workers {
  /** Threads of a program that is shared: the host and workers 1 … threads − 1. Worker `threads` leads where the host does not wait. */
  readonly threads: number;
  readonly #heap: Heap;
  readonly #sync: number;
  readonly #scratch: number;
  readonly #look: () => void;
  readonly #started: Worker[] = [];
  /** The job that a worker leads; 0 if there is none. */
  #job = 0;
  /** A worker trapped or went, so no job may start here. */
  broken = false;
  /** Whether all that were started were up once. */
  #cameUp = false;

  /** `look` is called after anything has happened here. */
  constructor(threads: number, heap: Heap, look: () => void) {
    this.threads = threads;
    this.#heap = heap;
    this.#look = look;
    this.#sync = heap.allocate(this.#pageBytes);
    this.#scratch = heap.allocate(this.#scratchBytes);
    heap.i32.fill(0, this.#sync >>> 2, (this.#sync + this.#pageBytes) >>> 2);
    heap.i32[this.#at(abi.SYNC_SCRATCH)] = this.#scratch;
    heap.i32[this.#at(abi.SYNC_LEADER)] = threads;
  }

  get #pageBytes(): number {
    return abi.SYNC_FLAGS + (this.threads + 1) * abi.SYNC_LINE;
  }

  get #scratchBytes(): number {
    return this.threads * abi.SCRATCH_BYTES;
  }

  /** Index of a word of the page. */
  #at(offset: number): number {
    return (this.#sync + offset) >>> 2;
  }

  #left(worker: number): number {
    return this.#at(abi.SYNC_FLAGS + worker * abi.SYNC_LINE + abi.LINE_LEFT);
  }

  /** Starts the workers up to number `last`, if they were not. */
  start(last: number): void {
    const { module, memory } = this.#heap;
    const threads = process.getBuiltinModule('node:worker_threads');
    while (this.#started.length < last) {
      const worker = this.#started.length + 1;
      const left = this.#left(worker);
      const workerData = { module, memory, worker, sync: this.#sync, left, trap: abi.FAULT_TRAP };
      const thread = new threads.Worker(WORKER, { eval: true, workerData });
      this.#started.push(thread);
      thread.on('message', this.#look);
      thread.on('error', () => {});
      thread.on('exit', () => this.#gone(worker));
      thread.unref();
    }
  }

  /** Whether every worker that was started, and at least `last`, waits for jobs. */
  ready(last: number): boolean {
    const n = this.#started.length;
    if (n < last || Atomics.load(this.#heap.i32, this.#at(abi.SYNC_READY)) !== n) return false;
    this.#cameUp = true;
    return true;
  }

  /** Whether a worker ended before it came up: here none can run. */
  get stillborn(): boolean {
    return this.broken && !this.#cameUp;
  }

  /** Runs a program on this thread and the workers. */
  share(program: number, table: number): number {
    const { kernels } = this.#heap;
    let status = abi.FAULT_TRAP;
    try {
      status = kernels.share(program, table, this.threads, this.#sync);
    } catch (error) {
      kernels.fail(abi.FAULT_TRAP, 0, this.#sync);
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    }
    return this.#noted(status);
  }

  // ---- jobs that a worker leads

  get busy(): boolean {
    return this.#job !== 0;
  }

  launch(program: number, table: number, parallel: boolean): void {
    this.#job = this.#heap.kernels.launch(program, table, parallel ? this.threads : 1, this.#sync);
  }

  /** What the job came to, or null while it is under way. */
  poll(): number | null {
    if (Atomics.load(this.#heap.i32, this.#at(abi.SYNC_ENDED)) !== this.#job) return null;
    this.#job = 0;
    return this.#noted(Atomics.load(this.#heap.i32, this.#at(abi.SYNC_FAULT)));
  }

  /** Blocks until the job is done. */
  wait(): number {
    for (;;) {
      const ended = Atomics.load(this.#heap.i32, this.#at(abi.SYNC_ENDED));
      const status = this.poll();
      if (status !== null) return status;
      Atomics.wait(this.#heap.i32, this.#at(abi.SYNC_ENDED), ended, NAP);
    }
  }

  /** After a trap, and where a thread was lost, these workers are not used again. */
  #noted(status: number): number {
    const code = status & 0xff;
    if (code === abi.FAULT_TRAP || code === abi.FAULT_LOST) this.broken = true;
    // One that does not come back does not leave when it is told to, either.
    if (code === abi.FAULT_LOST) for (const thread of this.#started) thread.terminate();
    return status;
  }

  // ---- the end

  /** A worker that has not left of itself was stopped from outside, and does no more of its job. */
  #gone(worker: number): void {
    const { i32, kernels } = this.#heap;
    if (Atomics.exchange(i32, this.#left(worker), 1) === 0) {
      this.broken = true;
      if (this.#job !== 0) kernels.fail(abi.FAULT_LOST, worker, this.#sync);
    }
    this.#look();
  }

  /** Tells the workers to leave: those that sleep at once, those still on their way up when they come. */
  dismiss(): void {
    this.#heap.kernels.dismiss(this.#sync);
  }

  /** Once every worker has left, which is only asked after `dismiss`: gives the page back and returns true. */
  release(): boolean {
    const { i32 } = this.#heap;
    if (!this.#started.every((_, i) => Atomics.load(i32, this.#left(i + 1)) === 1)) return false;
    for (const thread of this.#started) thread.removeAllListeners('exit').terminate();
    this.#heap.free({ offset: this.#sync, nBytes: this.#pageBytes });
    this.#heap.free({ offset: this.#scratch, nBytes: this.#scratchBytes });
    return true;
  }
}
