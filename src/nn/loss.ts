// Loss functions, each with PyTorch's `reduction`.

import { tensor } from '../create.ts';
import { checkBelow, isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { crossEntropyRows } from './functional.ts';

export type Reduction = 'mean' | 'sum' | 'none';
export interface LossOptions {
  reduction?: Reduction;
}

function reduce(op: string, loss: Tensor, options: LossOptions): Tensor {
  checkNames(op, options, ['reduction']);
  const { reduction = 'mean' } = options;
  if (reduction === 'mean') return loss.mean();
  if (reduction === 'sum') return loss.sum();
  if (reduction === 'none') return loss;
  throw new NablaError('option', `${op}: reduction is '${reduction}'; expected 'mean', 'sum' or 'none'`, {
    op,
    reduction,
  });
}

function checkSame(op: string, prediction: Tensor, target: Tensor): void {
  if (sameShape(prediction.shape, target.shape)) return;
  throw new NablaError(
    'shape',
    `${op}: prediction ${formatShape(prediction.shape)} and target ${formatShape(target.shape)} differ; ` +
      'expected equal shapes (reshape or flatten one)',
    { op, shapes: [prediction.shape, target.shape] },
  );
}

/** (prediction − target)², reduced. */
export function mseLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('mseLoss', prediction, target);
  return reduce('mseLoss', prediction.sub(target).square(), options);
}

/** −(y·log p + (1 − y)·log(1 − p)), reduced; logs are held at −100, as PyTorch's, so p may be 0 or 1. */
export function binaryCrossEntropy(p: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('binaryCrossEntropy', p, target);
  const q = p.neg().add(1);
  const [logP, logQ] = [p.log().maximum(-100), q.log().maximum(-100)];
  return reduce('binaryCrossEntropy', target.mul(logP).add(target.neg().add(1).mul(logQ)).neg(), options);
}

/** The same of p = sigmoid(logits), stable for any logit: softplus(x) − y·x. */
export function binaryCrossEntropyWithLogits(logits: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('binaryCrossEntropyWithLogits', logits, target);
  return reduce('binaryCrossEntropyWithLogits', logits.softplus().sub(target.mul(logits)), options);
}

/**
 * Softmax cross-entropy of logits [.., K] with labels [..] in 0 … K−1 (int32, or whole numbers) or probabilities
 * [.., K]; 'mean' is over rows. The gradient of a row is softmax(x) − target.
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const labels = asLabels('crossEntropy', logits, target);
  return reduce('crossEntropy', crossEntropyRows(logits, labels), options);
}

/** Labels given as plain numbers become int32, if they are whole and where their elements are known. */
function asLabels(op: string, logits: Tensor, target: Tensor): Tensor {
  const indices = isFloat(target.dtype) && target.shape.length === logits.shape.length - 1;
  const values = indices || target.dtype === 'int32' ? target.node.value?.host : null;
  if (values && (!indices || values.every(Number.isInteger))) {
    checkBelow(values, logits.shape.at(-1) as number, `${op}: label`);
    return indices ? tensor(Int32Array.from(values), { shape: target.shape }) : target;
  }
  if (!indices) return target;
  throw new NablaError(
    'dtype',
    `${op}: labels ${formatShape(target.shape)} are ${target.dtype}; expected whole numbers, made with { dtype: 'int32' }`,
    { op, shape: target.shape },
  );
}

/** Share of rows whose largest logit is the label: a scalar in 0 … 1. */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  return logits
    .argmax(-1)
    .eq(asLabels('accuracy', logits, labels))
    .mean();
}
