// Reductions: of what was stretched, of one another, of nothing.
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import * as e from '../ops/elementwise.ts';
import { reshape } from '../ops/move.ts';
import { keptShape, maxOp, minOp, sumOp } from '../ops/reduce.ts';
import { sameShape, sizeOf } from '../shape.ts';
import { any, as, p, type Rule } from './match.ts';
import { axesOf, number } from './parts.ts';

const x = any('x');

/** x with axes of one in front, as many axes as `rank`. */
const padded = (x: Node, rank: number) => reshape(x, [...new Array(rank - x.shape.length).fill(1), ...x.shape]);

/** Over axes along which x was only repeated a sum is a product, an extreme is x. */
function ofExpand(op: Op): Rule {
  return {
    name: `${op.name} of expand`,
    motive:
      op === sumOp
        ? 'the gradient of a bias below a mean: a number of rows times one row, instead of their sum'
        : 'the extreme of equal elements is any of them',
    ...(op === sumOp && { reassociates: true as const }),
    pattern: p(op, as('wide', p(e.expandOp, x))),
    build: (b, root) => {
      const wide = (b.wide as Node).shape;
      const narrow = padded(b.x as Node, wide.length);
      const axes = axesOf(root);
      const repeated = axes.filter((axis) => narrow.shape[axis] === 1);
      const times = sizeOf(repeated.map((axis) => wide[axis] as number));
      if (repeated.length === 0 || sizeOf(wide) === 0 || times === 1) return null;
      const others = axes.filter((axis) => !repeated.includes(axis));
      const rest = others.length > 0 ? apply(op, [narrow], { axes: others }) : narrow;
      const reduced = op === sumOp ? e.mul(rest, number(times, rest)) : rest;
      return e.expand(reduced, keptShape(wide, axes));
    },
  };
}

/** A reduction of a reduction goes over the axes of both at once. */
function ofItself(op: Op): Rule {
  return {
    name: `${op.name} of ${op.name}`,
    motive: `x.${op.name}(0).${op.name}(): one pass instead of two`,
    ...(op === sumOp && { reassociates: true as const }),
    pattern: p(op, as('inner', { ...p(op, x), once: true })),
    build: (b, root) => {
      const axes = [...new Set([...axesOf(b.inner as Node), ...axesOf(root)])].sort((l, r) => l - r);
      return apply(op, [b.x as Node], { axes });
    },
  };
}

export const reductions: Rule[] = [
  {
    name: 'sum over axes of one',
    motive: 'the gradient of a broadcast that stretched nothing',
    pattern: p(sumOp, x),
    build: (b, root) => (sameShape((b.x as Node).shape, root.shape) ? (b.x as Node) : null),
  },
  ...[sumOp, maxOp, minOp].map(ofExpand),
  ...[sumOp, maxOp, minOp].map(ofItself),
];
