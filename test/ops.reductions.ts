// Rows of the op table: reductions that are expressions, and running sums and products.
import type { Node } from '../src/graph/node.ts';
import * as e from '../src/ops/elementwise.ts';
import * as r from '../src/ops/reduce.ts';
import * as scan from '../src/ops/scan.ts';
import * as st from '../src/ops/statistics.ts';
import { type Shape, sizeOf, stridesOf } from '../src/shape.ts';
import { away, bools, type Case, type Domain, distinct, type Edge, type Row, rows, ties } from './ops.row.ts';
import { EXACT, INF, INTS, NAN, NONZERO, SPREAD, SUMS } from './ops.words.ts';

type Reduce = (x: Node, axes?: number | number[], keepDim?: boolean) => Node;
type Formula = (x: number[]) => number;

/** The formula over the elements that reduce to one, for each element of the result. */
const over =
  (reduced: readonly number[], f: Formula): NonNullable<Row['oracle']> =>
  ([x], node) => {
    const shape = (node.inputs[0] as Node).shape;
    const strides = stridesOf(shape);
    const groups = new Map<string, number[]>();
    const kept = shape.map((d, i) => (reduced.includes(i) ? 1 : d));
    for (let k = 0; k < sizeOf(kept); k++) groups.set(placeIn(kept, k).join(), []);
    for (const [i, v] of (x as Float64Array).entries()) {
      const place = strides.map((s, a) => (reduced.includes(a) ? 0 : Math.floor(i / s) % (shape[a] as number)));
      (groups.get(place.join()) as number[]).push(v);
    }
    return Float64Array.from(groups.values(), f);
  };

/** The coordinates of element k. */
function placeIn(shape: Shape, k: number): number[] {
  return stridesOf(shape).map((s, a) => Math.floor(k / s) % (shape[a] as number));
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 17, 33];
/** All axes, the last, the first, several: each a row, since each has an oracle of its own. */
const WAYS: { of: string; axes?: number | number[]; keepDim?: boolean; shapes: Shape[] }[] = [
  { of: 'all axes', shapes: [[], ...SIZES.map((n) => [n]), [2, 3, 5], [1025]] },
  { of: 'the last axis', axes: -1, shapes: [...SIZES.map((n) => [3, n]), [2, 3, 5]] },
  { of: 'the first axis', axes: 0, keepDim: true, shapes: [...SIZES.map((n) => [n, 3]), [5, 2, 3], [33, 17]] },
  {
    of: 'outer axes',
    axes: [0, 2],
    shapes: [
      [2, 3, 5],
      [3, 4, 2, 3],
      [4, 1, 5],
    ],
  },
  {
    of: 'inner axes',
    axes: [1, -1],
    keepDim: true,
    shapes: [
      [2, 3, 5],
      [3, 1, 2],
    ],
  },
];

const EDGES: Edge[] = [
  rows([1, 2, NAN, 4, 5], [INF, 1, 2, 3, INF], [-INF, -INF, -INF, -INF, -INF], [0, -0, -0, 0, -0], [-INF, 1, 2, 3, 4]),
];

/** One reduction over every choice of axes. */
const reduction = (name: string, ops: Row['ops'], of: Reduce, f: Formula, more: Partial<Row>, least = 1): Row[] =>
  WAYS.map(({ of: way, axes, keepDim, shapes }) => {
    const edges = way === 'the last axis' ? (more.edges ?? []) : [];
    const reduced = (shape: Shape) =>
      axes === undefined ? shape.map((_, i) => i) : [axes].flat().map((a) => (a < 0 ? a + shape.length : a));
    const nElems = (shape: Shape) => sizeOf(reduced(shape).map((a) => shape[a] as number));
    return {
      ...{ name: `${name} over ${way}`, ops, build: (x) => of(x as Node, axes, keepDim), domains: [SPREAD] },
      ...{ tolerance: EXACT, smooth: 2 },
      oracle: (x, node) => over(reduced((node.inputs[0] as Node).shape), f)(x, node),
      cases: shapes.filter((shape) => nElems(shape) >= least).map((shape): Case => ({ shapes: [shape] })),
      ...more,
      edges,
    };
  });

const total = (x: number[]) => x.reduce((a, b) => a + b, 0);
const largest = (x: number[]) => x.reduce((a, b) => Math.max(a, b), -INF);
const smallest = (x: number[]) => x.reduce((a, b) => Math.min(a, b), INF);
const product = (x: number[]) => x.reduce((a, b) => a * b, 1);
const variance = (correction: number) => (x: number[]) => {
  const mean = total(x) / x.length;
  return total(x.map((v) => (v - mean) ** 2)) / Math.max(0, x.length - correction);
};
const power = (p: number) => (x: number[]) => {
  const top = largest(x.map(Math.abs));
  if (!Number.isFinite(top) || top === 0) return top;
  return top * total(x.map((v) => (Math.abs(v) / top) ** p)) ** (1 / p);
};
const logSumExp = (x: number[]) => {
  const top = largest(x);
  return Number.isFinite(top) ? top + Math.log(total(x.map((v) => Math.exp(v - top)))) : top;
};

const FAR = away(-3, 3, ...Array.from({ length: 19 }, (_, i) => (i - 9) / 10));
/** Sizes that differ by at least 0.05, of both signs. */
const SIGNED: Domain = {
  dtype: 'float32',
  sample: (n, random, shape) =>
    distinct.sample(n, random, shape).map((v, i) => (v + 0.07 * (n / 2 + 1)) * (i % 3 === 0 ? -1 : 1)),
};
/** Of which no two are close: where all are equal, a deviation has a kink. */
const SPREAD_OUT: Domain = {
  dtype: 'float32',
  sample: (n, random, shape) => distinct.sample(n, random, shape).map((v) => 8 * v),
};
const FACTORS: Domain = {
  dtype: 'float32',
  sample: (n, random) => Array.from({ length: n }, () => (0.8 + 0.45 * random()) * (random() < 0.3 ? -1 : 1)),
};
const ROUNDINGS = (ulp: number) => ({ ulp, why: 'a rounding for each of up to 1025 factors, which grow as √n' });
const SPREADS = { ulp: 16, of: 4, why: 'squares of differences to a rounded mean of numbers up to 3, and a root' };
const SCALED = { ulp: 24, why: 'a sum of up to 1025 terms of one sign, each of a few roundings' };
const NO_GRADIENT = { smooth: 0 as const, note: 'the gradient is 0' };

const norms: Row[] = [
  ...reduction('norm', [r.maxOp, e.squareOp], (x, axes, keep) => st.norm(x, 2, axes, keep), power(2), {
    domains: [NONZERO],
    tolerance: SCALED,
    edges: [...EDGES, rows([1e30, -3e38, 2], [1e-30, 3e-30, 0], [1e-40, -1e-40, 0], [3, 4, 0])],
  }),
  ...reduction('norm, p = 1', [e.absOp, r.sumOp], (x, axes, keep) => st.norm(x, 1, axes, keep), power(1), {
    ...{ domains: [NONZERO], tolerance: SUMS(4), edges: EDGES },
  }),
  ...reduction('norm, p = 3', [e.powOp], (x, axes, keep) => st.norm(x, 3, axes, keep), power(3), {
    ...{ domains: [FAR], tolerance: SCALED, edges: [rows([1e30, -3e38, 2], [1e-30, 0, 0], [0, 0, 0])] },
  }),
  ...reduction('norm, p = 0.5', [e.powOp], (x, axes, keep) => st.norm(x, 0.5, axes, keep), power(0.5), {
    ...{ domains: [FAR], tolerance: { ...SCALED, ulp: 48 }, edges: [rows([1e30, 0, 0], [4, 9, 0], [0, 0, 0])] },
  }),
  ...reduction(
    'norm, p = −2',
    [e.powOp],
    (x, axes, keep) => st.norm(x, -2, axes, keep),
    (x) => total(x.map((v) => v ** -2)) ** -0.5,
    { domains: [FAR], tolerance: SCALED, edges: [rows([3, 4, 0], [0, 0, 0], [1, 2, INF])] },
  ),
  ...reduction(
    'norm, p = ∞',
    [r.maxOp],
    (x, axes, keep) => st.norm(x, INF, axes, keep),
    (x) => largest(x.map(Math.abs)),
    {
      domains: [SIGNED],
      edges: EDGES,
      smooth: 1,
      note: 'ties share the gradient, not differenced; there is no second',
    },
  ),
  ...reduction(
    'norm, p = −∞',
    [r.minOp],
    (x, axes, keep) => st.norm(x, -INF, axes, keep),
    (x) => smallest(x.map(Math.abs)),
    {
      domains: [SIGNED],
      edges: EDGES,
      smooth: 1,
      note: 'ties share the gradient, not differenced; there is no second',
    },
  ),
  ...reduction(
    'norm, p = 0',
    [e.signOp],
    (x, axes, keep) => st.norm(x, 0, axes, keep),
    (x) => x.filter((v) => v !== 0).length,
    { domains: [ties], smooth: 0, note: 'the gradient is 0' },
  ),
];

/** Every line of the last axis but one, as a running formula. */
const running =
  (axis: number, f: (a: number, b: number) => number): NonNullable<Row['oracle']> =>
  ([x], node) => {
    const shape = (node.inputs[0] as Node).shape;
    const at = axis < 0 ? axis + shape.length : axis;
    const stride = stridesOf(shape)[at] as number;
    const out = Float64Array.from(x as Float64Array);
    for (let i = 0; i < out.length; i++) {
      if (Math.floor(i / stride) % (shape[at] as number) > 0) out[i] = f(out[i - stride] as number, out[i] as number);
    }
    return out;
  };

const RUNNING: { of: string; axis: number; shapes: Shape[] }[] = [
  { of: 'the last axis', axis: -1, shapes: [...SIZES.map((n) => [n]), [3, 5], [2, 3, 4], [2, 260], [0], [3, 0]] },
  { of: 'the first axis', axis: 0, shapes: [...SIZES.map((n) => [n, 3]), [5, 2, 3], [4, 17], [2, 0]] },
];
const runs = (
  name: string,
  op: Row['ops'][0],
  of: (x: Node, axis: number) => Node,
  f: (a: number, b: number) => number,
  more: Partial<Row>,
  least = 0,
): Row[] =>
  RUNNING.map(({ of: way, axis, shapes }) => ({
    ...{ name: `${name} along ${way}`, ops: [op], build: (x) => of(x as Node, axis), domains: [SPREAD], smooth: 2 },
    cases: shapes.filter((shape) => (shape.at(axis) as number) >= least).map((shape): Case => ({ shapes: [shape] })),
    ...{ tolerance: EXACT, oracle: running(axis, f) },
    ...more,
  }));

const add = (a: number, b: number) => a + b;
const times = (a: number, b: number) => a * b;
const WRAPPED = { domains: [INTS], tolerance: EXACT, smooth: 0 as const };
const ONCE = { ulp: 1, of: 'terms' as const, why: 'rounded once from float64' };
const KERNEL = 'a kernel: as an expression it takes n² steps';
// A running product of one element is that element: no node.
const recurrences: Row[] = [
  ...runs('cumsum', scan.cumsumOp, scan.cumsum, add, { tolerance: ONCE, note: KERNEL }),
  ...runs('cumsum of int32', scan.cumsumOp, scan.cumsum, add, WRAPPED),
  ...runs('cumsum of bool', scan.cumsumOp, scan.cumsum, add, { ...WRAPPED, domains: [bools] }),
  ...runs('cumprod', scan.recurrenceOp, scan.cumprod, times, { domains: [FACTORS], tolerance: ONCE, note: KERNEL }, 2),
  ...runs('cumprod, zeros among', scan.recurrenceOp, scan.cumprod, times, { domains: [ties] }, 2),
  ...runs('cumprod of int32', scan.recurrenceOp, scan.cumprod, Math.imul, WRAPPED, 2),
];

export const reductionRows: Row[] = [
  ...reduction('prod', [st.prodOp], st.prod, product, {
    domains: [FACTORS],
    tolerance: ROUNDINGS(80),
    edges: [rows([0, 2, 3], [1e30, 1e-30, 5], [INF, 0, 1], [NAN, 1, 0], [1e30, 1e30, -INF])],
  }),
  ...reduction('prod, zeros among', [st.prodOp], st.prod, product, { domains: [ties] }),
  // Of one number it is NaN, and has no slope.
  ...reduction(
    'var',
    [r.sumOp, e.squareOp],
    (x, axes, keepDim = false) => st.variance(x, axes, { keepDim }),
    variance(1),
    { tolerance: SPREADS },
    2,
  ),
  ...reduction(
    'var, correction 0',
    [r.sumOp, e.squareOp],
    (x, axes, keepDim = false) => st.variance(x, axes, { unbiased: false, keepDim }),
    variance(0),
    { tolerance: SPREADS, edges: [rows([1e4, 1e4 + 1, 1e4 - 1], [5, 5, 5], [1, NAN, 1])] },
  ),
  ...reduction(
    'std',
    [e.sqrtOp],
    (x, axes, keepDim = false) => st.std(x, axes, { keepDim }),
    (x) => Math.sqrt(variance(1)(x)),
    { domains: [SPREAD_OUT], tolerance: { ...SPREADS, of: 'inputs' } },
    2,
  ),
  ...norms,
  ...reduction('logsumexp', [e.logOp, r.maxOp], st.logsumexp, logSumExp, {
    tolerance: { ulp: 16, of: 4, why: 'an exponential and a logarithm of about 1 ulp each, a sum, and x − max' },
    edges: [...EDGES, rows([1000, 1000, -1000], [-1000, -1000, -1000], [88.8, 89, -INF], [-INF, -INF, -INF])],
  }),
  ...reduction('any', [r.sumOp], st.any, (x) => Number(x.some((v) => v !== 0)), {
    domains: [ties],
    ...NO_GRADIENT,
    edges: EDGES,
  }),
  ...reduction('all', [r.sumOp], st.all, (x) => Number(x.every((v) => v !== 0)), {
    domains: [ties],
    ...NO_GRADIENT,
    edges: EDGES,
  }),
  ...reduction('any of bool', [r.sumOp], st.any, (x) => Number(x.some((v) => v !== 0)), {
    domains: [bools],
    ...NO_GRADIENT,
  }),
  ...reduction('all of int32', [r.sumOp], st.all, (x) => Number(x.every((v) => v !== 0)), {
    domains: [INTS],
    ...NO_GRADIENT,
  }),
  ...recurrences,
];
