// Losses of a choice between classes, and the share of right choices. Inside, the classes are on the last axis.
import { arange, tensor } from '../create.ts';
import { checkBelow, type DType, isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import { formatShape, normalizeAxis, sameShape } from '../shape.ts';
import { argument, type Tensor } from '../tensor.ts';
import { crossEntropyRows } from './functional.ts';
import { checkOption, type LossOptions, reduceBy } from './reduction.ts';

/** Where the classes lie: −1, the last axis, by default. PyTorch has them on axis 1. */
export interface ClassAxis {
  axis?: number;
}
export interface ClassOptions extends LossOptions, ClassAxis {
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
 * [.., K]; 'mean' is over rows. With { axis: 1 } logits and probabilities are [N, K, ..], labels [N, ..]. The gradient
 * of a row is softmax(x) − target.
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const op = 'crossEntropy';
  checkNames(op, options, ['weight', 'ignoreIndex', 'labelSmoothing', 'axis', 'reduction']);
  const { reduction, weight = null, ignoreIndex = null, labelSmoothing = 0, axis = -1 } = options;
  const logits = classesLast(op, input, axis);
  const isSoft = argument(op, 'target', target).shape.length === logits.shape.length;
  const inRange = labelSmoothing >= 0 && labelSmoothing <= 1;
  checkOption(op, 'labelSmoothing', labelSmoothing, inRange, 'a number from 0 to 1');
  checkClassWeight(op, weight, logits);
  const labels = asLabels(op, logits, isSoft ? classesLast(op, target, axis) : target, ignoreIndex);
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
 * −input[label] of each row of log-probabilities [.., K], as logSoftmax gives them; labels [..] in 0 … K−1 (int32, or
 * whole numbers). With { axis: 1 } they are [N, K, ..], labels [N, ..]. crossEntropy does both in one.
 */
export function nllLoss(input: Tensor, target: Tensor, options: ClassOptions = {}): Tensor {
  const op = 'nllLoss';
  checkNames(op, options, ['weight', 'ignoreIndex', 'axis', 'reduction']);
  const { reduction, weight = null, ignoreIndex = null, axis = -1 } = options;
  const scores = classesLast(op, input, axis);
  checkClassWeight(op, weight, scores);
  const labels = asLabels(op, scores, target, ignoreIndex);
  checkLabels(op, 'log-probabilities', scores, labels);
  const rows = rowsOf(labels, weight, ignoreIndex, scores.dtype);
  const chosen = scores.gather(-1, rows.labels.unsqueeze(-1)).squeeze(-1).neg();
  return rows.reduced(op, rows.scaled(chosen), reduction);
}

/** Share of rows of logits [.., K] whose largest is the label [..]: a scalar in 0 … 1. */
export function accuracy(input: Tensor, labels: Tensor, options: ClassAxis = {}): Tensor {
  checkNames('accuracy', options, ['axis']);
  const logits = classesLast('accuracy', input, options.axis ?? -1);
  return logits
    .argmax(-1)
    .eq(asLabels('accuracy', logits, labels, null))
    .mean();
}

/** Scores with the axis of the classes moved to the end. */
function classesLast(op: string, x: Tensor, axis: number): Tensor {
  const rank = argument(op, 'input', x).shape.length;
  if (rank === 0) return x;
  const at = normalizeAxis(op, axis, rank);
  const others = x.shape.map((_, i) => i).filter((i) => i !== at);
  return at === rank - 1 ? x : x.permute(...others, at);
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
  const onAxis1 = scores.shape.length > 2 && sameShape(labels.shape, scores.shape.toSpliced(1, 1));
  const hint = onAxis1 ? '; where the classes are on axis 1 say { axis: 1 }' : '';
  throw new NablaError(
    'shape',
    `${op}: labels ${formatShape(labels.shape)} do not fit ${name} ${formatShape(scores.shape)}; ` +
      `expected ${labels.dtype === 'int32' ? '' : 'int32 '}${formatShape(expected)}${hint}`,
    { op, shapes: [scores.shape, labels.shape] },
  );
}

/** Labels given as plain numbers become int32, if they are whole and where their elements are known. */
function asLabels(op: string, logits: Tensor, target: Tensor, ignoreIndex: number | null): Tensor {
  argument(op, 'target', target);
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
