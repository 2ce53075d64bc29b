// Making tensors: from numbers and arrays, filled, counted, drawn at random; and variables.
import { allocate, checkDType, type DType, type Elements, type Float, floatOf, isFloat } from './dtype.ts';
import { NablaError } from './error.ts';
import { leaf, State } from './graph/state.ts';
import { currentTrace, withTrace } from './graph/trace.ts';
import { Value } from './graph/value.ts';
import { operand } from './ops/leaf.ts';
import { normal, uniform } from './ops/random.ts';
import { checkNames } from './options.ts';
import { nextKey } from './random.ts';
import { realised } from './realise.ts';
import { checkShape, formatShape, type Shape, sizeOf, stridesOf } from './shape.ts';
import { make, type Nested, Tensor } from './tensor.ts';

/** What a tensor can be made of. */
export type Source = Nested | Float32Array | Float64Array | Int32Array | Uint8Array;

export interface TensorOptions {
  shape?: Shape;
  dtype?: DType;
  /** Makes it a variable whose gradient `backward()` accumulates in `.grad`. */
  requiresGrad?: boolean;
}

/**
 * A tensor of numbers, nested arrays or a typed array. Plain numbers and Float32Array give float32, Float64Array
 * float64, Int32Array and Uint8Array int32, booleans bool; `dtype` asks for another. The elements are copied.
 */
export function tensor(source: Source, options: TensorOptions = {}): Tensor {
  checkNames('tensor', options, ['shape', 'dtype', 'requiresGrad']);
  const { values, shape: found, dtype: natural } = flattened(source);
  const dtype = options.dtype ?? natural;
  checkDType('tensor', dtype);
  const shape = options.shape ?? found;
  checkShape('tensor', shape);
  if (sizeOf(shape) !== values.length) {
    throw new NablaError(
      'shape',
      `tensor: ${values.length} elements do not fill shape ${formatShape(shape)}, which has ${sizeOf(shape)}`,
      {
        shape,
        nElems: values.length,
      },
    );
  }
  if (options.requiresGrad && !isFloat(dtype)) {
    throw new NablaError('dtype', `tensor: requiresGrad needs float32 or float64, got ${dtype}`);
  }
  const value = Value.of(dtype, elementsOf(values, dtype));
  return new Tensor(options.requiresGrad ? new State(value, shape, true) : leaf(value, shape));
}

/** A variable: a tensor with new versions by `assign`; gradients do not flow into it. */
export function state(initial: Tensor): Tensor {
  return variable(initial, false);
}

/** A variable with the present elements of `initial`, made outside any trace. */
export function variable(initial: Tensor, requiresGrad: boolean): Tensor {
  return withTrace(null, () => {
    const value = realised(initial.node);
    return new Tensor(new State(Value.of(value.dtype, value.read().slice()), initial.shape, requiresGrad));
  });
}

function elementsOf(values: ArrayLike<number | boolean>, dtype: DType): Elements {
  const out = allocate(dtype, values.length);
  if (dtype === 'bool') for (let i = 0; i < values.length; i++) out[i] = values[i] ? 1 : 0;
  else {
    out.set(values as ArrayLike<number>);
    if (dtype === 'int32') checkIntegers(values as ArrayLike<number>, out);
  }
  return out;
}

function checkIntegers(values: ArrayLike<number>, out: Elements): void {
  if (values instanceof Int32Array || values instanceof Uint8Array) return;
  for (let i = 0; i < values.length; i++) {
    if (out[i] === Number(values[i])) continue;
    throw new NablaError(
      'dtype',
      `tensor: element ${i} is ${values[i]}, which is no int32; use dtype 'float32' or round it`,
      { index: i },
    );
  }
}

function flattened(source: Source): { values: ArrayLike<number | boolean>; shape: Shape; dtype: DType } {
  if (typeof source === 'number') return { values: [source], shape: [], dtype: 'float32' };
  if (typeof source === 'boolean') return { values: [source], shape: [], dtype: 'bool' };
  if (ArrayBuffer.isView(source)) {
    return { values: source, shape: [source.length], dtype: dtypeOf(source) };
  }
  if (!Array.isArray(source)) {
    throw new NablaError(
      'data',
      `tensor: got ${source === null ? 'null' : typeof source}, expected a number, nested arrays or a typed array`,
    );
  }
  const shape = shapeOf(source);
  const values: (number | boolean)[] = [];
  collect(source, shape, 0, values);
  return {
    values,
    shape,
    dtype: values.length > 0 && values.every((v) => typeof v === 'boolean') ? 'bool' : 'float32',
  };
}

function dtypeOf(source: ArrayBufferView): DType {
  if (source instanceof Float64Array) return 'float64';
  return source instanceof Int32Array || source instanceof Uint8Array ? 'int32' : 'float32';
}

function shapeOf(nested: Nested): number[] {
  const shape: number[] = [];
  for (let at: Nested | undefined = nested; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
}

function collect(nested: Nested, shape: Shape, axis: number, out: (number | boolean)[]): void {
  if (axis === shape.length) {
    if (typeof nested === 'string') throw notANumber(nested, out.length, shape);
    if (typeof nested !== 'number' && typeof nested !== 'boolean')
      throw ragged(`a ${describe(nested)} where a number was expected`);
    out.push(nested);
    return;
  }
  if (!Array.isArray(nested) || nested.length !== shape[axis]) {
    throw ragged(`${describe(nested)} where ${shape[axis]} elements were expected on axis ${axis}`);
  }
  for (const inner of nested) collect(inner, shape, axis + 1, out);
}

/** Names the element by its place in the nested arrays. */
function notANumber(x: unknown, flat: number, shape: Shape): NablaError {
  const at = stridesOf(shape).map((stride, i) => Math.floor(flat / stride) % (shape[i] as number));
  return new NablaError('dtype', `tensor: element [${at}] is a ${typeof x} ('${x}'); expected a number`);
}

function describe(x: Nested): string {
  return Array.isArray(x) ? `an array of ${x.length}` : `${x === null ? 'null' : typeof x}`;
}

function ragged(why: string): NablaError {
  return new NablaError('shape', `tensor: the nested arrays are ragged: ${why}`);
}

/** The dtype that options ask for. They take no other name: `state(zeros(…))` is a variable. */
function dtypeIn(op: string, options: { dtype?: DType }): DType | undefined {
  checkNames(op, options, ['dtype']);
  return options.dtype;
}

function filled(op: string, shape: Shape, value: number, options: { dtype?: DType }): Tensor {
  const dtype = dtypeIn(op, options) ?? 'float32';
  checkShape(op, shape);
  return tensor(allocate(dtype, sizeOf(shape)).fill(value), { shape, dtype });
}
export function zeros(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  return filled('zeros', shape, 0, options);
}
export function ones(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  return filled('ones', shape, 1, options);
}
export function full(shape: Shape, value: number, options: { dtype?: DType } = {}): Tensor {
  return filled('full', shape, value, options);
}
/** start, start + step, … before stop; by default int32 where all are whole numbers, else float32. */
export function arange(start: number, stop?: number, step = 1, options: { dtype?: DType } = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (!(step !== 0 && Number.isFinite((to - from) / step))) {
    throw new NablaError(
      'option',
      `arange: from ${from} to ${to} by ${step} has no end; expected finite numbers and a step other than 0`,
    );
  }
  const values = Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
  return tensor(values, {
    shape: [values.length],
    dtype: dtypeIn('arange', options) ?? ([from, to, step].every(Number.isInteger) ? 'int32' : 'float32'),
  });
}

/** `steps` numbers from `start` to `end`, both included, evenly apart: float32 by default. */
export function linspace(start: number, end: number, steps: number, options: { dtype?: DType } = {}): Tensor {
  if (!Number.isInteger(steps) || steps < 0) {
    throw new NablaError('option', `linspace: steps is ${steps}, expected a whole number from 0`);
  }
  const dtype = dtypeIn('linspace', options) ?? 'float32';
  const step = (end - start) / (steps - 1);
  // From both ends, so that the last is `end` exactly.
  const value = (i: number) => (i < steps / 2 ? start + i * step : end - (steps - 1 - i) * step);
  const values = steps === 1 ? [start] : Array.from({ length: steps }, (_, i) => value(i));
  return tensor(values, { shape: [steps], dtype });
}

/** Ones on the main diagonal, zeros elsewhere: [rows, cols]. */
export function eye(rows: number, cols = rows, options: { dtype?: DType } = {}): Tensor {
  checkShape('eye', [rows, cols]);
  const dtype = dtypeIn('eye', options) ?? 'float32';
  const values = allocate(dtype, rows * cols);
  for (let i = 0; i < Math.min(rows, cols); i++) values[i * cols + i] = 1;
  return tensor(values, { shape: [rows, cols], dtype });
}

/** Two words at each run of a compiled function; outside, drawn once so that computing twice gives the same. */
export function key(): () => readonly number[] {
  if (currentTrace() !== null) return nextKey;
  const drawn = nextKey();
  return () => drawn;
}
/** What a random tensor's options ask for. */
function floatIn(op: string, options: { dtype?: DType }): Float {
  const dtype = dtypeIn(op, options) ?? 'float32';
  checkDType(op, dtype);
  return floatOf(op, { dtype });
}
/** Uniform in [0, 1): multiples of 2⁻²⁴, of float64 of 2⁻⁵³. */
export function rand(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  checkShape('rand', shape);
  return make(uniform(shape, key(), floatIn('rand', options)));
}
/** Normal with mean 0 and variance 1. */
export function randn(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  checkShape('randn', shape);
  return make(normal(shape, key(), floatIn('randn', options)));
}

/** A number read at each run, such as a learning rate: changing it makes no new plan. */
export function runtimeScalar(read: () => number): Tensor {
  return new Tensor(operand(() => [read()]));
}
