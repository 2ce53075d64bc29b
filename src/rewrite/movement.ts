// Movement: chains of views are one, copies that change nothing are none, transposes are flags of a product.
import { apply, type Node } from '../graph/node.ts';
import * as e from '../ops/elementwise.ts';
import { matmulOp } from '../ops/matmul.ts';
import { concatOp, permute, permuteOp, reshape, reshapeOp, sliceOp } from '../ops/move.ts';
import { crossEntropyGradOp } from '../ops/softmax.ts';
import { sameShape } from '../shape.ts';
import { any, as, p, type Rule } from './match.ts';

const x = any('x');

export const movement: Rule[] = [
  {
    name: 'reshape of reshape',
    motive: 'x.flatten().unsqueeze(0): one view',
    pattern: p(reshapeOp, p(reshapeOp, x)),
    build: (b, root) => reshape(b.x as Node, root.shape),
  },
  {
    name: 'reshape of a number',
    motive: 'the adjoint of a sum over all: a number that stays one, for the rules after it',
    pattern: p(reshapeOp, x),
    build: (b, root) => {
      const inner = (b.x as Node).op === e.expandOp ? ((b.x as Node).inputs[0] as Node) : (b.x as Node);
      return inner.shape.length === 0 && root.shape.length > 0 ? e.expand(inner, root.shape) : null;
    },
  },
  {
    name: 'permute of permute',
    motive: 'x.T.T is x: no copy; a chain of transposes is one copy',
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
    motive: 'a broadcast of a broadcast',
    pattern: p(e.expandOp, p(e.expandOp, x)),
    build: (b, root) => e.expand(b.x as Node, root.shape),
  },
  {
    name: 'expand of a constant scale of a loss',
    motive: 'the adjoint of a mean loss is one number for all rows',
    pattern: p(crossEntropyGradOp, any('logits'), any('target'), p(e.expandOp, x)),
    build: (b) =>
      (b.x as Node).shape.length === 0
        ? apply(crossEntropyGradOp, [b.logits as Node, b.target as Node, b.x as Node])
        : null,
  },
  {
    name: 'permute of axes of one',
    motive: '[1,3] from [3,1]: the same elements in the same order, so a view and no copy',
    pattern: p(permuteOp, x),
    build: (b, root) => {
      const moved = (root.attrs.axes as number[]).filter((axis) => ((b.x as Node).shape[axis] as number) !== 1);
      return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))
        ? reshape(b.x as Node, root.shape)
        : null;
    },
  },
  {
    name: 'slice of everything',
    motive: 'x.slice(null): no copy',
    pattern: p(sliceOp, x),
    build: (b, root) => {
      const steps = root.attrs.steps as number[];
      const whole = sameShape((b.x as Node).shape, root.shape) && steps.every((s, i) => s > 0 || root.shape[i] === 1);
      return whole ? (b.x as Node) : null;
    },
  },
  {
    name: 'concat of one',
    motive: 'concat([x]): no copy',
    pattern: p(concatOp, x),
    build: (b) => b.x as Node,
  },
  transposed(0),
  transposed(1),
  {
    name: 'transpose of a · b',
    motive: '(a · b).T: the product is made transposed, with no copy behind it',
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
    motive: 'the gradient of a linear layer, dyᵀ · x: the product packs either order, with no copy before it',
    pattern: { op: matmulOp },
    build: (_, root) => {
      const operand = root.inputs[side] as Node;
      if (operand.op !== permuteOp || !swapsLast(operand)) return null;
      const inputs = root.inputs.map((n, i) => (i === side ? (operand.inputs[0] as Node) : n));
      return apply(matmulOp, inputs, { ...root.attrs, [flag]: !root.attrs[flag] });
    },
  };
}
