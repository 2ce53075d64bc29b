// Layers that normalise. Running statistics are variables: training assigns them, evaluation reads them.
import { ones, state, tensor, zeros } from '../create.ts';
import { NablaError } from '../error.ts';
import { noGrad } from '../functions.ts';
import { checkCount, checkNames } from '../options.ts';
import { formatShape, type Shape } from '../shape.ts';
import type { Operand, Tensor } from '../tensor.ts';
import { Module, parameter, snakeCased } from './module.ts';
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from './norms.ts';

const asShape = (op: string, shape: number | Shape): Shape => {
  const list = typeof shape === 'number' ? [shape] : [...shape];
  for (const size of list) checkCount(op, 'normalizedShape', size);
  return list;
};

/** weight (ones) and bias (zeros) of a shape, as far as they are asked for. */
const affinity = (shape: Shape, weight: boolean, bias: boolean) => ({
  weight: weight ? parameter(ones(shape)) : null,
  bias: bias ? parameter(zeros(shape)) : null,
});

export interface LayerNormLayerOptions {
  eps?: number;
  elementwiseAffine?: boolean;
  bias?: boolean;
}

/**
 * Brings the last axes, of `normalizedShape`, to mean 0 and variance 1, then scales and shifts each element: shape
 * kept. weight (ones at first) and bias (zeros) are of normalizedShape, and null without `elementwiseAffine`.
 */
export class LayerNorm extends Module {
  weight: Tensor | null;
  bias: Tensor | null;
  readonly normalizedShape: Shape;
  readonly eps: number;

  constructor(normalizedShape: number | Shape, options: LayerNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    checkNames('LayerNorm', options, ['eps', 'elementwiseAffine', 'bias']);
    this.normalizedShape = asShape('LayerNorm', normalizedShape);
    this.eps = eps;
    const made = affinity(this.normalizedShape, elementwiseAffine, elementwiseAffine && bias);
    this.weight = made.weight;
    this.bias = made.bias;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
}

/** x/√(mean(x²) + eps)·weight over the last axes; weight (ones at first) is null without `elementwiseAffine`. */
export class RMSNorm extends Module {
  weight: Tensor | null;
  readonly normalizedShape: Shape;
  readonly eps: number | undefined;

  constructor(normalizedShape: number | Shape, options: { eps?: number; elementwiseAffine?: boolean } = {}) {
    super();
    const { eps, elementwiseAffine = true } = options;
    checkNames('RMSNorm', options, ['eps', 'elementwiseAffine']);
    this.normalizedShape = asShape('RMSNorm', normalizedShape);
    this.eps = eps;
    this.weight = affinity(this.normalizedShape, elementwiseAffine, false).weight;
  }

  forward(x: Tensor): Tensor {
    const { eps } = this;
    return rmsNorm(x, this.normalizedShape, { weight: this.weight, ...(eps !== undefined && { eps }) });
  }
}

/** Throws unless x has the axes of a layer and its channels. */
function checkInput(op: string, x: Tensor, axes: number, numFeatures: number, expected: string): void {
  if (x.shape.length === axes && x.shape[1] === numFeatures) return;
  throw new NablaError('shape', `${op}: x is ${formatShape(x.shape)}, expected ${expected}`, { op, shape: x.shape });
}

export interface BatchNormLayerOptions {
  eps?: number;
  /** How far running statistics move towards each batch's; null makes them the mean of all batches. */
  momentum?: number | null;
  affine?: boolean;
  trackRunningStats?: boolean;
}

/**
 * Batch normalisation: in training by the statistics of each batch, which move the running ones; after `eval()` by
 * these, or without `trackRunningStats` by the batch's always. weight (ones at first) and bias (zeros) are null
 * without `affine`.
 */
abstract class BatchNorm extends Module {
  weight: Tensor | null;
  bias: Tensor | null;
  runningMean: Tensor | null;
  runningVar: Tensor | null;
  /** How many batches trained the statistics, int32. */
  numBatchesTracked: Tensor | null;
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;

  constructor(op: string, numFeatures: number, options: BatchNormLayerOptions) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkNames(op, options, ['eps', 'momentum', 'affine', 'trackRunningStats']);
    checkCount(op, 'numFeatures', numFeatures);
    if (momentum !== null && !(momentum >= 0 && momentum <= 1)) {
      throw new NablaError('option', `${op}: momentum is ${momentum}; expected a number from 0 to 1, or null`, { op });
    }
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    const made = affinity([numFeatures], affine, affine);
    this.weight = made.weight;
    this.bias = made.bias;
    this.runningMean = trackRunningStats ? state(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? state(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? state(tensor(0, { dtype: 'int32' })) : null;
  }

  /** Names as PyTorch's: `running_mean`. */
  override children(): [string, unknown][] {
    return snakeCased(super.children());
  }

  protected normalize(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, eps } = this;
    const training = this.training || runningMean === null;
    const momentum = training ? this.#count() : 0;
    return batchNorm(x, { runningMean, runningVar, weight, bias, training, momentum, eps });
  }

  /** One batch more; gives how far the running statistics move. */
  #count(): Operand {
    const { numBatchesTracked, momentum } = this;
    if (numBatchesTracked === null) return 0;
    const n = noGrad(() => numBatchesTracked.add(1));
    numBatchesTracked.assign(n);
    return momentum ?? n.to(this.runningMean?.dtype ?? 'float32').reciprocal();
  }
}

/** `BatchNorm` of x [N, C] or [N, C, L]; C is numFeatures. */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super('BatchNorm1d', numFeatures, options);
  }

  forward(x: Tensor): Tensor {
    const c = this.numFeatures;
    checkInput('BatchNorm1d', x, x.shape.length === 3 ? 3 : 2, c, `[N, ${c}] or [N, ${c}, L]`);
    return this.normalize(x);
  }
}

/** `BatchNorm` of images x [N, C, H, W]; C is numFeatures. */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super('BatchNorm2d', numFeatures, options);
  }

  forward(x: Tensor): Tensor {
    checkInput('BatchNorm2d', x, 4, this.numFeatures, `[N, ${this.numFeatures}, H, W]`);
    return this.normalize(x);
  }
}

/** Layer normalisation of `numGroups` groups of the channels of x [N, C, ..]; weight and bias are [C]. */
export class GroupNorm extends Module {
  weight: Tensor | null;
  bias: Tensor | null;
  readonly numGroups: number;
  readonly eps: number;

  constructor(numGroups: number, numChannels: number, options: { eps?: number; affine?: boolean } = {}) {
    super();
    const { eps = 1e-5, affine = true } = options;
    checkNames('GroupNorm', options, ['eps', 'affine']);
    checkCount('GroupNorm', 'numGroups', numGroups);
    checkCount('GroupNorm', 'numChannels', numChannels);
    if (numChannels % numGroups !== 0) {
      throw new NablaError('option', `GroupNorm: ${numChannels} channels do not divide into ${numGroups} groups`);
    }
    this.numGroups = numGroups;
    this.eps = eps;
    const made = affinity([numChannels], affine, affine);
    this.weight = made.weight;
    this.bias = made.bias;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
}

/** Each channel of each image by itself. It keeps no running statistics, and has weights only with `affine`. */
abstract class InstanceNorm extends Module {
  weight: Tensor | null;
  bias: Tensor | null;
  readonly numFeatures: number;
  readonly eps: number;

  constructor(op: string, numFeatures: number, options: { eps?: number; affine?: boolean }) {
    super();
    const { eps = 1e-5, affine = false } = options;
    checkNames(op, options, ['eps', 'affine']);
    checkCount(op, 'numFeatures', numFeatures);
    this.numFeatures = numFeatures;
    this.eps = eps;
    const made = affinity([numFeatures], affine, affine);
    this.weight = made.weight;
    this.bias = made.bias;
  }

  protected normalize(x: Tensor): Tensor {
    return instanceNorm(x, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
}

/** `InstanceNorm` of x [N, C, L]; C is numFeatures. */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: { eps?: number; affine?: boolean } = {}) {
    super('InstanceNorm1d', numFeatures, options);
  }

  forward(x: Tensor): Tensor {
    checkInput('InstanceNorm1d', x, 3, this.numFeatures, `[N, ${this.numFeatures}, L]`);
    return this.normalize(x);
  }
}

/** `InstanceNorm` of images x [N, C, H, W]; C is numFeatures. */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: { eps?: number; affine?: boolean } = {}) {
    super('InstanceNorm2d', numFeatures, options);
  }

  forward(x: Tensor): Tensor {
    checkInput('InstanceNorm2d', x, 4, this.numFeatures, `[N, ${this.numFeatures}, H, W]`);
    return this.normalize(x);
  }
}
