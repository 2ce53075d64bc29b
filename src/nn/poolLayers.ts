// Layers of windows without weights: pooling and interpolation.
import { checkNames } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';
import {
  type AvgPool1dOptions,
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  checkDivisor,
  checkInterpolation,
  checkOutputSize,
  checkPooling,
  checkPooling1d,
  type InterpolateOptions,
  interpolate,
  type MaxPool1dOptions,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  NAMES,
  type OutputSize,
  type Pair,
  single,
} from './windows.ts';

/** Largest of each window of x [N,C,L]; the stride is the kernel's size by default. */
export class MaxPool1d extends Module {
  readonly kernelSize: number;
  readonly options: MaxPool1dOptions;

  constructor(kernelSize: number, options: MaxPool1dOptions = {}) {
    super();
    checkNames('MaxPool1d', options, NAMES.maxPool);
    checkPooling1d('MaxPool1d', kernelSize, options);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool1d(x, this.kernelSize, this.options);
  }
}

/** Largest of each window; the stride is the kernel's size by default. */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: MaxPoolOptions;

  constructor(kernelSize: Pair, options: MaxPoolOptions = {}) {
    super();
    checkNames('MaxPool2d', options, NAMES.maxPool);
    checkPooling('MaxPool2d', kernelSize, options);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/** Mean of each window of x [N,C,L]; the stride is the kernel's size by default. */
export class AvgPool1d extends Module {
  readonly kernelSize: number;
  readonly options: AvgPool1dOptions;

  constructor(kernelSize: number, options: AvgPool1dOptions = {}) {
    super();
    checkNames('AvgPool1d', options, NAMES.avgPool1d);
    checkPooling1d('AvgPool1d', kernelSize, options);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options);
  }
}

/** Mean of each window; the stride is the kernel's size by default. */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: AvgPoolOptions;

  constructor(kernelSize: Pair, options: AvgPoolOptions = {}) {
    super();
    checkNames('AvgPool2d', options, NAMES.avgPool2d);
    checkPooling('AvgPool2d', kernelSize, options);
    checkDivisor('AvgPool2d', options.divisorOverride);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/** x [N,C,L] → [N,C,outputSize], means of windows that cover x evenly. */
export class AdaptiveAvgPool1d extends Module {
  readonly outputSize: number;

  constructor(outputSize: number) {
    super();
    this.outputSize = single('AdaptiveAvgPool1d', 'outputSize', outputSize, 1);
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** x [N,C,H,W] → [N,C,…outputSize]; a size of null keeps that of x. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    checkOutputSize('AdaptiveAvgPool2d', outputSize);
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** x [N,C,L] → [N,C,outputSize], maxima of windows that cover x evenly. */
export class AdaptiveMaxPool1d extends Module {
  readonly outputSize: number;

  constructor(outputSize: number) {
    super();
    this.outputSize = single('AdaptiveMaxPool1d', 'outputSize', outputSize, 1);
  }

  forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }
}

/** x [N,C,H,W] → [N,C,…outputSize]; a size of null keeps that of x. */
export class AdaptiveMaxPool2d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    checkOutputSize('AdaptiveMaxPool2d', outputSize);
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }
}

/** x [N,C,L] or [N,C,H,W] in another `size`, or grown by `scaleFactor`; see `interpolate`. */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    checkNames('Upsample', options, NAMES.interpolate);
    checkInterpolation(options, 'Upsample');
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}
