import { describe, expect, test } from 'vitest';
import { FAULT_INDEX, OP_GATHER, OP_SCATTER_ADD } from '../../assembly/abi.ts';
import { BOTH, expectSame, THREADS, uniform, whole } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };
const SIZES = [0, 1, 2, 3, 5, 16, 17, 50];
const INNER = [0, 1, 2, 3, 4, 5, 7, 8, 13, 18, 33, 64, 67, 128, 150];

describe.each(BOTH)('gather and scatter-add, %s', (simd) => {
  const h = harnesses[simd];

  test('gather picks rows', () => {
    for (const n of SIZES)
      for (const inner of INNER) {
        const [src, index] = [uniform(9 * inner, n), whole(n, inner, 9)];
        const expected = Float32Array.from({ length: n * inner }, (_, i) => {
          return src[(index[Math.floor(i / inner)] as number) * inner + (i % inner)] as number;
        });
        for (const threads of THREADS) {
          h.reset();
          const out = h.room(n * inner, 'f32', 4);
          const run = [OP_GATHER, out, h.put(src, 'f32', 8), h.put(index, 'i32', 4), n, inner, 9];
          expect(h.run([run], threads)).toBe(0);
          expectSame(h.get(out), expected);
        }
      }
  });

  test('scatter-add sums rows in the order of n, to the bit', () => {
    for (const n of SIZES)
      for (const inner of INNER)
        for (const rows of [1, 5, 40]) {
          const [src, index] = [uniform(n * inner, n), whole(n, inner, rows)];
          const expected = new Float32Array(rows * inner);
          for (let i = 0; i < n * inner; i++) {
            const at = (index[Math.floor(i / inner)] as number) * inner + (i % inner);
            expected[at] = (expected[at] as number) + (src[i] as number);
          }
          for (const threads of THREADS) {
            h.reset();
            const out = h.room(rows * inner, 'f32', 4);
            const run = [OP_SCATTER_ADD, out, h.put(src, 'f32', 8), h.put(index, 'i32', 4), n, inner, rows];
            expect(h.run([run], threads)).toBe(0);
            expectSame(h.get(out), expected);
          }
        }
  });

  test('an index out of range at any place is a fault, and nothing is written', () => {
    for (const op of [OP_GATHER, OP_SCATTER_ADD])
      for (const bad of [-1, 4, 2147483647, -2147483648])
        for (const n of [1, 2, 3, 4, 7, 9])
          for (let at = 0; at < n; at++) {
            h.reset();
            const index = whole(n, at, 4);
            index[at] = bad;
            const out = h.room(n * 4 * 3);
            expect(h.run([[op, out, h.put(uniform(n * 4 * 3, 1)), h.put(index, 'i32'), n, 3, 4]])).toBe(FAULT_INDEX);
            expect([...h.get(out)].every(Number.isNaN)).toBe(true);
          }
  });

  test('a source without rows has no index in range', () => {
    h.reset();
    const [out, src] = [h.room(6), h.put([])];
    expect(h.run([[OP_GATHER, out, src, h.put([0, 0], 'i32'), 2, 3, 0]])).toBe(FAULT_INDEX);
    expect(h.run([[OP_GATHER, out, src, h.put([], 'i32'), 0, 3, 0]])).toBe(0);
  });
});
