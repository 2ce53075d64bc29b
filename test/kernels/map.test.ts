// OP_MAP against a plain float64 walk over its elements: every micro-operation, size, kind of slot and reduction.
import { describe, expect, test } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Harness } from './harness.ts';
import { micro, reduce, scalar, streamIn, streamOut, tape, temp, view } from './tape.ts';

const SIZES = [...Array.from({ length: 41 }, (_, i) => i), 1023, 1024, 1025, 1026, 2051];
const THREADS = [1, 2, 3, 7];
const ODD = [NaN, Infinity, -Infinity, 0, -0];
const F32_MIN = 2 ** -149;

/** Seeded numbers in [low, high), with a NaN, an infinity and zeros among them where `odd` is set. */
function numbers(n: number, seed: number, low = -3, high = 3, odd = false): Float32Array {
  let s = (seed * 2654435761) >>> 0;
  const out = Float32Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * s) / 2 ** 32;
  });
  if (odd) for (const [i, x] of ODD.entries()) if (n > 7 * i + 3) out[(7 * i + 3 * seed) % n] = x;
  return out;
}

function integers(n: number, seed: number): Int32Array {
  const extremes = [0x7fffffff, -0x80000000, 0, -1];
  return Int32Array.from(numbers(n, seed, -2147483648, 2147483647), (x, i) =>
    i % 5 === seed % 5 ? (extremes[(i / 5) & 3] as number) : Math.trunc(x),
  );
}

/** |got − exact| ≤ ulp units of the last place of exact, or of `scale` where terms of that size cancel. */
function near(got: number, exact: number, ulp: number, scale = 0): boolean {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) || got === rounded) return true;
  const size = Math.max(Math.abs(exact), scale, 2 ** -126);
  return Math.abs(got - exact) <= ulp * 2 ** -23 * size + F32_MIN;
}

function expectNear(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  ulp: number,
  scales?: ArrayLike<number>,
  note = '',
) {
  expect(got.length).toBe(exact.length);
  for (let i = 0; i < exact.length; i++) {
    const [g, e] = [got[i] as number, exact[i] as number];
    if (!near(g, e, ulp, scales?.[i])) throw new Error(`${note} [${i}] of ${exact.length}: got ${g}, exact ${e}`);
  }
}

/** The same numbers, bit for bit (the deep walk of toEqual takes ten times as long). */
function expectSame(got: ArrayLike<number>, exact: ArrayLike<number>, note = '') {
  expect(got.length).toBe(exact.length);
  for (let i = 0; i < exact.length; i++) {
    if (!Object.is(got[i], exact[i]))
      throw new Error(`${note} [${i}] of ${exact.length}: got ${got[i]}, not ${exact[i]}`);
  }
}

const bool = (x: boolean) => (x ? 1 : 0);
const nanMin = (a: number, b: number) => Math.min(a, b);
const nanMax = (a: number, b: number) => Math.max(a, b);
const roundEven = (x: number) => {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
};
const toI32 = (x: number) => (Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x))));

type Scalar = (a: number, b: number, c: number) => number;
/** Micro-operation, formula, tolerance in ulp of the larger of result and largest term. */
type Row = [op: number, f: Scalar, ulp?: number];

// Tolerances: 0.5 is one rounding; 1 and 2 leave room for the second and third rounding of the baseline binary;
// the transcendental ones have their own test (math.test.ts).
const UNARY: Record<string, Row> = {
  copy: [abi.MICRO_COPY, (a) => a, 0],
  neg: [abi.MICRO_NEG, (a) => -a, 0],
  abs: [abi.MICRO_ABS, Math.abs, 0],
  sign: [abi.MICRO_SIGN, Math.sign, 0],
  sqrt: [abi.MICRO_SQRT, Math.sqrt],
  square: [abi.MICRO_SQUARE, (a) => a * a],
  reciprocal: [abi.MICRO_RECIPROCAL, (a) => 1 / a],
  exp: [abi.MICRO_EXP, Math.exp, 2],
  expm1: [abi.MICRO_EXPM1, Math.expm1, 2],
  log: [abi.MICRO_LOG, Math.log, 2],
  log1p: [abi.MICRO_LOG1P, Math.log1p, 2],
  sin: [abi.MICRO_SIN, Math.sin, 2],
  cos: [abi.MICRO_COS, Math.cos, 2],
  tanh: [abi.MICRO_TANH, Math.tanh, 2],
  sigmoid: [abi.MICRO_SIGMOID, (a) => 1 / (1 + Math.exp(-a)), 3],
  softplus: [abi.MICRO_SOFTPLUS, (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))), 2],
  relu: [abi.MICRO_RELU, (a) => nanMax(a, 0), 0],
  floor: [abi.MICRO_FLOOR, Math.floor, 0],
  ceil: [abi.MICRO_CEIL, Math.ceil, 0],
  round: [abi.MICRO_ROUND, roundEven, 0],
  trunc: [abi.MICRO_TRUNC, Math.trunc, 0],
};

const BINARY: Record<string, Row> = {
  add: [abi.MICRO_ADD, (a, b) => a + b],
  sub: [abi.MICRO_SUB, (a, b) => a - b],
  mul: [abi.MICRO_MUL, (a, b) => a * b],
  div: [abi.MICRO_DIV, (a, b) => a / b],
  min: [abi.MICRO_MIN, nanMin, 0],
  max: [abi.MICRO_MAX, nanMax, 0],
  pow: [abi.MICRO_POW, (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b), 1],
  eq: [abi.MICRO_EQ, (a, b) => bool(a === b), 0],
  ne: [abi.MICRO_NE, (a, b) => bool(a !== b), 0],
  lt: [abi.MICRO_LT, (a, b) => bool(a < b), 0],
  le: [abi.MICRO_LE, (a, b) => bool(a <= b), 0],
  reluGrad: [abi.MICRO_RELU_GRAD, (y, dy) => (y > 0 ? dy : 0), 0],
  tanhGrad: [abi.MICRO_TANH_GRAD, (y, dy) => dy * (1 - y * y), 2],
  sigmoidGrad: [abi.MICRO_SIGMOID_GRAD, (y, dy) => dy * (y - y * y), 2],
};

const INTEGER: Record<string, Row> = {
  negI32: [abi.MICRO_NEG_I32, (a) => -a | 0],
  absI32: [abi.MICRO_ABS_I32, (a) => Math.abs(a) | 0],
  addI32: [abi.MICRO_ADD_I32, (a, b) => (a + b) | 0],
  subI32: [abi.MICRO_SUB_I32, (a, b) => (a - b) | 0],
  mulI32: [abi.MICRO_MUL_I32, Math.imul],
  minI32: [abi.MICRO_MIN_I32, nanMin],
  maxI32: [abi.MICRO_MAX_I32, nanMax],
  eqI32: [abi.MICRO_EQ_I32, (a, b) => bool(a === b)],
  neI32: [abi.MICRO_NE_I32, (a, b) => bool(a !== b)],
  ltI32: [abi.MICRO_LT_I32, (a, b) => bool(a < b)],
  leI32: [abi.MICRO_LE_I32, (a, b) => bool(a <= b)],
};

const WITH_SCALAR: Record<string, Row> = {
  addS: [abi.MICRO_ADD_S, (a, s) => a + s],
  subS: [abi.MICRO_SUB_S, (a, s) => a - s],
  rsubS: [abi.MICRO_RSUB_S, (a, s) => s - a],
  mulS: [abi.MICRO_MUL_S, (a, s) => a * s],
  divS: [abi.MICRO_DIV_S, (a, s) => a / s],
  rdivS: [abi.MICRO_RDIV_S, (a, s) => s / a],
  minS: [abi.MICRO_MIN_S, nanMin, 0],
  maxS: [abi.MICRO_MAX_S, nanMax, 0],
};

const TERNARY: Record<string, Row> = {
  madd: [abi.MICRO_MADD, (a, b, c) => a * b + c, 1],
  nmadd: [abi.MICRO_NMADD, (a, b, c) => c - a * b, 1],
  where: [abi.MICRO_WHERE, (a, b, c) => (a !== 0 ? b : c), 0],
};

/** The largest term of a sum of products: what rounding errors are relative to where it cancels. */
const term = (...x: number[]) => Math.max(...x.map((v) => (Number.isFinite(v) ? Math.abs(v) : 0)));

describe.each(['baseline', 'relaxed'] as const)('map, %s', (simd) => {
  const harness = new Harness(simd);
  const run = (words: number[], threads = 1) => expect(harness.run([words], threads)).toBe(abi.STATUS_OK);

  /** Runs `op` on streams of every size, on fresh memory and over its first input. */
  function sweep(op: number, f: Scalar, ulp: number, inputs: (n: number) => Float32Array[]): void {
    harness.reset();
    for (const n of SIZES) {
      const data = inputs(n);
      const exact = Array.from({ length: n }, (_, i) => f(...(data.map((x) => x[i]) as [number, number, number])));
      const scales = exact.map((_, i) => Math.max(...data.map((x) => term(x[i] as number))) * 9);
      const operands = data.map((x, i) => harness.put(x, 'f32', 4 * (i + 1)));
      const d = harness.room(n);
      const slots = [...operands.map(streamIn), streamOut(d)];
      const sources = data.map((_, i) => i);
      run(tape(n, slots, [micro(op, data.length, ...sources)]));
      expectNear(harness.get(d), exact, ulp, ulp > 0.5 ? scales : undefined, `n=${n}`);
      slots[data.length] = streamOut(operands[0] as number);
      run(tape(n, slots, [micro(op, data.length, ...sources)]));
      expectSame(harness.get(operands[0] as number), harness.get(d));
    }
  }

  test.each(Object.entries(UNARY))('%s', (_, [op, f, ulp = 0.5]) => {
    sweep(op, f, ulp, (n) => [numbers(n, n, -3, 3, true)]);
  });

  test.each(Object.entries(BINARY))('%s', (_, [op, f, ulp = 0.5]) => {
    sweep(op, f, ulp, (n) => {
      const [a, b] = [numbers(n, n, -3, 3, true), numbers(n, n + 1, -3, 3, true)];
      for (let i = 0; i < n; i += 3) b[i] = a[i] as number; // ties
      return [a, b];
    });
  });

  test.each(Object.entries(TERNARY))('%s', (_, [op, f, ulp = 0.5]) => {
    sweep(op, f, ulp, (n) => {
      const a = numbers(n, n, -3, 3, true);
      for (let i = 0; i < n; i += 3) a[i] = 0;
      return [a, numbers(n, n + 1), numbers(n, n + 2)];
    });
  });

  test.each(Object.entries(INTEGER))('%s', (_, [op, f]) => {
    harness.reset();
    for (const n of SIZES) {
      const data = [integers(n, n), integers(n, n + 1)].slice(0, f.length || 2);
      const operands = data.map((x) => harness.put(x, 'i32'));
      const comparison = op >= abi.MICRO_EQ_I32 && op <= abi.MICRO_LE_I32;
      const d = harness.room(n, comparison ? 'f32' : 'i32');
      const sources = data.map((_, i) => i);
      run(tape(n, [...operands.map(streamIn), streamOut(d)], [micro(op, data.length, ...sources)]));
      const exact = Array.from({ length: n }, (_, i) => f(...(data.map((x) => x[i]) as [number, number, number])));
      expect(Array.from(harness.get(d))).toEqual(exact);
    }
  });

  test('between int32 and float32', () => {
    harness.reset();
    for (const n of SIZES) {
      const x = numbers(n, n, -4e9, 4e9, true);
      const k = integers(n, n);
      const [a, b, i, f] = [harness.put(x), harness.put(k, 'i32'), harness.room(n, 'i32'), harness.room(n)];
      const slots = [streamIn(a), streamIn(b), streamOut(i), streamOut(f)];
      run(tape(n, slots, [micro(abi.MICRO_TO_I32, 2, 0), micro(abi.MICRO_TO_F32, 3, 1)]));
      expect(Array.from(harness.get(i))).toEqual(Array.from(x, (v) => toI32(v) + 0));
      expectSame(harness.get(f), Float32Array.from(k));
    }
  });

  test.each(Object.entries(WITH_SCALAR))('%s', (_, [op, f, ulp = 0.5]) => {
    harness.reset();
    for (const n of SIZES) {
      for (const s of n === 5 ? [1.25, NaN, 0] : [1.25]) {
        const x = numbers(n, n, -3, 3, true);
        const [a, b, d] = [harness.put(x, 'f32', 4), harness.put([s]), harness.room(n, 'f32', 8)];
        run(tape(n, [streamIn(a), scalar(b), streamOut(d)], [micro(op, 2, 0, 1)]));
        expectNear(
          harness.get(d),
          Array.from(x, (v) => f(v, s, 0)),
          ulp,
          undefined,
          `n=${n} s=${s}`,
        );
      }
    }
  });

  test('fill, axpy, axpby, lerp', () => {
    harness.reset();
    for (const n of SIZES) {
      const [x, y] = [numbers(n, n), numbers(n, n + 1)];
      const [a, b, s, t] = [harness.put(x), harness.put(y), harness.put([0.3]), harness.put([-1.7])];
      const outs = Array.from({ length: 4 }, () => harness.room(n));
      const slots = [streamIn(a), streamIn(b), scalar(s), scalar(t), ...outs.map(streamOut)];
      const micros = [
        micro(abi.MICRO_FILL, 4, 2),
        micro(abi.MICRO_AXPY, 5, 0, 2, 1),
        micro(abi.MICRO_AXPBY, 6, 0, 2, 1, 3),
        micro(abi.MICRO_LERP, 7, 0, 1, 2),
      ];
      run(tape(n, slots, micros));
      const [p, q] = [Math.fround(0.3), Math.fround(-1.7)];
      const at = (f: Scalar) => Array.from(x, (v, i) => f(v, y[i] as number, 0));
      const formulas: Scalar[] = [() => p, (v, w) => v * p + w, (v, w) => v * p + w * q, (v, w) => v + p * (w - v)];
      const scales = at((v, w) => 2 * term(v, w)); // the terms that may cancel
      // Up to three roundings of terms of that size: 0.5 ulp each, of the term.
      formulas.forEach((f, k) => void expectNear(harness.get(outs[k] as number), at(f), 1.5, scales, `n=${n} k=${k}`));
    }
  });

  test.each([false, true])('updates of parameters, in place: %s', (inPlace) => {
    harness.reset();
    const { fround, sqrt } = Math;
    for (const n of SIZES) {
      const [p, g, m] = [numbers(n, n), numbers(n, n + 1), numbers(n, n + 2)];
      const v = numbers(n, n + 3, 0, 2);
      const constants = [0.9, 0.01, 0.1, 0.001, 0.02, 1.5, 1e-8].map(fround);
      const [mu, lr, s, t, u, kappa, eps] = constants as [number, number, number, number, number, number, number];
      const scalars = constants.map((c) => scalar(harness.put([c])));
      const put = () => [p, g, m, v].map((x) => harness.put(x));
      const out = (i: number) => (inPlace ? i : harness.room(n));

      const sgd = put() as [number, number, number, number];
      const [p1, m1] = [out(sgd[0]), out(sgd[2])];
      const sgdSlots = [...sgd.map(streamIn), streamOut(p1), streamOut(m1), ...scalars];
      run(tape(n, sgdSlots, [micro(abi.MICRO_SGD_MOMENTUM, 4, 5, 0, 1, 2, 6, 7)]));
      const each = (f: (p: number, g: number, m: number, v: number) => number) =>
        Array.from(p, (x, i) => f(x, g[i] as number, m[i] as number, v[i] as number));
      // Two to three roundings of terms of at most 6.
      expectNear(
        harness.get(m1),
        each((_, g, m) => mu * m + g),
        1,
        each(() => 6),
        `v n=${n}`,
      );
      expectNear(
        harness.get(p1),
        each((p, g, m) => p - lr * (mu * m + g)),
        1,
        each(() => 6),
        `p n=${n}`,
      );

      const adam = put() as [number, number, number, number];
      const [p2, m2, v2] = [out(adam[0]), out(adam[2]), out(adam[3])];
      const adamSlots = [...adam.map(streamIn), streamOut(p2), streamOut(m2), streamOut(v2), ...scalars];
      run(tape(n, adamSlots, [micro(abi.MICRO_ADAM, 4, 5, 6, 0, 1, 2, 3, 9, 10, 11, 12, 13)]));
      const first = (g: number, m: number) => m + s * (g - m);
      const second = (g: number, v: number) => v + t * (g * g - v);
      expectNear(
        harness.get(m2),
        each((_, g, m) => first(g, m)),
        1,
        each(() => 6),
        `m n=${n}`,
      );
      expectNear(
        harness.get(v2),
        each((_, g, _m, v) => second(g, v)),
        1,
        each(() => 9),
        `v n=${n}`,
      );
      const next = each((p, g, m, v) => p - (u * first(g, m)) / (sqrt(second(g, v)) * kappa + eps));
      // The step is at most 0.02·3/(1.5·√v) and has an error of a few ulp of itself; v ≥ 1e-3·g² keeps it under 2.
      expectNear(
        harness.get(p2),
        next,
        4,
        each(() => 3),
        `p n=${n}`,
      );
    }
  });

  describe('views', () => {
    const shapes: [inner: number, period: number][] = [
      [1, 1], [1, 2], [1, 3], [1, 10], [1, 64], [1, 1000], [1, 1024], [1, 1500], [2, 5], [3, 7], [10, 300], [49, 8],
      [1024, 3], [1500, 2], [5000, 1], [7, 1],
    ]; // biome-ignore format: a table

    test.each(shapes)('inner %i, period %i', (inner, period) => {
      harness.reset();
      for (const n of [1, 5, 39, 1023, 1025, 5003]) {
        for (const block of [1024, 1000, 64]) {
          for (const threads of THREADS) {
            const [x, v] = [numbers(n, 1), numbers(period, 2)];
            const [a, b, d] = [harness.put(x), harness.put(v), harness.room(n)];
            run(
              tape(n, [streamIn(a), view(b, inner, period), streamOut(d)], [micro(abi.MICRO_ADD, 2, 0, 1)], { block }),
              threads,
            );
            const exact = x.map((xi, i) => xi + (v[Math.floor(i / inner) % period] as number));
            expectSame(harness.get(d), exact);
          }
        }
      }
    });
  });

  test('temps, several outputs, an output read again and a view beside streams', () => {
    harness.reset();
    for (const n of [0, 1, 7, 1026, 5003]) {
      for (const threads of THREADS) {
        const [x, dy, w] = [numbers(n, 1), numbers(n, 2), numbers(10, 3)];
        const [a, b, c] = [harness.put(x), harness.put(dy), harness.put(w)];
        const [y, dx] = [harness.room(n), b];
        const slots = [streamIn(a), streamIn(b), view(c, 1, 10), temp(), temp(), streamOut(y), streamOut(dx)];
        const micros = [
          micro(abi.MICRO_MUL, 3, 0, 2),
          micro(abi.MICRO_TANH, 5, 3),
          micro(abi.MICRO_TANH_GRAD, 4, 5, 1),
          micro(abi.MICRO_MUL, 6, 4, 2),
        ];
        run(tape(n, slots, micros, { block: 1020 }), threads);
        const z = Array.from(x, (v, i) => Math.tanh(v * (w[i % 10] as number)));
        expectNear(harness.get(y), z, 6, undefined, 'y'); // x·w is rounded once, and tanh to 2 ulp
        // 1 − y² cancels near |y| = 1: relative to dy·w, at most 9.
        const exact = z.map((t, i) => (dy[i] as number) * (1 - t * t) * (w[i % 10] as number));
        expectNear(
          harness.get(dx),
          exact,
          4,
          exact.map(() => 9),
          'dx',
        );
      }
    }
  });

  describe('reductions', () => {
    const KINDS: [name: string, op: number, f: (a: number, b: number) => number, empty: number][] = [
      ['sum', abi.MICRO_SUM, (a, b) => a + b, 0],
      ['max', abi.MICRO_REDUCE_MAX, nanMax, -Infinity],
      ['min', abi.MICRO_REDUCE_MIN, nanMin, Infinity],
      ['prod', abi.MICRO_PROD, (a, b) => a * b, 1],
    ];
    // n, inner, period, slices: full, trailing rows, leading, channels; short, odd and long ones.
    const SHAPES: [n: number, inner: number, period: number, slices: number][] = [
      [1, 1, 1, 1], [3, 1, 1, 1], [37, 1, 1, 1], [1026, 1, 1, 1], [9001, 1, 1, 3], [5000, 1, 1, 7], [10, 1, 1, 16],
      [9001, 9001, 1, 1], [10, 10, 1, 1],
      [650, 10, 65, 1], [6500, 10, 650, 1], [51, 1, 51, 1], [200, 3, 67, 1], [6000, 1500, 4, 1], [9000, 1024, 9, 1],
      [2500, 1000, 3, 1], [1700, 17, 100, 1],
      [650, 1, 65, 1], [6500, 1, 10, 4], [6500, 1, 650, 1], [300, 1, 3, 2], [90, 1, 9, 1], [5000, 1, 1000, 2],
      [9000, 1, 1500, 3], [12290, 1, 2458, 1], [4096, 1, 64, 5], [66, 1, 2, 3], [7140, 1, 102, 2],
      [8 * 3 * 49, 49, 3, 2], [6 * 5 * 4, 4, 5, 1], [4 * 2 * 1500, 1500, 2, 3], [5 * 7 * 3, 3, 7, 9], [3 * 4 * 1024, 1024, 4, 1],
    ]; // biome-ignore format: a table

    /** The reduction in float64, and the sum of magnitudes that bounds the rounding errors. */
    function reference(
      x: Float32Array,
      shape: (typeof SHAPES)[number],
      f: (a: number, b: number) => number,
      empty: number,
    ) {
      const [n, inner, period, slices] = shape;
      const whole = inner * period;
      const step = whole >= n ? n : Math.ceil(Math.ceil(n / whole) / slices) * whole;
      const out = new Float64Array(period * slices).fill(empty);
      const magnitude = new Float64Array(period * slices);
      x.forEach((v, i) => {
        const slice = Math.floor(i / step);
        const o = slice * period + (Math.floor((i - slice * step) / inner) % period);
        out[o] = f(out[o] as number, v);
        magnitude[o] = (magnitude[o] as number) + Math.abs(v);
      });
      return { out, magnitude };
    }

    describe.each(KINDS)('%s', (name, op, f, empty) => {
      test.each(SHAPES)('n %i, inner %i, period %i, slices %i', (...shape) => {
        harness.reset();
        const [n, inner, period, slices] = shape;
        const isProduct = op === abi.MICRO_PROD;
        const x = isProduct ? numbers(n, n, 0.99, 1.01) : numbers(n, n);
        if (!isProduct && op !== abi.MICRO_SUM && n > 30) x[n >> 1] = NaN;
        const { out, magnitude } = reference(x, shape, f, empty);
        const a = harness.put(x, 'f32', 4);
        let first: ArrayLike<number> | undefined;
        for (const threads of THREADS) {
          // The terms of one sum are spread over 16 lanes, blocks and a second level: fewer than 100 roundings in a
          // row here, so 8 ulp of the sum of magnitudes is far out for a right sum; a product has up to one a factor.
          const [d, y] = [harness.room(out.length), harness.room(n)];
          const slots = [streamIn(a), streamOut(y), reduce(d, inner, period)];
          run(tape(n, slots, [micro(abi.MICRO_NEG, 1, 0), micro(op, 2, 0)], { slices }), threads);
          const got = harness.get(d);
          if (op === abi.MICRO_SUM) expectNear(got, out, 8, magnitude, name);
          else expectNear(got, out, isProduct ? 64 : 0, undefined, name);
          expectSame(
            harness.get(y),
            x.map((v) => -v),
          );
          first ??= got;
          expectSame(got, first, `${threads} threads`);
        }
      });

      test('of nothing', () => {
        harness.reset();
        for (const [inner, period, slices] of [
          [1, 1, 1],
          [0, 5, 1],
          [1, 20, 1],
          [7, 3, 1],
        ] as const) {
          const [a, d] = [harness.put([]), harness.room(period * slices)];
          run(tape(0, [streamIn(a), reduce(d, inner, period)], [micro(op, 1, 0)], { slices }), 2);
          expect(Array.from(harness.get(d))).toEqual(Array(period * slices).fill(empty));
        }
      });
    });

    test('two of one instruction, over a temp', () => {
      harness.reset();
      const x = numbers(700, 1);
      const [a, s, m] = [harness.put(x), harness.room(70), harness.room(70)];
      const slots = [streamIn(a), temp(), reduce(s, 10, 70), reduce(m, 10, 70)];
      run(
        tape(700, slots, [
          micro(abi.MICRO_SQUARE, 1, 0),
          micro(abi.MICRO_SUM, 2, 1),
          micro(abi.MICRO_REDUCE_MAX, 3, 0),
        ]),
      );
      const row = (o: number) => Array.from(x.slice(10 * o, 10 * o + 10));
      const outputs = Array.from({ length: 70 }, (_, o) => o);
      const squares = outputs.map((o) => row(o).reduce((t, v) => t + v * v, 0));
      expectNear(harness.get(s), squares, 3); // positive terms: at most 5 roundings in a row
      expectSame(
        harness.get(m),
        Float32Array.from(outputs, (o) => Math.max(...row(o))),
      );
    });

    test('a sum of a million is as good as pairwise', () => {
      harness.reset();
      const n = 1 << 20;
      const x = numbers(n, 1, 0, 1);
      const a = harness.put(x);
      for (const [inner, period] of [
        [1, 1],
        [n, 1],
        [1, 10],
        [1, 2048],
        [64, 16],
        [n / 2, 2],
      ] as const) {
        const d = harness.room(period);
        run(tape(n, [streamIn(a), reduce(d, inner, period)], [micro(abi.MICRO_SUM, 1, 0)]));
        const { out } = reference(x, [n, inner, period, 1], (p, q) => p + q, 0);
        // One level alone would drift by hundreds of ulp.
        expectNear(harness.get(d), out, 24, undefined, `${inner}, ${period}`);
      }
    });
  });

  test('an unknown micro-operation is a fault', () => {
    harness.reset();
    const [a, d] = [harness.put([1]), harness.room(1)];
    for (const op of [63, 95, 100, 1000]) {
      expect(harness.run([tape(1, [streamIn(a), streamOut(d)], [micro(op, 1, 0)])])).toBe(abi.FAULT_OPCODE);
    }
  });
});
