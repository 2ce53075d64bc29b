// Losses that ask for a margin: between classes of ±1, between two vectors, between a pair that belongs together and
// one that does not. A loss is 0 once the margin is kept; exactly on it the gradient still passes, as in PyTorch.
import { isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOption, checkSame, type LossOptions, reduce } from './reduction.ts';

export interface MarginOptions extends LossOptions {
  margin?: number;
}

function checkMargin(op: string, margin: number): void {
  checkOption(op, 'margin', margin, true, 'a finite number');
}

/** Classes of ±1 may be int32. */
const signs = (target: Tensor, like: Tensor) => (isFloat(target.dtype) ? target : target.to(like.dtype));

/** max(0, 1 − target·prediction), reduced: the loss of a support vector machine. target is 1 or −1, of x's shape. */
export function hingeLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('hingeLoss', { prediction, target });
  return reduce('hingeLoss', signs(target, prediction).mul(prediction).neg().add(1).clamp(0), options);
}

/** x where target is 1, max(0, margin − x) where it is −1, reduced: x is a distance. The margin is 1 by default. */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const op = 'hingeEmbeddingLoss';
  checkSame(op, { input, target });
  const { margin = 1 } = options;
  checkMargin(op, margin);
  return reduce(op, target.eq(1).where(input, input.neg().add(margin).clamp(0)), options, ['margin']);
}

/** max(0, margin − target·(input1 − input2)), reduced: target 1 wants the first larger, −1 the second. */
export function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const op = 'marginRankingLoss';
  checkSame(op, { input1, input2, target });
  const { margin = 0 } = options;
  checkMargin(op, margin);
  return reduce(op, input1.sub(input2).mul(signs(target, input1)).neg().add(margin).clamp(0), options, ['margin']);
}

/** Keeps the cosine of a zero vector from 0/0, as in PyTorch. */
const COSINE_EPS = 1e-12;

/**
 * 1 − cos where target is 1, max(0, cos − margin) where it is −1, reduced; cos is that of the angle between the rows
 * of input1 and input2 [.., D], target [..]. The margin is 0 by default.
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginOptions = {},
): Tensor {
  const op = 'cosineEmbeddingLoss';
  checkRows(op, { input1, input2 });
  if (!sameShape(target.shape, input1.shape.slice(0, -1))) {
    throw new NablaError(
      'shape',
      `${op}: target ${formatShape(target.shape)} does not fit inputs ${formatShape(input1.shape)}; ` +
        `expected ${formatShape(input1.shape.slice(0, -1))}`,
      { op, shapes: [input1.shape, target.shape] },
    );
  }
  const { margin = 0 } = options;
  checkMargin(op, margin);
  const square = (x: Tensor) => x.square().sum(-1).add(COSINE_EPS);
  const cos = input1
    .mul(input2)
    .sum(-1)
    .div(square(input1).mul(square(input2)).sqrt());
  return reduce(op, target.eq(1).where(cos.neg().add(1), cos.sub(margin).clamp(0)), options, ['margin']);
}

export interface TripletOptions extends MarginOptions {
  /** Which norm measures distances: 2 by default, Infinity for the largest difference. */
  p?: number;
  /** Added to every difference, so that none is 0: 1e−6 by default. */
  eps?: number;
  /** Whether the distance from positive to negative counts in place of that from the anchor, where it is smaller. */
  swap?: boolean;
}

/**
 * max(0, ‖anchor − positive‖ − ‖anchor − negative‖ + margin) of rows [.., D], reduced (Balntas et al. 2016). The margin
 * is 1 by default. A distance of 0 has gradient 0.
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletOptions = {},
): Tensor {
  const op = 'tripletMarginLoss';
  checkNames(op, options, ['margin', 'p', 'eps', 'swap', 'reduction']);
  checkRows(op, { anchor, positive, negative });
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  checkMargin(op, margin);
  if (p !== Number.POSITIVE_INFINITY) checkOption(op, 'p', p, p > 0, 'a number above 0');
  checkOption(op, 'eps', eps, eps >= 0, 'a finite number from 0');
  const distance = (a: Tensor, b: Tensor) => norm(a.sub(b).add(eps), p);
  const other = distance(anchor, negative);
  const apart = swap ? other.minimum(distance(positive, negative)) : other;
  return reduce(op, distance(anchor, positive).sub(apart).add(margin).clamp(0), options, [
    'margin',
    'p',
    'eps',
    'swap',
  ]);
}

/** (Σ|x|ᵖ)^(1/p) over the last axis; at 0 the gradient is 0, where that of the root is ∞. */
function norm(x: Tensor, p: number): Tensor {
  if (p === 1) return x.abs().sum(-1);
  if (p === Number.POSITIVE_INFINITY) return x.abs().max(-1);
  const total = (p === 2 ? x.square() : x.abs().pow(p)).sum(-1);
  return total.eq(0).where(0, p === 2 ? total.sqrt() : total.pow(1 / p));
}

/** Throws unless all have one shape with an axis to go along. */
function checkRows(op: string, operands: Readonly<Record<string, Tensor>>): void {
  checkSame(op, operands);
  const [[name, { shape }]] = Object.entries(operands) as [[string, Tensor]];
  if (shape.length > 0) return;
  throw new NablaError('shape', `${op}: ${name} is [], a single number; expected rows [.., D]`, { op, shape });
}
