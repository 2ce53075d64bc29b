// Convolution, pooling and interpolation of tensors, under PyTorch's names.
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import * as average from '../ops/averagePool.ts';
import * as conv from '../ops/conv.ts';
import * as transpose from '../ops/convTranspose.ts';
import * as resize from '../ops/interpolate.ts';
import * as max from '../ops/pool.ts';
import type { Pair } from '../ops/window.ts';
import { checkNames } from '../options.ts';
import { formatShape } from '../shape.ts';
import { argument, make, type Tensor } from '../tensor.ts';

export {
  type AvgPool1dOptions,
  type AvgPoolOptions,
  checkDivisor,
  checkOutputSize,
  type OutputSize,
} from '../ops/averagePool.ts';
export { type Conv1dOptions, type ConvOptions, checkPadding, type Padding } from '../ops/conv.ts';
export {
  type ConvTranspose1dOptions,
  type ConvTransposeOptions,
  checkOutputPadding,
} from '../ops/convTranspose.ts';
export { checkInterpolation, type InterpolateMode, type InterpolateOptions } from '../ops/interpolate.ts';
export { checkPooling, checkPooling1d, type MaxPool1dOptions, type MaxPoolOptions } from '../ops/pool.ts';
export { type Pair, pair, single, type WindowOptions, type WindowOptions1d } from '../ops/window.ts';

/** Names of options, for the checks of functions and layers alike. */
export const NAMES = {
  conv: ['stride', 'padding', 'dilation', 'groups', 'bias'],
  convTranspose: ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'bias'],
  maxPool: ['stride', 'padding', 'dilation', 'ceilMode'],
  avgPool1d: ['stride', 'padding', 'ceilMode', 'countIncludePad'],
  avgPool2d: ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'],
  interpolate: ['size', 'scaleFactor', 'mode', 'alignCorners'],
} as const;

type Bias = { bias?: Tensor | null };

/** y [N, O, ..] with a bias [O]. */
function biased(op: string, y: Node, bias: Tensor | null | undefined): Tensor {
  const result = make(y);
  if (!bias) return result;
  argument(op, 'bias', bias);
  const channels = y.shape[1] as number;
  if (bias.shape.length !== 1 || bias.shape[0] !== channels) {
    throw new NablaError('shape', `${op}: bias is ${formatShape(bias.shape)}, expected ${formatShape([channels])}`, {
      op,
      shape: bias.shape,
    });
  }
  return result.add(bias.reshape([channels, ...y.shape.slice(2).map(() => 1)]));
}

/** A convolution of any kind, its operands and the names of its options checked. */
function convolved<O>(
  op: string,
  f: (x: Node, weight: Node, options: O) => Node,
  names: readonly string[],
  [x, weight, options]: readonly [Tensor, Tensor, O & Bias],
): Tensor {
  checkNames(op, options, names);
  return biased(op, f(argument(op, 'x', x), argument(op, 'weight', weight), options), options.bias);
}

/** x [N,C,L] ⋆ w [O,C/groups,K] + b [O] → [N,O,OL]. Padding 'same' keeps L, at stride 1. */
export function conv1d(x: Tensor, weight: Tensor, options: conv.Conv1dOptions & Bias = {}): Tensor {
  return convolved('conv1d', conv.conv1d, NAMES.conv, [x, weight, options]);
}

/** x [N,C,H,W] ⋆ w [O,C/groups,KH,KW] + b [O] → [N,O,OH,OW]. Padding 'same' keeps H and W, at stride 1. */
export function conv2d(x: Tensor, weight: Tensor, options: conv.ConvOptions & Bias = {}): Tensor {
  return convolved('conv2d', conv.conv2d, NAMES.conv, [x, weight, options]);
}

/** x [N,C,L], w [C,O/groups,K], b [O] → [N,O,(L − 1)·stride − 2·padding + dilation·(K − 1) + outputPadding + 1]. */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  options: transpose.ConvTranspose1dOptions & Bias = {},
): Tensor {
  return convolved('convTranspose1d', transpose.convTranspose1d, NAMES.convTranspose, [x, weight, options]);
}

/**
 * The gradient of conv2d by its input, as a layer of its own: x [N,C,H,W], w [C,O/groups,KH,KW], b [O] → [N,O,OH,OW],
 * OH = (H − 1)·stride − 2·padding + dilation·(KH − 1) + outputPadding + 1.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  options: transpose.ConvTransposeOptions & Bias = {},
): Tensor {
  return convolved('convTranspose2d', transpose.convTranspose2d, NAMES.convTranspose, [x, weight, options]);
}

/** Largest of each window of x [N,C,L]; the stride is the kernel's size by default. */
export function maxPool1d(x: Tensor, kernelSize: number, options: max.MaxPool1dOptions = {}): Tensor {
  checkNames('maxPool1d', options, NAMES.maxPool);
  return make(max.maxPool1d(argument('maxPool1d', 'x', x), kernelSize, options));
}

/**
 * Largest of each window of x [N,C,H,W]; the stride is the kernel's size by default. Padding never wins; of equal ones
 * the first gets the gradient.
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: max.MaxPoolOptions = {}): Tensor {
  checkNames('maxPool2d', options, NAMES.maxPool);
  return make(max.maxPool2d(argument('maxPool2d', 'x', x), kernelSize, options));
}

/** Mean of each window of x [N,C,L]; the stride is the kernel's size by default. */
export function avgPool1d(x: Tensor, kernelSize: number, options: average.AvgPool1dOptions = {}): Tensor {
  checkNames('avgPool1d', options, NAMES.avgPool1d);
  return make(average.avgPool1d(argument('avgPool1d', 'x', x), kernelSize, options));
}

/** Mean of each window of x [N,C,H,W]; the stride is the kernel's size by default. */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: average.AvgPoolOptions = {}): Tensor {
  checkNames('avgPool2d', options, NAMES.avgPool2d);
  return make(average.avgPool2d(argument('avgPool2d', 'x', x), kernelSize, options));
}

/** x [N,C,L] → [N,C,outputSize]: means of windows ⌊i·L/n⌋ … ⌈(i + 1)·L/n⌉. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number): Tensor {
  return make(average.adaptiveAvgPool1d(argument('adaptiveAvgPool1d', 'x', x), outputSize));
}

/** x [N,C,H,W] → [N,C,…outputSize]; a size of null keeps that of x. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: average.OutputSize): Tensor {
  return make(average.adaptiveAvgPool2d(argument('adaptiveAvgPool2d', 'x', x), outputSize));
}

/** The largest of the same windows; of equal ones the first gets the gradient. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: number): Tensor {
  return make(average.adaptiveMaxPool1d(argument('adaptiveMaxPool1d', 'x', x), outputSize));
}

/** The largest of the same windows; of equal ones the first gets the gradient. */
export function adaptiveMaxPool2d(x: Tensor, outputSize: average.OutputSize): Tensor {
  return make(average.adaptiveMaxPool2d(argument('adaptiveMaxPool2d', 'x', x), outputSize));
}

/**
 * x [N,C,L] or [N,C,H,W] in another `size`, or grown by `scaleFactor`: each pixel the 'nearest' one, or 'linear' and
 * 'bilinear' mixes of neighbours. The gradient is the exact transpose.
 */
export function interpolate(x: Tensor, options: resize.InterpolateOptions): Tensor {
  checkNames('interpolate', options, NAMES.interpolate);
  return make(resize.interpolate(argument('interpolate', 'x', x), options));
}
