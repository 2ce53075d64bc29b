// Leaves: nodes without inputs. A constant is part of a program's structure; an operand is a number handed to it at
// each run; a placeholder is an argument of a compiled function.
import { type DType, isFloat } from '../dtype.ts';
import { apply, Node } from '../graph/node.ts';
import type { Attrs, Op } from '../graph/op.ts';
import type { Shape } from '../shape.ts';

const dtypeOf = (_: readonly Node[], attrs: Attrs): DType => attrs.dtype as DType;
const scalarShape = (): Shape => [];

/** A number known when the graph is made, such as the n of a mean. */
export const constantOp: Op = {
  name: 'constant',
  shape: scalarShape,
  dtype: dtypeOf,
  reference: (_, node) => Float64Array.of(node.attrs.value as number),
};

/** A number read at each run: a learning rate, a user's factor, the key of a random node. */
export const operandOp: Op = {
  name: 'operand',
  shape: scalarShape,
  dtype: dtypeOf,
  reference: (_, node) => Float64Array.from((node.operands as () => readonly number[])()),
};

export const placeholderOp: Op = {
  name: 'placeholder',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: dtypeOf,
};

export function constant(value: number, dtype: DType = 'float32'): Node {
  return new Node(constantOp, [], { value, dtype }, [], dtype);
}

export function operand(read: () => readonly number[], dtype: DType = 'float32'): Node {
  const node = new Node(operandOp, [], { dtype }, [], dtype);
  node.operands = read;
  return node;
}

/**
 * A number that stands in a graph as float32 but is known exactly, as a float64, and so what elementwise ops make of
 * numbers and no other float; null for all else. It is what lets a number take the dtype of the tensor that it meets.
 */
export function asDouble(node: Node): Node | null {
  if (node.value !== null || node.dtype !== 'float32') return null;
  if (node.op === constantOp) return constant(node.attrs.value as number, 'float64');
  if (node.op === operandOp) return operand(node.operands as () => readonly number[], 'float64');
  if (node.op.forms === undefined || !node.inputs.some((i) => isFloat(i.dtype))) return null;
  const inputs: Node[] = [];
  for (const input of node.inputs) {
    const number = isFloat(input.dtype) ? asDouble(input) : input;
    if (number === null) return null;
    inputs.push(number);
  }
  return apply(node.op, inputs, node.attrs);
}

/** Inputs of one operation: numbers among them take float64 where another input has it. */
export function alike(inputs: readonly Node[]): readonly Node[] {
  if (!inputs.some((i) => i.dtype === 'float64')) return inputs;
  return inputs.map((i) => asDouble(i) ?? i);
}

/** Numbers that rules may look at; all others are operands, so that one that changes makes no new program. */
const PLAIN = new Set([0, 1, -1, 0.5, 2]);

/** A user's number. */
export function scalar(value: number, dtype: DType = 'float32'): Node {
  if (PLAIN.has(value) && !Object.is(value, -0)) return constant(value, dtype);
  const values = [value];
  return operand(() => values, dtype);
}

export function placeholder(shape: Shape, dtype: DType, k: number): Node {
  return new Node(placeholderOp, [], { shape, dtype, k }, shape, dtype);
}
