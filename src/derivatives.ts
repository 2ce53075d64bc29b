// Derivatives in some direction, as JAX names them: gradients, vjp, jvp, products with the Hessian.
import {
  type ArgumentOptions,
  type At,
  applied,
  fitting,
  independent,
  inputNodes,
  optionsOf,
  outputNode,
  type Places,
  scalarSeed,
  seedNode,
  structured,
  tangentNodes,
} from './differentiated.ts';
import { NablaError } from './error.ts';
import { filled, type Gradients, pullback, pushforward } from './grad.ts';
import { type Node, withGrad } from './graph/node.ts';
import { Tensor } from './tensor.ts';

/** Σ seed·∂y/∂x for each x; `seed` is 1 by default, and y then a scalar. Throws where y does not depend on an x. */
export function gradientsOf(op: string, y: Tensor, xs: unknown, seed?: Tensor): Tensor[] {
  const [root, nodes] = [outputNode(op, y), inputNodes(op, xs)];
  const found = pullback([root], nodes)([seedNode(op, root, seed)]);
  return found.map((g, i) => new Tensor(g ?? independent(op, root, nodes[i] as Node, i)));
}

/** Where fn does not depend on an argument its derivative is 0. */
function orZeros(found: Gradients, like: readonly Node[]): Tensor[] {
  return found.map((g, i) => new Tensor(g ?? filled((like[i] as Node).shape, 0, like[i] as Node)));
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
    const found = pullback([y], xs)([scalarSeed(op, y)]);
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
  const first = withGrad(() => pullback([y], xs)([scalarSeed(op, y)]));
  const none = isFunction ? -1 : first.indexOf(null);
  if (none >= 0) independent(op, y, xs[none] as Node, none);
  const places = first.flatMap((g, i) => (g === null ? [] : [i]));
  const pull = pullback(
    places.map((i) => first[i] as Node),
    xs,
  );
  return orZeros(pull(places.map((i) => along[i] as Node)), xs);
}
