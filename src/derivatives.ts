// Derivatives as a user asks for them: of a tensor with respect to tensors, or of a function, as JAX names them.
import { NablaError } from './error.ts';
import { differentiated, filled, type Gradients, isSmooth, pullback, pushforward, type Seeds } from './grad.ts';
import { apply, type Node, withGrad } from './graph/node.ts';
import { walk } from './graph/walk.ts';
import { copy } from './ops/elementwise.ts';
import { concat, embedOp, reshape } from './ops/move.ts';
import { checkNames, kindOf } from './options.ts';
import { formatShape, sameShape, stridesOf } from './shape.ts';
import { Tensor } from './tensor.ts';
import { mapped } from './tree.ts';

/** Which arguments of a function are differentiated, by place: the first by default. */
export interface ArgumentOptions<N extends Places = Places> {
  argnums?: N;
}
export type Places = number | readonly number[];
/** What stands at the places: of one place that argument's, of a list a list. */
export type At<A extends readonly unknown[], N extends Places> = N extends readonly number[]
  ? { -readonly [K in keyof N]: A[N[K] & keyof A] }
  : A[N & keyof A];

// ---- of tensors

/** Σ seed·∂y/∂x for each x; `seed` is 1 by default, and y then a scalar. Throws where y does not depend on an x. */
export function gradientsOf(op: string, y: Tensor, xs: unknown, seed?: Tensor): Tensor[] {
  const [root, nodes] = [outputNode(op, y), inputNodes(op, xs)];
  const found = pullback([root], nodes)([seedNode(op, root, seed)]);
  return found.map((g, i) => new Tensor(g ?? independent(op, root, nodes[i] as Node, i)));
}

function outputNode(op: string, y: unknown): Node {
  if (!(y instanceof Tensor)) {
    throw new NablaError('gradient', `${op}: y is ${kindOf(y)}, expected a tensor`);
  }
  const { node } = y;
  if (isFloat(node)) return node;
  throw new NablaError(
    'gradient',
    `${op}: y is ${node.dtype} ${formatShape(node.shape)}, made by ${node.op.name}; only floats have derivatives`,
    { dtype: node.dtype },
  );
}

function inputNodes(op: string, xs: unknown): Node[] {
  if (!Array.isArray(xs)) throw new NablaError('gradient', `${op}: expected a list of tensors as in ${op}(y, [x])`);
  return xs.map((x: unknown, i) => differentiableNode(`${op}: x[${i}]`, x));
}

function differentiableNode(what: string, x: unknown): Node {
  if (!(x instanceof Tensor)) throw new NablaError('gradient', `${what} is ${kindOf(x)}, expected a tensor`);
  const { node } = x;
  if (isFloat(node)) return node;
  throw new NablaError(
    'gradient',
    `${what} is ${node.dtype} ${formatShape(node.shape)}; only floats have derivatives, convert it with .to('float32')`,
    { dtype: node.dtype },
  );
}

/** Whether a node's elements are numbers that can move. */
export const isFloat = ({ dtype }: Node) => dtype !== 'int32' && dtype !== 'bool';

function seedNode(op: string, y: Node, seed: unknown): Node {
  if (seed === undefined) {
    if (y.nElems === 1) return filled(y.shape, 1, y);
    throw new NablaError(
      'gradient',
      `${op}: the gradient of ${formatShape(y.shape)} is not defined; expected a scalar: reduce it first, e.g. with ` +
        '.sum() or .mean(), or give a seed of its shape',
      { shape: y.shape },
    );
  }
  return fitting(`${op}: the seed`, seed, y, 'y');
}

/** The node of a seed or tangent, which must be of the shape of what it belongs to. */
function fitting(what: string, given: unknown, of: Node, name: string): Node {
  const node = differentiableNode(what, given);
  if (sameShape(node.shape, of.shape) && node.dtype === of.dtype) return node;
  throw new NablaError(
    'shape',
    `${what} is ${node.dtype} ${formatShape(node.shape)}, expected ${of.dtype} ${formatShape(of.shape)} as ${name}`,
    { shapes: [node.shape, of.shape] },
  );
}

/** Throws: no derivative leads from y to x. Names what stops it, if y depends on x at all. */
function independent(op: string, y: Node, x: Node, i: number): never {
  const order = walk([y], (node) => node.inputs.length > 0);
  const above = new Set([x]);
  const smooth = new Set([x]);
  let stops: Node | null = null;
  for (const node of order) {
    if (!node.inputs.some((input) => above.has(input))) continue;
    above.add(node);
    const leads = differentiated(node).some((input) => smooth.has(input));
    if (leads && isSmooth(node)) smooth.add(node);
    else if (leads) stops ??= node;
  }
  const place = `x[${i}] ${formatShape(x.shape)}`;
  const why = stops === null ? '' : ` by operations that have a derivative: ${reason(stops)}`;
  throw new NablaError('gradient', `${op}: y does not depend on ${place}${why}`, { index: i });
}

function reason({ op, dtype, differentiable }: Node): string {
  if (dtype === 'int32' || dtype === 'bool') return `${op.name} gives ${dtype}`;
  return differentiable ? `${op.name} has none` : `${op.name} was computed inside noGrad`;
}

// ---- of functions

interface Applied {
  /** The differentiated tensors, each a node of its own, in the order of `flattened`. */
  xs: Node[];
  y: Node;
  result: unknown;
}

/** fn of args, with every tensor at the places of `argnums` a new node, so no other use of it counts. */
function applied(op: string, fn: unknown, args: readonly unknown[], argnums: Places): Applied {
  if (typeof fn !== 'function') {
    throw new NablaError('gradient', `${op}: expected a function of tensors, got ${kindOf(fn)}`);
  }
  const places = typeof argnums === 'number' ? [argnums] : argnums;
  const xs: Node[] = [];
  const own = [...args];
  for (const place of places) {
    if (!Number.isInteger(place) || place < 0 || place >= args.length) {
      throw new NablaError('option', `${op}: argnums names argument ${place} of ${args.length}`, { op, argnums });
    }
    own[place] = mapped(args[place], (x) => {
      const node = copy(differentiableNode(`${op}: argument ${place}`, x));
      xs.push(node);
      return new Tensor(node);
    });
  }
  const result: unknown = withGrad(() => fn(...own));
  if (!(result instanceof Tensor)) {
    throw new NablaError('gradient', `${op}: the function returned ${kindOf(result)}, expected a tensor`);
  }
  return { xs, y: outputNode(op, result), result };
}

/** One tensor for each of `nodes`, in the structure of the arguments at `argnums`. */
function structured<T>(args: readonly unknown[], argnums: Places, found: readonly T[]): unknown {
  let next = 0;
  const one = (place: number) => mapped(args[place], () => found[next++]);
  return typeof argnums === 'number' ? one(argnums) : argnums.map(one);
}

/** Where fn does not depend on an argument its derivative is 0. */
function orZeros(found: Gradients, like: readonly Node[]): Tensor[] {
  return found.map((g, i) => new Tensor(g ?? filled((like[i] as Node).shape, 0, like[i] as Node)));
}

function optionsOf(op: string, options: ArgumentOptions): Places {
  checkNames(op, options, ['argnums']);
  return options.argnums ?? 0;
}

/**
 * fn as one that gives its value, a scalar, and the gradient with respect to the arguments at `argnums`, in their own
 * structure: tensors, or arrays and objects of them. 0 where fn does not depend on one. Costs about 3 times fn.
 */
export function valueAndGrad<A extends unknown[], const N extends Places = 0>(
  fn: (...args: A) => Tensor,
  options: ArgumentOptions<N> = {},
): (...args: A) => [value: Tensor, gradient: At<A, N>] {
  return derived('valueAndGrad', fn, options);
}

/** `valueAndGrad` under the name by which an error is to speak of it. */
export function derived<A extends unknown[], const N extends Places = 0>(
  op: string,
  fn: (...args: A) => Tensor,
  options: ArgumentOptions<N>,
): (...args: A) => [value: Tensor, gradient: At<A, N>] {
  const argnums = optionsOf(op, options);
  return (...args) => {
    const { xs, y, result } = applied(op, fn, args, argnums);
    const found = pullback([y], xs)([seedNode(op, y, undefined)]);
    return [result as Tensor, structured(args, argnums, orZeros(found, xs)) as At<A, N>];
  };
}

/**
 * The value y of fn(...primals) and the function that takes dy, of y's shape, to the gradients with respect to all
 * primals (a list even of one). Costs about 2 times fn for each dy.
 */
export function vjp<A extends Tensor[]>(
  fn: (...args: A) => Tensor,
  ...primals: A
): [y: Tensor, pull: (dy: Tensor) => A] {
  const { xs, y, result } = applied(
    'vjp',
    fn,
    primals,
    primals.map((_, i) => i),
  );
  const pull = pullback([y], xs);
  return [result as Tensor, (dy) => orZeros(pull([fitting('vjp: dy', dy, y, 'y')]), xs) as A];
}

/**
 * The value y of fn(...primals) and its change along the tangents, Σ ∂y/∂x·tangent, of y's shape; a tangent is of its
 * primal's shape. Costs about 2 times fn, whatever the number of primals.
 */
export function jvp<A extends Tensor[]>(
  fn: (...args: A) => Tensor,
  primals: A,
  tangents: readonly Tensor[],
): [y: Tensor, dy: Tensor] {
  if (!Array.isArray(primals)) throw new NablaError('gradient', 'jvp: expected lists as in jvp(f, [x], [dx])');
  const { xs, y, result } = applied(
    'jvp',
    fn,
    primals,
    primals.map((_, i) => i),
  );
  const along = tangentNodes('jvp', tangents, xs);
  return [result as Tensor, orZeros(pushforward([y], xs)(along), [y])[0] as Tensor];
}

function tangentNodes(op: string, tangents: unknown, xs: readonly Node[]): Node[] {
  if (!Array.isArray(tangents) || tangents.length !== xs.length) {
    const got = Array.isArray(tangents) ? `${tangents.length} tangents` : `${kindOf(tangents)} for tangents`;
    throw new NablaError('gradient', `${op}: got ${got}, expected a list of ${xs.length}, one for each x`);
  }
  return xs.map((x, i) => fitting(`${op}: tangent ${i}`, tangents[i], x, `x[${i}]`));
}

// ---- whole matrices of derivatives

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
  const found = withGrad(() => pullback([y], xs)([seedNode('hessian', y, undefined)]));
  return found.map((g, i) => {
    const row = g ?? missing(xs[i] as Node, i);
    return matrices(row, xs, (x) => filled([...row.shape, ...x.shape], 0, x)).map((node) => new Tensor(node));
  });
}

/**
 * H·v without H, the matrix of second derivatives of a scalar: `hessianVectorProduct(y, xs, vs)`, or of a function
 * `hessianVectorProduct(fn, primals, vs)`; one result for each x, of its shape, as each v. Costs about 3 times the
 * gradient (Pearlmutter 1994).
 */
export function hessianVectorProduct<const X extends readonly Tensor[]>(
  y: Tensor | ((...xs: never[]) => Tensor),
  xs: X,
  vs: readonly Tensor[],
): { -readonly [K in keyof X]: Tensor };
export function hessianVectorProduct(
  of: Tensor | ((...xs: never[]) => Tensor),
  given: readonly Tensor[],
  vs: readonly Tensor[],
): unknown {
  const op = 'hessianVectorProduct';
  const nodes = inputNodes(op, given);
  const isFunction = typeof of === 'function';
  const { y, xs } = isFunction
    ? applied(
        op,
        of,
        given,
        nodes.map((_, i) => i),
      )
    : { y: outputNode(op, of), xs: nodes };
  const along = tangentNodes(op, vs, xs);
  const first = withGrad(() => pullback([y], xs)([seedNode(op, y, undefined)]));
  const none = isFunction ? -1 : first.indexOf(null);
  if (none >= 0) independent(op, y, xs[none] as Node, none);
  const places = first.flatMap((g, i) => (g === null ? [] : [i]));
  const pull = pullback(
    places.map((i) => first[i] as Node),
    xs,
  );
  return orZeros(pull(places.map((i) => along[i] as Node)), xs);
}

/** ∂y/∂x of each x, in the direction that takes fewer steps. */
function matrices(y: Node, xs: readonly Node[], missing: (x: Node, i: number) => Node): Node[] {
  const columns = xs.reduce((sum, x) => sum + x.nElems, 0);
  return columns < y.nElems ? byColumns(y, xs, missing) : byRows(y, xs, missing);
}

function byRows(y: Node, xs: readonly Node[], missing: (x: Node, i: number) => Node): Node[] {
  const pull = pullback([y], xs);
  const rows = units(y).map((unit) => pull([unit]));
  return xs.map((x, i) => {
    const found = rows.flatMap((row) => row[i] ?? []);
    if (found.length === 0) return y.nElems === 0 ? filled([...y.shape, ...x.shape], 0, x) : missing(x, i);
    return reshape(stacked(found, 0), [...y.shape, ...x.shape]);
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
