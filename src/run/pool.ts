// Worker threads: started when programs gain by them or one must not block, asleep between jobs, never a reason
// to stay alive. Their seats, and how a dead one is noticed, are in assembly/job.ts and barrier.ts.
import {
  FAULT_LOST,
  FAULT_TRAP,
  LINE_SEAT,
  MAX_THREADS,
  SCRATCH_BYTES,
  SEAT_BITS,
  SEAT_COMING,
  SYNC_JOB,
  SYNC_LINE,
  SYNC_LINES,
  SYNC_SCRATCH,
  SYNC_THREAD_BITS,
} from '../../assembly/abi.ts';
import { NablaError } from '../error.ts';
import { setting } from './env.ts';
import { type Heap, theHeap } from './heap.ts';
import { kernelImports } from './wasm.ts';

/** A worker is this and the kernels. It speaks when it is up, and when it is the last to finish what workers ran alone. */
const WORKER = `import('node:worker_threads').then(({ workerData, parentPort }) => {
  const { module, imports, worker, ticket, sync, trap } = workerData;
  const kernels = new WebAssembly.Instance(module, imports).exports;
  let job = kernels.sit(worker, ticket, sync);
  while (job !== 0) {
    parentPort.postMessage(null);
    try { job = kernels.work(worker, ticket, job, sync); }
    catch (error) { kernels.leave(worker, ticket, trap, sync); throw error; }
  }
});`;

/** A program in Wasm memory, and how many threads may run it. */
export interface Program {
  program: number;
  table: number;
  threads: number;
}

function checkCount(source: string, n: number): number {
  if (Number.isInteger(n) && n >= 1 && n <= MAX_THREADS) return n;
  throw new NablaError('option', `${source}: got ${n}; expected a whole number from 1 to ${MAX_THREADS}`, {
    threads: n,
  });
}

// Loaded at first use: a process that starts no worker does not pay for them.
const cores = () => process.getBuiltinModule('node:os').availableParallelism();
const newWorker = (workerData: object) =>
  new (process.getBuiltinModule('node:worker_threads').Worker)(WORKER, { eval: true, workerData });
type Worker = ReturnType<typeof newWorker>;

let wanted = 0;

/** Threads a program may use, this one among them: as set, else `NABLA_THREADS`, else what the machine has. */
export function getThreads(): number {
  if (wanted === 0) {
    const named = setting('NABLA_THREADS');
    wanted = named ? checkCount('NABLA_THREADS', Number(named)) : Math.min(cores(), MAX_THREADS);
  }
  return wanted;
}

/** Uses `n` threads from now on; workers that are then too many sleep. Results are the same bit for bit whatever `n`. */
export function setThreads(n: number): void {
  wanted = checkCount('setThreads', n);
}

/** Workers 1, 2, … on one page of shared words. Worker 0 is the caller. */
class Pool {
  /** Why workers do not come up, if one failed to. */
  failure: Error | null = null;
  readonly workers: Worker[] = [];
  readonly sync: number;
  readonly #heap: Heap;
  #scratch = { offset: 0, nBytes: 0 };
  #tickets = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
    const page = SYNC_LINES + (MAX_THREADS + 1) * SYNC_LINE;
    this.sync = heap.allocate(page);
    heap.i32.fill(0, this.sync >>> 2, (this.sync + page) >>> 2);
    // A job of no threads, long done.
    heap.i32[(this.sync + SYNC_JOB) >>> 2] = 1 << (SYNC_THREAD_BITS + 1);
  }

  #seat(worker: number): number {
    return Atomics.load(this.#heap.i32, this.#seatWord(worker));
  }

  #seatWord(worker: number): number {
    return (this.sync + SYNC_LINES + worker * SYNC_LINE + LINE_SEAT) >>> 2;
  }

  /** How many of workers 1 … n are up, counted to the first that is not; starts those that are missing. */
  gather(n: number): number {
    let up = 0;
    for (let worker = 1; worker <= n; worker++) {
      const seat = this.#seat(worker);
      if (seat === 0 && this.failure === null) this.#start(worker);
      const isUp = seat !== 0 && (seat & ((1 << SEAT_BITS) - 1)) !== SEAT_COMING;
      if (isUp && up === worker - 1) up = worker;
    }
    return up;
  }

  #start(worker: number): void {
    const ticket = ++this.#tickets;
    const coming = (ticket << SEAT_BITS) | SEAT_COMING;
    Atomics.store(this.#heap.i32, this.#seatWord(worker), coming);
    const { module, memory, kernels } = this.#heap;
    const imports = kernelImports(memory);
    const workerData = { module, imports, worker, ticket, sync: this.sync, trap: FAULT_TRAP };
    const thread = newWorker(workerData);
    let why = new Error('it ended before it had begun');
    thread.on('message', () => onNews());
    thread.on('error', (error) => {
      why = error as Error;
    });
    thread.on('exit', () => {
      if (this.#seat(worker) === coming) this.failure = why;
      kernels.leave(worker, ticket, FAULT_LOST, this.sync);
      onNews();
    });
    thread.unref();
    this.workers[worker] = thread;
  }

  /** Scratch memory for `threads` threads. Only while no job runs. */
  reserve(threads: number): void {
    const nBytes = threads * SCRATCH_BYTES;
    if (nBytes <= this.#scratch.nBytes) return;
    if (this.#scratch.nBytes > 0) this.#heap.free(this.#scratch);
    this.#scratch = { offset: 0, nBytes: 0 };
    this.#scratch = { offset: this.#heap.allocate(nBytes), nBytes };
    this.#heap.i32[(this.sync + SYNC_SCRATCH) >>> 2] = this.#scratch.offset;
  }
}

let pool: Pool | null = null;
/** Milliseconds that programs which gain by workers have run without any. */
let msAlone = 0;
/**
 * Workers start after so many of those, which is about what their start takes: so never at the first program, nor while
 * a model's first weights are drawn. Started then, they put off the first training step of a small MLP from 33 to 39 ms.
 */
const START_MS = 20;
let onNews: () => void = () => {};

function thePool(): Pool {
  pool ??= new Pool(theHeap());
  return pool;
}

/** Whether workers are up and waiting; starts them if they are not. */
export function poolReady(): boolean {
  return thePool().gather(getThreads() - 1) === getThreads() - 1;
}

/** The threads behind workers 1, 2, …: how tests end one. */
export function poolWorkers(): readonly { terminate(): Promise<number> }[] {
  return thePool().workers;
}

/** Calls `fn` whenever a worker is up, workers have finished a program that they run alone, or one is gone. */
export function onPoolNews(fn: () => void): void {
  onNews = fn;
}

/** Runs a program on this thread and on as many others as are up; results are the same. Returns its status. */
export function runProgram({ program, table, threads }: Program): number {
  const waits = pool === null && msAlone < START_MS;
  const n = threads === 1 || waits ? 1 : thePool().gather(threads - 1) + 1;
  try {
    if (n > 1) return shareProgram(program, table, n);
    if (threads === 1 || !waits) return runAlone(program, table);
    const started = performance.now();
    const status = runAlone(program, table);
    msAlone += performance.now() - started;
    return status;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    if (n === 1) return FAULT_TRAP;
    // This thread trapped: nobody shall wait for it.
    theHeap().kernels.leave(0, 0, FAULT_TRAP, thePool().sync);
    return awaitProgram();
  }
}

function runAlone(program: number, table: number): number {
  const { kernels, scratch } = theHeap();
  return kernels.run(program, table, scratch, 0, 1, 0);
}

function shareProgram(program: number, table: number, n: number): number {
  thePool().reserve(n);
  return theHeap().kernels.share(program, table, n, thePool().sync);
}

/** Whether workers 1 … n are up, so that they can run a program alone; throws if they never will be. */
export function workersReady(n: number): boolean {
  const { failure } = thePool();
  const ready = thePool().gather(n) === n;
  if (ready || failure === null) return ready;
  throw new NablaError('internal', `a worker thread could not start: ${failure.message}; call without async`);
}

/** Starts a program on workers alone; they must be ready. */
export function startProgram({ program, table, threads }: Program): void {
  thePool().reserve(threads);
  theHeap().kernels.start(program, table, threads, thePool().sync);
}

/** Whether the program that was started is done. */
export function programDone(): boolean {
  return theHeap().kernels.settled(thePool().sync);
}

/** Waits for the program that was started; returns its status. */
export function awaitProgram(): number {
  return theHeap().kernels.settle(thePool().sync);
}
