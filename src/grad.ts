// Reverse-mode differentiation: gradients are new nodes, built by each op's own rule out of other ops.
import { isFloat } from './dtype.ts';
import { NablaError } from './error.ts';
import { apply, inLayerOf, type Node } from './graph/node.ts';
import type { Op } from './graph/op.ts';
import { walk } from './graph/walk.ts';
import { add, expand } from './ops/elementwise.ts';
import { constant } from './ops/leaf.ts';
import { reshape } from './ops/move.ts';
import { sum } from './ops/reduce.ts';
import { stabilised } from './rewrite/index.ts';
import { broadcastAxes, broadcastShapes, formatShape, sameShape } from './shape.ts';

const hasInputs = (node: Node) => node.inputs.length > 0;

/**
 * dy/dx for each x, where y is a scalar; null where y does not depend on an x. Each adjoint is computed once, in
 * the reverse of an order of evaluation, so the cost is a small multiple of y's (Baur and Strassen 1983).
 */
export function gradients(y: Node, xs: readonly Node[]): (Node | null)[] {
  if (y.nElems !== 1) {
    throw new NablaError(
      'gradient',
      `grad: the gradient of ${formatShape(y.shape)} is not defined; expected a scalar: reduce it first, e.g. with .sum() or .mean()`,
      { shape: y.shape },
    );
  }
  const [stable] = stabilised([y], new Set(xs)) as [Node];
  const order = walk([stable], hasInputs);
  const wanted = dependents(order, xs);
  const adjoints = new Map<Node, Node>([[stable, expand(constant(1, stable.dtype), stable.shape)]]);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const dy = adjoints.get(node);
    if (dy === undefined || !wanted.has(node)) continue;
    inLayerOf(node, () => pullBack(node, dy, wanted, adjoints));
  }
  return xs.map((x) => {
    if (x !== stable && !order.some((n) => wanted.has(n) && n.inputs.includes(x))) return null;
    return adjoints.get(x) ?? expand(constant(0, x.dtype), x.shape);
  });
}

/** The nodes of `order` that depend on some x by ops that can be differentiated. */
function dependents(order: readonly Node[], xs: readonly Node[]): Set<Node> {
  const found = new Set<Node>(xs);
  for (const node of order) {
    const { vjp, expression } = node.op;
    if ((vjp ?? expression) !== undefined && node.inputs.some((i) => found.has(i))) found.add(node);
  }
  return found;
}

/** Adds node's part to the adjoints of its inputs. */
function pullBack(node: Node, dy: Node, through: ReadonlySet<Node>, adjoints: Map<Node, Node>): void {
  if (!hasInputs(node)) return;
  const wanted = node.inputs.map((i) => through.has(i) && isFloat(i.dtype));
  if (!wanted.includes(true)) return;
  const parts = partsOf(node, dy, wanted);
  node.inputs.forEach((input, i) => {
    const part = parts[i];
    if (!wanted[i] || !part) return;
    const own = unbroadcast(part, input);
    const before = adjoints.get(input);
    adjoints.set(input, before === undefined ? own : add(before, own));
  });
}

function partsOf(node: Node, dy: Node, wanted: readonly boolean[]): (Node | null)[] {
  const { op } = node;
  if (op.vjp !== undefined) return op.vjp(node, dy, wanted);
  const inputs = node.inputs.filter((_, i) => wanted[i]);
  const found = vectorGradients((op.expression as NonNullable<Op['expression']>)(node), inputs, dy);
  let next = 0;
  return wanted.map((w) => (w ? (found[next++] ?? null) : null));
}

/** The gradient of Σ dy·y through an expression, stopping at `xs`. */
function vectorGradients(y: Node, xs: readonly Node[], dy: Node): (Node | null)[] {
  const order = walk([y], (node) => hasInputs(node) && !xs.includes(node));
  const wanted = dependents(order, xs);
  const adjoints = new Map<Node, Node>([[y, dy]]);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const adjoint = adjoints.get(node);
    if (adjoint !== undefined && wanted.has(node) && !xs.includes(node)) pullBack(node, adjoint, wanted, adjoints);
  }
  return xs.map((x) => adjoints.get(x) ?? null);
}

/** Sums a gradient over the axes along which its input was stretched. */
function unbroadcast(dy: Node, input: Node): Node {
  if (sameShape(dy.shape, input.shape)) return dy;
  // A gradient may come as a smaller array that itself stretches (a constant factor, say).
  const full = expand(dy, broadcastShapes('gradient', dy.shape, input.shape));
  const axes = broadcastAxes(input.shape, full.shape);
  return axes.length === 0 ? full : reshape(sum(full, axes, true), input.shape);
}

/**
 * A request for a gradient that `backward()` leaves in the graph: replaced by the real nodes only when a program
 * is built, so a plan found in the cache never builds them.
 */
export const gradientOp: Op = {
  name: 'gradient',
  shape: ([, x]) => (x as Node).shape,
  dtype: ([, x]) => (x as Node).dtype,
  vjp: () => [null],
  expand: (nodes) => {
    const losses = new Set(nodes.map((n) => n.inputs[0] as Node));
    const made = new Map<Node, Node>();
    for (const loss of losses) {
      const mine = nodes.filter((n) => n.inputs[0] === loss);
      const found = gradients(
        loss,
        mine.map((n) => n.inputs[1] as Node),
      );
      mine.forEach((n, i) => {
        made.set(n, found[i] ?? expand(constant(0, n.dtype), n.shape));
      });
    }
    return made;
  },
};

export function gradientRequest(loss: Node, x: Node): Node {
  return apply(gradientOp, [loss, x]);
}
