import { describe, expect, test } from 'vitest';
import { OP_RANDOM, RANDOM_NORMAL, RANDOM_UNIFORM } from '../../assembly/abi.ts';
import { BOTH, expectClose, expectSame, THREADS } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };

/** Philox-4x32-10 as published: a counter of four words and a key of two to four words. */
function philox(counter: number[], key: number[]): number[] {
  let [c0, c1, c2, c3] = counter as [number, number, number, number];
  let [k0, k1] = key as [number, number];
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [BigInt(c0 >>> 0) * 0xd2511f53n, BigInt(c2 >>> 0) * 0xcd9e8d57n];
    const [hi0, hi1] = [Number(p0 >> 32n), Number(p1 >> 32n)];
    const [lo0, lo1] = [Number(p0 & 0xffffffffn), Number(p1 & 0xffffffffn)];
    [c0, c1, c2, c3] = [hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0];
    [k0, k1] = [(k0 + 0x9e3779b9) | 0, (k1 + 0xbb67ae85) | 0];
  }
  return [c0, c1, c2, c3].map((c) => c >>> 0);
}

/** The first n words of a key's stream. */
function stream(n: number, key: number[]): number[] {
  return Array.from({ length: Math.ceil(n / 4) }, (_, b) => philox([b, 0, 0, 0], key))
    .flat()
    .slice(0, n);
}

function generate(simd: 'baseline' | 'relaxed', n: number, key: number[], kind: number, threads = 1): Float32Array {
  const h = harnesses[simd];
  h.reset();
  const out = h.room(n, 'f32', 4);
  const words = h.put(
    key.map((k) => k | 0),
    'i32',
  );
  expect(h.run([[OP_RANDOM, out, words, n, kind]], threads)).toBe(0);
  return h.get(out) as Float32Array;
}

const KEYS = [
  [0, 0],
  [0xffffffff, 0xffffffff],
  [0xa4093822, 0x299f31d0],
  [20261121, 7],
];
const MANY = 1 << 18;

const mean = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0) / x.length;

/** Of n numbers in [0, 1) spread over `bins`: chi-square less its mean, in standard deviations. */
function chiSquare(x: Iterable<number>, n: number, bins: number): number {
  const counts = new Float64Array(bins);
  for (const v of x) counts[Math.floor(v * bins)] = (counts[Math.floor(v * bins)] as number) + 1;
  const expected = n / bins;
  const chi = counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
  return (chi - (bins - 1)) / Math.sqrt(2 * (bins - 1));
}

/** √n times the greatest distance from the uniform distribution: over 1.95 once in a thousand. */
function kolmogorovSmirnov(x: Float64Array): number {
  const n = x.length;
  const far = x.sort().reduce((d, v, i) => Math.max(d, (i + 1) / n - v, v - i / n), 0);
  return far * Math.sqrt(n);
}

/** Φ(x), by Simpson's rule on the density from 0; error under 1e-9 for |x| ≤ 6. */
const CELL = 1 / 64;
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const PHI = [0.5];
for (let i = 0; i < 6 / CELL; i++) {
  const a = i * CELL;
  PHI.push((PHI[i] as number) + ((density(a) + 4 * density(a + CELL / 2) + density(a + CELL)) * CELL) / 6);
}
function phi(x: number): number {
  const a = Math.abs(x);
  const i = Math.floor(a / CELL);
  const rest = a - i * CELL;
  const tail = ((density(i * CELL) + 4 * density(a - rest / 2) + density(a)) * rest) / 6;
  const p = (PHI[i] as number) + tail;
  return x < 0 ? 1 - p : p;
}

test('the reference gives the known answers of Random123 (kat_vectors, philox4x32 10)', () => {
  const ones = 0xffffffff;
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  expect(philox([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  expect(philox(pi, [0xa4093822, 0x299f31d0])).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
});

describe.each(BOTH)('random, %s', (simd) => {
  test('uniform is the upper 24 bits of the stream, to the bit', () => {
    for (const key of KEYS) {
      const words = stream(1003, key).map((w) => (w >>> 8) / 2 ** 24);
      expectSame(generate(simd, 1003, key, RANDOM_UNIFORM), words);
    }
  });

  test('normal is Box–Muller on pairs of the stream', () => {
    for (const key of KEYS) {
      const words = stream(1004, key).map((w) => w >>> 8);
      const expected = words.map((_, i) => {
        const [a, b] = [words[i & ~1] as number, words[i | 1] as number];
        const [radius, angle] = [Math.sqrt(-2 * Math.log((a + 1) / 2 ** 24)), (2 * Math.PI * b) / 2 ** 24];
        return radius * (i & 1 ? Math.sin(angle) : Math.cos(angle));
      });
      // The angle, up to 2π, is off by 2.4e-7 for the rounding of 2π and as much for the product; the radius ≤ 5.77.
      expectClose(generate(simd, 1004, key, RANDOM_NORMAL), expected, 1e-6, 3e-6);
    }
  });

  test('element i depends on key and i alone: any length, any number of threads', () => {
    for (const kind of [RANDOM_UNIFORM, RANDOM_NORMAL]) {
      const all = generate(simd, 1000, [5, 6], kind);
      for (const n of [...Array.from({ length: 70 }, (_, k) => k), 1000])
        for (const threads of THREADS) {
          expectSame(generate(simd, n, [5, 6], kind, threads), all.subarray(0, n));
        }
    }
  });

  test('uniform numbers: range, mean, variance, histogram, Kolmogorov–Smirnov, neighbours', () => {
    for (const key of KEYS) {
      const x = generate(simd, MANY, key, RANDOM_UNIFORM);
      expect(x.every((v) => v >= 0 && v < 1)).toBe(true);
      // Bounds of four standard deviations; the keys are fixed, so a pass stays a pass.
      expect(Math.abs(mean(x) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / MANY));
      expect(Math.abs(mean(x.map((v) => (v - 0.5) ** 2)) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / MANY));
      expect(Math.abs(chiSquare(x, MANY, 256))).toBeLessThan(4);
      expect(kolmogorovSmirnov(Float64Array.from(x))).toBeLessThan(1.95);
      for (const lag of [1, 2, 3, 4, 16]) {
        const pairs = Array.from(x.subarray(lag), (v, i) => (Math.floor((x[i] as number) * 16) + v) / 16);
        expect(Math.abs(chiSquare(pairs, pairs.length, 256))).toBeLessThan(4);
      }
    }
  });

  test('normal numbers: mean, variance, skew, tails, histogram, Kolmogorov–Smirnov, neighbours', () => {
    for (const key of KEYS) {
      const x = generate(simd, MANY, key, RANDOM_NORMAL);
      // The moments of a normal distribution are 0, 1, 0, 3, with variances 1, 2, 15, 96 of their terms.
      for (const [power, value, variance] of [
        [1, 0, 1],
        [2, 1, 2],
        [3, 0, 15],
        [4, 3, 96],
      ] as const) {
        const moment = mean(Array.from(x, (v) => v ** power));
        expect(Math.abs(moment - value)).toBeLessThan(4 * Math.sqrt(variance / MANY));
      }
      expect(x.every((v) => Math.abs(v) < 5.8)).toBe(true);
      const u = Float64Array.from(x, phi);
      expect(Math.abs(chiSquare(u, MANY, 256))).toBeLessThan(4);
      for (const lag of [1, 2, 3, 4]) {
        const pairs = Array.from(u.subarray(lag), (v, i) => (Math.floor((u[i] as number) * 16) + v) / 16);
        expect(Math.abs(chiSquare(pairs, pairs.length, 256))).toBeLessThan(4);
      }
      expect(kolmogorovSmirnov(u)).toBeLessThan(1.95);
    }
  });

  test('two keys give unrelated streams', () => {
    const [a, b] = [generate(simd, MANY, [1, 0], RANDOM_UNIFORM), generate(simd, MANY, [2, 0], RANDOM_UNIFORM)];
    const pairs = Array.from(a, (v, i) => (Math.floor(v * 16) + (b[i] as number)) / 16);
    expect(Math.abs(chiSquare(pairs, MANY, 256))).toBeLessThan(4);
  });
});
