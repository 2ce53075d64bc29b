// Rules that every elementwise op has: families of one name each.
import { isFloat } from '../dtype.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import * as e from '../ops/elementwise.ts';
import { constant } from '../ops/leaf.ts';
import { sameShape } from '../shape.ts';
import type { Rule } from './match.ts';

export const elementwise = (ops: readonly Op[]): Rule[] => [
  ...ops.map(implicitExpand),
  ...ops.map(lateExpand),
  ...ops.map(folded),
];

/** Ops that read broadcast inputs themselves need no expand before them, where the result keeps its shape. */
function implicitExpand(op: Op): Rule {
  return {
    name: 'elementwise of expand',
    motive: 'x + expand(b): a tape reads b in step with x as it is',
    pattern: { op },
    build: (_, root) => {
      for (const [i, input] of root.inputs.entries()) {
        if (input.op !== e.expandOp) continue;
        const inputs = root.inputs.map((n, j) => (j === i ? (input.inputs[0] as Node) : n));
        if (sameShape(op.shape(inputs, root.attrs), root.shape)) return apply(op, inputs, root.attrs);
      }
      return null;
    },
  };
}

/** A function of stretched numbers is the stretched function of the numbers. */
function lateExpand(op: Op): Rule {
  const number = (n: Node) => (n.op === e.expandOp ? (n.inputs[0] as Node) : n);
  return {
    name: 'elementwise of stretched numbers',
    motive: 'the adjoint of a mean, expand(1)·expand(1/n): one multiplication instead of n',
    pattern: { op },
    build: (_, root) => {
      if (!root.inputs.some((i) => i.op === e.expandOp)) return null;
      const inputs = root.inputs.map(number);
      return inputs.every((i) => i.shape.length === 0) ? e.expand(apply(op, inputs, root.attrs), root.shape) : null;
    },
  };
}

/** Arithmetic on constants is done once. */
function folded(op: Op): Rule {
  return {
    name: 'elementwise of constants',
    motive: 'the adjoint of a mean of means, 1·(1/n)·(1/m)',
    pattern: { op },
    build: (_, root) => {
      if (root.nElems !== 1 || root.shape.length > 0 || !isFloat(root.dtype)) return null;
      if (!root.inputs.every((i) => i.attrs.value !== undefined && i.inputs.length === 0)) return null;
      const inputs = root.inputs.map((i) => Float64Array.of(i.attrs.value as number));
      return constant(op.reference?.(inputs, root)[0] as number, root.dtype);
    },
  };
}
