// The user's handle on a node. It computes nothing: an operation adds a node, reading a value runs a program.
/// <reference lib="esnext.disposable" preserve="true" />

import { backward } from './backward.ts';
import { checkDType, type DType, type Elements, isFloat, promote } from './dtype.ts';
import { NablaError } from './error.ts';
import type { Node } from './graph/node.ts';
import { noGrad } from './graph/node.ts';
import { State } from './graph/state.ts';
import { currentTrace, guard, withTrace } from './graph/trace.ts';
import { Value } from './graph/value.ts';
import * as act from './ops/activations.ts';
import * as along from './ops/along.ts';
import * as arrange from './ops/arrange.ts';
import * as diagonals from './ops/diagonal.ts';
import * as e from './ops/elementwise.ts';
import * as fn from './ops/functions.ts';
import { indexSelect } from './ops/gather.ts';
import { gelu } from './ops/gelu.ts';
import { alike, constant, scalar } from './ops/leaf.ts';
import * as logic from './ops/logic.ts';
import { matmul } from './ops/matmul.ts';
import * as m from './ops/move.ts';
import { dot, outer } from './ops/products.ts';
import * as r from './ops/reduce.ts';
import { cumprod, cumsum } from './ops/scan.ts';
import { logSoftmax, softmax } from './ops/softmax.ts';
import * as order from './ops/sort.ts';
import * as statistics from './ops/statistics.ts';
import { checkNames, kindOf } from './options.ts';
import { bound, elementsLater, realise, realised, realiseVersion } from './realise.ts';
import { drain } from './run/queue.ts';
import { checkShape, formatShape, normalizeAxis, type Shape, sizeOf } from './shape.ts';

/** Numbers nested in arrays, all rows of equal length. */
export type Nested = number | boolean | readonly Nested[];
/** What an operand may be: a tensor, or a number that takes the other operand's dtype. */
export type Operand = Tensor | number;
export type Axes = number | readonly number[];
/** Elements as a user gets them. */
export type Data = Elements | Uint8Array;

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

  /** The elements in row-major order, in an array of the caller's own: of float64 a Float64Array, of bool a Uint8Array. */
  data(): Data {
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
  async dataAsync(): Promise<Data> {
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
    if (state.isPending) realiseVersion(state.head);
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
    const whole = SMALL_POWERS.has(exponent) && isFloat(this.dtype);
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
  // ---- more functions of each element: see ops/functions.ts

  /** 1/√x. */
  rsqrt(): Tensor {
    return make(fn.rsqrt(this.node));
  }
  /** 2ˣ, exact at whole numbers. */
  exp2(): Tensor {
    return make(fn.exp2(this.node));
  }
  /** Exact at powers of two. */
  log2(): Tensor {
    return make(fn.log2(this.node));
  }
  log10(): Tensor {
    return make(fn.log10(this.node));
  }
  tan(): Tensor {
    return make(fn.tan(this.node));
  }
  asin(): Tensor {
    return make(fn.asin(this.node));
  }
  acos(): Tensor {
    return make(fn.acos(this.node));
  }
  atan(): Tensor {
    return make(fn.atan(this.node));
  }
  /** The angle of the point (x, this), in ±π; at the origin its gradients are 0. */
  atan2(x: Operand): Tensor {
    return binary(fn.atan2, this, x);
  }
  sinh(): Tensor {
    return make(fn.sinh(this.node));
  }
  cosh(): Tensor {
    return make(fn.cosh(this.node));
  }
  asinh(): Tensor {
    return make(fn.asinh(this.node));
  }
  acosh(): Tensor {
    return make(fn.acosh(this.node));
  }
  atanh(): Tensor {
    return make(fn.atanh(this.node));
  }
  /** The remainder with the sign of this tensor, as JavaScript's %. */
  fmod(divisor: Operand): Tensor {
    return binary(fn.fmod, this, divisor);
  }
  /** The remainder with the sign of the divisor, as Python's %. */
  remainder(divisor: Operand): Tensor {
    return binary(fn.remainder, this, divisor);
  }
  /**
   * Held between two bounds, numbers or tensors, of which one may be missing (null); where they cross, `max` wins. On a
   * bound the gradient still passes; beyond it, it goes to the bound.
   */
  clamp(min: Operand | null = null, max: Operand | null = null): Tensor {
    if (min === null && max === null)
      throw new NablaError('option', 'clamp: got neither min nor max; expected one of them or both');
    const low = min === null ? this : binary(fn.clampMin, this, min);
    return max === null ? low : binary(fn.clampMax, low, max);
  }
  /** this + weight·(end − this), exact at both ends. */
  lerp(end: Operand, weight: Operand): Tensor {
    const w = typeof weight === 'number' ? weight : argument('lerp', 'weight', weight);
    return binary((a, b) => fn.lerp(a, b, w), this, end);
  }

  // ---- activations: see ops/activations.ts

  logSigmoid(): Tensor {
    return make(act.logSigmoid(this.node));
  }
  /** x between 0 and 6; on them and beyond the derivative is 0. */
  relu6(): Tensor {
    return make(act.relu6(this.node));
  }
  /** x where it is positive, else x·negativeSlope; at 0 the derivative is the slope. */
  leakyRelu(negativeSlope: Operand = 0.01): Tensor {
    return binary(act.leakyRelu, this, negativeSlope);
  }
  /** x where it is positive, else x·weight, of one number or of one a channel (axis 1, or the only axis). */
  prelu(weight: Tensor): Tensor {
    return make(act.prelu(this.node, act.alongChannels(argument('prelu', 'weight', weight), this.shape)));
  }
  /** x where it is positive, else alpha·(eˣ − 1); at 0 the derivative is alpha. */
  elu(alpha: Operand = 1): Tensor {
    return binary(act.elu, this, alpha);
  }
  selu(): Tensor {
    return make(act.selu(this.node));
  }
  /** x where it is positive, else alpha·(e^(x/alpha) − 1), alpha > 0. */
  celu(alpha: Operand = 1): Tensor {
    if (typeof alpha === 'number' && !(alpha > 0))
      throw new NablaError('option', `celu: alpha is ${alpha}; expected a number above 0`);
    return binary(act.celu, this, alpha);
  }
  /** x·sigmoid(x), also called swish. */
  silu(): Tensor {
    return make(act.silu(this.node));
  }
  /** x·tanh(softplus(x)). */
  mish(): Tensor {
    return make(act.mish(this.node));
  }
  /** x between two numbers; on them and beyond the derivative is 0. */
  hardtanh(minVal = -1, maxVal = 1): Tensor {
    if (!(minVal < maxVal)) throw new NablaError('option', `hardtanh: minVal ${minVal} is not below maxVal ${maxVal}`);
    return make(act.hardtanh(this.node, scalar(minVal), scalar(maxVal)));
  }
  /** (x + 3)/6 between 0 and 1. */
  hardsigmoid(): Tensor {
    return make(act.hardsigmoid(this.node));
  }
  /** x·hardsigmoid(x). */
  hardswish(): Tensor {
    return make(act.hardswish(this.node));
  }
  /** x/(1 + |x|). */
  softsign(): Tensor {
    return make(act.softsign(this.node));
  }

  // ---- logic, of any dtype: what is not 0 is true. None has a gradient

  logicalNot(): Tensor {
    return make(logic.logicalNot(this.node));
  }
  logicalAnd(other: Tensor): Tensor {
    return make(logic.logicalAnd(this.node, argument('logicalAnd', 'other', other)));
  }
  logicalOr(other: Tensor): Tensor {
    return make(logic.logicalOr(this.node, argument('logicalOr', 'other', other)));
  }
  logicalXor(other: Tensor): Tensor {
    return make(logic.logicalXor(this.node, argument('logicalXor', 'other', other)));
  }
  isnan(): Tensor {
    return make(logic.isnan(this.node));
  }
  isinf(): Tensor {
    return make(logic.isinf(this.node));
  }
  isfinite(): Tensor {
    return make(logic.isfinite(this.node));
  }

  /** Another dtype: to float32 rounds, to int32 truncates, to bool asks for ≠ 0. Gradients flow between floats. */
  to(dtype: DType): Tensor {
    checkDType('to', dtype);
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
  /** With axes of size 1 stretched to `shape`, and new ones in front; −1 keeps an axis as it is. */
  expand(...shape: number[] | [Shape]): Tensor {
    const given = shape.flat() as number[];
    const added = given.length - this.shape.length;
    const to = given.map((d, i) => (d === -1 ? (this.shape[i - added] ?? d) : d));
    checkShape('expand', to);
    return make(e.expand(this.node, to));
  }
  /** One range an axis: `{ start, stop, step }`; null or nothing takes it all. */
  slice(...ranges: (Partial<m.Range> | null)[]): Tensor {
    return make(m.slice(this.node, ranges));
  }
  /**
   * With [before, after] more elements on each axis, from the first; then, at will, `{ mode, value }`: zeros or another
   * constant, 'reflect', 'replicate'. A negative width of a constant takes elements away.
   */
  pad(...widths: (readonly [number, number])[] | [...(readonly [number, number])[], arrange.PadOptions]): Tensor {
    const last = widths.at(-1);
    const options = Array.isArray(last) ? undefined : (last as arrange.PadOptions | undefined);
    return make(
      arrange.pad(this.node, (options ? widths.slice(0, -1) : widths) as (readonly [number, number])[], options),
    );
  }
  /** Slices along `axis` at the places of `index`, int32 [n]. */
  indexSelect(axis: number, index: Tensor): Tensor {
    return make(indexSelect(this.node, axis, argument('indexSelect', 'index', index)));
  }
  matmul(other: Tensor): Tensor {
    return make(matmul(this.node, argument('matmul', 'b', other)));
  }

  // ---- more reductions

  /** The product; the gradient is exact where elements are 0 too. */
  prod(axes?: Axes, keepDim = false): Tensor {
    return make(statistics.prod(this.node, axes, keepDim));
  }
  /** Σ (x − mean)² / (n − correction), `correction` being 1 by default; `unbiased: false` is a correction of 0. */
  var(axes?: Axes, options: statistics.VarianceOptions = {}): Tensor {
    return make(statistics.variance(this.node, axes, options));
  }
  /** √ of the variance; gradient 0 where that is 0. */
  std(axes?: Axes, options: statistics.VarianceOptions = {}): Tensor {
    return make(statistics.std(this.node, axes, options));
  }
  /** (Σ |x|ᵖ)^(1/p); p may be ±Infinity or 0, and an axis of its own follows it. The gradient at 0 is 0. */
  norm(p = 2, axes?: Axes, keepDim = false): Tensor {
    return make(statistics.norm(this.node, p, axes, keepDim));
  }
  /** log Σ eˣ without overflow. */
  logsumexp(axes?: Axes, keepDim = false): Tensor {
    return make(statistics.logsumexp(this.node, axes, keepDim));
  }
  /** Whether some element is not 0: bool. */
  any(axes?: Axes, keepDim = false): Tensor {
    return make(statistics.any(this.node, axes, keepDim));
  }
  /** Whether every element is not 0: bool. */
  all(axes?: Axes, keepDim = false): Tensor {
    return make(statistics.all(this.node, axes, keepDim));
  }
  /** Sum of the elements up to each one. */
  cumsum(axis: number): Tensor {
    return make(cumsum(this.node, axis));
  }
  /** Product of the elements up to each one. */
  cumprod(axis: number): Tensor {
    return make(cumprod(this.node, axis));
  }

  // ---- more movement

  /** Without its axes of size 1, or those of them that are named. */
  squeeze(axes?: Axes): Tensor {
    return make(arrange.squeeze(this.node, axes));
  }
  /** With a new axis of size 1. */
  unsqueeze(axis: number): Tensor {
    return make(arrange.unsqueeze(this.node, axis));
  }
  /** Element `i` along an axis, which goes; a negative i counts from the end. */
  select(axis: number, i: number): Tensor {
    return make(arrange.select(this.node, axis, i));
  }
  /**
   * One entry an axis, from the first: a number takes one place and drops the axis, `{ start, stop, step }` a part, null
   * all, an int32 tensor the places it names; several side by side name places together, `x.index(rows, columns)`.
   */
  index(...entries: (number | Partial<m.Range> | Tensor | null)[]): Tensor {
    return make(
      arrange.index(
        this.node,
        entries.map((at) => (at instanceof Tensor ? at.node : at)),
      ),
    );
  }
  /** Along an axis, element i is this one's element index[i] of the same line; index is int32 of the same rank. */
  gather(axis: number, index: Tensor): Tensor {
    return make(along.gather(this.node, axis, argument('gather', 'index', index)));
  }
  /** With src[i] added to element index[i] of the same line along an axis. */
  scatterAdd(axis: number, index: Tensor, src: Tensor): Tensor {
    return make(
      along.scatterAdd(this.node, axis, argument('scatterAdd', 'index', index), argument('scatterAdd', 'src', src)),
    );
  }
  /** Elements in row-major order at the places of `index`, in its shape. */
  take(index: Tensor): Tensor {
    return make(along.take(this.node, argument('take', 'index', index)));
  }
  /** Parts of `sizes` elements along an axis, the last may be short; or one part for each of a list of sizes. */
  split(sizes: number | readonly number[], axis = 0): Tensor[] {
    return arrange.split(this.node, sizes, axis).map(make);
  }
  /** At most `n` parts along an axis, all of one size but the last. */
  chunk(n: number, axis = 0): Tensor[] {
    return arrange.chunk(this.node, n, axis).map(make);
  }
  /** Side by side with itself: one count an axis, counted from the last. */
  tile(...counts: number[] | [readonly number[]]): Tensor {
    return make(arrange.tile(this.node, counts.flat() as number[]));
  }
  /** Side by side with itself: one count an axis at least. */
  repeat(...counts: number[] | [readonly number[]]): Tensor {
    return make(arrange.repeat(this.node, counts.flat() as number[]));
  }
  /** In reverse along axes; all by default. */
  flip(axes?: Axes): Tensor {
    return make(arrange.flip(this.node, axes));
  }
  /** Elements moved along axes, around the end; without axes, in row-major order. */
  roll(shifts: Axes, axes?: Axes): Tensor {
    return make(arrange.roll(this.node, shifts, axes));
  }
  /** `value` where the bool mask is true; the mask broadcasts. */
  maskedFill(mask: Tensor, value: Operand): Tensor {
    return make(arrange.maskedFill(this.node, argument('maskedFill', 'mask', mask), nodeOf(value, this.dtype)));
  }
  /** The elements on and below diagonal k of each matrix, zeros above. */
  tril(k = 0): Tensor {
    return make(diagonals.tril(this.node, k));
  }
  /** The elements on and above diagonal k of each matrix, zeros below. */
  triu(k = 0): Tensor {
    return make(diagonals.triu(this.node, k));
  }
  /** A diagonal of the matrices of two axes, as the last axis. */
  diagonal(offset = 0, axis1 = 0, axis2 = 1): Tensor {
    return make(diagonals.diagonal(this.node, offset, axis1, axis2));
  }
  /** Of a matrix its diagonal k, of a vector the matrix that has it there. */
  diag(k = 0): Tensor {
    return make(diagonals.diag(this.node, k));
  }
  /** The sum of the main diagonal. */
  trace(): Tensor {
    return make(diagonals.trace(this.node));
  }
  /** Of int32 indices: rows of `classes` zeros with a 1 where each points, float32. */
  oneHot(classes: number): Tensor {
    return make(along.oneHot(this.node, classes));
  }
  /** Each line in order, and where its elements came from; stable, NaN counts as the largest. */
  sort(axis = -1, descending = false): { values: Tensor; indices: Tensor } {
    return ordered(order.sort(this.node, axis, descending));
  }
  /** Places of each line's elements in order: int32. */
  argsort(axis = -1, descending = false): Tensor {
    return make(order.argsort(this.node, axis, descending));
  }
  /** The k largest (or smallest) of each line, the first first, and where they were. */
  topk(k: number, axis = -1, largest = true): { values: Tensor; indices: Tensor } {
    return ordered(order.topk(this.node, k, axis, largest));
  }

  // ---- products of vectors

  /** Σ aᵢ·bᵢ of two vectors of one length. */
  dot(other: Tensor): Tensor {
    return make(dot(this.node, argument('dot', 'other', other)));
  }
  /** aᵢ·bⱼ of two vectors. */
  outer(other: Tensor): Tensor {
    return make(outer(this.node, argument('outer', 'other', other)));
  }
}

const ordered = ({ values, indices }: { values: Node; indices: Node }) => ({
  values: make(values),
  indices: make(indices),
});

// ---- elements as a user gets them

function owned(elements: Elements, dtype: DType): Data {
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

/** The node of what must be a tensor: the argument `name` of `op`. */
export function argument(op: string, name: string, x: unknown): Node {
  if (x instanceof Tensor) return x.node;
  throw new NablaError('data', `${op}: ${name} is ${kindOf(x)}, expected a tensor; make one with tensor(…)`, { op });
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
  const [a, b] = alike([x.node, nodeOf(other, x.dtype)]) as [Node, Node];
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
