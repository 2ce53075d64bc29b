// The table of ops: one row an op, with how it is called, its domain, its edges and its tolerance. Only rows.
import type { Node } from '../src/graph/node.ts';
import { apply } from '../src/graph/node.ts';
import * as conv from '../src/ops/conv.ts';
import * as e from '../src/ops/elementwise.ts';
import * as f from '../src/ops/fused.ts';
import * as g from '../src/ops/gather.ts';
import * as ge from '../src/ops/gelu.ts';
import * as leaf from '../src/ops/leaf.ts';
import * as mm from '../src/ops/matmul.ts';
import * as m from '../src/ops/move.ts';
import * as norm from '../src/ops/norm.ts';
import * as pool from '../src/ops/pool.ts';
import * as r from '../src/ops/reduce.ts';
import * as s from '../src/ops/softmax.ts';
import { activationRows } from './ops.activations.ts';
import { precisions } from './ops.float64.ts';
import { functionRows } from './ops.functions.ts';
import { lossRows } from './ops.losses.ts';
import { movementRows } from './ops.movement.ts';
import { networks } from './ops.networks.ts';
import { productRows } from './ops.products.ts';
import { reductionRows } from './ops.reductions.ts';
import {
  away,
  between,
  bools,
  type Case,
  combinations,
  type Domain,
  distinct,
  each,
  grid,
  ODD,
  ONE,
  probabilities,
  type Row,
  rows,
  THREE,
  type Tolerance,
  TWO,
  ties,
  whole,
} from './ops.row.ts';
import {
  APART,
  binary,
  EXACT,
  fn,
  INF,
  INTS,
  ints,
  LARGE_INTS,
  NAN,
  NONZERO,
  POSITIVE,
  ROUNDED,
  SPREAD,
  STEP,
  SUBNORMAL,
  SUMS,
  unary,
} from './ops.words.ts';

const arithmetic: Row[] = [
  binary(e.addOp, e.add, [SPREAD, SPREAD], ROUNDED),
  binary(e.subOp, e.sub, [SPREAD, SPREAD], ROUNDED),
  binary(e.mulOp, e.mul, [SPREAD, SPREAD], ROUNDED),
  binary(e.divOp, e.div, [SPREAD, APART], ROUNDED),
  binary(
    e.powOp,
    e.pow,
    [POSITIVE, SPREAD],
    { ...fn(1, SUBNORMAL), why: 'stated above vpow; subnormal results may be 0' },
    {
      edges: combinations([0, -0, 1, 2.5, 1.5, -2, 3, -3, INF, -INF, NAN, 1e-20], 2),
      note: '1 to any power is 1, NaN and ±∞ included, and −1 to ±∞ is 1, as C has it; JavaScript says NaN',
    },
  ),
  binary(e.maximumOp, e.maximum, [grid(0), grid(0.05)], EXACT, {
    note: 'ties: half the gradient each, not differenced',
  }),
  binary(e.minimumOp, e.minimum, [grid(0), grid(0.05)], EXACT, {
    note: 'ties: half the gradient each, not differenced',
  }),
  unary(e.negOp, e.neg, SPREAD, EXACT, { signedZero: true }),
  unary(e.absOp, e.abs, NONZERO, EXACT, { signedZero: true }),
];

const functions: Row[] = [
  unary(e.expOp, e.exp, SPREAD, fn(1.2, SUBNORMAL), {
    note: 'below e^−87.3 the result is 0 where JavaScript has subnormals',
  }),
  unary(e.expm1Op, e.expm1, SPREAD, fn(1.7, SUBNORMAL)),
  unary(e.logOp, e.log, POSITIVE, fn(1.2)),
  unary(e.log1pOp, e.log1p, between(-0.9, 4), fn(1.7, SUBNORMAL)),
  unary(e.sqrtOp, e.sqrt, POSITIVE, ROUNDED, { signedZero: true }),
  unary(e.squareOp, e.square, SPREAD, ROUNDED),
  unary(e.reciprocalOp, e.reciprocal, APART, ROUNDED),
  unary(e.sinOp, e.sin, between(-9, 9), fn(1.6, SUBNORMAL), {
    edges: each(ODD.filter((x) => !(Math.abs(x) > 2 ** 28) || x > 3.4e38)),
    note: 'beyond 2²⁸ any value of a sine',
  }),
  unary(e.cosOp, e.cos, between(-9, 9), fn(1.6, SUBNORMAL), {
    edges: each(ODD.filter((x) => !(Math.abs(x) > 2 ** 28) || x > 3.4e38)),
    note: 'beyond 2²⁸ any value of a cosine',
  }),
  unary(e.tanhOp, e.tanh, SPREAD, fn(1.6, SUBNORMAL)),
  unary(e.erfOp, e.erf, SPREAD, fn(1.2, SUBNORMAL)),
  unary(e.sigmoidOp, e.sigmoid, SPREAD, fn(2.5, SUBNORMAL)),
  ...([ge.geluOp, ge.geluSlopeOp, ge.geluTanhOp, ge.geluTanhSlopeOp] as const).map((op) =>
    unary(
      op,
      (x) => apply(op, [x]),
      SPREAD,
      { ulp: 3, absolute: 1e-6, why: 'stated above the vector functions: Φ is a difference of numbers near ½' },
      {
        edges: each(ODD.filter((x) => Math.abs(x) !== INF)),
        note: 'at ±∞ the limit, where the formula has ∞·0',
      },
    ),
  ),
  {
    ...{ name: 'gelu with its derivative', ops: [ge.geluOp, ge.geluSlopeOp], domains: [SPREAD], cases: ONE },
    build: (x) => e.mul(ge.gelu(x as Node, 'none'), apply(ge.geluSlopeOp, [x as Node])),
    tolerance: { ulp: 3, absolute: 4e-6, why: 'a product of two of the above, each at most 3' },
    smooth: 2,
    note: 'on one tape a joint micro-operation gives both',
  },
  {
    ...{
      name: 'geluTanh with its derivative',
      ops: [ge.geluTanhOp, ge.geluTanhSlopeOp],
      domains: [SPREAD],
      cases: ONE,
    },
    build: (x) => e.mul(ge.gelu(x as Node, 'tanh'), apply(ge.geluTanhSlopeOp, [x as Node])),
    tolerance: { ulp: 3, absolute: 4e-6, why: 'a product of two of the above, each at most 3' },
    smooth: 2,
    note: 'on one tape a joint micro-operation gives both',
  },
  unary(e.softplusOp, e.softplus, SPREAD, fn(2, SUBNORMAL)),
  unary(e.reluOp, e.relu, NONZERO, EXACT),
  unary(e.signOp, e.sign, NONZERO, EXACT, STEP),
  unary(e.floorOp, e.floor, away(-3, 3, -3, -2, -1, 0, 1, 2, 3), EXACT, STEP),
  unary(e.ceilOp, e.ceil, away(-3, 3, -3, -2, -1, 0, 1, 2, 3), EXACT, STEP),
  unary(e.truncOp, e.trunc, away(-3, 3, -3, -2, -1, 0, 1, 2, 3), EXACT, STEP),
  unary(e.roundOp, e.round, away(-3, 3, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5), EXACT, {
    ...STEP,
    note: 'halves go to the even one',
  }),
];

const TIES: [Domain, Domain] = [ties, ties];
const NONE = { smooth: 0 as const, note: 'not differentiable' };
const comparisons: Row[] = [
  binary(e.eqOp, e.eq, TIES, EXACT, NONE),
  binary(e.neOp, e.ne, TIES, EXACT, NONE),
  binary(e.ltOp, e.lt, TIES, EXACT, NONE),
  binary(e.leOp, e.le, TIES, EXACT, NONE),
  binary(e.ltOp, e.gt, TIES, EXACT, { ...NONE, name: 'gt' }),
  binary(e.leOp, e.ge, TIES, EXACT, { ...NONE, name: 'ge' }),
  binary(e.eqOp, e.eq, [bools, bools], EXACT, { ...NONE, name: 'eq of bool', edges: [] }),
  {
    ...{
      name: 'where',
      ops: [e.whereOp],
      build: e.where as Row['build'],
      domains: [bools, SPREAD, SPREAD],
      cases: THREE,
    },
    edges: [
      {
        shapes: [[9], [9], [9]],
        values: [
          [1, 0, 1, 0, 1, 0, 1, 0, 1],
          [NAN, NAN, INF, INF, -0, 1, 2, 3, 4],
          [1, 2, NAN, NAN, 5, -0, NAN, 7, INF],
        ],
      },
    ],
    ...{ tolerance: EXACT, smooth: 2 },
  },
  {
    name: 'where of int32',
    ops: [e.whereOp],
    build: e.where as Row['build'],
    domains: [bools, INTS, INTS],
    cases: THREE,
    tolerance: EXACT,
    smooth: 0,
  },
];

const integers: Row[] = [
  ...arithmetic.filter((x) => ['add', 'sub', 'maximum', 'minimum', 'neg', 'abs'].includes(x.name)),
  ...comparisons.slice(0, 4),
]
  .map((row) => ints(row))
  .concat(ints(binary(e.mulOp, e.mul, [INTS, INTS], EXACT), [0, 1, -1, 7, 65535, -65536, 46341]));

const copies: Row[] = [
  unary(e.copyOp, e.copy, SPREAD, EXACT, { signedZero: true }),
  unary(e.copyOp, e.copy, INTS, EXACT, { name: 'copy of int32', edges: [], smooth: 0 }),
  unary(e.detachOp, e.detach, SPREAD, EXACT, { smooth: 0, signedZero: true, note: 'has no gradient by intent' }),
  unary(e.castOp, (x) => e.cast(x, 'int32'), SPREAD, EXACT, {
    name: 'cast to int32',
    edges: each([...ODD, 2 ** 31, -(2 ** 31), 1.99]),
    smooth: 0,
    note: 'truncates, saturates, NaN gives 0',
  }),
  unary(e.castOp, (x) => e.cast(x, 'float32'), INTS, ROUNDED, {
    name: 'cast to float32',
    edges: each([...LARGE_INTS, 16777217]),
    smooth: 0,
  }),
  unary(e.castOp, (x) => e.cast(x, 'int32'), bools, EXACT, { name: 'cast of bool to int32', edges: [], smooth: 0 }),
  unary(e.neOp, (x) => e.cast(x, 'bool'), ties, EXACT, {
    name: 'cast to bool',
    smooth: 0,
    note: 'NaN is true, as it is not 0',
  }),
  unary(e.boolToFloatOp, (x) => e.cast(x, 'float32'), bools, EXACT, { edges: [], smooth: 0 }),
  {
    ...{ name: 'expand', ops: [e.expandOp], build: (x) => e.expand(x as Node, [2, 3, 4]), domains: [SPREAD] },
    cases: [[], [1], [4], [3, 1], [2, 1, 4], [1, 3, 1]]
      .map((shape): Case => ({ shapes: [shape] }))
      .concat(
        { shapes: [[1, 0]], build: (x) => e.expand(x as Node, [3, 0]) },
        { shapes: [[1]], build: (x) => e.expand(x as Node, [0]) },
      ),
    ...{ tolerance: EXACT, smooth: 2 },
  },
  {
    name: 'layout',
    ops: [m.layoutOp],
    build: (x) => apply(m.layoutOp, [x as Node], { shape: [2, 3, 4] }),
    domains: [SPREAD],
    cases: [[2, 1, 4], [3, 1], [], [2, 3, 4]].map((shape) => ({ shapes: [shape] })),
    tolerance: EXACT,
    smooth: 2,
  },
  {
    name: 'constant',
    ops: [leaf.constantOp],
    build: (x) => e.add(x as Node, leaf.constant(0.3)),
    domains: [SPREAD],
    cases: ONE.slice(0, 5),
    tolerance: { ulp: 1, of: 'inputs', why: 'the constant is rounded, then the sum, which may cancel' },
    smooth: 1,
  },
  {
    name: 'operand',
    ops: [leaf.operandOp],
    build: (x) =>
      e.mul(
        x as Node,
        leaf.operand(() => [0.3]),
      ),
    domains: [SPREAD],
    cases: ONE.slice(0, 5),
    tolerance: { ulp: 1.5, why: 'the operand is rounded, then the product' },
    smooth: 1,
  },
  {
    name: 'placeholder',
    ops: [leaf.placeholderOp],
    build: (x) => e.neg(x as Node),
    domains: [SPREAD],
    cases: ONE.slice(0, 3),
    tolerance: EXACT,
    smooth: 1,
    note: 'every input of a compiled case is one',
  },
];

const three = (op: Row['ops'][0], domains: Domain[], ulp: number, of: number, cases = THREE): Row => ({
  ...{ name: op.name, ops: [op], build: (...x) => f.fused(op, ...x), domains, cases },
  ...{
    tolerance: { ulp, of, why: 'each operation is rounded in the baseline, relative to the largest terms that cancel' },
    smooth: 0 as const,
  },
});
const fused: Row[] = [
  three(f.maddOp, [SPREAD, SPREAD, SPREAD], 1, 12),
  three(f.nmaddOp, [SPREAD, SPREAD, SPREAD], 1, 12),
  three(f.reluGradOp, [ties, SPREAD], 0, 0, TWO),
  three(f.tanhGradOp, [between(-1, 1), SPREAD], 2, 3, TWO),
  three(f.sigmoidGradOp, [between(0, 1), SPREAD], 2, 3, TWO),
  three(
    f.lerpOp,
    [SPREAD, SPREAD, between(0, 1)],
    2,
    9,
    THREE.filter(({ shapes }) => (shapes[2] as number[]).length === 0 && (shapes[0] as number[]).length > 0),
  ),
];

/** Reductions: last axis, first, middle, scattered, all; sizes to past two vectors and past the slices of a long one. */
const along = (of: (x: Node, axes?: number | number[], keep?: boolean) => Node, empty: boolean): Case[] => [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 1025].flatMap((n): Case[] => [
    { shapes: [[n]], build: (x) => of(x as Node) },
    { shapes: [[3, n]], build: (x) => of(x as Node, 1) },
    { shapes: [[n, 3]], build: (x) => of(x as Node, 0) },
  ]),
  ...[[1], [0, 2], [0], [1, 2], [0, 1, 2]].map(
    (axes): Case => ({ shapes: [[2, 3, 5]], build: (x) => of(x as Node, axes, true) }),
  ),
  ...[
    [1, 3],
    [0, 2],
    [0, 3],
  ].map((axes): Case => ({ shapes: [[2, 3, 2, 4]], build: (x) => of(x as Node, axes) })),
  { shapes: [[]], build: (x) => of(x as Node) },
  // A batch of nothing: no results.
  { shapes: [[0, 3]], build: (x) => of(x as Node, 1) },
  { shapes: [[3, 0, 2]], build: (x) => of(x as Node, 2) },
  { shapes: [[3, 2, 0]], build: (x) => of(x as Node, [0], true) },
  ...(empty
    ? ([
        { shapes: [[0]] },
        { shapes: [[3, 0]] },
        { shapes: [[0, 3]], build: (x: Node) => of(x, 0) },
        { shapes: [[3, 0]], build: (x: Node) => of(x, 1) },
      ] as Case[])
    : []),
];
const ODD_ROWS = rows(
  [1, 2, NAN, 4, 5],
  [INF, 1, 2, 3, INF],
  [-INF, -INF, -INF, -INF, -INF],
  [3, 3, 1, 3, 3],
  [0, -0, -0, 0, -0],
  [1, 2, 3, 4, NAN],
);
const reduction = (
  op: Row['ops'][0],
  of: Parameters<typeof along>[0],
  domain: Domain,
  tolerance: Tolerance,
  more: Partial<Row> = {},
): Row => ({
  ...{ name: op.name, ops: [op], build: (x) => of(x as Node), domains: [domain], cases: along(of, op === r.sumOp) },
  ...{
    edges: [
      { ...ODD_ROWS, build: (x) => of(x as Node, 1) },
      { ...ODD_ROWS, build: (x) => of(x as Node, 0) },
    ],
    tolerance,
    smooth: 2,
    ...more,
  },
});
const argument =
  (of: (x: Node, axis?: number, keep?: boolean) => Node) => (x: Node, axes?: number | number[], keep?: boolean) =>
    of(x, Array.isArray(axes) ? axes[0] : axes, keep);
const long = (of: (x: Node, axes?: number | number[], keep?: boolean) => Node): Case[] => [
  { shapes: [[65541]], build: (x) => of(x as Node) },
  { shapes: [[700, 96]], build: (x) => of(x as Node, 0) },
  { shapes: [[3, 22000]], build: (x) => of(x as Node, 1) },
];
const reductions: Row[] = [
  reduction(r.sumOp, r.sum, SPREAD, SUMS(4)),
  reduction(r.sumOp, r.mean, SPREAD, SUMS(6), { name: 'mean', edges: [] }),
  { ...reduction(r.sumOp, r.sum, SPREAD, SUMS(8), { name: 'sum, long', smooth: 0, edges: [] }), cases: long(r.sum) },
  reduction(r.sumOp, r.sum, bools, EXACT, { name: 'sum of bool', smooth: 0, edges: [] }),
  reduction(
    r.sumOp,
    r.mean,
    bools,
    { ulp: 1, why: 'a whole number times a rounded 1/n' },
    { name: 'mean of bool', smooth: 0, edges: [], cases: along(r.mean, false) },
  ),
  ...(
    [
      ['sum', r.sumOp, r.sum],
      ['max', r.maxOp, r.max],
      ['min', r.minOp, r.min],
      ['argmax', r.argmaxOp, argument(r.argmax)],
    ] as const
  ).map(([name, op, of]) =>
    reduction(op, of, whole(-(2 ** 20), 2 ** 20), EXACT, {
      ...{ name: `${name} of int32`, smooth: 0, edges: [], note: 'as float64, which is exact; not differentiable' },
      cases: along(of, false).filter(({ shapes }) => name !== 'argmax' || (shapes[0] as number[]).length < 3),
    }),
  ),
  reduction(r.maxOp, r.max, distinct, EXACT, { note: 'NaN wins; ties share the gradient, not differenced' }),
  reduction(r.minOp, r.min, distinct, EXACT, { note: 'NaN wins; ties share the gradient, not differenced' }),
  { ...reduction(r.maxOp, r.max, ties, EXACT, { name: 'max, long', smooth: 0, edges: [] }), cases: long(r.max) },
  reduction(r.argmaxOp, argument(r.argmax), ties, EXACT, NONE),
  reduction(r.argminOp, argument(r.argmin), ties, EXACT, NONE),
];

const PRODUCT = { ...SUMS(4), why: 'K products added up in float32, relative to the sum of their magnitudes' };
const product = (a: number[], b: number[], transA = false, transB = false): Case => ({
  shapes: [a, b],
  build: (x, y) => mm.product(x as Node, y as Node, transA, transB),
});
const rank =
  (transA: boolean, transB: boolean): Row['build'] =>
  (c, s, a, b) =>
    mm.ger(c as Node, s as Node, mm.product(a as Node, b as Node, transA, transB));
const products: Row[] = [
  {
    ...{
      name: 'matmul',
      ops: [mm.matmulOp],
      build: mm.matmul as Row['build'],
      domains: [SPREAD, SPREAD],
      tolerance: PRODUCT,
      smooth: 2,
    },
    cases: [
      ...[
        [1, 1, 1],
        [2, 3, 4],
        [1, 9, 5],
        [5, 9, 1],
        [7, 8, 9],
        [6, 4, 8],
        [13, 17, 17],
        [5, 5, 5],
        [8, 8, 3],
        [1, 33, 33],
        [33, 3, 10],
      ].flatMap(([M, K, N]) => [
        product([M, K] as number[], [K, N] as number[]),
        product([K, M] as number[], [K, N] as number[], true),
        product([M, K] as number[], [N, K] as number[], false, true),
        product([K, M] as number[], [N, K] as number[], true, true),
      ]),
      ...[
        [[3], [3]],
        [[3], [3, 4]],
        [[2, 3], [3]],
        [
          [2, 4, 3],
          [3, 5],
        ],
        [
          [2, 4, 3],
          [2, 3, 5],
        ],
        [
          [4, 3],
          [2, 3, 5],
        ],
        [
          [2, 1, 4, 3],
          [3, 3, 5],
        ],
        [
          [2, 3],
          [2, 2, 3, 2],
        ],
      ].map((shapes): Case => ({ shapes })),
      ...[
        [
          [0, 3],
          [3, 4],
        ],
        [
          [2, 0],
          [0, 4],
        ],
        [
          [2, 3],
          [3, 0],
        ],
        [
          [0, 2, 3],
          [0, 3, 2],
        ],
      ].map((shapes): Case => ({ shapes })),
    ],
    edges: [
      {
        shapes: [
          [3, 3],
          [3, 3],
        ],
        values: [
          [NAN, 0, 1, INF, 1, 2, 1, 1, 1],
          [1, 2, 3, 4, 5, 6, 7, INF, 9],
        ],
      },
    ],
  },
  {
    ...{ name: 'ger', ops: [mm.gerOp], domains: [SPREAD, SPREAD, SPREAD, SPREAD], smooth: 0 },
    build: rank(false, false),
    cases: [
      ...[
        [1, 1],
        [2, 3],
        [5, 8],
        [7, 33],
        [33, 4],
        [64, 40],
      ].flatMap(([M, N]) => [
        { shapes: [[M, N], [], [M, 1], [1, N]] as number[][] },
        { shapes: [[M, N], [1], [1, M], [1, N]] as number[][], build: rank(true, false) },
        {
          shapes: [
            [M, N],
            [1, 1],
            [M, 1],
            [N, 1],
          ] as number[][],
          build: rank(false, true),
        },
        { shapes: [[M, N], [], [1, M], [N, 1]] as number[][], build: rank(true, true) },
      ]),
    ],
    tolerance: { ulp: 3, of: 'terms', why: 'two products and a sum, each rounded' },
    oracle: ([c, s, a, b], node) => {
      const N = node.shape[1] as number;
      return (c as Float64Array).map(
        (v, i) => v + ((s as Float64Array)[0] as number) * (a as Float64Array)[Math.floor(i / N)]! * b![i % N]!,
      );
    },
  },
  {
    name: 'matmul, large',
    ops: [mm.matmulOp],
    build: mm.matmul as Row['build'],
    domains: [SPREAD, SPREAD],
    cases: [
      {
        shapes: [
          [70, 300],
          [300, 50],
        ],
      },
      {
        shapes: [
          [300, 40],
          [40, 10],
        ],
      },
    ],
    tolerance: PRODUCT,
    smooth: 0,
  },
];

type ConvCase = [x: number[], w: number[], o: conv.ConvOptions];
const CONVS: ConvCase[] = [
  [[1, 1, 3, 3], [1, 1, 3, 3], {}],
  [[2, 2, 5, 6], [3, 2, 3, 3], { padding: 1 }],
  [[1, 3, 7, 5], [2, 3, 3, 2], { stride: 2, padding: 1 }],
  [[2, 4, 5, 5], [6, 2, 2, 2], { groups: 2 }],
  [[1, 4, 4, 4], [4, 1, 3, 3], { groups: 4, padding: 1 }],
  [[1, 2, 9, 9], [2, 2, 3, 3], { dilation: 2, padding: 2 }],
  [[2, 3, 4, 5], [4, 3, 1, 1], {}],
  [[1, 2, 6, 5], [2, 2, 2, 3], { stride: [2, 1], padding: [0, 1], dilation: [1, 2] }],
  [[1, 1, 6, 6], [1, 1, 2, 2], { stride: 3 }],
  [[1, 1, 8, 19], [9, 1, 5, 5], { padding: 2 }],
];
const options = (o: conv.ConvOptions) =>
  conv.conv2d(
    leaf.placeholder([1, o.groups ?? 1, 20, 20], 'float32', 0),
    leaf.placeholder([o.groups ?? 1, 1, 1, 1], 'float32', 0),
    o,
  ).attrs;
const convolutions: Row[] = [
  {
    name: 'conv2d',
    ops: [conv.convOp],
    build: conv.conv2d as Row['build'],
    domains: [SPREAD, SPREAD],
    cases: CONVS.map(([x, w, o]) => ({ shapes: [x, w], build: (a, b) => conv.conv2d(a as Node, b as Node, o) })),
    tolerance: PRODUCT,
    smooth: 2,
  },
  ...[conv.convDxOp, conv.convDwOp].map(
    (op): Row => ({
      ...{
        name: op.name,
        ops: [op],
        build: conv.conv2d as Row['build'],
        domains: [SPREAD, SPREAD],
        tolerance: PRODUCT,
        smooth: 2,
      },
      cases: CONVS.map(([x, w, o]) => {
        const y = conv.conv2d(leaf.placeholder(x, 'float32', 0), leaf.placeholder(w, 'float32', 0), o).shape;
        const [shapes, shape] = op === conv.convDxOp ? [[y, w], x] : [[x, y], w];
        return { shapes, build: (a, b) => apply(op, [a as Node, b as Node], { ...options(o), shape }) };
      }),
    }),
  ),
];

const POOLS: [number[], Parameters<typeof pool.maxPool2d>[1], Parameters<typeof pool.maxPool2d>[2]][] = [
  [[1, 1, 2, 2], 2, {}],
  [[2, 3, 4, 6], 2, {}],
  [[1, 2, 5, 5], 3, { stride: 2, padding: 1 }],
  [[1, 1, 7, 9], [3, 2], { stride: [2, 1] }],
  [[1, 2, 6, 6], 2, { dilation: 2, stride: 1 }],
  [[2, 1, 5, 17], 2, { stride: 1 }],
  [[1, 1, 9, 36], 3, {}],
];
const pooling = (domain: Domain, build: (x: Node) => Node): Pick<Row, 'build' | 'domains' | 'cases' | 'tolerance'> => ({
  ...{ build: (x) => build(x as Node), domains: [domain], tolerance: EXACT },
  cases: POOLS.map(([x, k, o]) => ({ shapes: [x], build: (a) => build(pool.maxPool2d(a as Node, k, o)) })),
});
const place = (y: Node) => apply(pool.maxPoolPlaceOp, y.inputs, y.attrs);
const pools: Row[] = [
  {
    name: 'maxPool2d',
    ops: [pool.maxPoolOp],
    ...pooling(distinct, (y) => y),
    smooth: 2,
    edges: [
      {
        shapes: [[1, 1, 4, 4]],
        values: [[NAN, 1, 2, 2, 3, 4, 2, 2, -INF, -INF, INF, 1, -INF, -INF, 2, NAN]],
        build: (x) => pool.maxPool2d(x as Node, 2),
      },
    ],
  },
  {
    name: 'maxPool2dPlace',
    ops: [pool.maxPoolPlaceOp],
    ...pooling(ties, place),
    smooth: 0,
    note: 'of equal ones the first',
  },
  {
    name: 'maxPool2dGrad',
    ops: [pool.maxPoolGradOp],
    ...pooling(distinct, (y) => apply(pool.maxPoolGradOp, [y, place(y)], { shape: (y.inputs[0] as Node).shape })),
    tolerance: SUMS(2),
    smooth: 2,
  },
];

const shaped = (...list: [number[], (x: Node) => Node][]): Case[] =>
  list.map(([shape, build]) => ({ shapes: [shape], build: (x) => build(x as Node) }));
const move = (op: Row['ops'][0], ...list: [number[], (x: Node) => Node][]): Row => ({
  name: op.name,
  ops: [op],
  build: (x) => x as Node,
  domains: [SPREAD],
  cases: shaped(...list),
  tolerance: EXACT,
  smooth: 2,
});
const movement: Row[] = [
  move(
    m.reshapeOp,
    [[6], (x) => m.reshape(x, [2, 3])],
    [[2, 3, 4], (x) => m.reshape(x, [-1, 4])],
    [[1], (x) => m.reshape(x, [])],
    [[], (x) => m.reshape(x, [1, 1])],
    [[0, 3], (x) => m.reshape(x, [3, 0])],
  ),
  move(
    m.permuteOp,
    [[2, 3], (x) => m.permute(x, [1, 0])],
    [[2, 3, 4], (x) => m.permute(x, [2, 0, 1])],
    [[17, 33], (x) => m.transpose(x, 0, 1)],
    [[2, 3, 4, 5], (x) => m.permute(x, [0, 2, 1, 3])],
    [[1, 9], (x) => m.transpose(x, 0, 1)],
    [[0, 3], (x) => m.permute(x, [1, 0])],
    [[2, 2, 3, 2, 2], (x) => m.permute(x, [4, 2, 0, 3, 1])],
  ),
  move(
    m.sliceOp,
    [[9], (x) => m.slice(x, [{ start: 2, stop: 7 }])],
    [[9], (x) => m.slice(x, [{ step: -1 }])],
    [[4, 9], (x) => m.slice(x, [{ start: 1 }, { start: -6, step: 2 }])],
    [[5], (x) => m.slice(x, [{ start: 3, stop: 3 }])],
    [[3, 3, 4], (x) => m.slice(x, [null, { start: 1, stop: 2 }])],
    [[6, 5], (x) => m.slice(x, [{ start: 4, stop: 0, step: -2 }, {}])],
  ),
  move(
    m.embedOp,
    [[4], (x) => m.pad(x, [[1, 2]])],
    [
      [2, 3],
      (x) =>
        m.pad(x, [
          [0, 0],
          [3, 1],
        ]),
    ],
    [
      [2, 2, 2],
      (x) =>
        m.pad(x, [
          [1, 0],
          [0, 1],
          [1, 1],
        ]),
    ],
    [[0], (x) => m.pad(x, [[1, 1]])],
    [[17], (x) => m.pad(x, [[17, 0]])],
  ),
  {
    ...{
      name: 'concat',
      ops: [m.concatOp],
      build: (...x) => m.concat(x, 0),
      domains: [SPREAD, SPREAD, SPREAD],
      tolerance: EXACT,
      smooth: 2,
    },
    cases: [
      { shapes: [[2], [3], [1]] },
      {
        shapes: [
          [0, 2],
          [3, 2],
          [1, 2],
        ],
      },
      {
        shapes: [
          [2, 3],
          [2, 1],
          [2, 17],
        ],
        build: (...x) => m.concat(x, 1),
      },
      {
        shapes: [
          [2, 1, 2],
          [2, 2, 2],
          [2, 3, 2],
        ],
        build: (...x) => m.concat(x, -2),
      },
    ],
  },
];

const INDEX = whole(0, 4);
const indexing: Row[] = [
  {
    name: 'gather',
    ops: [g.gatherOp],
    build: (x, i) => apply(g.gatherOp, [x as Node, i as Node]),
    domains: [SPREAD, INDEX],
    cases: [
      { shapes: [[4], [3]] },
      { shapes: [[4, 5], [9]] },
      { shapes: [[4, 2, 3], [2]] },
      { shapes: [[4, 3], [0]] },
      { shapes: [[4], [2, 3]] },
      { shapes: [[3, 4, 2], [5]], build: (x, i) => g.indexSelect(x as Node, 1, i as Node) },
    ],
    tolerance: EXACT,
    smooth: 2,
  },
  {
    name: 'scatterAdd',
    ops: [g.scatterAddOp],
    build: (x, i) => apply(g.scatterAddOp, [x as Node, i as Node], { shape: [4, ...(x as Node).shape.slice(1)] }),
    domains: [SPREAD, INDEX],
    cases: [{ shapes: [[3], [3]] }, { shapes: [[9, 5], [9]] }, { shapes: [[2, 2, 3], [2]] }, { shapes: [[0, 3], [0]] }],
    tolerance: SUMS(4),
    smooth: 2,
  },
];

const ROWS: number[][] = [[1], [2], [3], [4], [5], [8], [9], [17], [33], [3, 5], [2, 3, 4], [7, 1], [0, 3], [2, 1030]];
const MASKED: number[][] = [
  [1, 1],
  [4, 4],
  [2, 5, 5],
  [9, 9],
  [3, 5],
  [5, 3],
  [2, 2, 3, 3],
  [0, 3],
];
const SHARED: Tolerance = {
  ulp: 8,
  of: 'inputs',
  why: 'one exponential of up to 1.2 ulp an element over a sum of them; a shift by the maximum adds its rounding',
};
const rowOp = (op: Row['ops'][0], of: (x: Node, axis?: number) => Node, tolerance: Tolerance): Row => ({
  ...{ name: op.name, ops: [op], build: (x) => of(x as Node), domains: [SPREAD], tolerance, smooth: 2 },
  cases: [
    ...ROWS.map((shape): Case => ({ shapes: [shape] })),
    { shapes: [[5, 3]], build: (x) => of(x as Node, 0) },
    { shapes: [[2, 3, 4]], build: (x) => of(x as Node, 1) },
  ],
  edges: [
    rows([1000, 0, -1000, 1], [-1000, -1000, -1000, -1000], [1, NAN, 2, 3], [-INF, 0, -INF, 1]),
    rows([88, 89, 90, 1e30]),
  ],
});
const ENTROPY: Tolerance = {
  ulp: 8,
  of: 'inputs',
  why: 'logsumexp − x: both of the size of the logits, so the rounding is theirs',
};
const dyRows = (logits: number[]) => logits.slice(0, -1);
const softmaxes: Row[] = [
  rowOp(s.softmaxOp, s.softmax, { ulp: 8, why: SHARED.why, absolute: SUBNORMAL * 4 }),
  rowOp(s.logSoftmaxOp, s.logSoftmax, SHARED),
  {
    name: 'softmaxGrad',
    ops: [s.softmaxGradOp],
    build: (y, dy) => apply(s.softmaxGradOp, [y as Node, dy as Node]),
    domains: [between(0, 1), SPREAD],
    cases: ROWS.map((shape) => ({ shapes: [shape, shape] })),
    tolerance: { ulp: 4, of: 'noise', why: 'a dot product of the row taken off each element, which may cancel' },
    smooth: 2,
  },
  ...[1, 0, 3].flatMap((first): Row[] => [
    {
      ...{ name: `softmax, causal from ${first}`, ops: [s.softmaxOp], domains: [SPREAD], smooth: 2 },
      build: (x) => s.causalSoftmax(x as Node, first),
      cases: MASKED.map((shape) => ({ shapes: [shape] })),
      tolerance: { ulp: 8, why: SHARED.why },
    },
    {
      ...{ name: `softmaxGrad, causal from ${first}`, ops: [s.softmaxGradOp], domains: [SPREAD, SPREAD], smooth: 2 },
      // y is a softmax under the same mask: the expression counts on its zeros.
      build: (x, dy) => apply(s.softmaxGradOp, [s.causalSoftmax(x as Node, first), dy as Node], { causal: first }),
      cases: MASKED.map((shape) => ({ shapes: [shape, shape] })),
      tolerance: {
        ulp: 8,
        of: 1,
        why: 'a softmax, and a dot product with it taken off each element, which may cancel',
      },
    },
  ]),
  {
    name: 'logSoftmaxGrad',
    ops: [s.logSoftmaxGradOp],
    build: (y, dy) => apply(s.logSoftmaxGradOp, [y as Node, dy as Node]),
    domains: [between(-3, 0), SPREAD],
    cases: ROWS.map((shape) => ({ shapes: [shape, shape] })),
    tolerance: { ulp: 4, of: 'noise', why: 'a sum of the row taken off each element, which may cancel' },
    smooth: 2,
  },
  {
    ...{
      name: 'crossEntropy',
      ops: [s.crossEntropyOp],
      build: s.crossEntropy as Row['build'],
      domains: [SPREAD, probabilities],
      tolerance: ENTROPY,
      smooth: 2,
    },
    cases: ROWS.filter((x) => x[0] !== 0).map((shape) => ({ shapes: [shape, shape] })),
  },
  {
    ...{
      name: 'crossEntropy of labels',
      ops: [s.crossEntropyOp],
      build: s.crossEntropy as Row['build'],
      domains: [SPREAD, whole(0, 4)],
      tolerance: ENTROPY,
      smooth: 2,
    },
    cases: [[4], [5], [8], [9], [17], [3, 5], [2, 3, 4], [9, 10], [2, 1030]].map((shape) => ({
      shapes: [shape, dyRows(shape)],
    })),
    edges: [
      {
        shapes: [[4, 3], [4]],
        values: [
          [1000, 0, -1000, 1000, 0, -1000, 0, NAN, 1, -INF, 0, 1],
          [0, 2, 0, 1],
        ],
      },
    ],
  },
  {
    ...{
      name: 'crossEntropyGrad',
      ops: [s.crossEntropyGradOp],
      domains: [SPREAD, whole(0, 4), SPREAD],
      tolerance: ENTROPY,
      smooth: 2,
    },
    build: (x, t, dy) => apply(s.crossEntropyGradOp, [x as Node, t as Node, dy as Node]),
    cases: [[4], [9], [3, 5], [2, 3, 4]].flatMap((shape) => [
      { shapes: [shape, dyRows(shape), dyRows(shape)] },
      { shapes: [shape, dyRows(shape), []] },
    ]),
  },
  {
    ...{
      name: 'crossEntropyGrad of probabilities',
      ops: [s.crossEntropyGradOp],
      domains: [SPREAD, probabilities, SPREAD],
      tolerance: ENTROPY,
      smooth: 2,
    },
    build: (x, t, dy) => apply(s.crossEntropyGradOp, [x as Node, t as Node, dy as Node]),
    cases: [[4], [9], [3, 5], [2, 3, 4]].flatMap((shape) => [
      { shapes: [shape, shape, dyRows(shape)] },
      { shapes: [shape, shape, []] },
    ]),
  },
];

const n = (x: Node | undefined) => x as Node;

type Normalized = { weight?: boolean; bias?: boolean; axes?: number };
/** x, then weight and bias as far as they are asked for. */
const normalizing = (x: number[], { weight = true, bias = true, axes = 1 }: Normalized = {}): Case => {
  const shape = x.slice(-axes);
  const build = (a: Node | undefined, ...rest: Node[]) =>
    norm.layerNorm(a as Node, shape, { weight: weight ? n(rest[0]) : null, bias: bias ? n(rest.at(-1)) : null });
  return { shapes: [x, ...(weight ? [shape] : []), ...(bias ? [shape] : [])], build };
};
const NORM_SHAPES = [[1, 4], [4], [3, 5], [2, 3, 8], [5, 9], [20, 17], [2, 33], [0, 3]];
const NORM: Tolerance = {
  ulp: 16,
  of: 'noise',
  why: 'a mean of the row taken off each element, which may cancel, then a product with 1/σ, which the rest shares',
};
const normGradient = (op: Row['ops'][0]): Row => ({
  ...{ name: op.name, ops: [op], build: (x) => n(x), domains: [SPREAD, SPREAD, SPREAD], tolerance: NORM, smooth: 2 },
  cases: NORM_SHAPES.flatMap((shape): Case[] => {
    const attrs = (weight: boolean) => ({ shape: shape.slice(-1), eps: 1e-5, weight, bias: true });
    return [
      { shapes: [shape, shape], build: (x, dy) => apply(op, [n(x), n(dy)], attrs(false)) },
      { shapes: [shape, shape, shape.slice(-1)], build: (x, dy, w) => apply(op, [n(x), n(dy), n(w)], attrs(true)) },
    ];
  }),
});
const norms: Row[] = [
  {
    ...{ name: 'layerNorm', ops: [norm.layerNormOp], build: (x) => n(x), domains: [SPREAD, SPREAD, SPREAD] },
    cases: [
      ...NORM_SHAPES.map((x) => normalizing(x)),
      normalizing([3, 5], { weight: false }),
      normalizing([3, 5], { bias: false }),
      normalizing([3, 5], { weight: false, bias: false }),
      normalizing([2, 3, 4], { axes: 2 }),
      normalizing([2, 3, 4], { axes: 3 }),
    ],
    ...{ tolerance: NORM, smooth: 2 },
  },
  ...[norm.layerNormGradOp, norm.layerNormWeightGradOp, norm.layerNormBiasGradOp].map(normGradient),
];

/** Small graphs that once went wrong: each names what it is about. */
const graph = (
  name: string,
  ops: Row['ops'],
  shapes: number[][],
  build: Row['build'],
  more: Partial<Row> = {},
): Row => ({
  ...{ name, ops, build, domains: shapes.map(() => SPREAD), cases: [{ shapes }] },
  ...{ tolerance: { ulp: 4, of: 'noise' as const, why: 'several roundings' }, smooth: 1 as const, ...more },
});
const zero = (x: Node | undefined) => leaf.constant(0, (x as Node).dtype);
const INFINITE = (sign: number) => e.div(leaf.constant(sign), leaf.constant(0));
/** A tree of sums of neighbours, every sum of which is read again. */
const sums = (x: Node[]): Node[] => {
  const next = x.slice(1).map((b, i) => e.add(b, x[i] as Node));
  return next.length > 20 ? [...next, ...sums(next.filter((_, i) => i % 2 === 0))] : next;
};
const combined: Row[] = [
  graph(
    'a mask of int32 is no relu gradient',
    [e.whereOp],
    [[5], [5]],
    (a, b) => e.where(e.gt(n(a), zero(a)), n(b), zero(b)),
    { domains: [INTS, INTS], smooth: 0, tolerance: EXACT },
  ),
  graph(
    'b·(a·(1 − a)) of int32 is no sigmoid gradient',
    [e.mulOp],
    [[5], [5]],
    (a, b) => e.mul(n(b), e.mul(n(a), e.sub(leaf.constant(1, 'int32'), n(a)))),
    { domains: [INTS, INTS], smooth: 0, tolerance: EXACT },
  ),
  graph(
    'a bias of more axes than its product',
    [mm.matmulOp],
    [
      [4, 2],
      [2, 3],
      [1, 1, 3],
    ],
    (a, b, c) => r.sum(e.add(mm.matmul(n(a), n(b)), n(c)), 1),
  ),
  graph('interpolation by a number made beside it', [e.addOp], [[], [], []], (a, b, c) =>
    e.add(n(a), e.mul(e.exp(n(c)), e.sub(n(b), n(a)))),
  ),
  graph('a view read after what it views was written over', [m.concatOp], [[9, 1]], (x) => {
    const p = m.transpose(n(x), 0, 1);
    const a = e.neg(p);
    const b = e.add(a, m.reshape(p, [9]));
    return m.concat([m.transpose(a, 0, 1), m.transpose(b, 0, 1)], 0);
  }),
  graph('∞ and −∞ are two constants', [e.divOp], [[5]], (x) =>
    e.add(e.minimum(n(x), INFINITE(1)), e.maximum(n(x), INFINITE(-1))),
  ),
  graph(
    '0 and −0 are two constants',
    [e.divOp],
    [[5]],
    (x) => e.add(e.mul(n(x), zero(x)), e.div(leaf.constant(1), e.mul(leaf.constant(0), leaf.constant(-1)))),
    { smooth: 0 },
  ),
  graph(
    'more operands than a tape has slots',
    [e.addOp],
    Array.from({ length: 40 }, () => [7]),
    (...x) => m.concat(sums(x), 0),
    { smooth: 0 },
  ),
];

export const table: readonly Row[] = [
  ...precisions,
  ...[...arithmetic, ...functions, ...comparisons, ...integers, ...copies, ...fused, ...reductions, ...products],
  ...[...convolutions, ...pools, ...movement, ...indexing, ...softmaxes, ...norms, ...combined],
  ...networks,
  ...[...reductionRows, ...movementRows, ...productRows],
  ...functionRows,
  ...activationRows,
  ...lossRows,
];
