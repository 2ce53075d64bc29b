// Runs suites in fresh processes, in turn. A round is one process of each side; within it the sides take turns at every
// benchmark, A B B A A B B A, so that whatever slows the machine for a while slows all of them.
import { Child, ChildError } from './child.ts';
import type { Measured, Result } from './result.ts';
import type { Answers } from './worker.ts';

/** Code that is measured: a suite in a tree of files. */
export interface Side {
  /** How errors name it. */
  label: string;
  /** Program and arguments that serve the suite. */
  command: readonly string[];
  cwd: string;
  result: Result;
}

export interface SessionOptions {
  /** Fresh processes of each side. */
  rounds: number;
  /** Of timing, for each side, benchmark and round. */
  seconds: number;
  /** Before each of those. */
  warmUp: number;
  /** Longest wait for one answer. */
  patience: number;
  env: Record<string, string | undefined>;
  /** Which benchmarks; all of them by default. */
  filter?: (name: string) => boolean;
  onProgress?: (done: number, total: number, what: string) => void;
}

/** Of each side, at each benchmark in each round. */
const TURNS = 4;

/** A run that cannot be finished: the suite's fault, and no regression. */
export class BrokenRun extends Error {}

/** Measures the benchmarks that all sides have, and writes what it finds into each side's result. */
export async function runSession(sides: readonly Side[], options: SessionOptions): Promise<void> {
  for (let round = 0; round < Math.max(options.rounds, 1); round++) {
    const workers = sides.map((side) => new Worker(side, options));
    try {
      for (const worker of workers) await worker.ask('start', 'loading the suite');
      await runRound(workers, round, options);
      if (round === 0) for (const worker of workers) await worker.describe(options.rounds > 0);
    } finally {
      for (const worker of workers) worker.close();
    }
  }
}

async function runRound(workers: readonly Worker[], round: number, options: SessionOptions): Promise<void> {
  const names = commonNames(workers, options.filter);
  for (const [k, name] of names.entries()) {
    options.onProgress?.(round * names.length + k, Math.max(options.rounds, 1) * names.length, name);
    for (const worker of workers) await worker.open(name, options);
    if (options.rounds > 0) {
      const order = round % 2 === 0 ? workers : workers.toReversed();
      const turns = [...order, ...order.toReversed(), ...order, ...order.toReversed()];
      for (const worker of turns) await worker.time(name, round, options.seconds / TURNS);
    }
    for (const worker of workers) await worker.ask('close', `${name}: tear-down`);
  }
}

function commonNames(workers: readonly Worker[], filter = (_: string) => true): string[] {
  const [first, ...others] = workers as [Worker, ...Worker[]];
  const names = first.names.filter((name) => filter(name) && others.every((o) => o.names.includes(name)));
  if (names.length > 0) return names;
  const why = first.names.some(filter)
    ? 'the two revisions have no benchmark of the same name'
    : 'no benchmark matches';
  throw new BrokenRun(`${why}; there are: ${first.names.join(', ')}`);
}

/** One side's process in one round. */
class Worker {
  names: string[] = [];
  readonly #side: Side;
  readonly #child: Child;

  constructor(side: Side, { env, patience }: SessionOptions) {
    this.#side = side;
    this.#child = new Child(side.command, { env, cwd: side.cwd, patience });
  }

  async ask<R extends keyof Answers>(request: R, what: string, options: object = {}): Promise<Answers[R]> {
    try {
      const answer = await this.#child.ask<Answers[R]>(request, options);
      if (request === 'start') this.names = (answer as Answers['start']).names;
      return answer;
    } catch (error) {
      if (!(error instanceof ChildError)) throw error;
      const where = this.#side.label === '' ? what : `${this.#side.label}, ${what}`;
      const hint = error.kind === 'silent' ? '; it may never end (--timeout waits longer)' : '';
      throw new BrokenRun(`${where}: ${error.message}${hint}`);
    }
  }

  async open(name: string, { warmUp, rounds }: SessionOptions): Promise<void> {
    const opened = await this.ask('open', name, { name, warmUp: rounds > 0 ? warmUp : 0 });
    const { benchmarks } = this.#side.result;
    if (!benchmarks.some((b) => b.name === name)) benchmarks.push({ name, ...opened, rounds: [] });
  }

  async time(name: string, round: number, seconds: number): Promise<void> {
    const { samples } = await this.ask('time', name, { seconds });
    const { rounds } = this.#side.result.benchmarks.find((b) => b.name === name) as Measured;
    rounds[round] = [...(rounds[round] ?? []), ...samples];
  }

  /** Adds what the side's nabla tells of itself. */
  async describe(withLimits: boolean): Promise<void> {
    const { limits, ...settings } = await this.ask('about', 'measuring the limits', { withLimits });
    this.#side.result.settings = settings;
    if (limits !== undefined) this.#side.result.limits = limits;
  }

  close(): void {
    this.#child.close();
  }
}
