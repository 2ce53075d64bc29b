// Functions of tensors that belong to none of them alone.
import { type ArgumentOptions, type At, derived, gradientsOf, type Places } from './derivatives.ts';
import { noGrad as withoutGrad } from './graph/node.ts';
import * as m from './ops/move.ts';
import { checkNames } from './options.ts';
import { make, type Operand, type Tensor } from './tensor.ts';

export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return make(
    m.concat(
      tensors.map((t) => t.node),
      axis,
    ),
  );
}
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return condition.where(a, b);
}

/** Runs `fn` with no gradient recorded: what it makes cannot be differentiated. */
export function noGrad<T>(fn: () => T): T {
  return withoutGrad(fn);
}

/** What the gradient of a vector starts from: a tensor of its shape. */
export interface GradOptions {
  seed?: Tensor;
}

/**
 * dy/dx for each x, as tensors that can be computed, printed or differentiated again. y must be a scalar, or a `seed`
 * of its shape be given: the gradient is then that of Σ seed·y. The xs may be anything y was computed from,
 * intermediates too. grad(fn) is a function like fn that gives the gradient with respect to its arguments at
 * `argnums`, the first by default, in their own structure: `valueAndGrad` without the value.
 */
export function grad<const X extends readonly Tensor[]>(
  y: Tensor,
  xs: X,
  options?: GradOptions,
): { -readonly [K in keyof X]: Tensor };
export function grad<A extends unknown[], const N extends Places = 0>(
  fn: (...args: A) => Tensor,
  options?: ArgumentOptions<N>,
): (...args: A) => At<A, N>;
export function grad(of: Tensor | ((...args: never[]) => Tensor), second: unknown = {}, options: GradOptions = {}) {
  if (typeof of === 'function') {
    const both = derived('grad', of, second as ArgumentOptions);
    return (...args: never[]) => both(...args)[1];
  }
  checkNames('grad', options, ['seed']);
  return gradientsOf('grad', of, second, options.seed);
}
