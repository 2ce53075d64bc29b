import { describe, expect, test } from 'vitest';
import { OP_ARGMAX } from '../../assembly/abi.ts';
import { BOTH, expectSame, few, THREADS, uniform } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };

function reference(x: ArrayLike<number>, outer: number, size: number, inner: number, least: boolean): number[] {
  return Array.from({ length: outer * inner }, (_, k) => {
    const first = Math.floor(k / inner) * size * inner + (k % inner);
    let where = 0;
    for (let i = 1; i < size; i++) {
      const [v, best] = [x[first + i * inner] as number, x[first + where * inner] as number];
      if (Number.isNaN(best)) break;
      if (Number.isNaN(v) || (least ? v < best : v > best)) where = i;
    }
    return where;
  });
}

function check(simd: 'baseline' | 'relaxed', x: ArrayLike<number>, outer: number, size: number, inner: number) {
  const h = harnesses[simd];
  for (const least of [0, 1]) {
    const expected = size === 0 ? undefined : reference(x, outer, size, inner, least === 1);
    for (const threads of THREADS) {
      h.reset();
      const out = h.room(outer * inner, 'i32', 4);
      expect(h.run([[OP_ARGMAX, out, h.put(x, 'f32', 8), outer, size, inner, least]], threads)).toBe(0);
      if (expected) expectSame(h.get(out), expected, `[${outer}, ${size}, ${inner}] least=${least} ${threads} threads`);
    }
  }
}

describe.each(BOTH)('argmax, %s', (simd) => {
  test('rows of every small size', () => {
    for (let size = 1; size <= 37; size++) check(simd, uniform(18 * size, size), 18, size, 1);
    check(simd, uniform(3 * 1001, 5), 3, 1001, 1);
  });

  test('a middle axis', () => {
    for (const outer of [1, 3])
      for (let size = 1; size <= 9; size++)
        for (let inner = 2; inner <= 18; inner++) check(simd, uniform(outer * size * inner, size), outer, size, inner);
    check(simd, uniform(5 * 7 * 40, 5), 5, 7, 40);
  });

  test('of ties the first wins; the first NaN is the extreme; −0 equals 0', () => {
    const sets = [[], [0, -0], [Number.NaN], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN]];
    for (const [seed, extra] of sets.entries())
      for (let size = 1; size <= 21; size++) {
        check(simd, few(12 * size, seed, extra), 12, size, 1);
        check(simd, few(12 * size, seed, extra), 2, size, 6);
      }
    for (const value of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN])
      for (const inner of [1, 5]) check(simd, new Float32Array(9 * inner).fill(value), 1, 9, inner);
  });

  test('nothing to do', () => {
    check(simd, [], 0, 4, 3);
    check(simd, [], 4, 3, 0);
    check(simd, [], 4, 0, 1);
  });
});
