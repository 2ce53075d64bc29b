import { describe, expect, test } from 'vitest';
import { CE_DY_ROWS, CE_PROBABILITIES, FAULT_INDEX, OP_CROSS_ENTROPY } from '../../assembly/abi.ts';
import { BOTH, expectClose, expectSame, THREADS, uniform, whole } from './data.ts';
import { Harness, NONE } from './harness.ts';

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };
const HALF_ULP = 2 ** -24;
const COLS = [...Array.from({ length: 37 }, (_, k) => k + 1), 100, 1001, 4099];

interface Case {
  x: ArrayLike<number>;
  rows: number;
  cols: number;
  labels?: ArrayLike<number>;
  probabilities?: ArrayLike<number>;
  dy?: ArrayLike<number>; // one, or one a row
}

/** Row by row in float64. */
function reference({ x, rows, cols, labels, probabilities, dy }: Case) {
  const loss: number[] = [];
  const dx: number[] = [];
  for (let r = 0; r < rows; r++) {
    const row = Array.from({ length: cols }, (_, c) => x[r * cols + c] as number);
    const t = row.map((_, c) => (labels ? Number(labels[r] === c) : (probabilities?.[r * cols + c] as number)));
    const max = Math.max(...row);
    const logSum = Math.log(row.reduce((s, v) => s + Math.exp(v - max), 0));
    const mass = t.reduce((a, b) => a + b, 0);
    const scale = dy ? (dy[dy.length === 1 ? 0 : r] as number) : 1;
    const weigh = (v: number, c: number) => (labels && t[c] === 0 ? 0 : (t[c] as number) * (v - max));
    loss.push(logSum * mass - row.map(weigh).reduce((a, b) => a + b, 0));
    dx.push(...row.map((v, c) => scale * (Math.exp(v - max - logSum) * mass - (t[c] as number))));
  }
  return { loss, dx };
}

function run(simd: 'baseline' | 'relaxed', c: Case, threads = 1, want = 'loss dx') {
  const h = harnesses[simd];
  h.reset();
  const n = c.rows * c.cols;
  const x = h.put(c.x, 'f32', 8);
  const loss = want.includes('loss') ? h.room(c.rows, 'f32', 4) : NONE;
  const dx = want.includes('place') ? x : want.includes('dx') ? h.room(n, 'f32', 12) : NONE;
  const target = c.labels ? h.put(c.labels, 'i32', 4) : h.put(c.probabilities ?? [], 'f32', 4);
  const dy = c.dy ? h.put(c.dy) : NONE;
  const flags = (c.labels ? 0 : CE_PROBABILITIES) | (c.dy && c.dy.length !== 1 ? CE_DY_ROWS : 0);
  const status = h.run([[OP_CROSS_ENTROPY, loss, dx, x, target, dy, c.rows, c.cols, flags]], threads);
  return { status, loss: loss === NONE ? undefined : h.get(loss), dx: dx === NONE ? undefined : h.get(dx) };
}

/** Exponentials, logarithm and products are off by a few half ulps each, a sum of n in four lanes by n/4 at most. */
const slack = (cols: number, spread: number) => (spread + cols / 4 + 8) * HALF_ULP;

function cases(cols: number): Case[] {
  const rows = cols > 100 ? 3 : 18;
  const x = uniform(rows * cols, cols, -8, 8);
  const labels = whole(rows, cols, cols);
  // Rows of any mass: a distribution need not sum to 1 here.
  const probabilities = uniform(rows * cols, cols + 1, 0, 2 / cols);
  const all: Case[] = [];
  for (const target of [{ labels }, { probabilities }])
    for (const dy of [undefined, [0.37], uniform(rows, 5)])
      all.push({ x, rows, cols, ...target, ...(dy ? { dy } : {}) });
  return all;
}

describe.each(BOTH)('cross-entropy, %s', (simd) => {
  test('every small size, target, scale, part and number of threads', () => {
    for (const cols of COLS)
      for (const c of cases(cols)) {
        const expected = reference(c);
        const once = run(simd, c);
        expect(once.status).toBe(0);
        const [loss, dx] = [once.loss as Float32Array, once.dx as Float32Array];
        expectClose(loss, expected.loss, 8 * HALF_ULP, 20 * slack(cols, 16));
        // |dy| and the mass of a row are at most 2.
        expectClose(dx, expected.dx, slack(cols, 20), 4 * slack(0, 4));
        for (const threads of THREADS) {
          for (const want of ['loss dx', 'loss', 'dx', 'loss place']) {
            const part = run(simd, c, threads, want);
            if (part.loss) expectSame(part.loss, loss, want);
            if (part.dx) expectSame(part.dx, dx, want);
          }
        }
      }
  });

  test('large and masked logits: no overflow, and an improbable label costs what it should', () => {
    for (const cols of [2, 3, 4, 5, 10, 13]) {
      const x = new Float32Array(cols).fill(-1e4);
      x[0] = 1e4;
      for (const label of [0, 1, cols - 1]) {
        const { loss, dx } = run(simd, { x, rows: 1, cols, labels: [label] });
        expect([...(loss as Float32Array)]).toEqual([label === 0 ? 0 : 2e4]);
        expect([...(dx as Float32Array)]).toEqual([...x].map((_, c) => Number(c === 0) - Number(c === label)));
      }
      const masked = uniform(cols, 3).map((v, c) => (c > 0 ? Number.NEGATIVE_INFINITY : v));
      const c: Case = { x: masked, rows: 1, cols, labels: [0] };
      expectSame(run(simd, c).loss as Float32Array, [0]);
      expectSame(run(simd, { ...c, labels: [1] }).loss as Float32Array, [Number.POSITIVE_INFINITY]);
    }
    expectSame(run(simd, { x: [0, -200], rows: 1, cols: 2, labels: [1] }).loss as Float32Array, [200]);
  });

  test('−∞ throughout, +∞ or NaN make a row NaN, and no other', () => {
    const { POSITIVE_INFINITY: INF, NEGATIVE_INFINITY: LOW, NaN: NAN } = Number;
    for (const cols of [1, 3, 4, 10])
      for (const bad of [LOW, INF, NAN]) {
        const x = uniform(3 * cols, 1).map((v, i) =>
          Math.floor(i / cols) === 1 && (bad === LOW || i % cols === 0) ? bad : v,
        );
        for (const target of [{ labels: [0, cols - 1, 0] }, { probabilities: uniform(3 * cols, 2, 0, 1) }]) {
          const { loss, dx } = run(simd, { x, rows: 3, cols, ...target });
          expect([...(loss as Float32Array)].map(Number.isNaN)).toEqual([false, true, false]);
          const inRow = [...x].map((_, i) => Math.floor(i / cols) === 1);
          expect([...(dx as Float32Array)].map(Number.isNaN)).toEqual(inRow);
        }
      }
  });

  test('a label out of range at any place is a fault, and nothing is written', () => {
    for (const bad of [-1, 3, 2147483647, -2147483648])
      for (const rows of [1, 3, 4, 6])
        for (let at = 0; at < rows; at++) {
          const labels = whole(rows, at, 3);
          labels[at] = bad;
          const { status, loss, dx } = run(simd, { x: uniform(rows * 3, 1), rows, cols: 3, labels });
          expect(status).toBe(FAULT_INDEX);
          expect([...(loss as Float32Array), ...(dx as Float32Array)].every(Number.isNaN)).toBe(true);
        }
  });

  test('no rows, or no columns', () => {
    expect(run(simd, { x: [], rows: 0, cols: 5, labels: [] }).status).toBe(0);
    expect(run(simd, { x: [], rows: 2, cols: 0, probabilities: [] }).status).toBe(0);
    expect(run(simd, { x: [], rows: 2, cols: 0, labels: [0, 0] }).status).toBe(FAULT_INDEX);
  });
});
