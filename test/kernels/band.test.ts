import { describe, expect, test } from 'vitest';
import { OP_BAND } from '../../assembly/abi.ts';
import { BOTH, expectClose, THREADS, uniform, whole } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };
const INNER = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33];

describe.each(BOTH)('band, %s', (simd) => {
  const h = harnesses[simd];

  test('weighted sums of neighbouring rows, of every width and count', () => {
    for (const outer of [0, 1, 3]) {
      for (const [size, n, taps] of [
        [1, 1, 1],
        [6, 4, 3],
        [5, 11, 2],
        [40, 3, 17],
      ] as const) {
        for (const inner of INNER) {
          const x = uniform(outer * size * inner, size + inner);
          const weights = uniform(n * taps, n);
          const counts = whole(n, inner, taps + 1);
          const spans = Array.from(counts, (count, o) => [(o * 7) % (size - count + 1), count]).flat();
          const expected = Float64Array.from({ length: outer * n * inner }, (_, i) => {
            const [plane, o, col] = [Math.floor(i / (n * inner)), Math.floor(i / inner) % n, i % inner];
            let sum = 0;
            for (let k = 0; k < (spans[2 * o + 1] as number); k++) {
              const row = plane * size + (spans[2 * o] as number) + k;
              sum += (weights[o * taps + k] as number) * (x[row * inner + col] as number);
            }
            return sum;
          });
          for (const threads of THREADS) {
            h.reset();
            const out = h.room(outer * n * inner, 'f32', 4);
            const operands = [out, h.put(x, 'f32', 8), h.put(spans, 'i32', 4), h.put(weights, 'f32', 12)];
            expect(h.run([[OP_BAND, ...operands, outer, size, n, inner, taps]], threads)).toBe(0);
            // 17 terms of up to 4, each rounded.
            expectClose(h.get(out), expected, 0, 1e-5);
          }
        }
      }
    }
  });

  test('what no span reaches is not read: NaN and ∞ beside it change nothing', () => {
    h.reset();
    const x = [Number.NaN, 1, 2, Number.POSITIVE_INFINITY];
    const out = h.room(2);
    const operands = [out, h.put(x), h.put([1, 2, 3, 0], 'i32'), h.put([1, 10, Number.NaN, Number.NaN])];
    expect(h.run([[OP_BAND, ...operands, 1, 4, 2, 1, 2]])).toBe(0);
    expect([...h.get(out)]).toEqual([21, 0]);
  });

  test('planes longer than scratch holds four of', () => {
    h.reset();
    const size = 262144 + 7;
    const x = uniform(3 * size, 1);
    const spans = [0, 2, size - 1, 1, 131072, 2];
    const expected = [0, 1, 2].flatMap((plane) => {
      const at = (i: number) => x[plane * size + i] as number;
      return [at(0) + 2 * at(1), 3 * at(size - 1), 5 * at(131072) + 6 * at(131073)];
    });
    const out = h.room(9);
    const operands = [out, h.put(x), h.put(spans, 'i32'), h.put([1, 2, 3, 4, 5, 6])];
    expect(h.run([[OP_BAND, ...operands, 3, size, 3, 1, 2]], 2)).toBe(0);
    expectClose(h.get(out), expected, 1e-6, 1e-6);
  });
});
