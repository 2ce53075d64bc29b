// What the side-by-side bench makes of its samples.
import { describe, expect, test } from 'vitest';
import { disagreement, growth, ratios, summary } from '../../bench/peers/statistics.js';

test('a summary is the median and the 10 and 90 % quantiles', () => {
  expect(summary([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual({ median: 5, low: 1, high: 9 });
});

test('ratios pair the rates of one round and skip rounds that the slower side sat out', () => {
  expect(ratios([10, 20, 30], [5, 5])).toEqual([2, 4]);
});

describe('disagreement', () => {
  test('is relative to the largest element of each array', () => {
    expect(disagreement([[100, 1], [0.5]], [[100, 2], [0.5]])).toBe(0.01);
    expect(disagreement([[100, 2], [0.4]], [[100, 2], [0.5]])).toBeCloseTo(0.2);
    expect(disagreement([[-1, 1]], [[1, 1]])).toBe(2);
  });

  test('takes zeros as they are', () => {
    expect(disagreement([[0, 0]], [[0, 0]])).toBe(0);
    expect(disagreement([[0, 0.1]], [[0, 0]])).toBe(0.1);
  });

  test('is infinite where sizes differ or an element is no number', () => {
    expect(disagreement([], [[1]])).toBe(Number.POSITIVE_INFINITY);
    expect(disagreement([[1, 2]], [[1]])).toBe(Number.POSITIVE_INFINITY);
    expect(disagreement([[Number.NaN, 1]], [[1, 1]])).toBe(Number.POSITIVE_INFINITY);
    expect(disagreement([[null, 1]], [[Number.NaN, 1]])).toBe(Number.POSITIVE_INFINITY);
  });
});

test('growth is bytes a call over the second half', () => {
  expect(growth([0, 100, 900, 1000, 1010, 1020])).toBe(10);
  expect(growth([5])).toBe(0);
});
