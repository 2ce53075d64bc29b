// What can be said of two sets of timings: their ratio, an interval for it, and how likely chance alone made it.
// Plain numbers in, plain numbers out. bench/README.md explains the choice of each.
import { Rng } from '../data/rng.ts';

/** The q-th quantile (0 … 1), linear between neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)] as number;
  return below + ((sorted[Math.ceil(at)] as number) - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Ranks from 1, doubled so that equal values, which share the mean of their ranks, still have whole ones. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number));
  const ranks = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1] as number] === values[order[first] as number]) last++;
    for (let k = first; k <= last; k++) ranks[order[k] as number] = first + last + 2;
    first = last + 1;
  }
  return ranks;
}

/** How likely a sum at least as far from the mean is, where ways[s] of `total` equally likely cases have the sum s. */
function twoSided(ways: Float64Array, sum: number): number {
  const total = ways.reduce((a, b) => a + b, 0);
  const mean = ways.reduce((a, w, s) => a + w * s, 0) / total;
  const distance = Math.abs(sum - mean) - 1e-9;
  return ways.reduce((a, w, s) => (Math.abs(s - mean) >= distance ? a + w : a), 0) / total;
}

/**
 * Wilcoxon's signed-rank test (1945): the probability that differences of pairs whose sign is up to chance lie as far to
 * one side as these. Exact, ties included; differences of 0 are left out. Two-sided; 1 where there is nothing to test.
 */
export function signedRank(differences: readonly number[]): number {
  const moved = differences.filter((d) => d !== 0);
  if (moved.length === 0) return 1;
  const ranks = doubledRanks(moved.map(Math.abs));
  let ways = Float64Array.of(1);
  for (const rank of ranks) {
    const next = new Float64Array(ways.length + rank);
    ways.forEach((w, s) => {
      (next[s] as number) += w;
      (next[s + rank] as number) += w;
    });
    ways = next;
  }
  return twoSided(
    ways,
    ranks.reduce((sum, rank, i) => ((moved[i] as number) > 0 ? sum + rank : sum), 0),
  );
}

/**
 * The test of Mann and Whitney (1947): the probability that two samples of one distribution differ in rank as much as
 * these. Exact, ties included: use it on tens of values, not thousands. Two-sided.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const ranks = doubledRanks([...a, ...b]);
  const most = ranks.reduce((x, y) => x + y, 0);
  // ways[n][s]: choices of n values whose ranks sum to s.
  const ways = Array.from({ length: a.length + 1 }, () => new Float64Array(most + 1));
  (ways[0] as Float64Array)[0] = 1;
  for (const rank of ranks) {
    for (let n = a.length; n > 0; n--) {
      const [with_, without] = [ways[n] as Float64Array, ways[n - 1] as Float64Array];
      for (let s = most; s >= rank; s--) (with_[s] as number) += without[s - rank] as number;
    }
  }
  return twoSided(
    ways[a.length] as Float64Array,
    ranks.slice(0, a.length).reduce((x, y) => x + y, 0),
  );
}

/** Holm's correction (1979): p-values that keep their meaning though several are looked at, in the order given. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => (pValues[i] as number) - (pValues[j] as number));
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((i, k) => {
    largest = Math.max(largest, Math.min(1, (pValues[i] as number) * (pValues.length - k)));
    adjusted[i] = largest;
  });
  return adjusted;
}

const RESAMPLES = 2000;

/**
 * Efron's percentile interval (1979) of `statistic`, which `level` of the resampled values lie in. Each sample is drawn
 * anew with replacement; the draws repeat from call to call.
 */
export function bootstrap(
  samples: readonly (readonly number[])[],
  statistic: (...samples: number[][]) => number,
  level = 0.95,
): [low: number, high: number] {
  const random = new Rng(1);
  const values = Array.from({ length: RESAMPLES }, () =>
    statistic(...samples.map((sample) => sample.map(() => sample[random.below(sample.length)] as number))),
  );
  return [quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)];
}
