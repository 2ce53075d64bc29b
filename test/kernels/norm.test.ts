import { describe, expect, test } from 'vitest';
import { OP_LAYER_NORM, OP_LAYER_NORM_GRAD } from '../../assembly/abi.ts';
import { BOTH, expectClose, expectSame, THREADS, uniform } from './data.ts';
import { Harness, NONE } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };
type Simd = keyof typeof harnesses;
const HALF_ULP = 2 ** -24;
const COLS = [...Array.from({ length: 37 }, (_, k) => k), 128, 1001, 4099];
const EPS = Math.fround(1e-5);

/** Mean and 1/σ of a row in float64. */
function moments(x: ArrayLike<number>, cols: number, row: number) {
  const values = Array.from({ length: cols }, (_, c) => x[row * cols + c] as number);
  const mean = values.reduce((s, v) => s + v, 0) / cols;
  return { mean, scale: 1 / Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / cols + EPS) };
}

function forward(x: ArrayLike<number>, cols: number, w: ArrayLike<number> | null, b: ArrayLike<number> | null) {
  const rows = cols === 0 ? 0 : x.length / cols;
  const of = Array.from({ length: rows }, (_, r) => moments(x, cols, r));
  return Float64Array.from(x, (v, i) => {
    const { mean, scale } = of[Math.floor(i / cols)] as (typeof of)[number];
    return (v - mean) * scale * (w?.[i % cols] ?? 1) + (b?.[i % cols] ?? 0);
  });
}

/** dx, and the parts of dw and db by slices. */
function backward(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  cols: number,
  w: ArrayLike<number> | null,
  slices: number,
) {
  const rows = x.length / cols;
  const height = Math.ceil(rows / slices);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(slices * cols);
  const db = new Float64Array(slices * cols);
  for (let r = 0; r < rows; r++) {
    const { mean, scale } = moments(x, cols, r);
    const at = (c: number) => r * cols + c;
    const hat = Array.from({ length: cols }, (_, c) => ((x[at(c)] as number) - mean) * scale);
    const g = hat.map((_, c) => (dy[at(c)] as number) * (w?.[c] ?? 1));
    const middle = g.reduce((s, v) => s + v, 0) / cols;
    const slope = g.reduce((s, v, c) => s + v * (hat[c] as number), 0) / cols;
    for (let c = 0; c < cols; c++) {
      dx[at(c)] = ((g[c] as number) - middle - (hat[c] as number) * slope) * scale;
      const part = Math.floor(r / height) * cols + c;
      (dw[part] as number) += (dy[at(c)] as number) * (hat[c] as number);
      (db[part] as number) += dy[at(c)] as number;
    }
  }
  return [dx, dw, db] as const;
}

type Given = Float32Array | null;

function run(
  simd: Simd,
  x: Float32Array,
  rows: number,
  cols: number,
  w: Given,
  b: Given,
  threads = 1,
  inPlace = false,
) {
  const h = harnesses[simd];
  h.reset();
  const input = h.put(x, 'f32', 8);
  const out = inPlace ? input : h.room(x.length, 'f32', 4);
  const [weight, bias] = [w ? h.put(w, 'f32', 12) : NONE, b ? h.put(b, 'f32', 4) : NONE];
  expect(h.run([[OP_LAYER_NORM, out, input, weight, bias, rows, cols, Harness.bits(EPS)]], threads)).toBe(0);
  return h.get(out);
}

/** dx, dw and db, each where it is wanted. */
function runGrad(
  simd: Simd,
  x: Float32Array,
  dy: Float32Array,
  cols: number,
  w: Given,
  o: { slices: number; threads?: number; want?: number },
) {
  const { slices, threads = 1, want = 7 } = o;
  const h = harnesses[simd];
  h.reset();
  const outs = [x.length, slices * cols, slices * cols].map((n, i) =>
    want & (1 << i) ? h.room(n, 'f32', 4 * i) : NONE,
  );
  const given = [h.put(x, 'f32', 8), h.put(dy, 'f32', 4), w ? h.put(w, 'f32', 12) : NONE];
  const rows = x.length / cols;
  const status = h.run([[OP_LAYER_NORM_GRAD, ...outs, ...given, rows, cols, Harness.bits(EPS), slices]], threads);
  expect(status).toBe(0);
  return outs.map((i) => (i === NONE ? null : h.get(i)));
}

/** Sums of n terms of size s in eight chains, then products of what they give. */
const slack = (cols: number, s = 1) => s * (cols / 8 + 24) * HALF_ULP;

describe.each(BOTH)('layer normalisation, %s', (simd) => {
  test('every small size, in place or not, for any number of threads', () => {
    for (const cols of COLS)
      for (const affine of [0, 1, 2, 3]) {
        const rows = cols > 100 ? 3 : 18;
        const x = uniform(rows * cols, cols, -3, 3);
        const w = affine & 1 ? uniform(cols, cols + 1) : null;
        const b = affine & 2 ? uniform(cols, cols + 2) : null;
        const once = run(simd, x, rows, cols, w, b);
        // A row of one or two columns may be as narrow as √eps: 1/σ is up to 300.
        expectClose(once, forward(x, cols, w, b), slack(cols), slack(cols, cols < 4 ? 60 : 8));
        for (const threads of THREADS) {
          expectSame(run(simd, x, rows, cols, w, b, threads), once);
          expectSame(run(simd, x, rows, cols, w, b, threads, true), once, 'in place:');
        }
      }
  });

  test('a row far from 0 keeps its digits, and a constant row is 0', () => {
    for (const cols of [5, 16, 33, 1001]) {
      for (const offset of [1e3, -1e4]) {
        const x = uniform(2 * cols, 7).map((v) => v + offset);
        const ulp = Math.abs(offset) * 2 ** -23;
        expectClose(run(simd, x, 2, cols, null, null), forward(x, cols, null, null), 1e-5, ulp);
      }
      const flat = new Float32Array(cols).fill(3e4);
      expectSame(run(simd, flat, 1, cols, null, null), new Float32Array(cols));
    }
  });

  test('NaN or ∞ makes its row NaN, not its neighbours', () => {
    for (const cols of [1, 3, 4, 9, 18])
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
        for (let at = 0; at < cols; at++) {
          const x = uniform(3 * cols, 1);
          x[cols + at] = bad;
          const out = run(simd, x, 3, cols, null, null);
          expect([...out].map(Number.isNaN)).toEqual([...out].map((_, i) => i >= cols && i < 2 * cols));
        }
  });

  test('the gradients of every small size, each subset of them, for any number of threads', () => {
    for (const cols of COLS.slice(1))
      for (const slices of [1, 3, 5]) {
        const rows = cols > 100 ? 3 : 18;
        const x = uniform(rows * cols, cols, -3, 3);
        const dy = uniform(rows * cols, cols + 1);
        const w = slices === 3 ? null : uniform(cols, cols + 2);
        const expected = backward(x, dy, cols, w, slices);
        const once = runGrad(simd, x, dy, cols, w, { slices });
        const scale = Math.max(...Array.from({ length: rows }, (_, r) => moments(x, cols, r).scale));
        expected.forEach((e, i) => {
          expectClose(once[i] as Float32Array, e, slack(cols), slack(cols, i === 0 ? 8 * scale * scale : 16 * scale));
        });
        for (const threads of THREADS)
          for (const want of [7, 1, 2, 4, 6]) {
            const again = runGrad(simd, x, dy, cols, w, { slices, threads, want });
            again.forEach((part, i) => {
              if (part) expectSame(part, once[i] as Float32Array, `part ${i}:`);
            });
          }
      }
  });

  test('without rows the sums are 0', () => {
    const [dx, dw, db] = runGrad(simd, new Float32Array(0), new Float32Array(0), 5, null, { slices: 2 });
    expect(dx).toHaveLength(0);
    for (const sum of [dw, db]) expectSame(sum as Float32Array, new Float32Array(10));
  });
});
