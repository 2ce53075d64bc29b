// Rows of the op table: activations. All are names for expressions; see ops.functions.ts.
import type { Node } from '../src/graph/node.ts';
import * as a from '../src/ops/activations.ts';
import { constant, operand } from '../src/ops/leaf.ts';
import { expressed, FEW_ONE, FEW_TWO, ofOne } from './ops.functions.ts';
import { away, between, type Case, combinations, each, ODD, type Row } from './ops.row.ts';
import { binary, NONZERO, SPREAD } from './ops.words.ts';

/** The kinks themselves, and large numbers on both sides. */
const KINKS = [...ODD, 3, -3, 6, 2, -2, 1000, -1000, 1e30, -1e30].map(Math.fround);
const WIDE = between(-8, 8);
const limits = { edges: each(KINKS), note: 'at ±∞ the limit, where the formula has ∞·0' };

/** Called with numbers, as users do; the gradient of a number is not asked for. */
const numbers = (of: (x: Node, ...n: Node[]) => Node, ...lists: number[][]): Case[] =>
  lists.map((list) => ({
    shapes: [[17]],
    build: (x) => of(x as Node, ...list.map((v, i) => (i % 2 === 0 ? operand(() => [v]) : constant(v)))),
  }));

const smooth: Row[] = [
  ofOne(a.logSigmoidOp, a.logSigmoid, WIDE, 2.5, { edges: each(KINKS) }),
  ofOne(a.siluOp, a.silu, WIDE, 3.5, limits),
  ofOne(a.mishOp, a.mish, WIDE, 5, limits),
  ofOne(a.softsignOp, a.softsign, NONZERO, 1.5, { ...limits, signedZero: true }),
];

const kinked: Row[] = [
  ...([a.leakyReluOp, a.preluOp] as const).map((op, i) =>
    binary(op, i === 0 ? a.leakyRelu : a.prelu, [NONZERO, SPREAD], expressed(0.5), {
      cases: [...FEW_TWO, ...numbers(a.leakyRelu as never, [0.01], [-0.5], [0]).slice(0, i === 0 ? 3 : 0)],
      edges: combinations([0, -0, 1, -1, 2.5, -Infinity, Infinity, NaN], 2),
      note: 'at 0 the slope',
    }),
  ),
  {
    ...{ name: 'prelu, a weight a channel', ops: [a.preluOp], domains: [NONZERO, SPREAD] },
    build: (x, w) => a.prelu(x as Node, a.alongChannels(w as Node, (x as Node).shape)),
    cases: [
      [[2, 3, 4, 5], [3]],
      [[2, 3, 4], [3]],
      [[2, 3], [3]],
      [[3], [3]],
      [[2, 3], [1]],
      [[2, 3], []],
      [[], [1]],
    ].map((shapes) => ({ shapes })),
    ...{ tolerance: expressed(0.5), smooth: 2 },
  },
  {
    ...{ name: 'hardtanh', ops: [a.hardtanhOp], build: (x) => a.hardtanh(x as Node, constant(-1), constant(1)) },
    domains: [away(-3, 3, -1, 1, -2, 0.3)],
    cases: [...FEW_ONE, ...numbers(a.hardtanh as never, [-2, 0.3])],
    edges: each(KINKS),
    ...{ tolerance: expressed(0), smooth: 1, note: 'on the bounds and beyond the derivative is 0' },
  },
  ofOne(a.relu6Op, a.relu6, away(-3, 9, 0, 6), 0, { edges: each(KINKS), smooth: 1, note: 'as hardtanh' }),
  ofOne(a.hardsigmoidOp, a.hardsigmoid, away(-5, 5, -3, 3), 1.5, { edges: each(KINKS), smooth: 1 }),
  ofOne(a.hardswishOp, a.hardswish, away(-5, 5, -3, 3), 2, limits),
];

const exponential: Row[] = [
  binary(a.eluOp, a.elu, [NONZERO, SPREAD], expressed(2.5), {
    cases: [...FEW_TWO, ...numbers(a.elu as never, [1], [0.3])],
    edges: combinations([...KINKS.filter((x) => Math.abs(x) !== 1e30), 1e-10], 1).map(({ shapes, values }) => ({
      shapes: [...shapes, []],
      values: [...values, [1.5]],
    })),
    note: 'at 0 alpha',
  }),
  binary(a.celuOp, a.celu, [NONZERO, between(0.3, 2)], expressed(4), {
    cases: [...FEW_TWO, ...numbers(a.celu as never, [1], [0.3])],
    edges: combinations([...KINKS, 1e-10], 1).map(({ shapes, values }) => ({
      shapes: [...shapes, []],
      values: [...values, [1.5]],
    })),
  }),
  ofOne(a.seluOp, a.selu, NONZERO, 3, { edges: each(KINKS) }),
];

export const activationRows: readonly Row[] = [...smooth, ...kinked, ...exponential];
