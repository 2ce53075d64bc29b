// Reverse-mode differentiation: gradients are new nodes, built by each op's own rule out of other ops.
import { isFloat } from './dtype.ts';
import { apply, inLayerOf, inPlaceOf, type Node, withGrad } from './graph/node.ts';
import { isElementwise, type Op } from './graph/op.ts';
import { walk } from './graph/walk.ts';
import { add, expand, where, whereOp } from './ops/elementwise.ts';
import { constant } from './ops/leaf.ts';
import { reshape } from './ops/move.ts';
import { sum } from './ops/reduce.ts';
import { rewrite, stabilised } from './rewrite/index.ts';
import { broadcastAxes, broadcastShapes, type Shape, sameShape } from './shape.ts';

const hasInputs = (node: Node) => node.inputs.length > 0;

/** Of every y, what its adjoint is to start from: null for 0. */
export type Seeds = readonly (Node | null)[];
/** Of every x; null where no y depends on it. */
export type Gradients = (Node | null)[];

/** A node of `shape` that holds `value` everywhere. */
export function filled(shape: Shape, value: number, like: Node): Node {
  return expand(constant(value, like.dtype), shape);
}

/** dy/dx for each x, y a scalar; null where y does not depend on an x. */
export function gradients(y: Node, xs: readonly Node[]): Gradients {
  return pullback([y], xs)([filled(y.shape, 1, y)]);
}

/**
 * The function from seeds, one of each y's shape, to Σ seed·∂y/∂x for each x. An adjoint is computed once, in the
 * reverse of an order of evaluation, so the cost is a small multiple of the ys' (Baur and Strassen 1983).
 */
export function pullback(ys: readonly Node[], xs: readonly Node[]): (seeds: Seeds) => Gradients {
  const keep = new Set(xs);
  const stable = stabilised(expanded(ys, keep), keep);
  return reverse(stable, xs, walk(stable, hasInputs));
}

/**
 * The function from tangents, one of each x's shape, to Σ ∂y/∂x·tangent for each y. A pullback is linear in its
 * seeds, so its own pullback is this: no op needs a second rule, and what only the first computes falls away.
 */
export function pushforward(ys: readonly Node[], xs: readonly Node[]): (tangents: Seeds) => Gradients {
  const seeds = ys.map((y) => filled(y.shape, 0, y));
  const found = withGrad(() => pullback(ys, xs)(seeds));
  const places = found.flatMap((g, i) => (g === null ? [] : [i]));
  const push = pullback(
    places.map((i) => found[i] as Node),
    seeds,
  );
  return (tangents) => push(places.map((i) => tangents[i] as Node | null));
}

/** `ys` with gradients in the place of requests for them, through which derivatives can go. */
function expanded(ys: readonly Node[], keep: ReadonlySet<Node>): readonly Node[] {
  const requests = walk(ys, hasInputs).filter((node) => node.op === gradientOp && hasInputs(node) && !keep.has(node));
  if (requests.length === 0) return ys;
  return rewrite(ys, [], { keep, deep: true, replace: gradientsFor(requests) });
}

/** A pullback that stops at `sources`, among them the xs, and takes the ys as they are. */
export function pullbackWithin(ys: readonly Node[], xs: readonly Node[], sources: ReadonlySet<Node>) {
  return reverse(
    ys,
    xs,
    walk(ys, (node) => hasInputs(node) && !sources.has(node)),
    sources,
  );
}

/** `order`: all that `ys` are computed from, inputs before users. */
function reverse(ys: readonly Node[], xs: readonly Node[], order: readonly Node[], stop?: ReadonlySet<Node>) {
  const wanted = dependents(order, xs);
  const known = new Set(ys);
  const path = order.filter((node) => wanted.has(node) && hasInputs(node) && !stop?.has(node)).reverse();
  for (const node of path) if (known.has(node)) for (const input of differentiated(node)) known.add(input);
  return (seeds: Seeds): Gradients => {
    const adjoints = new Map<Node, Node>();
    ys.forEach((y, i) => {
      if (seeds[i]) accumulate(adjoints, y, seeds[i]);
    });
    for (const node of path) {
      const dy = adjoints.get(node);
      if (dy !== undefined) inLayerOf(node, () => pullBack(node, dy, wanted, adjoints));
    }
    return xs.map((x) => (known.has(x) ? (adjoints.get(x) ?? filled(x.shape, 0, x)) : null));
  };
}

/** Whether derivatives go through a node, as far as it alone says. */
export function isSmooth({ differentiable, op }: Node): boolean {
  return differentiable && (op.vjp ?? op.expression) !== undefined;
}

/** The inputs that a node's derivative may go to. */
export function differentiated({ op, inputs }: Node): readonly Node[] {
  return op.wraps ? inputs.slice(1) : inputs;
}

/** The nodes of `order` that depend on some x by ops that can be differentiated. */
function dependents(order: readonly Node[], xs: readonly Node[]): Set<Node> {
  const found = new Set<Node>(xs);
  for (const node of order) if (isSmooth(node) && differentiated(node).some((i) => found.has(i))) found.add(node);
  return found;
}

/** Adds node's part to the adjoints of its inputs. */
function pullBack(node: Node, dy: Node, through: ReadonlySet<Node>, adjoints: Map<Node, Node>): void {
  const wanted = node.inputs.map((i) => through.has(i) && isFloat(i.dtype));
  if (node.op.wraps) wanted[0] = false;
  if (!wanted.includes(true)) return;
  const parts = throughMasks(node, dy, wanted);
  node.inputs.forEach((input, i) => {
    const part = parts[i];
    if (wanted[i] && part) accumulate(adjoints, input, unbroadcast(part, input));
  });
}

function accumulate(adjoints: Map<Node, Node>, node: Node, part: Node): void {
  const before = adjoints.get(node);
  adjoints.set(node, before === undefined ? part : add(before, part));
}

/** Masks that are put around a part; more, of a long chain of functions, stay inside. */
const MOST_MASKS = 4;

/**
 * The parts of a node, with what masks its gradient put around them, not into them. A mask commutes with the derivative
 * of an elementwise function; inside, that of a branch not taken would be 0/0 or 0·∞, as of log x where x is 0.
 */
function throughMasks(node: Node, dy: Node, wanted: readonly boolean[]): Gradients {
  if (!isElementwise(node.op) || node.op === whereOp) return partsOf(node, dy, wanted);
  const masks: Node[] = [];
  let inner = dy;
  while (inner.op === whereOp && masks.length < MOST_MASKS) {
    const [, a, b] = inner.inputs as [Node, Node, Node];
    if (!isZero(a) && !isZero(b)) break;
    masks.push(inner);
    inner = isZero(b) ? a : b;
  }
  if (masks.length === 0) return partsOf(node, dy, wanted);
  const parts = partsOf(node, expand(inner, node.shape), wanted);
  return parts.map((part) => part && masks.reduceRight(maskedLike, part));
}

/** x in the place of what `mask` masks; it stays part of its layer. */
function maskedLike(x: Node, mask: Node): Node {
  const [c, a, b] = mask.inputs as [Node, Node, Node];
  return inLayerOf(mask, () => (isZero(b) ? where(c, x, b) : where(c, a, x)));
}

const isZero = (node: Node) => node.attrs.value === 0 && node.inputs.length === 0;

function partsOf(node: Node, dy: Node, wanted: readonly boolean[]): Gradients {
  const { op } = node;
  if (op.vjp !== undefined) return op.vjp(node, dy, wanted);
  const inputs = node.inputs.filter((_, i) => wanted[i]);
  const y = inPlaceOf(node, () => (op.expression as NonNullable<Op['expression']>)(node));
  const found = pullbackWithin([y], inputs, new Set(node.inputs))([dy]);
  let next = 0;
  return wanted.map((w) => (w ? (found[next++] ?? null) : null));
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
  expand: gradientsFor,
};

/** The gradient in the place of each request. */
function gradientsFor(nodes: readonly Node[]): Map<Node, Node> {
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
}

export function gradientRequest(loss: Node, x: Node): Node {
  return apply(gradientOp, [loss, x]);
}
