// From two results to a verdict on each benchmark: slower, faster, or no difference that is both certain and large.

import type { Counters, Measured, Result } from './result.ts';
import { bootstrap, holm, mannWhitney, median, quantile, signedRank } from './statistics.ts';

/** Largest probability of a difference by chance alone, over the whole suite, at which it counts as certain. */
export const CERTAIN = 0.01;

export interface Change {
  counter: keyof Counters;
  from: number;
  to: number;
}

export interface Comparison {
  name: string;
  /** Time now over time before: above 1 is slower. NaN where nothing was timed. */
  ratio: number;
  /** Interval of the ratio that 95 % of resampled runs lie in. */
  low: number;
  high: number;
  /** Probability that chance alone made the difference, corrected for the size of the suite. */
  p: number;
  verdict: 'slower' | 'faster' | 'same';
  /** Counters that differ: exact, so any difference is one. */
  changes: Change[];
}

export interface Report {
  comparisons: Comparison[];
  /** Names that only one side has. */
  added: string[];
  removed: string[];
}

/**
 * What a call takes in each process: the lower quartile of its samples, since what disturbs a call only ever lengthens
 * it, and may do so for half of a process's turns.
 */
const timesOf = ({ rounds }: Measured) => rounds.filter((samples) => samples.length > 0).map((s) => quantile(s, 0.25));

/** How many rounds it takes for a difference in every one of them to be certain in a suite of so many benchmarks. */
export function roundsFor(benchmarks: number): number {
  return Math.max(16, Math.ceil(Math.log2((2 * benchmarks) / CERTAIN)) + 1);
}

/**
 * Compares by name. `paired` says that round k of one was measured in turn with round k of the other: then pairs of
 * rounds are compared, whatever the machine did meanwhile.
 */
export function compareResults(base: Result, head: Result, options: { paired: boolean; threshold: number }): Report {
  const before = new Map(base.benchmarks.map((b) => [b.name, b]));
  const shared = head.benchmarks.filter(({ name }) => before.has(name));
  const found = shared.map((now) => difference(before.get(now.name) as Measured, now, options.paired));
  const corrected = holm(found.map(({ p }) => p));
  const comparisons = found.map((f, i): Comparison => {
    const p = corrected[i] as number;
    const isLarge = Math.abs(Math.log(f.ratio)) > Math.log(1 + options.threshold);
    const verdict = p < CERTAIN && isLarge ? (f.ratio > 1 ? 'slower' : 'faster') : 'same';
    return { ...f, p, verdict };
  });
  const names = new Set(head.benchmarks.map(({ name }) => name));
  return {
    comparisons,
    added: head.benchmarks.flatMap(({ name }) => (before.has(name) ? [] : [name])),
    removed: base.benchmarks.flatMap(({ name }) => (names.has(name) ? [] : [name])),
  };
}

function difference(before: Measured, now: Measured, paired: boolean): Omit<Comparison, 'verdict'> {
  const [a, b] = [timesOf(before), timesOf(now)];
  const changes = changedCounters(before.counters, now.counters);
  const { name } = now;
  if (a.length === 0 || b.length === 0)
    return { name, ratio: Number.NaN, low: Number.NaN, high: Number.NaN, p: 1, changes };
  if (!paired) {
    const ratio = (x: number[], y: number[]) => median(y) / median(x);
    const [low, high] = bootstrap([a, b], ratio as (...s: number[][]) => number);
    return { name, ratio: ratio(a, b), low, high, p: mannWhitney(a, b), changes };
  }
  const logs = b.map((seconds, round) => Math.log(seconds / (a[round] as number)));
  const [low, high] = bootstrap([logs], (x) => median(x as number[]));
  return {
    name,
    ratio: Math.exp(median(logs)),
    low: Math.exp(low),
    high: Math.exp(high),
    p: signedRank(logs),
    changes,
  };
}

export function changedCounters(before: Counters | null, now: Counters | null): Change[] {
  if (before === null || now === null) return [];
  const names = Object.keys(now) as (keyof Counters)[];
  return names
    .filter((c) => before[c] !== now[c])
    .map((counter) => ({ counter, from: before[counter], to: now[counter] }));
}

/** What two processes of the same code, measured in turn, differ by on this machine: half of the benchmarks by less than `typical`. */
export function noise(a: Result, b: Result): { typical: number; largest: number; alarms: number } {
  const { comparisons } = compareResults(a, b, { paired: true, threshold: 0 });
  const sizes = comparisons.map(({ ratio }) => Math.abs(ratio - 1)).filter((x) => !Number.isNaN(x));
  if (sizes.length === 0) return { typical: 0, largest: 0, alarms: 0 };
  return {
    typical: median(sizes),
    largest: Math.max(...sizes),
    alarms: comparisons.filter(({ verdict }) => verdict !== 'same').length,
  };
}
