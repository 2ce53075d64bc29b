import { describe, expect, test } from 'vitest';
import { OP_SOFTMAX, OP_SOFTMAX_GRAD } from '../../assembly/abi.ts';
import { BOTH, expectClose, expectSame, THREADS, uniform } from './data.ts';
import { Harness } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };
const HALF_ULP = 2 ** -24;
const COLS = [...Array.from({ length: 37 }, (_, k) => k), 100, 1001, 4099];

const NO_MASK = [0, 0];

/** Row by row in float64. */
function reference(x: ArrayLike<number>, rows: number, cols: number, log: boolean): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    const row = Array.from({ length: cols }, (_, c) => x[r * cols + c] as number);
    const max = Math.max(...row);
    const sum = row.reduce((s, v) => s + Math.exp(v - max), 0);
    out.set(log ? row.map((v) => v - max - Math.log(sum)) : row.map((v) => Math.exp(v - max) / sum), r * cols);
  }
  return out;
}

function run(
  simd: 'baseline' | 'relaxed',
  x: ArrayLike<number>,
  cols: number,
  log: boolean,
  threads = 1,
  inPlace = false,
) {
  const h = harnesses[simd];
  h.reset();
  const input = h.put(x, 'f32', 8);
  const out = inPlace ? input : h.room(x.length, 'f32', 4);
  const rows = cols === 0 ? 3 : x.length / cols;
  expect(h.run([[OP_SOFTMAX, out, input, rows, cols, log ? 1 : 0, ...NO_MASK]], threads)).toBe(0);
  return h.get(out);
}

/**
 * Error of a value: x − max is rounded (|x − max| half ulps of the result's logarithm), the exponential and the
 * division add a few, and a sum of n terms in four lanes adds n/4 at most. Values under e⁻⁸⁷ are 0.
 */
const slack = (cols: number, spread: number) => (spread + cols / 4 + 8) * HALF_ULP;
const TINY = 2e-38;

describe.each(BOTH)('softmax, %s', (simd) => {
  test('every small size, in place or not, for any number of threads', () => {
    for (const cols of COLS)
      for (const log of [false, true]) {
        const rows = cols > 100 ? 3 : 18;
        const x = uniform(rows * cols, cols, -30, 30);
        const expected = reference(x, rows, cols, log);
        const once = run(simd, x, cols, log);
        // A logarithm's error is the relative error of what it is taken of, and its own rounding.
        if (log) expectClose(once, expected, 4 * HALF_ULP, slack(cols, 0));
        else expectClose(once, expected, slack(cols, 60), TINY);
        for (const threads of THREADS) {
          expectSame(run(simd, x, cols, log, threads), once);
          expectSame(run(simd, x, cols, log, threads, true), once, 'in place:');
        }
      }
  });

  test('large logits do not overflow; small and masked ones vanish', () => {
    for (const cols of [1, 2, 3, 4, 5, 10, 13]) {
      for (const shift of [1e4, -1e4, 3e38, -3e38]) {
        const x = new Float32Array(cols).fill(shift);
        expectClose(run(simd, x, cols, false), reference(x, 1, cols, false), slack(cols, 0));
        expectClose(run(simd, x, cols, true), reference(x, 1, cols, true), 4 * HALF_ULP, slack(cols, 0));
      }
      const masked = uniform(cols, 3).map((v, c) => (c % 2 ? Number.NEGATIVE_INFINITY : v));
      expectClose(run(simd, masked, cols, false), reference(masked, 1, cols, false), slack(cols, 4));
      expectClose(run(simd, masked, cols, true), reference(masked, 1, cols, true), 4 * HALF_ULP, slack(cols, 0));
    }
    expect([...run(simd, [0, -200], 2, true)]).toEqual([0, -200]);
    expect([...run(simd, [0, -200], 2, false)]).toEqual([1, 0]);
    expectClose(run(simd, [0, -80, -90, -100], 4, true), [0, -80, -90, -100], 0);
  });

  test('the maximum is found wherever it stands', () => {
    for (let cols = 1; cols <= 37; cols++)
      for (let at = 0; at < cols; at++) {
        const x = new Float32Array(cols).fill(-5);
        x[at] = 1000;
        expectSame(
          run(simd, x, cols, false),
          [...x].map((v) => Number(v === 1000)),
        );
      }
  });

  test('a row of −∞ alone, or with +∞ or NaN in it, is NaN; its neighbours are not', () => {
    for (const cols of [1, 2, 3, 4, 5, 8, 10, 11, 17, 18, 19])
      for (const log of [false, true])
        for (const bad of [Number.POSITIVE_INFINITY, Number.NaN])
          for (let at = 0; at < cols; at++) {
            const x = uniform(3 * cols, 1);
            x[cols + at] = bad;
            const out = run(simd, x, cols, log);
            const nan = [...out].map(Number.isNaN);
            expect(nan).toEqual(nan.map((_, i) => i >= cols && i < 2 * cols));
          }
    for (const cols of [1, 3, 4, 10])
      for (const log of [false, true]) {
        const out = run(simd, new Float32Array(cols).fill(Number.NEGATIVE_INFINITY), cols, log);
        expect([...out].every(Number.isNaN)).toBe(true);
      }
  });

  test('the gradients, in place or not, for any number of threads', () => {
    const h = harnesses[simd];
    for (const cols of COLS)
      for (const log of [false, true]) {
        const rows = cols > 100 ? 3 : 18;
        const y = Float32Array.from(reference(uniform(rows * cols, cols), rows, cols, log));
        const dy = uniform(rows * cols, cols + 1);
        const expected = new Float64Array(rows * cols).map((_, i) => {
          const first = i - (i % cols);
          const [yi, di] = [y[i] as number, dy[i] as number];
          let sum = 0;
          for (let c = first; c < first + cols; c++) sum += (dy[c] as number) * (log ? 1 : (y[c] as number));
          return log ? di - Math.exp(yi) * sum : yi * (di - sum);
        });
        let once: ArrayLike<number> | undefined;
        for (const threads of THREADS)
          for (const inPlace of [false, true]) {
            h.reset();
            const [grad, value] = [h.put(dy, 'f32', 4), h.put(y, 'f32', 12)];
            const dx = inPlace ? grad : h.room(rows * cols, 'f32', 8);
            expect(h.run([[OP_SOFTMAX_GRAD, dx, value, grad, rows, cols, log ? 1 : 0, ...NO_MASK]], threads)).toBe(0);
            once ??= h.get(dx);
            expectSame(h.get(dx), once);
          }
        // |dy| ≤ 2 and Σ y = 1; a sum of n values of dy is off by n/4 half ulps of at most 2·n, times exp(y) ≈ 1/n.
        expectClose(once as ArrayLike<number>, expected, 8 * HALF_ULP, 4 * slack(cols, 4));
      }
  });

  test('a causal mask: row r of each matrix is that of its first columns alone, the rest 0 and never read', () => {
    const h = harnesses[simd];
    for (const [height, cols] of [
      [1, 1],
      [4, 4],
      [9, 9],
      [17, 17],
      [33, 33],
      [5, 9],
      [9, 5],
      [3, 40],
    ] as const)
      for (const first of [1, 1 + cols - height, 0]) {
        const rows = 3 * height;
        const seen = (r: number) => Math.max(0, Math.min(cols, (r % height) + first));
        const hidden = (i: number) => i % cols >= seen(Math.floor(i / cols));
        // NaN where the mask is: read, it would show.
        const x = uniform(rows * cols, cols, -30, 30).map((v, i) => (hidden(i) ? Number.NaN : v));
        const dy = uniform(rows * cols, cols + 1).map((v, i) => (hidden(i) ? Number.NaN : v));
        const [expected, gradient] = [new Float32Array(rows * cols), new Float32Array(rows * cols)];
        for (let r = 0; r < rows; r++) {
          const [from, n] = [r * cols, seen(r)];
          h.reset();
          const y = h.room(n);
          const dx = h.room(n);
          const given = [h.put(x.subarray(from, from + n)), h.put(dy.subarray(from, from + n))] as const;
          h.run([
            [OP_SOFTMAX, y, given[0], 1, n, 0, ...NO_MASK],
            [OP_SOFTMAX_GRAD, dx, y, given[1], 1, n, 0, ...NO_MASK],
          ]);
          expected.set(h.get(y), from);
          gradient.set(h.get(dx), from);
        }
        for (const threads of THREADS)
          for (const inPlace of [false, true]) {
            h.reset();
            const [input, grad] = [h.put(x, 'f32', 8), h.put(dy, 'f32', 4)];
            const y = inPlace ? input : h.room(rows * cols, 'f32', 4);
            const dx = inPlace ? grad : h.room(rows * cols, 'f32', 12);
            expect(h.run([[OP_SOFTMAX, y, input, rows, cols, 0, height, first]], threads)).toBe(0);
            expect(h.run([[OP_SOFTMAX_GRAD, dx, y, grad, rows, cols, 0, height, first]], threads)).toBe(0);
            expectSame(h.get(y), expected);
            expectSame(h.get(dx), gradient);
          }
      }
  });
});
