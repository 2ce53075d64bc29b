// Normalisations of tensors, under PyTorch's names.
import { NablaError } from '../error.ts';
import { noGrad } from '../functions.ts';
import type { Node } from '../graph/node.ts';
import { layerNorm as normalizeLayer } from '../ops/norm.ts';
import * as n from '../ops/normalize.ts';
import { checkNames } from '../options.ts';
import type { Shape } from '../shape.ts';
import { argument, make, type Operand, type Tensor } from '../tensor.ts';

export interface LayerNormOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  eps?: number;
}

/** Options as ops take them. */
function nodes(
  op: string,
  { weight, bias, eps }: LayerNormOptions,
): { weight: Node | null; bias: Node | null; eps?: number } {
  const node = (name: string, x: Tensor | null | undefined) => (x ? argument(op, name, x) : null);
  return { weight: node('weight', weight), bias: node('bias', bias), ...(eps !== undefined && { eps }) };
}

const asShape = (shape: number | Shape): Shape => (typeof shape === 'number' ? [shape] : shape);

/**
 * (x − mean)/√(variance + eps)·weight + bias, mean and variance over the last axes, which must be `normalizedShape`
 * (a number stands for one axis); weight and bias are of that shape. The variance divides by n (Ba et al. 2016).
 */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, options: LayerNormOptions = {}): Tensor {
  checkNames('layerNorm', options, ['weight', 'bias', 'eps']);
  return make(normalizeLayer(argument('layerNorm', 'x', x), asShape(normalizedShape), nodes('layerNorm', options)));
}

export interface RmsNormOptions {
  weight?: Tensor | null;
  /** 2⁻²³ by default. */
  eps?: number;
}

/** x/√(mean(x²) + eps)·weight over the last axes, which must be `normalizedShape` (Zhang and Sennrich 2019). */
export function rmsNorm(x: Tensor, normalizedShape: number | Shape, options: RmsNormOptions = {}): Tensor {
  checkNames('rmsNorm', options, ['weight', 'eps']);
  return make(n.rmsNorm(argument('rmsNorm', 'x', x), asShape(normalizedShape), nodes('rmsNorm', options)));
}

/**
 * Layer normalisation of x [N, C, ..] in `numGroups` groups of channels, over all else, then scaled and shifted by
 * weight and bias [C] (Wu and He 2018).
 */
export function groupNorm(x: Tensor, numGroups: number, options: LayerNormOptions = {}): Tensor {
  checkNames('groupNorm', options, ['weight', 'bias', 'eps']);
  return make(n.groupNorm(argument('groupNorm', 'x', x), numGroups, nodes('groupNorm', options)));
}

/** Each channel of each row of x [N, C, ..] by itself, then scaled and shifted (Ulyanov et al. 2016). */
export function instanceNorm(x: Tensor, options: LayerNormOptions = {}): Tensor {
  checkNames('instanceNorm', options, ['weight', 'bias', 'eps']);
  return make(n.instanceNorm(argument('instanceNorm', 'x', x), nodes('instanceNorm', options)));
}

export interface BatchNormOptions extends LayerNormOptions {
  /** Variables [C]: what a batch is normalised by outside training, and what training updates. */
  runningMean?: Tensor | null;
  runningVar?: Tensor | null;
  /** Whether this batch's own mean and variance are used, and the running ones moved towards them. */
  training?: boolean;
  /** How far they move: 0.1 by default. A tensor makes it depend on other values. */
  momentum?: Operand;
}

/**
 * (x − mean)/√(variance + eps)·weight + bias for each channel of x [N, C, ..] (Ioffe and Szegedy 2015). In training
 * mean and variance are this batch's, over all but the channels: gradients flow through them, and the running ones, if
 * there are any, move towards them. Outside it they are the running ones. The batch's variance divides by n, the
 * running one takes it over n − 1. A batch of one value a channel is an error in training.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): Tensor {
  const op = 'batchNorm';
  checkNames(op, options, ['runningMean', 'runningVar', 'weight', 'bias', 'training', 'momentum', 'eps']);
  const { runningMean = null, runningVar = null, training = false, momentum = 0.1 } = options;
  if ((runningMean === null) !== (runningVar === null)) {
    const [given, missing] = runningMean === null ? ['runningVar', 'runningMean'] : ['runningMean', 'runningVar'];
    throw new NablaError('option', `${op}: got ${given} without ${missing}; expected both or neither`, { op });
  }
  if (!training) {
    if (runningMean === null || runningVar === null) {
      throw new NablaError('option', `${op}: outside training it needs runningMean and runningVar; got neither`, {
        op,
      });
    }
    return make(
      n.batchNormBy(
        argument('batchNorm', 'x', x),
        argument('batchNorm', 'runningMean', runningMean),
        argument('batchNorm', 'runningVar', runningVar),
        nodes('batchNorm', options),
      ),
    );
  }
  const found = n.batchNorm(argument('batchNorm', 'x', x), nodes('batchNorm', options));
  if (runningMean !== null && runningVar !== null) {
    const count = x.size / (x.shape[1] as number);
    noGrad(() => {
      move(runningMean, make(found.mean), momentum);
      move(runningVar, make(found.variance).mul(count / (count - 1)), momentum);
    });
  }
  return make(found.y);
}

/** A step of a moving average. */
function move(running: Tensor, towards: Tensor, momentum: Operand): void {
  running.assign(running.add(towards.sub(running).mul(momentum)));
}
