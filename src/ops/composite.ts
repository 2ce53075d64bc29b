// Elementwise ops without a kernel: each is a name for an expression of other ops, which takes its place when a program
// is built, and has a derivative of its own. So both are chosen for their digits alone, and neither for the other.
import { floatOf, isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Op } from '../graph/op.ts';
import { broadcastShapes } from '../shape.ts';
import { elementwiseReference } from './reference.ts';

interface Composite {
  /** The formula. */
  f: (...x: number[]) => number;
  expression: (x: readonly Node[], attrs: Attrs) => Node;
  /** The gradient with respect to each input, of the inputs, the result and its gradient; null where there is none. */
  vjp: (x: readonly Node[], y: Node, dy: Node, wanted: readonly boolean[]) => (Node | null)[];
  /** Whether it takes whole numbers too. */
  integers?: boolean;
}

/** One of float inputs, which broadcast. */
export function composite(name: string, { f, expression, vjp, integers = false }: Composite): Op {
  const known = integers ? ['float32', 'float64', 'int32'] : ['float32', 'float64'];
  return {
    name,
    shape: (inputs) => broadcastShapes(name, ...inputs.map((i) => i.shape)),
    dtype: (inputs) => {
      const [first] = inputs as [Node];
      if (inputs.every(({ dtype }) => isFloat(dtype))) return floatOf(name, ...inputs);
      const wrong = inputs.find(({ dtype }) => !known.includes(dtype) || dtype !== first.dtype);
      if (wrong === undefined) return first.dtype;
      throw new NablaError(
        'dtype',
        `${name}: got ${wrong.dtype}, expected float32${integers ? ' or int32' : ''}; convert with .to('float32')`,
        { op: name, dtype: wrong.dtype },
      );
    },
    elementwise: true,
    reference: elementwiseReference(f),
    expression: ({ inputs, attrs }) => expression(inputs, attrs),
    vjp: (node, dy, wanted) => vjp(node.inputs, node, dy, wanted),
  };
}

/** One of a single number: the op, and the function that applies it. `dx` is its gradient. */
export function compositeOfOne(
  name: string,
  f: (x: number) => number,
  expression: (x: Node) => Node,
  dx: (x: Node, y: Node, dy: Node) => Node,
) {
  const op = composite(name, {
    f,
    expression: ([x]) => expression(x as Node),
    vjp: ([x], y, dy) => [dx(x as Node, y, dy)],
  });
  return { op, of: (x: Node) => apply(op, [x]) };
}
