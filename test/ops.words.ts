// The words that rows of the op table are written in: tolerances with their reasons, common domains, kinds of rows.
import type { Node } from '../src/graph/node.ts';
import {
  away,
  between,
  combinations,
  type Domain,
  each,
  FEW,
  ODD,
  ONE,
  type Row,
  type Tolerance,
  TWO,
  whole,
} from './ops.row.ts';

export const EXACT: Tolerance = {
  ulp: 0,
  why: 'moves or chooses elements, or computes whole numbers: nothing is rounded',
};
export const ROUNDED: Tolerance = { ulp: 0.5, why: 'one IEEE operation: correctly rounded' };
export const fn = (ulp: number, absolute = 0): Tolerance => ({
  ulp,
  absolute,
  why:
    'the maximum error stated above the vector function, measured over float32' +
    (absolute > 0 ? '; results below 2⁻¹²⁶ may be 0' : ''),
});
export const SUBNORMAL = 2 ** -126;
export const SUMS = (ulp: number): Tolerance => ({
  ulp,
  of: 'terms',
  why: 'n terms added in float32 in several accumulators: error grows as √n, relative to the sum of magnitudes',
});

export const { Infinity: INF, NaN: NAN } = globalThis;
export const SPREAD = between(-3, 3);
export const POSITIVE = between(0.1, 4);
export const NONZERO = away(-3, 3, 0);
/** Away from a pole at 0 by 0.35. */
export const APART = away(-3, 3, 0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3);
export const INTS = whole(-40, 40);
export const LARGE_INTS = [0, 1, -1, 7, 2 ** 31 - 1, -(2 ** 31), 46341];

/** A function of one number. */
export const unary = (
  op: Row['ops'][0],
  of: (x: Node) => Node,
  domain: Domain,
  tolerance: Tolerance,
  more: Partial<Row> = {},
): Row => ({
  ...{ name: op.name, ops: [op], build: of, domains: [domain], cases: ONE, edges: each(ODD), tolerance, smooth: 2 },
  ...more,
});
/** A function of two. */
export const binary = (
  op: Row['ops'][0],
  of: (a: Node, b: Node) => Node,
  domains: [Domain, Domain],
  tolerance: Tolerance,
  more: Partial<Row> = {},
): Row => ({
  ...{
    name: op.name,
    ops: [op],
    build: of as Row['build'],
    domains,
    cases: TWO,
    edges: combinations(FEW, 2),
    tolerance,
  },
  ...{ smooth: 2 as const, ...more },
});
/** The same op on whole numbers, which wrap around as Int32Array's do. */
export const ints = (row: Row, values = LARGE_INTS): Row => ({
  ...row,
  name: `${row.name} of int32`,
  domains: row.domains.map(() => INTS),
  edges: combinations(values, row.domains.length),
  tolerance: EXACT,
  smooth: 0,
});
export const STEP = { smooth: 1 as const, note: 'the gradient is 0: there is no second' };
