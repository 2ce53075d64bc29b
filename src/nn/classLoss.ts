// Losses of a choice between classes, which lie along the last axis, and the share of right choices.
import { arange, ones, tensor } from '../create.ts';
import { checkBelow, type DType, isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { crossEntropyRows } from './functional.ts';
import { checkOption, type LossOptions, reduceBy } from './reduction.ts';

export interface ClassOptions extends LossOptions {
  /** What the losses of each class are multiplied by, [K]; 'mean' divides by the weights of the labels. */
  weight?: Tensor | null;
  /** A label that counts for nothing. None by default: PyTorch's −100 is an error like any label outside 0 … K−1. */
  ignoreIndex?: number | null;
}
export interface CrossEntropyOptions extends ClassOptions {
  /** The share of each target that is spread evenly over all classes: 0 by default. */
  labelSmoothing?: number;
}

/**
 * Softmax cross-entropy of logits [.., K] with labels [..] in 0 … K−1 (int32, or whole numbers) or probabilities
 * [.., K]; 'mean' is over rows. The gradient of a row is softmax(x) − target.
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const op = 'crossEntropy';
  checkNames(op, options, ['weight', 'ignoreIndex', 'labelSmoothing', 'reduction']);
  const { reduction, weight = null, ignoreIndex = null, labelSmoothing = 0 } = options;
  const inRange = labelSmoothing >= 0 && labelSmoothing <= 1;
  checkOption(op, 'labelSmoothing', labelSmoothing, inRange, 'a number from 0 to 1');
  checkClassWeight(op, weight, logits);
  const labels = asLabels(op, logits, target, ignoreIndex);
  const classes = logits.shape.at(-1) as number;
  /** Probabilities as the loss wants them. */
  const soft = (p: Tensor) => (weight === null ? p : p.mul(weight));
  if (labels.dtype !== 'int32') {
    if (ignoreIndex !== null) {
      throw new NablaError(
        'option',
        `${op}: ignoreIndex is ${ignoreIndex}, but the target ${formatShape(target.shape)} is of probabilities; expected labels`,
        { op },
      );
    }
    const smooth = labelSmoothing === 0 ? labels : labels.mul(1 - labelSmoothing).add(labelSmoothing / classes);
    const losses = crossEntropyRows(logits, soft(smooth));
    return reduceBy(op, losses, reduction);
  }
  checkLabels(op, 'logits', logits, labels);
  const rows = rowsOf(labels, weight, ignoreIndex, logits.dtype);
  if (labelSmoothing === 0) return rows.reduced(op, rows.scaled(crossEntropyRows(logits, rows.labels)), reduction);
  const rest = labelSmoothing / classes;
  const smooth = isClass(rows.labels, classes).where(1 - labelSmoothing + rest, rest);
  return rows.reduced(op, rows.masked(crossEntropyRows(logits, soft(smooth))), reduction);
}

/**
 * −x[label] of each row of log-probabilities x [.., K], as logSoftmax gives them; labels [..] in 0 … K−1 (int32, or
 * whole numbers). crossEntropy does both in one.
 */
export function nllLoss(input: Tensor, target: Tensor, options: ClassOptions = {}): Tensor {
  const op = 'nllLoss';
  checkNames(op, options, ['weight', 'ignoreIndex', 'reduction']);
  const { reduction, weight = null, ignoreIndex = null } = options;
  checkClassWeight(op, weight, input);
  const labels = asLabels(op, input, target, ignoreIndex);
  checkLabels(op, 'log-probabilities', input, labels);
  const classes = input.shape.at(-1) as number;
  // Weights are looked up, though all are 1, so that a label outside the classes is an error wherever it comes from.
  const rows = rowsOf(labels, weight ?? ones([classes], { dtype: input.dtype }), ignoreIndex, input.dtype);
  const chosen = isClass(rows.labels, classes).where(input, 0).sum(-1).neg();
  return rows.reduced(op, rows.scaled(chosen), reduction);
}

/** Share of rows whose largest logit is the label: a scalar in 0 … 1. */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  return logits
    .argmax(-1)
    .eq(asLabels('accuracy', logits, labels, null))
    .mean();
}

/** Whether class k is the label: labels [..] → bool [.., K]. */
const isClass = (labels: Tensor, classes: number) => labels.reshape([...labels.shape, 1]).eq(arange(classes));

/** How rows count: those with the ignored label not at all, the others by the weight of theirs. */
function rowsOf(given: Tensor, weight: Tensor | null, ignoreIndex: number | null, dtype: DType) {
  const counts = ignoreIndex === null ? null : given.ne(ignoreIndex);
  const masked = (x: Tensor) => (counts === null ? x : counts.where(x, 0));
  const labels = masked(given);
  const share =
    weight === null
      ? (counts?.to(dtype) ?? null)
      : masked(weight.indexSelect(0, labels.reshape(-1)).reshape(labels.shape));
  return {
    /** Labels that are all classes. */
    labels,
    /** Losses with those of ignored rows 0. */
    masked,
    /** The same times the weights. */
    scaled: (losses: Tensor) => masked(weight === null ? losses : losses.mul(share as Tensor)),
    reduced: (op: string, losses: Tensor, reduction: LossOptions['reduction']) =>
      reduceBy(op, losses, reduction, share === null ? {} : { mean: () => losses.sum().div(share.sum()) }),
  };
}

function checkClassWeight(op: string, weight: Tensor | null, logits: Tensor): void {
  const classes = logits.shape.at(-1);
  if (weight === null || (weight.shape.length === 1 && weight.size === classes)) return;
  throw new NablaError('shape', `${op}: weight is ${formatShape(weight.shape)}, expected [${classes}], one a class`, {
    op,
    shapes: [weight.shape, logits.shape],
  });
}

function checkLabels(op: string, name: string, scores: Tensor, labels: Tensor): void {
  const expected = scores.shape.slice(0, -1);
  if (scores.shape.length > 0 && labels.dtype === 'int32' && sameShape(labels.shape, expected)) return;
  throw new NablaError(
    'shape',
    `${op}: labels ${formatShape(labels.shape)} do not fit ${name} ${formatShape(scores.shape)}; ` +
      `expected ${labels.dtype === 'int32' ? '' : 'int32 '}${formatShape(expected)}`,
    { op, shapes: [scores.shape, labels.shape] },
  );
}

/** Labels given as plain numbers become int32, if they are whole and where their elements are known. */
function asLabels(op: string, logits: Tensor, target: Tensor, ignoreIndex: number | null): Tensor {
  const indices = isFloat(target.dtype) && target.shape.length === logits.shape.length - 1;
  const values = indices || target.dtype === 'int32' ? target.node.value?.host : null;
  if (values && (!indices || values.every(Number.isInteger))) {
    const counted = ignoreIndex === null ? values : values.map((v) => (v === ignoreIndex ? 0 : v));
    checkBelow(counted, logits.shape.at(-1) as number, `${op}: label`);
    return indices ? tensor(Int32Array.from(values), { shape: target.shape }) : target;
  }
  if (!indices) return target;
  throw new NablaError(
    'dtype',
    `${op}: labels ${formatShape(target.shape)} are ${target.dtype}; expected whole numbers, made with { dtype: 'int32' }`,
    { op, shape: target.shape },
  );
}
