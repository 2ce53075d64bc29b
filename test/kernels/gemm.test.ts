// OP_GEMM against a product in float64.
import { describe, expect, test } from 'vitest';
import {
  ACT_NONE,
  ACT_RELU,
  ACT_SIGMOID,
  ACT_TANH,
  FAULT_OPCODE,
  GEMM_BIAS_ROWS,
  GEMM_TRANS_A,
  GEMM_TRANS_B,
  OP_GEMM,
  STATUS_OK,
} from '../../assembly/abi.ts';
import { ACTIVATIONS } from './activations.ts';
import { Harness, NONE } from './harness.ts';

interface Case {
  m: number;
  n: number;
  k: number;
  transA?: boolean;
  transB?: boolean;
  /** Elements by which rows are longer than they need be. */
  slack?: number;
  bias?: 'columns' | 'rows' | undefined;
  /** D of its own, or C itself. */
  d?: 'apart' | 'inPlace' | undefined;
  alpha?: number;
  beta?: number;
  act?: number;
  batch?: number;
  /** Operands that all of the batch share. */
  shared?: 'a' | 'b' | undefined;
  misalign?: number;
}

/** Numbers in [−1, 1) that repeat from run to run. */
function numbers(n: number, seed: number): Float32Array {
  let s = seed;
  return Float32Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) | 0;
    return s / 2 ** 31;
  });
}

const UNIT = 2 ** -24;
const label = (c: Case) => JSON.stringify(c);

/** Operands of a case, laid out; padding between rows is NaN, which must neither be read nor written. */
function layOut(c: Case) {
  const { m, n, k, slack = 0, batch = 1 } = c;
  const [lda, ldb, ldc] = [(c.transA ? m : k) + slack, (c.transB ? k : n) + slack, n + slack];
  const matrix = (rows: number, cols: number, ld: number, copies: number, seed: number) => {
    const values = numbers(rows * cols * copies, seed);
    const out = new Float32Array(rows * ld * copies).fill(Number.NaN);
    for (let r = 0; r < rows * copies; r++) out.set(values.subarray(r * cols, (r + 1) * cols), r * ld);
    return out;
  };
  const a = matrix(c.transA ? k : m, c.transA ? m : k, lda, c.shared === 'a' ? 1 : batch, 1);
  const b = matrix(c.transB ? n : k, c.transB ? k : n, ldb, c.shared === 'b' ? 1 : batch, 2);
  const d = matrix(m, n, ldc, batch, 3);
  const bias = numbers(c.bias === 'rows' ? m : n, 4);
  const strides = [c.shared === 'a' ? 0 : a.length / batch, c.shared === 'b' ? 0 : b.length / batch, m * ldc];
  return { a, b, d, bias, lda, ldb, ldc, strides: strides as [number, number, number] };
}

type Laid = ReturnType<typeof layOut>;

function run(h: Harness, c: Case, l: Laid, threads: number): Float32Array {
  h.reset();
  const put = (x: Float32Array) => h.put(x, 'f32', c.misalign ?? 0);
  const out = c.d === 'inPlace' ? put(l.d) : h.room(l.d.length, 'f32', c.misalign ?? 0);
  const flags =
    (c.transA ? GEMM_TRANS_A : 0) | (c.transB ? GEMM_TRANS_B : 0) | (c.bias === 'rows' ? GEMM_BIAS_ROWS : 0);
  const scalar = (x?: number) => (x === undefined ? NONE : h.put([x]));
  const d = c.d === 'apart' ? put(l.d) : c.d === 'inPlace' ? out : NONE;
  const words = [OP_GEMM, out, put(l.a), put(l.b), c.bias ? put(l.bias) : NONE, d, c.m, c.n, c.k, l.lda, l.ldb, l.ldc];
  words.push(flags, c.batch ?? 1, ...l.strides, scalar(c.alpha), scalar(c.beta), c.act ?? ACT_NONE);
  expect(h.run([words], threads), label(c)).toBe(STATUS_OK);
  return h.get(out) as Float32Array;
}

/**
 * Compares with float64. Summing K products errs by at most (K + 1) units of Σ|a·b|; alpha, D and bias each round
 * once more, relative to the terms they join. An activation passes that on by its slope, and adds its own error.
 */
function compare(c: Case, l: Laid, got: Float32Array): void {
  const { m, n, k, alpha = 1, beta = 1 } = c;
  const [strideA, strideB, strideC] = l.strides;
  for (let q = 0; q < (c.batch ?? 1); q++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let [sum, size] = [0, 0];
        for (let p = 0; p < k; p++) {
          const a = l.a[q * strideA + (c.transA ? p * l.lda + i : i * l.lda + p)] as number;
          const b = l.b[q * strideB + (c.transB ? j * l.ldb + p : p * l.ldb + j)] as number;
          sum += a * b;
          size += Math.abs(a * b);
        }
        const at = q * strideC + i * l.ldc + j;
        const d = c.d ? Math.fround(beta) * (l.d[at] as number) : 0;
        const bias = c.bias ? (l.bias[c.bias === 'rows' ? i : j] as number) : 0;
        let want = Math.fround(alpha) * sum + d + bias;
        const act = ACTIVATIONS[c.act ?? ACT_NONE] as (typeof ACTIVATIONS)[number];
        want = act.of(want);
        const terms = Math.abs(alpha) * size + Math.abs(d) + Math.abs(bias);
        const error = Math.abs((got[at] as number) - want);
        const tolerance = (k + 4) * UNIT * terms * act.slope + act.ulp * 2 * UNIT * Math.abs(want);
        if (!(error <= tolerance)) {
          expect.fail(`${label(c)} at [${q},${i},${j}]: got ${got[at]}, want ${want}, tolerance ${tolerance}`);
        }
      }
      for (let j = n; j < l.ldc; j++) {
        if (!Number.isNaN(got[q * strideC + i * l.ldc + j])) expect.fail(`${label(c)}: wrote past row ${i}`);
      }
    }
  }
}

const bits = (x: Float32Array) => new Int32Array(x.buffer, x.byteOffset, x.length);

function check(h: Harness, c: Case, threads: readonly number[] = [1]): void {
  const l = layOut(c);
  const first = run(h, c, l, threads[0] as number);
  compare(c, l, first);
  for (const t of threads.slice(1)) {
    if (!Buffer.from(bits(run(h, c, l, t)).buffer).equals(Buffer.from(bits(first).buffer))) {
      expect.fail(`${label(c)}: ${t} threads differ from ${threads[0]}`);
    }
  }
}

const TRANSPOSES = [0, 1, 2, 3].map((i) => ({ transA: (i & 1) > 0, transB: (i & 2) > 0 }));
const THREADS = [1, 2, 3, 7] as const;

// In Deno and Bun another micro-kernel reads what is packed.
const KERNELS = (['baseline', 'relaxed'] as const).flatMap((simd) => [
  { simd, host: {} },
  { simd, host: { bun: '1' } },
]);

describe.each(KERNELS)('gemm, $simd, $host', ({ simd, host }) => {
  const h = new Harness(simd, host);

  test.each(TRANSPOSES)('every edge: M 1…14, N 1…18, K 0…10, %o', (trans) => {
    for (let m = 1; m <= 14; m++) {
      for (let n = 1; n <= 18; n++) for (let k = 0; k <= 10; k++) check(h, { m, n, k, ...trans });
    }
  });

  test.each(TRANSPOSES)('past every block size, %o', (trans) => {
    check(h, { m: 103, n: 37, k: 787, ...trans, slack: 3 });
    check(h, { m: 13, n: 790, k: 23, ...trans });
    check(h, { m: 20, n: 785, k: 30, ...trans });
    check(h, { m: 97, n: 790, k: 23, ...trans });
    check(h, { m: 13, n: 1024, k: 30, ...trans });
    check(h, { m: 1024, n: 13, k: 30, ...trans });
    check(h, { m: 1, n: 77, k: 501, ...trans });
    check(h, { m: 77, n: 1, k: 501, ...trans });
    check(h, { m: 1, n: 1, k: 1003, ...trans });
    check(h, { m: 131, n: 133, k: 129, ...trans });
  });

  test('a run of k longer than the scratch for the last columns', () => {
    check(h, { m: 2, n: 9, k: 65536 + 3 });
  });

  test.each(TRANSPOSES)('epilogue: alpha, D, bias, ReLU in every combination, %o', (trans) => {
    const shapes: [number, number, number][] = [
      [1, 35, 6],
      [7, 1, 9],
      [3, 21, 5],
      [14, 11, 9],
      [20, 140, 130],
      [13, 10, 400],
      [5, 27, 1],
    ];
    for (const [m, n, k] of shapes) {
      for (const bias of [undefined, 'columns', 'rows'] as const) {
        for (const d of [undefined, 'apart', 'inPlace'] as const) {
          const act = bias === undefined ? ACT_NONE : ACT_RELU;
          const scale = d ? { alpha: -0.3, beta: 0.7 } : { alpha: 1.5 };
          check(h, { m, n, k, ...trans, bias, d, act, ...scale });
        }
      }
      check(h, { m, n, k, ...trans, d: 'inPlace' });
    }
  });

  test.each([ACT_SIGMOID, ACT_TANH])('activation %i on every path, with tails of every length', (act) => {
    const shapes: [number, number, number][] = [
      [1, 35, 6],
      [7, 1, 9],
      [1, 1, 5],
      [14, 11, 9],
      [20, 785, 30],
      [13, 10, 400],
    ];
    for (let n = 1; n <= 18; n++) shapes.push([3, n, 5]);
    for (const [m, n, k] of shapes) {
      for (const trans of TRANSPOSES) check(h, { m, n, k, ...trans, bias: 'columns', act, misalign: 4 }, THREADS);
      check(h, { m, n, k, bias: 'rows', d: 'inPlace', alpha: -9, beta: 20, act });
    }
  });

  test('K = 0 leaves act(beta·D + bias)', () => {
    for (const trans of TRANSPOSES) {
      check(h, { m: 5, n: 11, k: 0, ...trans, d: 'inPlace', beta: 0.5, bias: 'columns', act: ACT_RELU });
      check(h, { m: 20, n: 200, k: 0, ...trans, bias: 'rows' });
    }
  });

  test('empty outputs and empty batches write nothing', () => {
    check(h, { m: 0, n: 5, k: 3 }, THREADS);
    check(h, { m: 5, n: 0, k: 3 }, THREADS);
    check(h, { m: 5, n: 5, k: 3, batch: 0 }, THREADS);
  });

  test.each(TRANSPOSES)('batches, shared operands, odd addresses, %o', (trans) => {
    for (const [m, n, k] of [
      [7, 9, 5],
      [1, 6, 7],
      [9, 1, 4],
      [13, 20, 16],
    ] as const) {
      for (const shared of [undefined, 'a', 'b'] as const) {
        check(h, { m, n, k, ...trans, batch: 5, shared, slack: 2, misalign: 4, bias: 'columns' }, THREADS);
        check(h, { m, n, k, ...trans, batch: 12, shared, d: 'inPlace' }, THREADS); // cut by matrices for 2 and 3 threads
      }
    }
  });

  test.each(TRANSPOSES)('bit for bit the same for any number of threads, %o', (trans) => {
    const shapes = [
      [67, 45, 33],
      [45, 67, 400],
      [1, 131, 57],
      [131, 1, 57],
      [70, 131, 1],
      [5, 50, 70],
      [103, 210, 130],
      [15, 1024, 37],
    ] as const;
    for (const [m, n, k] of shapes) check(h, { m, n, k, ...trans, d: 'inPlace', alpha: 0.9, bias: 'rows' }, THREADS);
  });

  test('the same bits in every runtime', () => {
    const [here, there] = [new Harness(simd), h];
    for (const trans of TRANSPOSES) {
      const c: Case = { m: 103, n: 790, k: 787, ...trans };
      const l = layOut(c);
      expect(bits(run(there, c, l, 1))).toEqual(bits(run(here, c, l, 1)));
    }
  });

  test('NaN and infinity stay in their own row and column, and activations let NaN through', () => {
    for (const trans of TRANSPOSES) {
      for (const [m, n, k] of [
        [7, 9, 5],
        [20, 200, 130],
        [1, 9, 5],
        [7, 1, 5],
      ] as const) {
        for (const act of [ACT_RELU, ACT_SIGMOID, ACT_TANH]) {
          const c: Case = { m, n, k, ...trans, act };
          const l = layOut(c);
          l.a[0] = Number.NaN; // row 0 of op(A)
          const got = run(h, c, l, 1);
          for (let i = 0; i < m * n; i++) expect(Number.isNaN(got[i])).toBe(i < n);
        }
      }
    }
  });

  test('an activation the binary does not know is a fault', () => {
    h.reset();
    const x = h.put([1]);
    for (const act of [ACT_TANH + 1, -1]) {
      const words = [OP_GEMM, x, x, x, NONE, NONE, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, NONE, NONE, act];
      expect(h.run([words])).toBe(FAULT_OPCODE);
    }
  });
});
