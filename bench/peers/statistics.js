// Medians, spreads and agreement of what the sides measured; plain numbers in, plain numbers out.
import { quantile } from '../../build/src/bench/statistics.js';

/** @returns {{ median: number, low: number, high: number }} low and high: the 10 % and the 90 % quantile */
export const summary = (numbers) => ({
  median: quantile(numbers, 0.5),
  low: quantile(numbers, 0.1),
  high: quantile(numbers, 0.9),
});

/** a/b of each round in which both were measured: what slows the machine for a while slows both. */
export function ratios(a, b) {
  return a.flatMap((rate, round) => (b[round] === undefined ? [] : [rate / b[round]]));
}

/**
 * The largest difference between two lists of arrays, each array's relative to its largest expected element;
 * infinite if they differ in size or hold anything that is no finite number.
 */
export function disagreement(arrays, expected) {
  if (arrays.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Math.max(...arrays.map((array, k) => largestDifference(array, expected[k])));
}

function largestDifference(array, expected) {
  if (array.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...expected.map(Math.abs)) || 1;
  const differences = array.map((x, i) => Math.abs(x - expected[i]) / scale);
  return differences.every(Number.isFinite) ? Math.max(...differences) : Number.POSITIVE_INFINITY;
}

/** Bytes a call by which resident memory grew over the second half of the calls; buffers fill in the first. */
export function growth(resident) {
  const half = Math.floor(resident.length / 2);
  return (resident.at(-1) - resident[half]) / Math.max(1, resident.length - 1 - half);
}
