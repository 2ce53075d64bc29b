// Initial weights: Kaiming (He et al. 2015) and Xavier (Glorot and Bengio 2010), by uniform or normal draws.

import { rand, randn } from '../create.ts';
import { NablaError } from '../error.ts';
import { formatShape, type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Inputs and outputs of one unit, of weights [out, in, ...window]. */
function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2)
    throw new NablaError('shape', `init: ${formatShape(shape)} has no fan; expected weights [out, in, ...]`);
  const window = sizeOf(shape.slice(2));
  return { fanIn: (shape[1] as number) * window, fanOut: (shape[0] as number) * window };
}

/** Uniform in ±bound. */
export function uniform(shape: Shape, bound: number): Tensor {
  return rand(shape)
    .sub(0.5)
    .mul(2 * bound);
}
export function normal(shape: Shape, std: number): Tensor {
  return randn(shape).mul(std);
}

/** Uniform with variance 2 / ((1 + slope²)·fanIn): for ReLU, slope 0. */
export function kaimingUniform(shape: Shape, slope = 0): Tensor {
  return uniform(shape, Math.sqrt(6 / ((1 + slope * slope) * Math.max(1, fans(shape).fanIn))));
}
export function kaimingNormal(shape: Shape, slope = 0): Tensor {
  return normal(shape, Math.sqrt(2 / ((1 + slope * slope) * Math.max(1, fans(shape).fanIn))));
}
/** Uniform with variance 2 / (fanIn + fanOut): for tanh and sigmoid. */
export function xavierUniform(shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return uniform(shape, gain * Math.sqrt(6 / (fanIn + fanOut)));
}
export function xavierNormal(shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return normal(shape, gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/** What PyTorch's Linear and Conv2d start with: uniform in ±1/√fanIn, for weights and biases alike. */
export function fanInUniform(shape: Shape, fanIn: number): Tensor {
  return uniform(shape, fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0);
}
