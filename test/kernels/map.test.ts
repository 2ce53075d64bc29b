// The micro-operations of OP_MAP against plain float64 formulas, at every size around vectors and blocks.
import { describe, expect, test } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { expectNear, expectSame, numbers } from './compare.ts';
import { erf } from './erf.ts';
import { Harness } from './harness.ts';
import { micro, scalar, streamIn, streamOut, tape } from './tape.ts';

const SIZES = [...Array.from({ length: 41 }, (_, i) => i), 1023, 1024, 1025, 1026, 2051];

function integers(n: number, seed: number): Int32Array {
  const extremes = [0x7fffffff, -0x80000000, 0, -1];
  return Int32Array.from(numbers(n, seed, -2147483648, 2147483647), (x, i) =>
    i % 5 === seed % 5 ? (extremes[(i / 5) & 3] as number) : Math.trunc(x),
  );
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

/** Φ(x), x·Φ(x) being gelu; its tanh form is x·σ(2u). */
const normal = (x: number) => (1 + erf(x * Math.SQRT1_2)) / 2;
const TWICE = 2 * Math.sqrt(2 / Math.PI);
const logistic = (x: number) => 1 / (1 + Math.exp(-x * TWICE * (1 + 0.044715 * x * x)));
/** f, and 0 at ±∞, where the formula says ∞·0. */
const limit = (x: number, f: (x: number) => number) => (Math.abs(x) === Infinity ? 0 : f(x));

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
  gelu: [abi.MICRO_GELU, (a) => a * normal(a), 2],
  geluSlope: [
    abi.MICRO_GELU_SLOPE,
    (a) => normal(a) + limit(a, (b) => (b * Math.exp((-b * b) / 2)) / Math.sqrt(2 * Math.PI)),
    2,
  ],
  geluTanh: [abi.MICRO_GELU_TANH, (a) => limit(a, (b) => b * logistic(b)) + (a === Infinity ? a : 0), 2],
  geluTanhSlope: [
    abi.MICRO_GELU_TANH_SLOPE,
    (a) => logistic(a) + limit(a, (b) => b * logistic(b) * logistic(-b) * TWICE * (1 + 3 * 0.044715 * b * b)),
    2,
  ],
  relu: [abi.MICRO_RELU, (a) => nanMax(a, 0), 0],
  floor: [abi.MICRO_FLOOR, Math.floor, 0],
  ceil: [abi.MICRO_CEIL, Math.ceil, 0],
  round: [abi.MICRO_ROUND, roundEven, 0],
  trunc: [abi.MICRO_TRUNC, Math.trunc, 0],
  exp2: [abi.MICRO_EXP2, (a) => 2 ** a, 2],
  log2: [abi.MICRO_LOG2, Math.log2, 2],
  atan: [abi.MICRO_ATAN, Math.atan, 2],
};

const BINARY: Record<string, Row> = {
  add: [abi.MICRO_ADD, (a, b) => a + b],
  sub: [abi.MICRO_SUB, (a, b) => a - b],
  mul: [abi.MICRO_MUL, (a, b) => a * b],
  div: [abi.MICRO_DIV, (a, b) => a / b],
  min: [abi.MICRO_MIN, nanMin, 0],
  max: [abi.MICRO_MAX, nanMax, 0],
  pow: [abi.MICRO_POW, (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b), 1],
  atan2: [abi.MICRO_ATAN2, Math.atan2, 2],
  fmod: [abi.MICRO_FMOD, (a, b) => a % b, 0],
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
const term = (...x: number[]) => Math.max(...x.map((v) => (Number.isFinite(v) ? Math.abs(v) : 1)));

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

  test.each([
    ['gelu', abi.MICRO_GELU_BOTH, abi.MICRO_GELU, abi.MICRO_GELU_SLOPE],
    ['geluTanh', abi.MICRO_GELU_TANH_BOTH, abi.MICRO_GELU_TANH, abi.MICRO_GELU_TANH_SLOPE],
  ])('%s and its derivative at once are what they are apart', (_, both, value, slope) => {
    harness.reset();
    for (const n of SIZES) {
      const x = numbers(n, n, -12, 12, true);
      const [a, b] = [harness.put(x, 'f32', 4), harness.put(x)];
      const outs = Array.from({ length: 4 }, () => harness.room(n));
      const [y, d, y2, d2] = outs as [number, number, number, number];
      const slots = [streamIn(a), ...outs.map(streamOut), streamIn(b), streamOut(b)];
      run(tape(n, slots, [micro(both, 1, 2, 0), micro(value, 3, 0), micro(slope, 4, 0), micro(both, 6, 2, 5)]));
      expectSame(harness.get(y), harness.get(y2));
      expectSame(harness.get(d), harness.get(d2));
      expectSame(harness.get(b), harness.get(y));
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

  test('an unknown micro-operation is a fault', () => {
    harness.reset();
    const [a, d] = [harness.put([1]), harness.room(1)];
    for (const op of [63, 95, 100, 1000]) {
      expect(harness.run([tape(1, [streamIn(a), streamOut(d)], [micro(op, 1, 0)])])).toBe(abi.FAULT_OPCODE);
    }
  });
});
