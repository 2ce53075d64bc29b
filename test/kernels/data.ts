// Seeded test data and comparisons that know NaN, for the kernel tests.
import { expect } from 'vitest';

export const BOTH = ['baseline', 'relaxed'] as const;
/** Thread counts that leave some threads with much, some with little and some with nothing. */
export const THREADS = [1, 2, 3, 7];

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** n float32 in [low, high). */
export function uniform(n: number, seed: number, low = -2, high = 2): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: n }, () => low + (high - low) * next());
}

/** n whole numbers in [0, end). */
export function whole(n: number, seed: number, end: number): Int32Array {
  const next = generator(seed);
  return Int32Array.from({ length: n }, () => Math.floor(next() * end));
}

/** n numbers out of a few, so that ties, and NaN where `extra` holds it, are common. */
export function few(n: number, seed: number, extra: number[] = []): Float32Array {
  const choices = [-3, -2, -1, ...extra];
  return Float32Array.from(whole(n, seed, choices.length), (i) => choices[i] as number);
}

/** Every element within `absolute + relative·|expected|`; NaN and ∞ must be matched. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number, absolute = 0) {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    if (Object.is(a, e) || a === e) continue;
    if (Math.abs(a - e) <= absolute + relative * Math.abs(e)) continue;
    expect.fail(`element ${i} of ${expected.length}: got ${a}, expected ${e} ± ${absolute + relative * Math.abs(e)}`);
  }
}

/** The same bits, but for the payload of NaN. */
export function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what = '') {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) {
      expect.fail(`${what} element ${i} of ${expected.length}: got ${actual[i]}, expected ${expected[i]}`);
    }
  }
}
