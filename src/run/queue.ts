// Calls in a queue: workers run their programs one after another, in the order of the calls, while this thread goes on.
// Whatever must not run ahead of them finishes the queue first.
import { STATUS_OK } from '../../assembly/abi.ts';
import { onSettle } from '../graph/value.ts';
import { leaders, onStir, runProgram } from './pool.ts';
import type { Workers } from './workers.ts';

/** A program in Wasm memory, ready to run. */
export interface Ready {
  program: number;
  table: number;
  parallel: boolean;
}

export interface Job {
  /** Lays out its program when its turn has come; null if it has none. */
  prepare(): Ready | null;
  /** Takes the results home; throws what `status` means if it is a fault. */
  finish(status: number): void;
  /** It could not be done. */
  fail(error: Error): void;
}

interface Waiting {
  job: Job;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** How often the queue is looked at whatever the workers say, in milliseconds. The timer also keeps the process alive. */
const LOOK = 100;

const queue: Waiting[] = [];
/** Those that run the first of the queue. */
let running: Workers | null = null;
let timer: ReturnType<typeof setInterval> | null = null;

/** Puts a job at the end of the queue. The promise is kept when it is done. */
export function submit(job: Job): Promise<void> {
  const done = new Promise<void>((resolve, reject) => queue.push({ job, resolve, reject }));
  advance();
  return done;
}

/** Finishes the queue, on this thread where workers have not begun. */
export function settle(): void {
  if (queue.length === 0) return;
  while (queue.length > 0) {
    if (running !== null) finish(running.wait());
    else begin(({ program, table, parallel }) => runProgram(program, table, parallel));
  }
  keepAwake();
}

/** Goes on as far as can be without waiting. */
function advance(): void {
  while (queue.length > 0) {
    if (running !== null) {
      const status = running.poll();
      if (status === null) break;
      finish(status);
      continue;
    }
    const workers = leaders();
    if (workers === null) break;
    if (workers === undefined) settle();
    else begin((ready) => launch(workers, ready));
  }
  keepAwake();
}

function launch(workers: Workers, { program, table, parallel }: Ready): null {
  workers.launch(program, table, parallel);
  running = workers;
  return null;
}

/** Lets the first job run; `run` returns its status, or null if it has only begun. */
function begin(run: (ready: Ready) => number | null): void {
  const { job } = queue[0] as Waiting;
  let status: number | null;
  try {
    const ready = job.prepare();
    status = ready === null ? STATUS_OK : run(ready);
  } catch (error) {
    reject(error as Error);
    return;
  }
  if (status !== null) finish(status);
}

function finish(status: number): void {
  running = null;
  try {
    (queue[0] as Waiting).job.finish(status);
  } catch (error) {
    reject(error as Error);
    return;
  }
  (queue.shift() as Waiting).resolve();
}

function reject(error: Error): void {
  const { job, reject } = queue.shift() as Waiting;
  job.fail(error);
  reject(error);
}

function keepAwake(): void {
  if (queue.length > 0) timer ??= setInterval(advance, LOOK);
  else if (timer !== null) {
    clearInterval(timer);
    timer = null;
  }
}

onSettle(settle);
onStir(advance);
