// customGradient(fn, rule): a function whose derivative is what its author says.
import { NablaError } from './error.ts';
import { apply, type Node } from './graph/node.ts';
import type { Op } from './graph/op.ts';
import { detach } from './ops/elementwise.ts';
import { kindOf } from './options.ts';
import { formatShape, sameShape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** The gradient with respect to each argument: null where it is 0; of a single argument, it alone. */
export type GradientRule<X extends readonly Tensor[]> = (
  dy: Tensor,
  y: Tensor,
  ...xs: X
) => Tensor | null | readonly (Tensor | null)[];

/**
 * fn with `rule` for its derivative: rule(dy, y, ...xs) gives, from the gradient dy with respect to y = fn(...xs), the
 * gradient with respect to each x, of the x's shape. fn takes tensors and gives one; what else it reads gets no
 * gradient through it. The rule is made of tensor operations, so it can be differentiated again, and for jvp it must
 * be linear in dy; what it has in common with fn is computed once.
 */
export function customGradient<X extends Tensor[]>(
  fn: (...xs: X) => Tensor,
  rule: GradientRule<X>,
): (...xs: X) => Tensor {
  if (typeof fn !== 'function' || typeof rule !== 'function') {
    throw new NablaError(
      'option',
      'customGradient: expected two functions, as in customGradient((x) => …, (dy, y, x) => …)',
    );
  }
  const op: Op = {
    name: 'customGradient',
    shape: ([y]) => (y as Node).shape,
    dtype: ([y]) => (y as Node).dtype,
    wraps: true,
    view: () => 0,
    vjp: (node, dy) => {
      const xs = node.inputs.slice(1);
      const [first, ...rest] = [dy, node, ...xs].map((n) => new Tensor(n)) as [Tensor, Tensor, ...X];
      return [null, ...checked(rule(first, ...(rest as unknown as [Tensor, ...X])), xs)];
    },
    reference: ([y]) => y as Float64Array,
  };
  return (...xs) => {
    xs.forEach(checkArgument);
    const y: unknown = fn(...xs);
    if (!(y instanceof Tensor)) {
      throw new NablaError('option', `customGradient: the function returned ${kindOf(y)}, expected a tensor`);
    }
    return new Tensor(apply(op, [detach(y.node), ...xs.map((x) => x.node)]));
  };
}

function checkArgument(x: unknown, i: number): void {
  if (x instanceof Tensor) return;
  throw new NablaError(
    'option',
    `customGradient: argument ${i} is ${kindOf(x)}, expected a tensor; let the functions close over what is none`,
  );
}

/** What a rule gave, as one node for each x. */
function checked(given: ReturnType<GradientRule<Tensor[]>>, xs: readonly Node[]): (Node | null)[] {
  const list = Array.isArray(given) ? given : [given];
  const fail = (why: string) => {
    throw new NablaError('gradient', `customGradient: the rule gave ${why}`);
  };
  if (list.length !== xs.length) {
    fail(`${list.length} gradients for ${xs.length} arguments; expected one for each, null where it is 0`);
  }
  return xs.map((x, i) => {
    const part: unknown = list[i];
    if (part === null) return null;
    if (!(part instanceof Tensor)) return fail(`${kindOf(part)} for argument ${i}; expected a tensor or null`) ?? null;
    const { shape, dtype } = part.node;
    if (!sameShape(shape, x.shape) || dtype !== x.dtype) {
      fail(`${dtype} ${formatShape(shape)} for argument ${i}, which is ${x.dtype} ${formatShape(x.shape)}`);
    }
    return part.node;
  });
}
