// Whole matrices of derivatives, each as one program.
import {
  type ArgumentOptions,
  type At,
  applied,
  independent,
  inputNodes,
  optionsOf,
  outputNode,
  type Places,
  scalarSeed,
  structured,
} from './differentiated.ts';
import { filled, pullback, pushforward, type Seeds } from './grad.ts';
import { apply, type Node, withGrad } from './graph/node.ts';
import { concat, embedOp, reshape } from './ops/move.ts';
import { stridesOf } from './shape.ts';
import { Tensor } from './tensor.ts';

/**
 * Every ∂y/∂x: y [m] and x [n], of whatever shapes, give [..m, ..n]. `jacobian(y, xs)` has one tensor for each x;
 * `jacobian(fn)` is a function like fn that gives it for the arguments at `argnums`. Either way it is one program
 * that computes y once: row by row in reverse, about 2 times y's cost for each element of y, or, if the xs have fewer
 * elements in all than y, column by column forward, about 2 times for each of theirs.
 */
export function jacobian<const X extends readonly Tensor[]>(y: Tensor, xs: X): { -readonly [K in keyof X]: Tensor };
export function jacobian<A extends unknown[], const N extends Places = 0>(
  fn: (...args: A) => Tensor,
  options?: ArgumentOptions<N>,
): (...args: A) => At<A, N>;
export function jacobian(of: Tensor | ((...args: never[]) => Tensor), second: unknown = {}): unknown {
  if (typeof of !== 'function') {
    const [y, xs] = [outputNode('jacobian', of), inputNodes('jacobian', second)];
    return matrices(y, xs, (x, i) => independent('jacobian', y, x, i)).map((node) => new Tensor(node));
  }
  const argnums = optionsOf('jacobian', second as ArgumentOptions);
  return (...args: never[]) => {
    const { xs, y } = applied('jacobian', of, args, argnums);
    const found = matrices(y, xs, (x) => filled([...y.shape, ...x.shape], 0, x));
    return structured(
      args,
      argnums,
      found.map((node) => new Tensor(node)),
    );
  };
}

/**
 * Every second derivative of a scalar: for x and z of shapes [..m] and [..n], [..m, ..n]. `hessian(y, xs)` has a list
 * of lists, one for each pair of xs; `hessian(fn)` is a function like fn that gives one tensor for a single argument
 * and lists of lists for several, `argnums`. One program; costs about 4 times y for each element of the xs.
 */
export function hessian<const X extends readonly Tensor[]>(y: Tensor, xs: X): Tensor[][];
export function hessian<A extends unknown[]>(
  fn: (...args: A) => Tensor,
  options?: ArgumentOptions<number>,
): (...args: A) => Tensor;
export function hessian<A extends unknown[]>(
  fn: (...args: A) => Tensor,
  options: ArgumentOptions<readonly number[]>,
): (...args: A) => Tensor[][];
export function hessian(of: Tensor | ((...args: never[]) => Tensor), second: unknown = {}): unknown {
  if (typeof of !== 'function') {
    const [y, xs] = [outputNode('hessian', of), inputNodes('hessian', second)];
    return secondDerivatives(y, xs, (x, i) => independent('hessian', y, x, i));
  }
  const argnums = optionsOf('hessian', second as ArgumentOptions);
  return (...args: never[]) => {
    const { xs, y } = applied('hessian', of, args, argnums);
    const found = secondDerivatives(y, xs, (x) => filled(x.shape, 0, x));
    if (xs.length === 1 && typeof argnums === 'number') return (found[0] as Tensor[])[0];
    return found;
  };
}

function secondDerivatives(y: Node, xs: readonly Node[], missing: (x: Node, i: number) => Node): Tensor[][] {
  const found = withGrad(() => pullback([y], xs)([scalarSeed('hessian', y)]));
  return found.map((g, i) => {
    const row = g ?? missing(xs[i] as Node, i);
    return matrices(row, xs, (x) => filled([...row.shape, ...x.shape], 0, x)).map((node) => new Tensor(node));
  });
}

/** ∂y/∂x of each x, in the direction that takes fewer steps. */
function matrices(y: Node, xs: readonly Node[], missing: (x: Node, i: number) => Node): Node[] {
  const columns = xs.reduce((sum, x) => sum + x.nElems, 0);
  const orEmpty = (x: Node, i: number) =>
    x.nElems * y.nElems === 0 ? filled([...y.shape, ...x.shape], 0, x) : missing(x, i);
  return columns < y.nElems ? byColumns(y, xs, orEmpty) : byRows(y, xs, orEmpty);
}

function byRows(y: Node, xs: readonly Node[], missing: (x: Node, i: number) => Node): Node[] {
  const pull = pullback([y], xs);
  const rows = units(y).map((unit) => pull([unit]));
  return xs.map((x, i) => {
    const found = rows.flatMap((row) => row[i] ?? []);
    return found.length === 0 ? missing(x, i) : reshape(stacked(found, 0), [...y.shape, ...x.shape]);
  });
}

function byColumns(y: Node, xs: readonly Node[], missing: (x: Node, i: number) => Node): Node[] {
  const push = pushforward([y], xs);
  return xs.map((x, i) => {
    const seeds = (unit: Node): Seeds => xs.map((_, k) => (k === i ? unit : null));
    const found = units(x).flatMap((unit) => push(seeds(unit))[0] ?? []);
    return found.length === 0 ? missing(x, i) : reshape(stacked(found, 1), [...y.shape, ...x.shape]);
  });
}

/** Nodes of n elements each as the rows (axis 0) or columns (axis 1) of a matrix. */
function stacked(nodes: readonly Node[], axis: 0 | 1): Node {
  const flat = nodes.map((node) => reshape(node, axis === 0 ? [1, node.nElems] : [node.nElems, 1]));
  return flat.length === 1 ? (flat[0] as Node) : concat(flat, axis);
}

/** The unit vectors of the shape of a node. */
function units(like: Node): Node[] {
  const { shape, nElems } = like;
  const ones = shape.map(() => 1);
  const one = filled(ones, 1, like);
  if (shape.length === 0) return [one];
  const strides = stridesOf(shape);
  return Array.from({ length: nElems }, (_, i) => {
    const starts = shape.map((d, axis) => Math.floor(i / (strides[axis] as number)) % d);
    return apply(embedOp, [one], { starts, steps: ones, size: ones, shape });
  });
}
