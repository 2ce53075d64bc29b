// Rows of the op table: more elementwise functions, and logic. The ops without a micro-operation are names for
// expressions; what is tested is those expressions, against the formulas, and derivatives that are not theirs.
import type { Node } from '../src/graph/node.ts';
import * as e from '../src/ops/elementwise.ts';
import * as f from '../src/ops/functions.ts';
import * as l from '../src/ops/logic.ts';
import { elementwiseReference } from '../src/ops/reference.ts';
import {
  away,
  between,
  bools,
  type Case,
  combinations,
  type Domain,
  each,
  grid,
  ODD,
  type Row,
  type Tolerance,
  ties,
} from './ops.row.ts';
import { APART, binary, EXACT, fn, INF, INTS, NAN, NONZERO, POSITIVE, SPREAD, SUBNORMAL, unary } from './ops.words.ts';

/** Shapes of an expression: its ops go through all sizes in rows of their own. */
export const FEW_ONE: Case[] = [[1], [5], [33], [], [0], [2, 3, 5], [1030]].map((shape) => ({ shapes: [shape] }));
export const FEW_TWO: Case[] = [
  [[5], [5]],
  [[], []],
  [[7], []],
  [[], [7]],
  [
    [3, 1],
    [1, 5],
  ],
  [[3, 5], [5]],
  [
    [2, 1, 4],
    [2, 3, 4],
  ],
].map((shapes) => ({ shapes }));

/** What an expression of a few rounded functions may be off by, measured over float32. */
export const expressed = (ulp: number, absolute = SUBNORMAL): Tolerance => ({
  ulp,
  absolute,
  why: 'an expression of functions and operations that are rounded, none of which cancels; subnormal results may be 0',
});

/** An expression of one number. */
export const ofOne = (op: Row['ops'][0], of: (x: Node) => Node, domain: Domain, ulp: number, more: Partial<Row> = {}) =>
  unary(op, of, domain, expressed(ulp), { cases: FEW_ONE, ...more });

/** Where functions with poles and kinks in ±1 meet them. */
const ONES = [1, -1, 0.99999994, -0.99999994, 1.0000001, 0.5, -0.5, 1e-20].map(Math.fround);

const powers: Row[] = [
  ofOne(f.rsqrtOp, f.rsqrt, POSITIVE, 1.5),
  unary(f.exp2Op, f.exp2, SPREAD, fn(1.3, SUBNORMAL), { edges: each([...ODD, 10, -3, 127, 128, -126, -149]) }),
  unary(f.log2Op, f.log2, POSITIVE, fn(2.1), { edges: each([...ODD, 8, 1024, 0.125, 2 ** -140, 0.99999994]) }),
  ofOne(f.log10Op, f.log10, POSITIVE, 2.5, { edges: each([...ODD, 10, 1000, 0.01]) }),
];

const angles: Row[] = [
  ofOne(f.tanOp, f.tan, between(-1.3, 1.3), 4, {
    edges: each(ODD.filter((x) => !(Math.abs(x) > 2 ** 28) || x > 3.4e38)),
    note: 'beyond 2²⁸ any value of a tangent',
  }),
  unary(f.atanOp, f.atan, SPREAD, fn(1.7, SUBNORMAL), { signedZero: true, edges: each([...ODD, ...ONES]) }),
  binary(f.atan2Op, f.atan2, [NONZERO, SPREAD], fn(2, SUBNORMAL), {
    signedZero: true,
    note: 'zeros count with their signs, and ∞ beside ∞ as 1 beside 1, as in C',
  }),
  ofOne(f.asinOp, f.asin, between(-0.9, 0.9), 4, { signedZero: true, edges: each([...ODD, ...ONES]) }),
  ofOne(f.acosOp, f.acos, between(-0.9, 0.9), 4, { edges: each([...ODD, ...ONES]) }),
];

/** Around the overflow of eˣ at 88.72 and of its half at 89.41, and next to 0. */
const STEEP = [88.7, 88.8, -88.8, 89.4, -89.4, 89.5, 44.7, 1e-20, -1e-20, 1e-4, 20, 1e10, -1e10, 1e20].map(Math.fround);
const hyperbolic: Row[] = [
  ofOne(f.sinhOp, f.sinh, SPREAD, 4.5, { signedZero: true, edges: each([...ODD, ...STEEP]) }),
  ofOne(f.coshOp, f.cosh, SPREAD, 4.5, { edges: each([...ODD, ...STEEP]) }),
  ofOne(f.asinhOp, f.asinh, SPREAD, 4.5, { signedZero: true, edges: each([...ODD, ...STEEP]) }),
  ofOne(f.acoshOp, f.acosh, between(1.1, 4), 4.5, { edges: each([...ODD, ...STEEP, 1.0000001]) }),
  ofOne(f.atanhOp, f.atanh, between(-0.9, 0.9), 4.5, { signedZero: true, edges: each([...ODD, ...ONES]) }),
];

/** Quotients away from whole numbers: dividends and divisors of different signs, whose remainders are not differenced. */
const DIVIDENDS = grid(0.0371);
const DIVISORS: Domain = {
  dtype: 'float32',
  sample: (n, random) => Array.from({ length: n }, () => (random() < 0.5 ? -1 : 1) * (4.1 + 3 * random())),
};
const remainders: Row[] = [
  binary(f.fmodOp, f.fmod, [DIVIDENDS, DIVISORS], EXACT, { signedZero: true }),
  binary(f.fmodOp, f.fmod, [between(-1e9, 1e9), APART], EXACT, {
    name: 'fmod of long quotients',
    smooth: 0,
    edges: [],
  }),
  binary(
    f.remainderOp,
    f.remainder,
    [away(-4, 4, 0), DIVISORS],
    { ulp: 0.5, why: 'fmod is exact, and one addition' },
    { cases: FEW_TWO, note: 'the sign of the divisor, as in Python; fmod has that of the dividend' },
  ),
];

const bounded: Row[] = [
  binary(f.clampMinOp, f.clampMin, [grid(0), grid(0.05)], EXACT, { cases: FEW_TWO }),
  binary(f.clampMaxOp, f.clampMax, [grid(0), grid(0.05)], EXACT, { cases: FEW_TWO }),
  binary(f.clampMinOp, f.clampMin, [INTS, INTS], EXACT, {
    name: 'clampMin of int32',
    cases: FEW_TWO,
    edges: [],
    smooth: 0,
  }),
  binary(f.clampMaxOp, f.clampMax, [INTS, INTS], EXACT, {
    name: 'clampMax of int32',
    cases: FEW_TWO,
    edges: [],
    smooth: 0,
  }),
  {
    name: 'lerp',
    ops: [f.lerpOp],
    build: f.lerp as Row['build'],
    domains: [SPREAD, SPREAD, between(-0.5, 1.5)],
    cases: [
      ...[
        [[5], [5], [5]],
        [[3, 5], [5], [3, 1]],
        [[5], [5], []],
        [[], [5], []],
      ].map((shapes) => ({ shapes })),
      ...[0, 0.3, 0.5, 0.7, 1].map(
        (w): Case => ({ shapes: [[9], [9]], build: (a, b) => f.lerp(a as Node, b as Node, w) }),
      ),
    ],
    edges: [
      {
        shapes: [[6], [6], [6]],
        values: [
          [1e8, 1e8, 0.1, 0.1, 1, NAN],
          [0.1, 0.1, 1e8, 1e8, INF, 1],
          [0, 1, 0, 1, 0.25, 0.5],
        ],
      },
    ],
    tolerance: { ulp: 2, of: 9, why: 'a difference, a product and a sum, which may cancel' },
    smooth: 2,
  },
];

const NONE = { cases: FEW_TWO, smooth: 0 as const, note: 'not differentiable' };
const isTrue = (x: number) => x !== 0;

/** A row for each dtype, of which the float one has edges. */
const logical = (
  op: Row['ops'][0],
  of: (a: Node, b: Node) => Node,
  name: string,
  truth: (a: boolean, b: boolean) => boolean,
) =>
  [bools, ties, INTS].map((domain) =>
    binary(op, of, [domain, domain], EXACT, {
      ...{ ...NONE, name: `${name} of ${domain.dtype}` },
      edges: domain === ties ? combinations([0, -0, 1, NAN, INF, 1e-40], 2) : [],
      oracle: elementwiseReference((a, b) => Number(truth(isTrue(a as number), isTrue(b as number)))),
    }),
  );
/** The op that answers for floats, and the one for others. */
const asked = (
  [float, other]: [Row['ops'][0], Row['ops'][0]],
  of: (x: Node) => Node,
  name: string,
  truth: (x: number) => boolean,
) =>
  [ties, INTS, bools].map((domain) =>
    unary(domain === ties ? float : other, of, domain, EXACT, {
      ...{ ...NONE, name: `${name} of ${domain.dtype}`, cases: FEW_ONE },
      edges: domain === ties ? each(ODD) : [],
      oracle: elementwiseReference((x) => Number(truth(x as number))),
    }),
  );
const logic: Row[] = [
  ...logical(e.whereOp, l.logicalAnd, 'logicalAnd', (a, b) => a && b),
  ...logical(e.whereOp, l.logicalOr, 'logicalOr', (a, b) => a || b),
  ...logical(e.neOp, l.logicalXor, 'logicalXor', (a, b) => a !== b),
  ...asked([e.eqOp, e.eqOp], l.logicalNot, 'logicalNot', (x) => x === 0),
  ...asked([e.neOp, e.neOp], l.isnan, 'isnan', Number.isNaN),
  ...asked([e.eqOp, e.neOp], l.isinf, 'isinf', (x) => Math.abs(x) === INF),
  ...asked([e.ltOp, e.eqOp], l.isfinite, 'isfinite', Number.isFinite),
];

export const functionRows: readonly Row[] = [
  ...[...powers, ...angles, ...hyperbolic, ...remainders, ...bounded, ...logic],
];
