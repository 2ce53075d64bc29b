// The statistics of the gate: p-values as SciPy 1.17 gives them, and properties no sample can break.
import { describe, expect, test } from 'vitest';
import { bootstrap, holm, mannWhitney, median, quantile, signedRank } from '../../src/bench/statistics.ts';
import { Rng } from '../../src/data/rng.ts';

describe('signed-rank test', () => {
  // scipy.stats.wilcoxon(d, method='exact').pvalue
  test.each([
    [[1, 2, 3, 4, 5, 6, 7, 8], 2 / 256],
    [[1, -2, 3, -4, 5, -6, 7, 8], 118 / 256],
    [[-1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5], 4 / 1024],
  ])('of %j', (differences, p) => {
    expect(signedRank(differences)).toBeCloseTo(p, 12);
  });

  test('leaves out zeros, shares the ranks of ties, and is 1 where there is nothing to test', () => {
    expect(signedRank([0, 0])).toBe(1);
    expect(signedRank([0, 1, 2, 3])).toBe(signedRank([1, 2, 3]));
    expect(signedRank([1, 1, 1, 1, 1])).toBe(2 / 32);
    expect(signedRank([1, -1, 1, -1])).toBe(1);
  });

  test('every sign is as likely: it rejects at its level and no more', () => {
    // All 2^10 signs of ten ranks: p ≤ α for at most α of them.
    const all = Array.from({ length: 1024 }, (_, bits) =>
      signedRank(Array.from({ length: 10 }, (_, i) => ((bits >> i) & 1 ? 1 : -1) * (i + 1))),
    );
    for (const alpha of [0.001, 0.01, 0.05, 0.3]) {
      expect(all.filter((p) => p <= alpha).length / 1024).toBeLessThanOrEqual(alpha);
    }
    expect(all.filter((p) => p <= 0.05).length / 1024).toBeGreaterThan(0.04);
  });
});

describe('Mann–Whitney test', () => {
  // scipy.stats.mannwhitneyu(a, b, method='exact').pvalue; with ties: over all permutations
  test.each([
    [[1, 2, 3, 4], [5, 6, 7, 8], 2 / 70],
    [[1, 3, 5, 7], [2, 4, 6, 8], 48 / 70],
    [[1, 2, 3], [1, 2, 3], 1],
    [[1, 1, 1], [2, 2, 2], 2 / 20],
    [[5], [1, 2, 3], 0.5],
  ])('of %j and %j', (a, b, p) => {
    expect(mannWhitney(a, b)).toBeCloseTo(p, 12);
    expect(mannWhitney(b, a)).toBeCloseTo(p, 12);
  });

  test('is 1 without samples', () => {
    expect(mannWhitney([], [1])).toBe(1);
  });
});

test("Holm's correction: the smallest counts for all, no later one for less than an earlier", () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.5, 0.9])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

test('quantiles are linear between neighbours', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([10, 20], 0.25)).toBe(12.5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('a bootstrap interval holds the true median about as often as it says, and repeats', () => {
  const rng = new Rng(7);
  let held = 0;
  for (let k = 0; k < 200; k++) {
    const sample = Array.from({ length: 30 }, () => rng.bell() + 10);
    const [low, high] = bootstrap([sample], (x) => median(x as number[]));
    if (low <= 10 && 10 <= high) held++;
    if (k === 0) expect(bootstrap([sample], (x) => median(x as number[]))).toEqual([low, high]);
  }
  expect(held).toBeGreaterThan(180);
  expect(held).toBeLessThan(200);
});

test('a bootstrap interval leaves out as much above as below', () => {
  // One element drawn of a thousand is any of them.
  const [first, last] = bootstrap([Array.from({ length: 1000 }, (_, i) => i)], (x) => (x as number[])[0] as number);
  expect(Math.abs(first - 25)).toBeLessThan(12);
  expect(Math.abs(last - 975)).toBeLessThan(12);
});
