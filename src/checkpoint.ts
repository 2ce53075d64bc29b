// checkpoint(fn, …): computes what a derivative needs of fn again when it is needed, instead of storing it. Both are
// parts of the graph: the second computation is a copy of the first that must wait for the gradient to arrive.
import { NablaError } from './error.ts';
import { pullbackWithin } from './grad.ts';
import { apply, inPlaceOf, type Node, newestNode } from './graph/node.ts';
import type { Op } from './graph/op.ts';
import { byAge, walk } from './graph/walk.ts';
import { copy } from './ops/elementwise.ts';
import { kindOf } from './options.ts';
import { rebuild } from './rewrite/index.ts';
import { Tensor } from './tensor.ts';

/** [x, dy]: x, not to be read before dy is computed. */
const afterOp: Op = {
  name: 'after',
  shape: ([x]) => (x as Node).shape,
  dtype: ([x]) => (x as Node).dtype,
  view: () => 0,
  vjp: (_, dy) => [dy, null],
  reference: ([x]) => x as Float64Array,
};

/** [y, ...sources]: y, which is computed from the sources and constants alone. */
const checkpointOp: Op = {
  name: 'checkpoint',
  shape: ([y]) => (y as Node).shape,
  dtype: ([y]) => (y as Node).dtype,
  wraps: true,
  view: () => 0,
  vjp: (node, dy, wanted) => {
    const [y, ...sources] = node.inputs as [Node, ...Node[]];
    const again = new Map(sources.map((source) => [source, apply(afterOp, [source, dy])]));
    const repeated = inPlaceOf(node, () => copied(y, again));
    const xs = sources.filter((_, i) => wanted[i + 1]).map((source) => again.get(source) as Node);
    const found = pullbackWithin([repeated], xs, new Set(again.values()))([dy]);
    let next = 0;
    return wanted.map((w) => (w ? (found[next++] ?? null) : null));
  },
  reference: ([y]) => y as Float64Array,
};

/** y over other sources; what depends on none of them stays. */
function copied(y: Node, sources: ReadonlyMap<Node, Node>): Node {
  const becomes = new Map(sources);
  for (const old of byAge(walk([y], (node) => node.inputs.length > 0 && !sources.has(node)))) {
    if (becomes.has(old)) continue;
    const node = rebuild(old, becomes);
    if (node !== old) becomes.set(old, node);
  }
  return becomes.get(y) ?? y;
}

const isConstant = (node: Node) => node.attrs.value !== undefined && node.inputs.length === 0;

/**
 * fn(...args), a tensor, of which no intermediate is stored for the gradient: they are computed again from the
 * arguments, and from the tensors that fn reads beside them, when the gradient comes back. Costs fn once more (a
 * third of a training step at most) and saves its intermediates; the gradients are the same, random numbers of fn
 * included, since a random node keeps its key. In a network of n equal layers, segments of √(n/k) layers with k
 * stored results each need least (Chen et al. 2016).
 */
export function checkpoint<A extends unknown[]>(fn: (...args: A) => Tensor, ...args: A): Tensor {
  if (typeof fn !== 'function') {
    throw new NablaError('option', 'checkpoint: expected a function and its arguments, as in checkpoint(fn, x)');
  }
  // No rule looks across the border of a segment, so its sources stay what it depends on.
  const own = args.map((x) => (x instanceof Tensor ? new Tensor(copy(x.node)) : x));
  const start = newestNode();
  const result: unknown = fn(...(own as A));
  if (!(result instanceof Tensor)) {
    throw new NablaError('option', `checkpoint: the function returned ${kindOf(result)}, expected a tensor`);
  }
  const y = result.node;
  const isInside = (node: Node) => node.inputs.length > 0 && node.id > start;
  if (!isInside(y)) return result;
  const reached = walk([y], isInside);
  const sources = reached.filter((node) => !isInside(node) && !isConstant(node));
  const entered = new Set(own.flatMap((x) => (x instanceof Tensor ? [x.node] : [])));
  // A tensor that fn took from outside and that is computed there has no border yet.
  const taken = sources.filter((node) => node.inputs.length > 0 && !entered.has(node));
  if (taken.length === 0) return new Tensor(apply(checkpointOp, [y, ...sources]));
  for (const node of reached) node.forgetUsers(start);
  const borders = new Map(taken.map((node) => [node, copy(node)]));
  const bordered = copied(y, borders);
  return new Tensor(apply(checkpointOp, [bordered, ...sources.map((node) => borders.get(node) ?? node)]));
}
