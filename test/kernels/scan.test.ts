import { describe, expect, test } from 'vitest';
import { NONE, OP_SCAN, SCAN_I32, SCAN_REVERSE } from '../../assembly/abi.ts';
import { BOTH, expectClose, expectSame, THREADS, uniform, whole } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };

type Numbers = Float32Array | Int32Array;

/** The recurrence in float64, or in int32. */
function reference(a: Numbers | null, b: Numbers, [outer, size, inner]: number[], reverse: boolean): number[] {
  const isInt = b instanceof Int32Array;
  const out = new Array<number>(b.length);
  for (let o = 0; o < outer!; o++)
    for (let c = 0; c < inner!; c++) {
      let h = 0;
      for (let i = 0; i < size!; i++) {
        const at = (o * size! + (reverse ? size! - 1 - i : i)) * inner! + c;
        if (i === 0) h = b[at]!;
        else h = (a === null ? h : isInt ? Math.imul(a[at]!, h) : a[at]! * h) + b[at]!;
        if (isInt) h |= 0;
        out[at] = h;
      }
    }
  return out;
}

function check(simd: 'baseline' | 'relaxed', a: Numbers | null, b: Numbers, sizes: number[]) {
  const h = harnesses[simd];
  const type = b instanceof Int32Array ? 'i32' : 'f32';
  for (const reverse of [false, true]) {
    const expected = reference(a, b, sizes, reverse);
    const flags = (reverse ? SCAN_REVERSE : 0) | (type === 'i32' ? SCAN_I32 : 0);
    let alone: ArrayLike<number> | null = null;
    for (const threads of THREADS) {
      h.reset();
      const out = h.room(b.length, type, 4);
      const operands = [out, a ? h.put(a, type, 8) : NONE, h.put(b, type, 4)];
      expect(h.run([[OP_SCAN, ...operands, ...sizes, flags]], threads)).toBe(0);
      if (type === 'i32') expectSame(h.get(out), expected, `${sizes}`);
      // Half an ulp, and a float64's rounding of what came before.
      else expectClose(h.get(out), expected, 2 ** -24 + 2 ** -40, 1e-12);
      if (alone === null) alone = h.get(out);
      else expectSame(h.get(out), alone, `${sizes} by ${threads} threads`);
    }
  }
}

const SHAPES: number[][] = [];
for (let size = 1; size <= 9; size++) for (const inner of [1, 2, 3, 4, 5, 8, 17]) SHAPES.push([3, size, inner]);
SHAPES.push([1, 1000, 1], [20, 33, 1], [2, 40, 33], [1, 5, 2053], [40, 3, 1], [7, 2, 3]);

describe.each(BOTH)('scan, %s', (simd) => {
  test('running sums of every small size', () => {
    for (const sizes of SHAPES)
      check(
        simd,
        null,
        uniform(
          sizes.reduce((p, q) => p * q),
          1,
        ),
        sizes,
      );
  });

  test('recurrences of every small size, zeros among the factors', () => {
    for (const sizes of SHAPES) {
      const n = sizes.reduce((p, q) => p * q);
      const a = uniform(n, 2, -1, 1).map((v) => (Math.abs(v) < 0.1 ? 0 : v));
      check(simd, a, uniform(n, 3), sizes);
    }
  });

  test('whole numbers wrap around', () => {
    for (const sizes of SHAPES) {
      const n = sizes.reduce((p, q) => p * q);
      check(simd, null, whole(n, 4, 2 ** 31), sizes);
      check(simd, whole(n, 5, 2 ** 31), whole(n, 6, 2 ** 31), sizes);
    }
  });

  test('the first factor is not read', () => {
    const a = Float32Array.of(Number.NaN, 2, 3, Number.NaN, 0, 1);
    const h = harnesses[simd];
    h.reset();
    const out = h.room(6);
    h.run([[OP_SCAN, out, h.put(a), h.put(Float32Array.of(5, 1, 1, Infinity, 1, 1)), 2, 3, 1, 0]]);
    expectSame(h.get(out), [5, 11, 34, Infinity, Number.NaN, Number.NaN]);
  });

  test('a long sum keeps its digits', () => {
    const n = 200_000;
    const h = harnesses[simd];
    h.reset();
    const out = h.room(n);
    h.run([[OP_SCAN, out, NONE, h.put(new Float32Array(n).fill(0.1)), 1, n, 1, 0]]);
    expect(h.get(out)[n - 1]).toBe(Math.fround(n * Math.fround(0.1)));
  });

  test('nothing to do', () => {
    for (const sizes of [
      [0, 3, 2],
      [3, 0, 2],
      [3, 2, 0],
    ])
      check(simd, null, new Float32Array(0), sizes);
  });
});
