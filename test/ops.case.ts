// One case of a row, prepared: its inputs, its graph with gradients, and that graph run by the kernels in three ways.
import { compile } from '../src/compile.ts';
import { tensor } from '../src/create.ts';
import { allocate, type DType, type Elements, isFloat } from '../src/dtype.ts';
import { gradients } from '../src/grad.ts';
import type { Node } from '../src/graph/node.ts';
import { leaf } from '../src/graph/state.ts';
import { Value } from '../src/graph/value.ts';
import { add, expand, mul } from '../src/ops/elementwise.ts';
import { constant, placeholder } from '../src/ops/leaf.ts';
import { sum } from '../src/ops/reduce.ts';
import { setThreads } from '../src/run/pool.ts';
import { type Shape, sizeOf } from '../src/shape.ts';
import { Tensor } from '../src/tensor.ts';
import type { Build, Case, Edge, Random, Row } from './ops.row.ts';

export interface Input {
  shape: Shape;
  dtype: DType;
  /** Numbers of that dtype, exactly. */
  values: Float64Array;
}

export interface Prepared {
  label: string;
  inputs: Input[];
  /** How many of them are the op's own, and which of those are differentiated; the rest are weights. */
  arity: number;
  floats: number[];
  /** Result, gradients, second derivatives, as far as they are asked for. */
  build(x: readonly Node[]): Node[];
}

/** A name for a case: its shapes. */
const labelOf = (row: Row, shapes: readonly Shape[]) => `${row.name} ${shapes.map((s) => `[${s}]`).join(' ')}`;

/** The numbers that elements of a dtype hold. */
function exactly(dtype: DType, values: readonly number[]): Float64Array {
  const held = allocate(dtype, values.length);
  held.set(values);
  return Float64Array.from(held);
}

export function sampled(row: Row, c: Case, random: Random, order = row.smooth): Prepared {
  const domains = c.domains ?? row.domains;
  const inputs = c.shapes.map((shape, k): Input => {
    const { dtype, sample } = domains[k] as (typeof domains)[number];
    return { shape, dtype, values: exactly(dtype, sample(sizeOf(shape), random, shape)) };
  });
  return differentiated(labelOf(row, c.shapes), c.build ?? row.build, inputs, order, random);
}

export function edge(row: Row, { shapes, values, build }: Edge): Prepared {
  const inputs = shapes.map((shape, k): Input => {
    const dtype = row.domains[k]?.dtype as DType;
    return { shape, dtype, values: exactly(dtype, values[k] as number[]) };
  });
  const f = build ?? row.build;
  return { label: `${labelOf(row, shapes)} edges`, inputs, arity: inputs.length, floats: [], build: (x) => [f(...x)] };
}

/** Adds random weights to the inputs and their gradients to the graph. */
export function differentiated(label: string, build: Build, inputs: Input[], order: number, random: Random): Prepared {
  const n = inputs.length;
  const floats = inputs.flatMap(({ dtype }, k) => (isFloat(dtype) ? [k] : []));
  const y = build(...inputs.map(({ shape, dtype }, k) => placeholder(shape, dtype, k)));
  const weight = ({ shape, dtype }: { shape: Shape; dtype: DType }): Input => ({
    ...{ shape, dtype },
    values: exactly(
      dtype,
      Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1),
    ),
  });
  if (order > 0) inputs = [...inputs, weight(y)];
  if (order > 1) inputs = [...inputs, ...floats.map((k) => weight(inputs[k] as Input))];
  const derive = (x: readonly Node[]): Node[] => {
    const result = build(...x.slice(0, n));
    const xs = floats.map((k) => x[k] as Node);
    const first = order > 0 ? gradient(sum(mul(result, x[n] as Node)), xs) : [];
    if (order < 2) return [result, ...first];
    const loss = first.map((g, j) => sum(mul(g, x[n + 1 + j] as Node))).reduce(add);
    return [result, ...first, ...gradient(loss, xs)];
  };
  return { label, inputs, arity: n, floats, build: derive };
}

function gradient(y: Node, xs: readonly Node[]): Node[] {
  return gradients(y, xs).map((g, i) => g ?? expand(constant(0, (xs[i] as Node).dtype), (xs[i] as Node).shape));
}

// ---- run by the kernels

function elements({ dtype, values }: Input): Elements {
  const held = allocate(dtype, values.length);
  held.set(values);
  return held;
}
export const leaves = (inputs: readonly Input[]): Node[] =>
  inputs.map((input) => leaf(Value.of(input.dtype, elements(input)), input.shape));
const tensors = (inputs: readonly Input[]) =>
  inputs.map((i) => tensor(elements(i), { shape: i.shape, dtype: i.dtype }));

/** The first result as a function of other elements of the inputs, by the kernels. */
export function compiled({ inputs, build }: Prepared, pick: (nodes: Node[], x: readonly Node[]) => Node) {
  const f = compile((...x: Tensor[]) => {
    const nodes = x.map((t) => t.node);
    return new Tensor(pick(build(nodes), nodes));
  });
  return (values: readonly Float64Array[]) =>
    f(...tensors(inputs.map((input, k) => ({ ...input, values: values[k] as Float64Array })))).item();
}

/** The results of every way to run a graph; the first two must be the same bits. */
export function runs({ inputs, build }: Prepared): [string, ArrayLike<number>[]][] {
  const f = (...x: Tensor[]) => build(x.map((t) => t.node)).map((node) => new Tensor(node));
  const given = tensors(inputs);
  const step = compile(f);
  setThreads(2);
  const onTwo = step(...given).map((t) => t.data());
  setThreads(1);
  return [
    ['on two threads', onTwo],
    ['compiled', step(...given).map((t) => t.data())],
    ['compiled without rewrites', compile(f, { rewrites: false })(...given).map((t) => t.data())],
    ['lazy', f(...given).map((t) => t.data())],
  ];
}
