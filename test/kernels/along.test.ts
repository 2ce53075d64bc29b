import { describe, expect, test } from 'vitest';
import { FAULT_INDEX, OP_ADD_ALONG, OP_TAKE_ALONG } from '../../assembly/abi.ts';
import { BOTH, expectSame, THREADS, uniform, whole } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };
const SIZES: [outer: number, n: number, inner: number, size: number][] = [];
for (const outer of [1, 3])
  for (const n of [0, 1, 2, 5, 17])
    for (const inner of [0, 1, 2, 3, 5, 16, 35]) for (const size of [1, 4, 40]) SIZES.push([outer, n, inner, size]);

describe.each(BOTH)('along an axis, %s', (simd) => {
  const h = harnesses[simd];
  /** Where element i of the index points. */
  const placeOf = (index: Int32Array, n: number, inner: number, size: number) => (i: number) =>
    (Math.floor(i / (n * inner)) * size + index[i]!) * inner + (i % inner);

  test('take picks an element for each index', () => {
    for (const [outer, n, inner, size] of SIZES) {
      const total = outer * n * inner;
      const [x, index] = [uniform(outer * size * inner, n), whole(total, inner, size)];
      const place = placeOf(index, n, inner, size);
      const expected = Float32Array.from({ length: total }, (_, i) => x[place(i)]!);
      for (const threads of THREADS) {
        h.reset();
        const out = h.room(total, 'f32', 4);
        const run = [OP_TAKE_ALONG, out, h.put(x, 'f32', 8), h.put(index, 'i32', 4), outer, n, inner, size];
        expect(h.run([run], threads)).toBe(0);
        expectSame(h.get(out), expected, `${[outer, n, inner, size]} ${threads} threads`);
      }
    }
  });

  test('add sums in the order of n, to the bit', () => {
    for (const [outer, n, inner, size] of SIZES) {
      const total = outer * n * inner;
      const [src, index] = [uniform(total, n), whole(total, inner, size)];
      const place = placeOf(index, n, inner, size);
      const expected = new Float32Array(outer * size * inner);
      for (let i = 0; i < total; i++) expected[place(i)]! += src[i]!;
      for (const threads of THREADS) {
        h.reset();
        const out = h.room(outer * size * inner, 'f32', 4);
        const run = [OP_ADD_ALONG, out, h.put(src, 'f32', 8), h.put(index, 'i32', 4), outer, n, inner, size];
        expect(h.run([run], threads)).toBe(0);
        expectSame(h.get(out), expected, `${[outer, n, inner, size]} ${threads} threads`);
      }
    }
  });

  test('an index out of range at any place is a fault, and nothing is written', () => {
    for (const op of [OP_TAKE_ALONG, OP_ADD_ALONG])
      for (const bad of [-1, 4, 2147483647, -2147483648])
        for (let at = 0; at < 12; at++) {
          h.reset();
          const index = whole(12, at, 4);
          index[at] = bad;
          const out = h.room(16);
          const operands = [out, h.put(uniform(16, 1)), h.put(index, 'i32')];
          expect(h.run([[op, ...operands, 2, 3, 2, 4]])).toBe(FAULT_INDEX);
          expect([...h.get(out)].every(Number.isNaN)).toBe(true);
        }
  });
});
