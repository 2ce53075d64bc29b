// How many threads there are to be, and which workers serve: at most one set of them, after the last has left.
import { MAX_THREADS } from '../../assembly/abi.ts';
import { NablaError } from '../error.ts';
import { setting } from './env.ts';
import { theHeap } from './heap.ts';
import { Workers } from './workers.ts';

function checkCount(source: string, n: number): number {
  if (Number.isInteger(n) && n >= 1 && n <= MAX_THREADS) return n;
  throw new NablaError('option', `${source}: got ${n}; expected a whole number from 1 to ${MAX_THREADS}`, {
    threads: n,
  });
}

let wanted = 0;

const cores = () => process.getBuiltinModule('node:os').availableParallelism();

/** Threads a program may use, this one among them: as set, else `NABLA_THREADS`, else what the machine has. */
export function getThreads(): number {
  if (wanted === 0) {
    const named = setting('NABLA_THREADS');
    wanted = named ? checkCount('NABLA_THREADS', Number(named)) : Math.min(cores(), MAX_THREADS);
  }
  return wanted;
}

/**
 * Uses `n` threads from the next program on. Results are the same bit for bit whatever their number. Workers of
 * another number are stopped, and those of this one start when a program gains by them.
 */
export function setThreads(n: number): void {
  wanted = checkCount('setThreads', n);
  refresh();
}

let workers: Workers | null = null;
let leaving: Workers | null = null;
/** This host starts no workers: everything runs on this thread. */
let refused = false;
/** Programs so far that would have gained by workers. */
let gainers = 0;
let look = () => {};

/** Calls `fn` whenever workers may have come up, left, or done something. */
export function onStir(fn: () => void): void {
  look = fn;
}

function stirred(): void {
  refresh();
  look();
}

/** Drops workers that cannot be used, and forgets those that have left. */
function refresh(): void {
  if (workers !== null && !workers.busy && (workers.broken || workers.threads !== getThreads())) {
    refused ||= workers.stillborn;
    workers.dismiss();
    leaving = workers;
    workers = null;
  }
  if (leaving?.release()) leaving = null;
}

/** Workers up to number `last`, once they are up; the first call starts them. */
function upTo(last: number): Workers | null {
  if (workers === null || workers.broken || workers.threads !== getThreads()) {
    refresh();
    // Two sets at a time would let a program that often calls setThreads pile them up.
    if (leaving !== null || refused) return null;
    workers = new Workers(getThreads(), theHeap(), stirred);
  }
  try {
    workers.start(last);
  } catch {
    refused = true;
  }
  return workers.ready(last) ? workers : null;
}

/** Whether workers are up and waiting. */
export function poolReady(): boolean {
  return workers?.ready(1) ?? false;
}

/** The workers that can run a program without this thread, or null while they are on their way; `undefined` where there are none. */
export function leaders(): Workers | null | undefined {
  return upTo(getThreads()) ?? (refused ? undefined : null);
}

/**
 * Runs a program: on several threads where `parallel` says that it gains, and the workers are up; until then on this
 * thread alone, with the same results. They start at the second program that gains, so that the first is not kept waiting
 * by their start, and a process of one program starts none.
 */
export function runProgram(program: number, table: number, parallel: boolean): number {
  const { kernels, scratch } = theHeap();
  const shared = parallel && getThreads() > 1 && ++gainers > 1 ? upTo(getThreads() - 1) : null;
  if (shared === null) return kernels.run(program, table, scratch, 0, 1, 0);
  return shared.share(program, table);
}
