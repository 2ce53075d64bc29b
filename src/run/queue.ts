// The queue of asynchronous work: one program after another on workers alone, in the order of the calls. Whoever
// needs a result at once, or wants the memory for a program of its own, drains it first.
import { STATUS_OK } from '../../assembly/abi.ts';
import type { Writer } from '../graph/value.ts';
import { awaitProgram, onPoolNews, type Program, programDone, runProgram, startProgram, workersReady } from './pool.ts';

/** Work whose turn will come. */
export interface Work<T> {
  /** Threads its program may use; 0 where it has none. */
  readonly threads: number;
  /** When its turn has come: lays its program out, where it has one. */
  prepare?(): Omit<Program, 'threads'>;
  /** After its program: what the caller gets. Throws where the program failed. */
  finish(status: number): T;
  /** Called last, whether it failed or not. */
  ended?(failed: boolean): void;
}

export class Task<T> implements Writer {
  readonly work: Work<T>;
  /** Resolved with what `finish` returns. */
  readonly result: Promise<T>;
  error: unknown = null;
  done = false;
  #resolve!: (result: T) => void;
  #reject!: (error: unknown) => void;

  constructor(work: Work<T>) {
    this.work = work;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Where nobody asked for the promise, the error is told to whoever reads what was to be computed.
    this.result.catch(() => {});
  }

  /** Does what is queued up to this task, now. */
  wait(): void {
    if (!this.done) drain(this);
  }

  /** Lays its program out. */
  program(): Program {
    const { threads } = this.work;
    const at = this.work.prepare?.();
    if (at === undefined) throw new Error('this work has no program');
    return { ...at, threads };
  }

  /** Takes a step of the task; an error ends it. */
  attempt<R>(step: () => R): R | null {
    try {
      return step();
    } catch (error) {
      this.done = true;
      this.error = error;
      this.work.ended?.(true);
      this.#reject(error);
      return null;
    }
  }

  end(status: number): void {
    const result = this.attempt(() => ({ of: this.work.finish(status) }));
    if (result === null) return;
    this.done = true;
    this.work.ended?.(false);
    this.#resolve(result.of);
  }
}

const waiting: Task<unknown>[] = [];
/** The task whose program workers run now. */
let current: Task<unknown> | null = null;
/** A timer that keeps the process alive while there is work. */
let alive: ReturnType<typeof setInterval> | null = null;

export function enqueue<T>(task: Task<T>): Task<T> {
  waiting.push(task as Task<unknown>);
  onPoolNews(advance);
  advance();
  return task;
}

/** Finishes what is done and starts what comes next. Never waits. */
function advance(): void {
  if (current !== null && programDone()) endCurrent();
  while (current === null && waiting.length > 0 && ready(waiting[0] as Task<unknown>)) {
    const task = waiting.shift() as Task<unknown>;
    if (task.done) continue;
    if (task.work.threads === 0) task.end(STATUS_OK);
    else if (task.attempt(() => startProgram(task.program())) !== null) current = task;
  }
  keepAlive(current !== null || waiting.length > 0);
}

/** Whether a task's workers are up, or it failed since they never will be. */
function ready(task: Task<unknown>): boolean {
  const { threads } = task.work;
  return threads === 0 || (task.attempt(() => workersReady(threads)) ?? true);
}

function endCurrent(): void {
  const task = current as Task<unknown>;
  const status = awaitProgram();
  current = null;
  task.end(status);
}

/** Waits for the program under way and runs what is queued, all of it or up to `last`, here and now. */
export function drain(last: { readonly done: boolean } | null = null): void {
  if (current === null && waiting.length === 0) return;
  if (current !== null) endCurrent();
  while (waiting.length > 0 && last?.done !== true) {
    const task = waiting.shift() as Task<unknown>;
    const status = task.work.threads === 0 ? STATUS_OK : task.attempt(() => runProgram(task.program()));
    if (status !== null) task.end(status);
  }
  advance();
}

function keepAlive(on: boolean): void {
  if (on) alive ??= setInterval(() => {}, 2 ** 30);
  else if (alive !== null) {
    clearInterval(alive);
    alive = null;
  }
}
