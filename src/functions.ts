// Functions of tensors that belong to none of them alone.
import { derived, gradientsOf } from './derivatives.ts';
import type { ArgumentOptions, At, Places } from './differentiated.ts';
import { NablaError } from './error.ts';
import { type Node, noGrad as withoutGrad } from './graph/node.ts';
import { stack as stackNodes } from './ops/arrange.ts';
import { einsum as contract } from './ops/einsum.ts';
import * as m from './ops/move.ts';
import { checkNames, kindOf } from './options.ts';
import { argument, make, type Operand, type Tensor } from './tensor.ts';

function listOf(op: string, tensors: readonly Tensor[]): Node[] {
  if (Array.isArray(tensors)) return tensors.map((t, i) => argument(op, `item ${i}`, t));
  throw new NablaError('data', `${op}: got ${kindOf(tensors)}, expected a list of tensors: ${op}([a, b])`, { op });
}

export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return make(m.concat(listOf('concat', tensors), axis));
}
/** Tensors of one shape side by side along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return make(stackNodes(listOf('stack', tensors), axis));
}
/**
 * Σ of products over the subscripts that the output lacks: 'ij,jk->ik' is a matrix product, 'ii' a trace, '...ij->...ji'
 * a transpose. Operands are contracted two by two, the cheapest pair first. Sizes of a subscript must be equal; only
 * axes of '...' broadcast.
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  return make(
    contract(
      equation,
      operands.map((t, i) => argument('einsum', `operand ${i}`, t)),
    ),
  );
}
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  argument('where', 'the condition', condition);
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
