// Writes ONNX models: the few messages of onnx.proto (protocol buffers) that a chain of operators needs.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

const FLOAT = 1;
const IR_VERSION = 8;
const OPSET = 13;

/** @typedef {{ op: string, inputs: string[], output: string, ints?: Record<string, number | number[]> }} Operator */

/**
 * A model as bytes.
 *
 * @param {Operator[]} operators in order of execution; the last one's output is the model's
 * @param {Record<string, number[]>} inputs shapes by name
 * @param {Record<string, { elements: Float32Array, shape: number[] }>} constants
 */
export function onnxModel(operators, inputs, constants = {}) {
  const graph = message(
    operators.map((operator) => field(1, node(operator))),
    field(2, text('graph')),
    Object.entries(constants).map(([name, array]) => field(5, tensorOf(name, array))),
    Object.entries(inputs).map(([name, shape]) => field(11, valueInfo(name, shape))),
    field(12, valueInfo(operators.at(-1).output)),
  );
  return Buffer.concat(message(number(1, IR_VERSION), field(7, graph), field(8, message(number(2, OPSET)))));
}

const node = ({ op, inputs, output, ints = {} }) =>
  message(
    inputs.map((name) => field(1, text(name))),
    field(2, text(output)),
    field(4, text(op)),
    Object.entries(ints).map(([name, value]) => field(5, attribute(name, value))),
  );

const [INT, INTS] = [2, 7];
const attribute = (name, value) =>
  Array.isArray(value)
    ? message(
        field(1, text(name)),
        value.map((v) => number(8, v)),
        number(20, INTS),
      )
    : message(field(1, text(name)), number(3, value), number(20, INT));

const tensorOf = (name, { elements, shape }) =>
  message(
    shape.map((size) => number(1, size)),
    number(2, FLOAT),
    field(8, text(name)),
    field(9, [Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength)]),
  );

/** An input or output; without a shape, whatever the operators make of it. */
function valueInfo(name, shape) {
  const sizes = shape && field(2, message(shape.map((size) => field(1, message(number(1, size))))));
  const type = message(field(1, message(number(1, FLOAT), sizes ?? [])));
  return message(field(1, text(name)), field(2, type));
}

// ---- the wire format: a message is a list of buffers

const [VARINT, BYTES] = [0, 2];
const message = (...parts) => parts.flat(Number.POSITIVE_INFINITY);
const text = (string) => [Buffer.from(string)];
const number = (id, value) => [varint((id << 3) | VARINT), varint(value)];
const field = (id, content) => {
  const length = content.reduce((bytes, part) => bytes + part.length, 0);
  return [varint((id << 3) | BYTES), varint(length), ...content];
};

/** Seven bits a byte, the lowest first; the eighth bit says that more follow. */
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
