// Evaluates any graph in float64 by the references of its ops. It knows no kernel: gradcheck and the tests' oracle.
import type { Node } from './node.ts';
import { walk } from './walk.ts';

/** What some nodes hold, instead of what they would compute. */
export type Values = ReadonlyMap<Node, Float64Array>;
/** What becomes of a result `y`, computed from `inputs`, before others read it: imitates another arithmetic. */
export type Rounding = (node: Node, y: Float64Array, inputs: readonly Float64Array[]) => Float64Array;

/** A function that evaluates `roots` again and again for other elements of `leaves`. */
export function evaluator(roots: readonly Node[], leaves: readonly Node[] = []) {
  const known = new Set(leaves);
  const order = walk(roots, (node) => node.inputs.length > 0 && !known.has(node));
  return (values: Values, rounding?: Rounding): Float64Array[] => {
    const at = new Map<Node, Float64Array>(values);
    for (const node of order) if (!at.has(node)) at.set(node, evaluate(node, at, rounding));
    return roots.map((root) => at.get(root) as Float64Array);
  };
}

function evaluate(node: Node, at: Values, rounding?: Rounding): Float64Array {
  if (node.inputs.length === 0 && node.value !== null) {
    node.state?.checkReadable(node);
    return Float64Array.from(node.value.read());
  }
  const inputs = node.inputs.map((i) => at.get(i) as Float64Array);
  const { reference } = node.op;
  if (reference === undefined) throw new Error(`${node.op.name} has no reference formula`);
  const y = reference(inputs, node);
  if (y.length !== node.nElems) {
    throw new Error(`the reference of ${node.op.name} gave ${y.length} elements, not ${node.nElems}`);
  }
  if (node.dtype === 'int32') return y.map((v) => v | 0);
  return rounding === undefined ? y : rounding(node, y, inputs);
}
