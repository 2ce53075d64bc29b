// Fusion by name: algebra gathered into richer micro-operations, bias and activation into a product's epilogue.
import * as abi from '../../assembly/abi.ts';
import { isFloat } from '../dtype.ts';
import { apply, inLayerOf, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { convOp } from '../ops/conv.ts';
import * as e from '../ops/elementwise.ts';
import * as fn from '../ops/functions.ts';
import * as f from '../ops/fused.ts';
import * as g from '../ops/gelu.ts';
import { ger, isRankOne, matmulOp } from '../ops/matmul.ts';
import { layoutOp, permute, reshape } from '../ops/move.ts';
import { maxOp, minOp, sumOp } from '../ops/reduce.ts';
import { prodOp } from '../ops/statistics.ts';
import { sameShape, viewOf } from '../shape.ts';
import { any, as, type Bindings, commutes, num, once, type Pattern, p, type Rule } from './match.ts';

commutes(e.addOp, e.mulOp);

const [a, b, c] = [any('a'), any('b'), any('c')];
const rule = (
  name: string,
  motive: string,
  pattern: Pattern & { op: Op },
  build: (a: Node, b: Node, c: Node) => Node | null,
): Rule => ({
  name,
  motive,
  pattern,
  build: (m) => build(m.a as Node, m.b as Node, m.c as Node),
});
const floats = (...nodes: Node[]) => nodes.every((n) => isFloat(n.dtype) && n.dtype === nodes[0]?.dtype);

/** A number among larger operands is made before the tape that reads it, so it can be read as a scalar there. */
const isLarger = (s: Node, ...nodes: Node[]) => nodes.some((n) => n.nElems > s.nElems);

const micro: Rule[] = [
  rule(
    'relu gradient',
    'the gradient of x.relu(): one micro-operation instead of two',
    p(e.whereOp, p(e.ltOp, num(0), a), b, num(0)),
    (y, dy) => (floats(y, dy) ? f.fused(f.reluGradOp, y, dy) : null),
  ),
  rule(
    'tanh gradient',
    'the gradient of x.tanh(), dy·(1 − y²): one micro-operation instead of three',
    p(e.mulOp, b, once(e.subOp, num(1), once(e.squareOp, a))),
    (y, dy) => f.fused(f.tanhGradOp, y, dy),
  ),
  rule(
    'sigmoid gradient',
    'the gradient of x.sigmoid(), dy·y·(1 − y): one micro-operation instead of three',
    p(e.mulOp, b, once(e.mulOp, a, once(e.subOp, num(1), a))),
    (y, dy) => (floats(y, dy) ? f.fused(f.sigmoidGradOp, y, dy) : null),
  ),
  rule(
    'a + c·(b − a)',
    'a moving average, m + (1 − β)·(g − m): one micro-operation instead of three',
    p(e.addOp, a, once(e.mulOp, c, once(e.subOp, b, a))),
    (x, y, s) => (s.nElems === 1 && isLarger(s, x, y) && floats(x, y) ? f.fused(f.lerpOp, x, y, s) : null),
  ),
  rule(
    'a·b + c',
    'a step of momentum, μ·v + g: one micro-operation instead of two',
    p(e.addOp, once(e.mulOp, a, b), c),
    (x, y, z) => (floats(x, y, z) ? f.fused(f.maddOp, x, y, z) : null),
  ),
  rule(
    'c − a·b',
    'a step of SGD, w − lr·g: one micro-operation instead of two',
    p(e.subOp, c, once(e.mulOp, a, b)),
    (x, y, z) => (floats(x, y, z) ? f.fused(f.nmaddOp, x, y, z) : null),
  ),
];

const ranks: Rule[] = [
  rule(
    'c − a·(column · row)',
    'a step of SGD on one example: the product goes into the weights, and is no array of its own',
    p(e.subOp, c, once(e.mulOp, a, { op: matmulOp, once: true, name: 'b' })),
    (s, product, w) => (isRankOne(w, s, product) ? ger(w, e.neg(s), product) : null),
  ),
];

/** A bias along the columns of a product [.., M, N] or the channels of a convolution, as the epilogue takes it. */
function biasOf(product: Node, bias: Node): Node | null {
  const axis = product.op === matmulOp ? product.shape.length - 1 : 1;
  const n = product.shape[axis] as number;
  if (bias.nElems !== n || product.inputs.length > 2 || product.attrs.act !== undefined) return null;
  const at = bias.shape.length - (product.shape.length - axis);
  return n === 1 || bias.shape[at] === n ? reshape(bias, [n]) : null;
}

/** What an epilogue applies in place of a pass of its own. */
const activations: [Op, number][] = [
  [e.reluOp, abi.ACT_RELU],
  [e.sigmoidOp, abi.ACT_SIGMOID],
  [e.tanhOp, abi.ACT_TANH],
];

/** What is folded into a product counts for the layer of the product. */
function epilogue(op: Op): Rule[] {
  return [
    {
      name: `${op.name} + bias`,
      motive: 'a layer: the bias is added while the product is still in registers',
      pattern: p(e.addOp, as('product', { op, once: true }), b),
      build: (m, root) => {
        const product = m.product as Node;
        if (!sameShape(product.shape, root.shape)) return null;
        const bias = biasOf(product, m.b as Node);
        return bias && inLayerOf(product, () => apply(op, [...product.inputs, bias], product.attrs));
      },
    },
    ...activations.map(([activation, act]) => ({
      name: `${activation.name} of ${op.name}`,
      motive: 'a layer: the activation is applied while the product is still in registers',
      pattern: p(activation, as('product', { op, once: true })),
      build: (m: Bindings) => {
        const product = m.product as Node;
        if (product.attrs.act !== undefined) return null;
        return inLayerOf(product, () => apply(op, product.inputs, { ...product.attrs, act }));
      },
    })),
  ];
}

/** A tape reads a broadcast only as a view; what is not one is laid out first. */
function readable(op: Op): Rule {
  return {
    name: 'elementwise over a broadcast that is no view',
    motive: '[2,1,3] + [2,3,1]: a tape reads a row tiled or a column repeated, nothing else',
    needed: true,
    pattern: { op },
    build: (_, root) => {
      if (root.inputs.every((i) => viewOf(i.shape, root.shape) !== null)) return null;
      const inputs = root.inputs.map((i) =>
        viewOf(i.shape, root.shape) === null ? apply(layoutOp, [i], { shape: root.shape }) : i,
      );
      return apply(op, inputs, root.attrs);
    },
  };
}

/** A tape reduces into a view; axes in the middle are moved to the end first. */
function reducible(op: Op): Rule {
  return {
    name: 'reduction over scattered axes',
    motive: 'a sum over the middle axis of [2,3,4]: a tape reduces rows or columns',
    needed: true,
    pattern: { op },
    build: (_, root) => {
      const x = root.inputs[0] as Node;
      if (viewOf(root.shape, x.shape) !== null) return null;
      const axes = root.attrs.axes as number[];
      const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
      const moved = permute(x, [...kept, ...axes]);
      const last = axes.map((_, i) => kept.length + i);
      return reshape(apply(op, [moved], { axes: last }), root.shape);
    },
  };
}

const elementwise: Op[] = [e, f, fn, g]
  .flatMap((family) => Object.values(family))
  .filter((v): v is Op => typeof v === 'object' && 'forms' in v);

export const fuse: Rule[] = [
  ...epilogue(matmulOp),
  ...epilogue(convOp),
  ...ranks,
  ...micro,
  ...elementwise.map(readable),
  ...[sumOp, maxOp, minOp, prodOp].map(reducible),
];
