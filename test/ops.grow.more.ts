// More steps of random expressions, each along an axis or several of one operand: reductions, scans, movement, order.
import type { Node } from '../src/graph/node.ts';
import { gather } from '../src/ops/along.ts';
import { flip, pad, roll, tile } from '../src/ops/arrange.ts';
import { diagonal, tril } from '../src/ops/diagonal.ts';
import { einsum } from '../src/ops/einsum.ts';
import * as e from '../src/ops/elementwise.ts';
import { constant } from '../src/ops/leaf.ts';
import { cumprod, cumsum } from '../src/ops/scan.ts';
import { sort } from '../src/ops/sort.ts';
import { logsumexp, norm, prod, variance } from '../src/ops/statistics.ts';

/** `axis` is one of `axes`. */
export type Along = (x: Node, axis: number, axes: number[]) => Node;

const border = (x: Node, axis: number) => x.shape.map((_, i): [number, number] => (i === axis ? [1, 0] : [0, 0]));
/** Places within an axis, computed. */
const places = (x: Node, axis: number) =>
  e.cast(e.mul(e.sigmoid(x), constant((x.shape[axis] as number) - 0.5)), 'int32');

export const ALONG: Readonly<Record<string, Along>> = {
  variance: (x, _, axes) => variance(x, axes, { correction: 0 }),
  norm: (x, _, axes) => norm(e.add(x, constant(3)), 2, axes, true),
  logsumexp: (x, _, axes) => logsumexp(x, axes),
  prod: (x, _, axes) => prod(e.tanh(x), axes),
  cumsum,
  cumprod: (x, axis) => cumprod(e.tanh(x), axis),
  tril: (x) => tril(x),
  diagonal: (x) => diagonal(x),
  flip: (x, _, axes) => flip(x, axes),
  roll: (x, axis) => roll(x, 2, axis),
  tile: (x) => tile(x, [2]),
  reflect: (x, axis) => pad(x, border(x, axis), { mode: 'reflect' }),
  surround: (x, axis) => pad(x, border(x, axis), { value: 0.7 }),
  sorted: (x, axis) => sort(x, axis).values,
  gather: (x, axis) => gather(x, axis, places(x, axis)),
  squares: (x) => einsum('...i,...i', [x, x]),
};
