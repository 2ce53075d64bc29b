// Reductions that are expressions of others: products, variances, norms, logsumexp, any and all.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { checkNames } from '../options.ts';
import { normalizeAxes, type Shape, sizeOf } from '../shape.ts';
import {
  abs,
  add,
  cast,
  detach,
  div,
  eq,
  exp,
  gt,
  log,
  lt,
  mul,
  ne,
  pow,
  sign,
  sqrt,
  square,
  sub,
  where,
} from './elementwise.ts';
import { constant } from './leaf.ts';
import { permute, reshape } from './move.ts';
import { type Axes, define, dropped, max, mean, min, reduce, sum } from './reduce.ts';
import { productOfOthers } from './scan.ts';

const { POSITIVE_INFINITY: INFINITY, NEGATIVE_INFINITY: MINUS_INFINITY } = Number;

// ---- product

/** The product of the elements; the gradient of each is the product of the others, which divides by nothing. */
export const prodOp = define(
  'prod',
  abi.MICRO_PROD,
  1,
  (a, x) => a * x,
  (node, dy) => [mul(dy, othersOver(node.inputs[0] as Node, node.attrs.axes as readonly number[]))],
);

/** For each element, the product of all others along `axes`. */
function othersOver(x: Node, axes: readonly number[]): Node {
  const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...rest, ...axes];
  const sizes = order.map((a) => x.shape[a] as number);
  const flat: Shape = [...sizes.slice(0, rest.length), sizeOf(sizes.slice(rest.length))];
  const others = productOfOthers(reshape(permute(x, order), flat), rest.length);
  return permute(
    reshape(others, sizes),
    order.map((_, i) => order.indexOf(i)),
  );
}

/** Π over `axes` (all by default); of nothing, 1. The gradient is exact where elements are 0 too. */
export function prod(x: Node, axes?: Axes, keepDim = false): Node {
  return reduce(prodOp, x, axes, keepDim);
}

// ---- variance

export interface VarianceOptions {
  /** What is taken off n in the divisor: 1 by default, for an unbiased estimate. */
  correction?: number;
  /** Another way to say it: true is a correction of 1, false one of 0. */
  unbiased?: boolean;
  keepDim?: boolean;
}

/**
 * Σ (x − mean)² / max(n − correction, 0) over `axes` (all by default): NaN where n is no more than the correction.
 * Two passes, so a large mean costs no digits (Chan, Golub and LeVeque 1983).
 */
export function variance(x: Node, axes: Axes, options: VarianceOptions = {}, name = 'var'): Node {
  checkNames(name, options, ['correction', 'unbiased', 'keepDim']);
  const { unbiased, keepDim = false } = options;
  if (unbiased !== undefined && options.correction !== undefined) {
    throw new NablaError('option', `${name}: got both correction and unbiased; expected one`, { op: name });
  }
  const correction = options.correction ?? (unbiased === false ? 0 : 1);
  if (!Number.isFinite(correction)) {
    throw new NablaError('option', `${name}: correction is ${correction}, expected a number`, { op: name });
  }
  floatOf(name, x);
  const list = normalizeAxes(name, axes, x.shape.length);
  const n = sizeOf(list.map((a) => x.shape[a] as number));
  const squares = sum(square(sub(x, mean(x, list, true))), list, keepDim);
  return mul(squares, constant(1 / Math.max(n - correction, 0), x.dtype));
}

/** √ of `variance`; where all elements are equal its gradient is 0, as PyTorch's. */
export function std(x: Node, axes: Axes, options: VarianceOptions = {}): Node {
  return rootOf(variance(x, axes, options, 'std'));
}

/** √x, with gradient 0 at 0. */
function rootOf(x: Node): Node {
  const zero = eq(x, constant(0, x.dtype));
  return where(zero, constant(0, x.dtype), sqrt(where(zero, constant(1, x.dtype), x)));
}

// ---- norms

/**
 * (Σ |x|ᵖ)^(1/p) over `axes` (all by default); the largest |x| for p = ∞, the smallest for −∞, how many are not 0 for
 * p = 0. Elements are divided by the largest first, so their powers neither overflow nor vanish. The gradient is 0
 * where the norm is 0 and, for p < 1, at elements that are 0; ties of p = ±∞ share it.
 */
export function norm(x: Node, p = 2, axes?: Axes, keepDim = false): Node {
  floatOf('norm', x);
  if (typeof p !== 'number' || Number.isNaN(p)) {
    throw new NablaError('option', `norm: p is ${p}, expected a number, such as 2, 1 or Infinity`, { op: 'norm', p });
  }
  const list = normalizeAxes('norm', axes, x.shape.length);
  const size = abs(x);
  if (p === 1) return sum(size, list, keepDim);
  if (p === 0) return sum(square(sign(x)), list, keepDim);
  if (p === INFINITY) return max(size, list, keepDim);
  if (p === MINUS_INFINITY) return min(size, list, keepDim);
  if (x.nElems === 0) return sum(size, list, keepDim);
  const unit = unitOf(p > 0 ? max(size, list, true) : min(size, list, true));
  const scaled = p === 2 ? rootOf(sum(square(div(x, unit)), list, true)) : powerMean(div(size, unit), p, list);
  return dropped('norm', mul(scaled, unit), list, keepDim);
}

/** What to divide by: the extreme where it is a finite number, else 1. It cancels, so it has no gradient. */
function unitOf(extreme: Node): Node {
  const [zero, one] = [constant(0, extreme.dtype), constant(1, extreme.dtype)];
  const finite = where(lt(extreme, constant(INFINITY, extreme.dtype)), extreme, one);
  return detach(where(gt(extreme, zero), finite, one));
}

/** (Σ aᵖ)^(1/p) of sizes a ≥ 0. No gradient reaches an a of 0, so none that is infinite there gets out. */
function powerMean(a: Node, p: number, axes: readonly number[]): Node {
  const number = (value: number) => constant(value, a.dtype);
  const zero = eq(a, number(0));
  const powers = where(zero, number(p > 0 ? 0 : INFINITY), pow(where(zero, number(1), a), number(p)));
  return pow(sum(powers, axes, true), number(1 / p));
}

// ---- logsumexp

/**
 * log Σ eˣ over `axes` (all by default), shifted by the largest, so nothing overflows; dx = dy·softmax(x). Where the
 * largest is ±∞ it is the result, and the gradient is 0.
 */
export function logsumexp(x: Node, axes?: Axes, keepDim = false): Node {
  floatOf('logsumexp', x);
  const list = normalizeAxes('logsumexp', axes, x.shape.length);
  if (x.nElems === 0) return log(sum(x, list, keepDim));
  const top = detach(max(x, list, true));
  const infinite = eq(abs(top), constant(INFINITY, x.dtype));
  const shifted = where(infinite, constant(0, x.dtype), sub(x, top));
  const finite = add(log(sum(exp(shifted), list, true)), top);
  return dropped('logsumexp', where(infinite, top, finite), list, keepDim);
}

// ---- any, all

/** Whether some element over `axes` is not 0 (NaN is not): bool; of nothing, false. The gradient is 0. */
export function any(x: Node, axes?: Axes, keepDim = false): Node {
  return gt(count('any', ne(x, constant(0, x.dtype)), axes, keepDim), constant(0));
}

/** Whether every element over `axes` is not 0: bool; of nothing, true. The gradient is 0. */
export function all(x: Node, axes?: Axes, keepDim = false): Node {
  return eq(count('all', eq(x, constant(0, x.dtype)), axes, keepDim), constant(0));
}

/** How many are true; only whether that is 0 is exact beyond 2²⁴. */
function count(name: string, x: Node, axes: Axes, keepDim: boolean): Node {
  return sum(cast(x, 'float32'), normalizeAxes(name, axes, x.shape.length), keepDim);
}
