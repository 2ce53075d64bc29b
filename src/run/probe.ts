// How a bench finds whichever copy of nabla a suite uses: the first to run a program in a process makes itself known.
import { type Counters, counters } from './counters.ts';
import { theHeap } from './heap.ts';
import { type Limits, measureLimits } from './limits.ts';
import { getThreads } from './pool.ts';
import type { Simd } from './wasm.ts';

/** What a copy of nabla tells of itself. */
export interface Probe {
  simd(): Simd;
  threads(): number;
  counters(fn: () => unknown): Counters | Promise<Counters>;
  measureLimits(): Limits;
}

const NAME = Symbol.for('nabla.probe');
const known = globalThis as { [NAME]?: Probe };

/** Called before every program. */
export function makeKnown(): void {
  known[NAME] ??= { simd: () => theHeap().simd, threads: getThreads, counters, measureLimits };
}

/** The copy of nabla that runs this process's programs; undefined before the first. */
export function probe(): Probe | undefined {
  return known[NAME];
}
