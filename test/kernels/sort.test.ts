import { describe, expect, test } from 'vitest';
import { NONE, OP_SORT, SORT_DESCENDING, SORT_I32 } from '../../assembly/abi.ts';
import { BOTH, expectSame, few, THREADS, uniform, whole } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };

/** Places in order: NaN above all, equal elements in the order they came. */
function reference(x: ArrayLike<number>, rows: number, cols: number, descending: boolean): number[] {
  const above = (p: number, q: number) => (Number.isNaN(p) && !Number.isNaN(q)) || p > q;
  return Array.from({ length: rows }, (_, r) => {
    const at = (i: number) => x[r * cols + i]!;
    const order = Array.from({ length: cols }, (_, i) => i);
    return order.sort((i, j) => (descending ? -1 : 1) * (Number(above(at(i), at(j))) - Number(above(at(j), at(i)))));
  }).flat();
}

function check(simd: 'baseline' | 'relaxed', x: Float32Array | Int32Array, rows: number, cols: number, room = false) {
  const h = harnesses[simd];
  const type = x instanceof Int32Array ? 'i32' : 'f32';
  for (const descending of [0, SORT_DESCENDING]) {
    const expected = reference(x, rows, cols, descending !== 0);
    const flags = descending | (type === 'i32' ? SORT_I32 : 0);
    for (const threads of THREADS) {
      h.reset();
      const out = h.room(rows * cols, 'i32', 4);
      const scratch = room ? h.room(4 * rows * cols) : NONE;
      expect(h.run([[OP_SORT, out, h.put(x, type, 8), scratch, rows, cols, flags]], threads)).toBe(0);
      expectSame(h.get(out), expected, `[${rows}, ${cols}] descending=${descending} ${threads} threads`);
    }
  }
}

describe.each(BOTH)('sort, %s', (simd) => {
  test('rows of every small size', () => {
    for (let cols = 0; cols <= 40; cols++) check(simd, uniform(18 * cols, cols), 18, cols);
    for (const cols of [63, 64, 65, 1000]) check(simd, uniform(3 * cols, cols), 3, cols);
  });

  test('equal elements keep their order; NaN is above all; −0 equals 0', () => {
    const sets = [[], [0, -0], [Number.NaN], [-Infinity, Infinity, Number.NaN], [-0, 0, 1e-40, -1e-40]];
    for (const [seed, extra] of sets.entries())
      for (let cols = 1; cols <= 33; cols++) check(simd, few(5 * cols, seed, extra), 5, cols);
  });

  test('every sign and payload of NaN', () => {
    const x = new Float32Array(6);
    new Uint32Array(x.buffer).set([0xffc00000, 0x7f800000, 0xff800001, 0x7fffffff, 0xff800000, 0x7f7fffff]);
    check(simd, x, 1, 6);
  });

  test('whole numbers, the extremes among them', () => {
    for (let cols = 1; cols <= 33; cols++) {
      const x = whole(5 * cols, cols, 2 ** 31).map((v, i) => (i % 3 === 0 ? ~v : i % 7 === 0 ? -(2 ** 31) : v));
      check(simd, x, 5, cols);
      check(simd, whole(5 * cols, cols, 4), 5, cols);
    }
  });

  test('in memory of its own, where a row is longer than the scratch of a thread', () => {
    check(simd, uniform(7 * 50, 9), 7, 50, true);
    check(simd, uniform(40 * 5, 9), 40, 5, true);
    check(simd, uniform(300_000, 9), 1, 300_000, true);
  });

  test('in order, in reverse and nothing to do', () => {
    const n = 100;
    check(
      simd,
      Float32Array.from({ length: n }, (_, i) => i),
      1,
      n,
    );
    check(
      simd,
      Float32Array.from({ length: n }, (_, i) => -i),
      1,
      n,
    );
    check(simd, new Float32Array(0), 0, 5);
  });
});
