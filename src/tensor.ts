// The user's handle on a node. It computes nothing: an operation adds a node, reading a value runs a program.

import { backward } from './backward.ts';
import { type DType, type Elements, isDType, promote } from './dtype.ts';
import { NablaError } from './error.ts';
import type { Node } from './graph/node.ts';
import { noGrad } from './graph/node.ts';
import { State } from './graph/state.ts';
import { currentTrace, guard, withTrace } from './graph/trace.ts';
import { Value } from './graph/value.ts';
import * as e from './ops/elementwise.ts';
import { indexSelect } from './ops/gather.ts';
import { gelu } from './ops/gelu.ts';
import { constant, scalar } from './ops/leaf.ts';
import { matmul } from './ops/matmul.ts';
import * as m from './ops/move.ts';
import * as r from './ops/reduce.ts';
import { logSoftmax, softmax } from './ops/softmax.ts';
import { checkNames } from './options.ts';
import { bound, elementsLater, realise, realised } from './realise.ts';
import { drain } from './run/queue.ts';
import { formatShape, normalizeAxis, type Shape, sizeOf } from './shape.ts';

/** Numbers nested in arrays, all rows of equal length. */
export type Nested = number | boolean | readonly Nested[];
/** What an operand may be: a tensor, or a number that takes the other operand's dtype. */
export type Operand = Tensor | number;
export type Axes = number | readonly number[];

/** Most elements that `console.log` shows. */
const MOST_SHOWN = 100;
/** Exponents that are part of a program. */
const SMALL_POWERS = new Set<unknown>([-2, 3, 4]);

export class Tensor {
  readonly #node: Node | null;
  readonly #state: State | null;

  /** Not for users: `tensor()` makes tensors. */
  constructor(of: Node | State) {
    this.#node = of instanceof State ? null : of;
    this.#state = of instanceof State ? of : null;
  }

  /** The node behind it now: of a variable, the newest version. */
  get node(): Node {
    const state = this.#state;
    const node = state === null ? (this.#node as Node) : state.head;
    const trace = currentTrace();
    if (trace === null) return node;
    if (state !== null) guard(() => state.requiresGrad);
    return node.trace === trace ? node : captured(node);
  }

  /** The variable behind a parameter or a tensor made with `requiresGrad`; null for all others. */
  get state(): State | null {
    return this.#state;
  }

  get shape(): Shape {
    return (this.#node ?? (this.#state as State).head).shape;
  }
  get dtype(): DType {
    return (this.#node ?? (this.#state as State).head).dtype;
  }
  /** Elements in all. */
  get size(): number {
    return sizeOf(this.shape);
  }
  get requiresGrad(): boolean {
    const state = this.#state;
    return state === null ? (this.#node as Node).requiresGrad : guard(() => state.requiresGrad);
  }
  /** Of a variable: whether `backward()` fills its gradient. */
  set requiresGrad(on: boolean) {
    if (this.#state === null) {
      throw new NablaError(
        'gradient',
        'requiresGrad can be set on a parameter or variable only; use detach() or tensor(x, { requiresGrad: true })',
      );
    }
    this.#state.requiresGrad = on;
  }

  // ---- values

  /** The one element as a number (a bool as 0 or 1). */
  item(): number {
    this.#checkItem();
    return realised(this.node).read()[0] as number;
  }

  #checkItem(): void {
    if (this.size !== 1) {
      throw new NablaError(
        'shape',
        `item: ${formatShape(this.shape)} has ${this.size} elements, expected 1; use data() or toArray()`,
        {
          shape: this.shape,
        },
      );
    }
  }

  /** The elements in row-major order, in an array of the caller's own; a bool gives a Uint8Array. */
  data(): Float32Array | Int32Array | Uint8Array {
    return owned(realised(this.node).read(), this.dtype);
  }

  /** Nested arrays in the tensor's shape; of a scalar, the number. */
  toArray(): Nested {
    return nested(this.data(), this.shape, this.dtype);
  }

  /**
   * `item`, `data` and `toArray` by the worker threads, while this one is free: of the tensor as it is now, once all
   * asynchronous calls made before have run.
   */
  async itemAsync(): Promise<number> {
    this.#checkItem();
    return (await elementsLater(this.node))[0] as number;
  }
  async dataAsync(): Promise<Float32Array | Int32Array | Uint8Array> {
    return owned(await elementsLater(this.node), this.dtype);
  }
  async toArrayAsync(): Promise<Nested> {
    return nested(await this.dataAsync(), this.shape, this.dtype);
  }

  toString(): string {
    return `Tensor ${formatShape(this.shape)} ${this.dtype}`;
  }

  /** JavaScript's operators know no tensors: `t * 3` would be NaN and `t > 1` false, silently. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new NablaError(
      'dtype',
      `a tensor ${formatShape(this.shape)} was used as a number; use its methods (mul, add, gt, …) or, outside compile(), item()`,
    );
  }

  /** What `console.log` shows: the values too, where they are few and can be computed. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    if (currentTrace() !== null || this.size > MOST_SHOWN) return this.toString();
    return `${this} ${JSON.stringify(this.toArray())}`;
  }

  /** Frees its memory at once; reading it afterwards is an error. Nothing needs it: what nobody holds is freed anyway. */
  dispose(): void {
    drain();
    if (this.#state !== null) this.#state.value.dispose();
    else if (this.#node?.value) this.#node.value.dispose();
    else if (this.#node) this.#node.value = disposedValue(this.#node);
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  // ---- derivatives

  /** The gradient accumulated by `backward()`, or null. */
  get grad(): Tensor | null {
    const node = this.#state?.grad ?? null;
    return node === null ? null : new Tensor(node);
  }
  set grad(value: Tensor | null) {
    if (this.#state === null) throw new NablaError('gradient', 'grad can be set on a parameter or variable only');
    this.#state.grad = value === null ? null : value.node;
  }

  /**
   * Adds the gradient of this scalar to `.grad` of every variable it depends on. Nothing runs until a value is read
   * or an optimizer steps.
   */
  backward(): void {
    backward(this.node);
  }

  /** The same elements, cut off from the gradient. */
  detach(): Tensor {
    const node = e.detach(this.node);
    if (this.#state !== null && currentTrace() === null) realise([node]);
    return make(node);
  }
  /** A copy; of a variable, with the elements it has now. */
  clone(): Tensor {
    const node = e.copy(this.node);
    if (this.#state !== null && currentTrace() === null) realise([node]);
    return make(node);
  }

  /** Of a variable: a new version, computed when it is needed or an optimizer steps. */
  assign(value: Operand): void {
    const state = this.#state;
    if (state === null)
      throw new NablaError(
        'gradient',
        'assign: only a variable can be assigned; make it with state() or nn.parameter()',
      );
    const node = noGrad(() => e.detach(nodeOf(value, this.dtype)));
    if (formatShape(node.shape) !== formatShape(this.shape) || node.dtype !== this.dtype) {
      throw new NablaError(
        'shape',
        `assign: got ${node.dtype} ${formatShape(node.shape)}, the variable is ${this.dtype} ${formatShape(this.shape)}`,
        { shapes: [node.shape, this.shape] },
      );
    }
    if (currentTrace() !== null) {
      state.assign(node);
      return;
    }
    // One version may wait at a time, so that a loop of assignments does not replay itself at each read.
    if (state.isPending) realise([state.head]);
    state.assign(node);
    // Another variable's elements are taken now: it may change before these are read.
    if (value instanceof Tensor && value.state !== null) realise([state.head]);
  }

  // ---- arithmetic; operands broadcast

  add(other: Operand): Tensor {
    return binary(e.add, this, other);
  }
  sub(other: Operand): Tensor {
    return binary(e.sub, this, other);
  }
  mul(other: Operand): Tensor {
    return binary(e.mul, this, other);
  }
  /** Division of floats. */
  div(other: Operand): Tensor {
    return binary(e.div, this, other);
  }
  /** A small whole exponent is part of the program, as products; any other is read at each run. */
  pow(exponent: Operand): Tensor {
    const whole = SMALL_POWERS.has(exponent) && this.dtype !== 'int32';
    return binary(e.pow, this, whole ? new Tensor(constant(exponent as number, this.dtype)) : exponent);
  }
  maximum(other: Operand): Tensor {
    return binary(e.maximum, this, other);
  }
  minimum(other: Operand): Tensor {
    return binary(e.minimum, this, other);
  }
  eq(other: Operand): Tensor {
    return binary(e.eq, this, other);
  }
  ne(other: Operand): Tensor {
    return binary(e.ne, this, other);
  }
  lt(other: Operand): Tensor {
    return binary(e.lt, this, other);
  }
  le(other: Operand): Tensor {
    return binary(e.le, this, other);
  }
  gt(other: Operand): Tensor {
    return binary(e.gt, this, other);
  }
  ge(other: Operand): Tensor {
    return binary(e.ge, this, other);
  }
  /** `a` where this bool tensor is true, else `b`. */
  where(a: Operand, b: Operand): Tensor {
    const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : 'float32';
    return make(e.where(this.node, nodeOf(a, dtype), nodeOf(b, dtype)));
  }

  // ---- functions of each element

  neg(): Tensor {
    return make(e.neg(this.node));
  }
  abs(): Tensor {
    return make(e.abs(this.node));
  }
  sign(): Tensor {
    return make(e.sign(this.node));
  }
  sqrt(): Tensor {
    return make(e.sqrt(this.node));
  }
  square(): Tensor {
    return make(e.square(this.node));
  }
  reciprocal(): Tensor {
    return make(e.reciprocal(this.node));
  }
  exp(): Tensor {
    return make(e.exp(this.node));
  }
  expm1(): Tensor {
    return make(e.expm1(this.node));
  }
  log(): Tensor {
    return make(e.log(this.node));
  }
  log1p(): Tensor {
    return make(e.log1p(this.node));
  }
  sin(): Tensor {
    return make(e.sin(this.node));
  }
  cos(): Tensor {
    return make(e.cos(this.node));
  }
  tanh(): Tensor {
    return make(e.tanh(this.node));
  }
  erf(): Tensor {
    return make(e.erf(this.node));
  }
  sigmoid(): Tensor {
    return make(e.sigmoid(this.node));
  }
  /** x·Φ(x), Φ the normal distribution (Hendrycks and Gimpel 2016); 'tanh' approximates Φ as many transformers do. */
  gelu(options: { approximate?: 'none' | 'tanh' } = {}): Tensor {
    checkNames('gelu', options, ['approximate']);
    const { approximate = 'none' } = options;
    if (approximate !== 'none' && approximate !== 'tanh')
      throw new NablaError('option', `gelu: approximate is '${approximate}'; expected 'none' or 'tanh'`);
    return make(gelu(this.node, approximate));
  }
  softplus(): Tensor {
    return make(e.softplus(this.node));
  }
  /** max(x, 0); its derivative at 0 is 0. */
  relu(): Tensor {
    return make(e.relu(this.node));
  }
  floor(): Tensor {
    return make(e.floor(this.node));
  }
  ceil(): Tensor {
    return make(e.ceil(this.node));
  }
  /** To the nearest whole number, halves to the even one. */
  round(): Tensor {
    return make(e.round(this.node));
  }
  trunc(): Tensor {
    return make(e.trunc(this.node));
  }
  /** Another dtype: to int32 truncates, to bool asks for ≠ 0. */
  to(dtype: DType): Tensor {
    if (!isDType(dtype))
      throw new NablaError('dtype', `to: "${dtype}" is no dtype; expected 'float32', 'int32' or 'bool'`);
    return make(e.cast(this.node, dtype));
  }

  // ---- reductions over all axes or some

  sum(axes?: Axes, keepDim = false): Tensor {
    return make(r.sum(this.node, axes, keepDim));
  }
  mean(axes?: Axes, keepDim = false): Tensor {
    return make(r.mean(this.node, axes, keepDim));
  }
  /** The largest; equal ones share the gradient. */
  max(axes?: Axes, keepDim = false): Tensor {
    return make(r.max(this.node, axes, keepDim));
  }
  min(axes?: Axes, keepDim = false): Tensor {
    return make(r.min(this.node, axes, keepDim));
  }
  /** Place of the largest along an axis, or in the flattened tensor; of equal ones the first. int32. */
  argmax(axis?: number, keepDim = false): Tensor {
    return make(r.argmax(this.node, axis, keepDim));
  }
  argmin(axis?: number, keepDim = false): Tensor {
    return make(r.argmin(this.node, axis, keepDim));
  }
  softmax(axis = -1): Tensor {
    return make(softmax(this.node, axis));
  }
  logSoftmax(axis = -1): Tensor {
    return make(logSoftmax(this.node, axis));
  }

  // ---- movement

  /** The same elements in another shape; one size may be −1. */
  reshape(...shape: number[] | [Shape]): Tensor {
    return make(m.reshape(this.node, shape.flat() as number[]));
  }
  /** Axes `start` … `end` (both included) as one. */
  flatten(start = 0, end = -1): Tensor {
    const { shape } = this;
    if (shape.length === 0) return this.reshape([1]);
    const [a, b] = [normalizeAxis('flatten', start, shape.length), normalizeAxis('flatten', end, shape.length)];
    if (a > b) throw new NablaError('shape', `flatten: start axis ${start} comes after end axis ${end}`);
    return this.reshape([...shape.slice(0, a), sizeOf(shape.slice(a, b + 1)), ...shape.slice(b + 1)]);
  }
  transpose(a: number, b: number): Tensor {
    return make(m.transpose(this.node, a, b));
  }
  /** The transpose of a matrix. */
  get T(): Tensor {
    return this.transpose(-1, -2);
  }
  permute(...axes: number[] | [readonly number[]]): Tensor {
    return make(m.permute(this.node, axes.flat() as number[]));
  }
  expand(...shape: number[] | [Shape]): Tensor {
    return make(e.expand(this.node, shape.flat() as number[]));
  }
  /** One range an axis: `{ start, stop, step }`; null or nothing takes it all. */
  slice(...ranges: (Partial<m.Range> | null)[]): Tensor {
    return make(m.slice(this.node, ranges));
  }
  /** Zeros around it: [before, after] for each axis. */
  pad(...widths: (readonly [number, number])[]): Tensor {
    return make(m.pad(this.node, widths));
  }
  /** Slices along `axis` at the places of `index`, int32 [n]. */
  indexSelect(axis: number, index: Tensor): Tensor {
    return make(indexSelect(this.node, axis, index.node));
  }
  matmul(other: Tensor): Tensor {
    return make(matmul(this.node, other.node));
  }
}

// ---- elements as a user gets them

function owned(elements: Elements, dtype: DType): Float32Array | Int32Array | Uint8Array {
  return dtype === 'bool' ? Uint8Array.from(elements) : elements.slice();
}

function nested(flat: ArrayLike<number>, shape: Shape, dtype: DType): Nested {
  const item = (i: number): Nested => (dtype === 'bool' ? flat[i] !== 0 : (flat[i] as number));
  const nest = (axis: number, at: number): Nested => {
    if (axis === shape.length) return item(at);
    const inner = sizeOf(shape.slice(axis + 1));
    return Array.from({ length: shape[axis] as number }, (_, i) => nest(axis + 1, at + i * inner));
  };
  return nest(0, 0);
}

// ---- between tensors and nodes

/** A handle on a new node. */
export function make(node: Node): Tensor {
  return new Tensor(bound(node));
}

/** The node of an operand; a number takes `dtype`. */
export function nodeOf(x: Operand, dtype: DType): Node {
  if (x instanceof Tensor) return x.node;
  if (typeof x !== 'number') {
    throw new NablaError('dtype', `expected a tensor or a number, got ${x === null ? 'null' : typeof x}`);
  }
  if (dtype === 'int32' && !Number.isInteger(x)) {
    throw new NablaError(
      'dtype',
      `${x} with an int32 tensor: expected a whole number; convert the tensor with .to('float32')`,
    );
  }
  return scalar(x, dtype === 'bool' ? 'float32' : dtype);
}

function binary(op: (a: Node, b: Node) => Node, x: Tensor, other: Operand): Tensor {
  const a = x.node;
  const b = nodeOf(other, x.dtype);
  if (a.dtype === b.dtype) return make(op(a, b));
  const dtype = promote(op.name, a.dtype, b.dtype);
  return make(op(e.cast(a, dtype), e.cast(b, dtype)));
}

/** A tensor of the outside, read while tracing: its elements must be known, and stay in Wasm memory. */
function captured(node: Node): Node {
  if (node.trace !== null) {
    throw new NablaError('trace', 'a tensor made inside another compile() was used; return it from that function');
  }
  if (node.value === null && node.inputs.length > 0) withTrace(null, () => realise([node]));
  if (node.value !== null) node.value.lasting = true;
  return node;
}

function disposedValue(node: Node): Value {
  const value = new Value(node.dtype, node.nElems, null);
  value.dispose();
  return value;
}
