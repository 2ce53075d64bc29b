// Functions of tensors that belong to none of them alone.
import { NablaError } from './error.ts';
import { gradients } from './grad.ts';
import { noGrad as withoutGrad } from './graph/node.ts';
import { stack as stackNodes } from './ops/arrange.ts';
import { einsum as contract } from './ops/einsum.ts';
import * as m from './ops/move.ts';
import { formatShape } from './shape.ts';
import { make, type Operand, type Tensor } from './tensor.ts';

export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return make(
    m.concat(
      tensors.map((t) => t.node),
      axis,
    ),
  );
}
/** Tensors of one shape side by side along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return make(
    stackNodes(
      tensors.map((t) => t.node),
      axis,
    ),
  );
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
      operands.map((t) => t.node),
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

/** dy/dx for each x, as tensors that can be computed, printed or differentiated again. y must be a scalar. */
export function grad<const X extends readonly Tensor[]>(y: Tensor, xs: X): { -readonly [K in keyof X]: Tensor } {
  if (!Array.isArray(xs)) throw new NablaError('gradient', 'grad: expected a list of tensors as in grad(y, [x])');
  const found = gradients(
    y.node,
    xs.map((x) => x.node),
  ).map((g, i) => {
    if (g === null) {
      throw new NablaError('gradient', `grad: y does not depend on x[${i}] ${formatShape((xs[i] as Tensor).shape)}`, {
        index: i,
      });
    }
    return make(g);
  });
  return found as { -readonly [K in keyof X]: Tensor };
}
