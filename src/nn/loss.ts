// Losses of numbers and of probabilities, each with PyTorch's `reduction`.
import { checkNames } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { binaryEntropy } from './functional.ts';
import {
  checkOption,
  checkSame,
  checkStretches,
  type LossOptions,
  type Reduction,
  reduce,
  reduceBy,
} from './reduction.ts';

/** (prediction − target)², reduced. */
export function mseLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('mseLoss', { prediction, target });
  return reduce('mseLoss', prediction.sub(target).square(), options);
}

/** |prediction − target|, reduced; where they are equal the gradient is 0. */
export function l1Loss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('l1Loss', { prediction, target });
  return reduce('l1Loss', prediction.sub(target).abs(), options);
}

/**
 * ½d² where |d| ≤ bound and bound·(|d| − ½·bound) beyond, d = prediction − target; no square of what is far. |d| itself
 * is not in it: its slope of 0 at 0 would make the second derivative there 0 instead of 1.
 */
function quadraticThenLinear(prediction: Tensor, target: Tensor, bound: number): Tensor {
  const d = prediction.sub(target);
  const near = d.clamp(-bound, bound);
  return near.mul(d.sub(near.mul(0.5)));
}

export interface HuberOptions extends LossOptions {
  /** Where the square goes over into a line: 1 by default. */
  delta?: number;
}
/** ½d² where d = |prediction − target| ≤ delta, else delta·(d − ½·delta), reduced (Huber 1964). */
export function huberLoss(prediction: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  checkSame('huberLoss', { prediction, target });
  const { delta = 1 } = options;
  checkOption('huberLoss', 'delta', delta, delta > 0, 'a finite number above 0');
  return reduce('huberLoss', quadraticThenLinear(prediction, target, delta), options, ['delta']);
}

export interface SmoothL1Options extends LossOptions {
  /** Where the square goes over into a line: 1 by default; 0 gives l1Loss. */
  beta?: number;
}
/** ½d²/beta where d = |prediction − target| < beta, else d − ½·beta, reduced: huberLoss / beta. */
export function smoothL1Loss(prediction: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  checkSame('smoothL1Loss', { prediction, target });
  const { beta = 1 } = options;
  checkOption('smoothL1Loss', 'beta', beta, beta >= 0, 'a finite number from 0');
  const losses =
    beta === 0 ? prediction.sub(target).abs() : quadraticThenLinear(prediction, target, beta).mul(1 / beta);
  return reduce('smoothL1Loss', losses, options, ['beta']);
}

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** What each loss is multiplied by; stretches to the losses' shape. */
  weight?: Tensor | null;
}

const weighted = (loss: Tensor, weight: Tensor | null | undefined) => (weight ? loss.mul(weight) : loss);

/**
 * −(y·log p + (1 − y)·log(1 − p)), reduced; logs are held at −100, as PyTorch's, so p may be 0 or 1. The gradient is
 * (p − y)/max(p·(1 − p), 1e−12).
 */
export function binaryCrossEntropy(p: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  checkSame('binaryCrossEntropy', { prediction: p, target });
  checkStretches('binaryCrossEntropy', 'weight', options.weight, p.shape);
  return reduce('binaryCrossEntropy', weighted(binaryEntropy(p, target), options.weight), options, ['weight']);
}

export interface LogitsOptions extends BinaryCrossEntropyOptions {
  /** What the losses of positive examples are multiplied by, say their share's inverse; stretches. */
  posWeight?: Tensor | null;
}
/**
 * The same of p = sigmoid(logits), stable for any logit: softplus(x) − y·x. With posWeight w it is
 * (1 − y)·x + (1 + (w − 1)·y)·softplus(−x).
 */
export function binaryCrossEntropyWithLogits(logits: Tensor, target: Tensor, options: LogitsOptions = {}): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  checkSame(op, { prediction: logits, target });
  const { weight, posWeight } = options;
  checkStretches(op, 'weight', weight, logits.shape);
  checkStretches(op, 'posWeight', posWeight, logits.shape);
  const losses = posWeight
    ? target.neg().add(1).mul(logits).add(posWeight.sub(1).mul(target).add(1).mul(logits.neg().softplus()))
    : logits.softplus().sub(target.mul(logits));
  return reduce(op, weighted(losses, weight), options, ['weight', 'posWeight']);
}

export interface KlDivOptions {
  /** 'batchmean' divides the sum by the size of the first axis, which makes it the divergence of a batch. */
  reduction?: Reduction | 'batchmean';
  /** Whether the target is given as log-probabilities too. */
  logTarget?: boolean;
}
/**
 * target·(log target − input), reduced: the Kullback–Leibler divergence of the target's probabilities from those whose
 * logarithms are `input`. What has probability 0 costs 0, whatever the input says of it.
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  checkSame('klDiv', { input, target });
  checkNames('klDiv', options, ['logTarget', 'reduction']);
  const { reduction, logTarget = false } = options;
  const never = target.eq(logTarget ? Number.NEGATIVE_INFINITY : 0);
  const [p, logP] = logTarget ? [target.exp(), target] : [target, target.log()];
  const losses = never.where(0, p.mul(logP.sub(input)));
  return reduceBy('klDiv', losses, reduction, { batchmean: () => losses.sum().div(input.shape[0] ?? 1) });
}
