// Simplification: fewer nodes with the same result, NaN and ∞ included.
import { isFloat } from '../dtype.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import * as e from '../ops/elementwise.ts';
import * as fn from '../ops/functions.ts';
import * as g from '../ops/gelu.ts';
import { constant } from '../ops/leaf.ts';
import { matmulOp } from '../ops/matmul.ts';
import { permute, permuteOp, reshape, reshapeOp } from '../ops/move.ts';
import { sumOp } from '../ops/reduce.ts';
import { crossEntropyGradOp } from '../ops/softmax.ts';
import { sameShape } from '../shape.ts';
import { any, as, commutes, num, type Pattern, p, type Rule } from './match.ts';

commutes(e.addOp, e.mulOp);

const x = any('x');
const y = any('y');
const to = (name: string, pattern: Pattern & { op: Op }, build: (x: Node, y: Node) => Node | null): Rule => ({
  name,
  pattern,
  build: (b) => build(b.x as Node, b.y as Node),
});

/** `node` where its result has the shape of the match: a neutral element that does not stretch the other operand. */
const neutral = (name: string, pattern: Pattern & { op: Op }): Rule => ({
  name,
  pattern,
  build: (b, root) => (sameShape((b.x as Node).shape, root.shape) ? (b.x as Node) : null),
});

/** What stands for another node, for the sake of a derivative, or of a name. */
export const transparent: Rule[] = [
  to('copy of x', p(e.copyOp, x), (a) => a),
  to('detached x', p(e.detachOp, x), (a) => a),
];

const neutralElements: Rule[] = [
  neutral('x + 0', p(e.addOp, x, num(0))),
  neutral('x − 0', p(e.subOp, x, num(0))),
  neutral('x · 1', p(e.mulOp, x, num(1))),
  neutral('x / 1', p(e.divOp, x, num(1))),
  neutral('x ^ 1', p(e.powOp, x, num(1))),
  ...transparent,
  to('x · −1', p(e.mulOp, x, num(-1)), (a) => e.neg(a)),
  to('−(−x)', p(e.negOp, p(e.negOp, x)), (a) => a),
  to('x + (−y)', p(e.addOp, x, p(e.negOp, y)), (a, b) => e.sub(a, b)),
  to('x − (−y)', p(e.subOp, x, p(e.negOp, y)), (a, b) => e.add(a, b)),
  to('x · x', p(e.mulOp, x, x), (a) => (isFloat(a.dtype) ? e.square(a) : null)),
  to('x ^ 2', p(e.powOp, x, num(2)), (a) => e.square(a)),
  to('x ^ −1', p(e.powOp, x, num(-1)), (a) => e.reciprocal(a)),
];

const movement: Rule[] = [
  {
    name: 'reshape of reshape',
    pattern: p(reshapeOp, p(reshapeOp, x)),
    build: (b, root) => reshape(b.x as Node, root.shape),
  },
  {
    name: 'reshape of a number',
    pattern: p(reshapeOp, x),
    build: (b, root) => {
      const inner = (b.x as Node).op === e.expandOp ? ((b.x as Node).inputs[0] as Node) : (b.x as Node);
      return inner.shape.length === 0 && root.shape.length > 0 ? e.expand(inner, root.shape) : null;
    },
  },
  {
    name: 'permute of permute',
    pattern: p(permuteOp, as('inner', p(permuteOp, x))),
    build: (b, root) => {
      const inner = (b.inner as Node).attrs.axes as number[];
      return permute(
        b.x as Node,
        (root.attrs.axes as number[]).map((a) => inner[a] as number),
      );
    },
  },
  {
    name: 'expand of expand',
    pattern: p(e.expandOp, p(e.expandOp, x)),
    build: (b, root) => e.expand(b.x as Node, root.shape),
  },
  {
    name: 'expand of a constant scale of a loss',
    pattern: p(crossEntropyGradOp, any('logits'), any('target'), p(e.expandOp, x)),
    build: (b) =>
      (b.x as Node).shape.length === 0
        ? apply(crossEntropyGradOp, [b.logits as Node, b.target as Node, b.x as Node])
        : null,
  },
  {
    name: 'sum over axes of one',
    pattern: p(sumOp, x),
    build: (b, root) => (sameShape((b.x as Node).shape, root.shape) ? (b.x as Node) : null),
  },
  transposed(0),
  transposed(1),
  {
    name: 'transpose of a · b',
    pattern: p(permuteOp, as('product', { op: matmulOp, once: true })),
    build: (b, root) => {
      const { inputs, attrs } = b.product as Node;
      if (inputs.length > 2 || !swapsLast(root)) return null;
      const [left, right] = inputs as [Node, Node];
      return apply(matmulOp, [right, left], { transA: !attrs.transB, transB: !attrs.transA });
    },
  },
];

/** Whether a permute exchanges the last two axes and nothing else. */
function swapsLast(node: Node): boolean {
  const axes = node.attrs.axes as number[];
  const last = axes.length - 1;
  return axes[last] === last - 1 && axes[last - 1] === last && axes.every((a, i) => i >= last - 1 || a === i);
}

/** A transpose of an operand of a product is a flag of the product. */
function transposed(side: 0 | 1): Rule {
  const flag = side === 0 ? 'transA' : 'transB';
  return {
    name: side === 0 ? 'transpose · b' : 'a · transpose',
    pattern: { op: matmulOp },
    build: (_, root) => {
      const operand = root.inputs[side] as Node;
      if (operand.op !== permuteOp || !swapsLast(operand)) return null;
      const inputs = root.inputs.map((n, i) => (i === side ? (operand.inputs[0] as Node) : n));
      return apply(matmulOp, inputs, { ...root.attrs, [flag]: !root.attrs[flag] });
    },
  };
}

/** Ops that read broadcast inputs themselves need no expand before them, where the result keeps its shape. */
function implicitExpand(op: Op): Rule {
  return {
    name: `${op.name} of expand`,
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
    name: `${op.name} of stretched numbers`,
    pattern: { op },
    build: (_, root) => {
      if (!root.inputs.some((i) => i.op === e.expandOp) || root.nElems === 1) return null;
      const inputs = root.inputs.map(number);
      return inputs.every((i) => i.shape.length === 0) ? e.expand(apply(op, inputs, root.attrs), root.shape) : null;
    },
  };
}

/** Arithmetic on constants is done once. */
function folded(op: Op): Rule {
  return {
    name: `${op.name} of constants`,
    pattern: { op },
    build: (_, root) => {
      if (root.nElems !== 1 || root.shape.length > 0 || !isFloat(root.dtype)) return null;
      if (!root.inputs.every((i) => i.attrs.value !== undefined && i.inputs.length === 0)) return null;
      const inputs = root.inputs.map((i) => Float64Array.of(i.attrs.value as number));
      return constant(op.reference?.(inputs, root)[0] as number, root.dtype);
    },
  };
}

const broadcasting: Op[] = [e, fn, g]
  .flatMap((family) => Object.values(family))
  .filter((v): v is Op => typeof v === 'object' && 'forms' in v);

export const simplify: Rule[] = [
  ...neutralElements,
  ...movement,
  ...broadcasting.filter((op) => op !== e.expandOp).map(implicitExpand),
  ...broadcasting.filter((op) => op !== e.expandOp).map(lateExpand),
  ...broadcasting.filter((op) => op !== e.expandOp).map(folded),
];
