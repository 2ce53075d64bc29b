// Layers that convolve. Weights and biases are uniform in ±1/√fanIn at first, fanIn = channels · window, as PyTorch's.
import { NablaError } from '../error.ts';
import { checkCount, checkNames } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { fanInUniform } from './init.ts';
import { Module, parameter } from './module.ts';
import {
  type Conv1dOptions,
  type ConvOptions,
  type ConvTranspose1dOptions,
  type ConvTransposeOptions,
  checkOutputPadding,
  checkPadding,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  NAMES,
  type Pair,
  pair,
  single,
} from './windows.ts';

type WithBias<O> = O & { bias?: boolean };

function checkChannels(op: string, inChannels: number, outChannels: number, groups: number): void {
  checkCount(op, 'inChannels', inChannels);
  checkCount(op, 'outChannels', outChannels);
  checkCount(op, 'groups', groups);
  if (inChannels % groups === 0 && outChannels % groups === 0) return;
  throw new NablaError('option', `${op}: ${inChannels} → ${outChannels} channels do not divide into ${groups} groups`);
}

/** weight [first, second, ...kernel] and bias [out], of `second · kernel` inputs. */
function weights(first: number, second: number, kernel: readonly number[], out: number, bias: boolean) {
  const fanIn = second * kernel.reduce((a, b) => a * b, 1);
  const weight = parameter(fanInUniform([first, second, ...kernel], fanIn));
  return { weight, bias: bias ? parameter(fanInUniform([out], fanIn)) : null };
}

/** x [N, in, L] → [N, out, OL]. weight [out, in/groups, K], bias [out]. */
export class Conv1d extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly options: Conv1dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: number, all: WithBias<Conv1dOptions> = {}) {
    super();
    const { bias = true, ...options } = all;
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
    checkNames('Conv1d', all, NAMES.conv);
    checkChannels('Conv1d', inChannels, outChannels, groups);
    const kernel = single('Conv1d', 'kernelSize', kernelSize, 1);
    single('Conv1d', 'stride', stride, 1);
    single('Conv1d', 'dilation', dilation, 1);
    if (typeof padding === 'string') checkPadding('Conv1d', padding, [stride]);
    else single('Conv1d', 'padding', padding, 0);
    const made = weights(outChannels, inChannels / groups, [kernel], outChannels, bias);
    this.weight = made.weight;
    this.bias = made.bias;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

/** x [N, in, H, W] → [N, out, OH, OW]. weight [out, in/groups, KH, KW], bias [out]. */
export class Conv2d extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly options: ConvOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, all: WithBias<ConvOptions> = {}) {
    super();
    const { bias = true, ...options } = all;
    const { groups = 1 } = options;
    checkNames('Conv2d', all, NAMES.conv);
    checkChannels('Conv2d', inChannels, outChannels, groups);
    const kernel = pair('Conv2d', 'kernelSize', kernelSize, 1);
    const stride = pair('Conv2d', 'stride', options.stride ?? 1, 1);
    checkPadding('Conv2d', options.padding ?? 0, stride);
    pair('Conv2d', 'dilation', options.dilation ?? 1, 1);
    const made = weights(outChannels, inChannels / groups, kernel, outChannels, bias);
    this.weight = made.weight;
    this.bias = made.bias;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

/** x [N, in, L] → [N, out, (L − 1)·stride + …]. weight [in, out/groups, K], bias [out]. */
export class ConvTranspose1d extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly options: ConvTranspose1dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: number, all: WithBias<ConvTranspose1dOptions> = {}) {
    super();
    const op = 'ConvTranspose1d';
    const { bias = true, ...options } = all;
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    checkNames(op, all, NAMES.convTranspose);
    checkChannels(op, inChannels, outChannels, groups);
    const kernel = single(op, 'kernelSize', kernelSize, 1);
    single(op, 'padding', padding, 0);
    checkOutputPadding(op, {
      stride: [1, single(op, 'stride', stride, 1)],
      dilation: [1, single(op, 'dilation', dilation, 1)],
      outputPadding: [0, single(op, 'outputPadding', outputPadding, 0)],
    });
    const made = weights(inChannels, outChannels / groups, [kernel], outChannels, bias);
    this.weight = made.weight;
    this.bias = made.bias;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

/** x [N, in, H, W] → [N, out, (H − 1)·stride + …, …]. weight [in, out/groups, KH, KW], bias [out]. */
export class ConvTranspose2d extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly options: ConvTransposeOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, all: WithBias<ConvTransposeOptions> = {}) {
    super();
    const op = 'ConvTranspose2d';
    const { bias = true, ...options } = all;
    const { groups = 1 } = options;
    checkNames(op, all, NAMES.convTranspose);
    checkChannels(op, inChannels, outChannels, groups);
    const kernel = pair(op, 'kernelSize', kernelSize, 1);
    pair(op, 'padding', options.padding ?? 0, 0);
    checkOutputPadding(op, {
      stride: pair(op, 'stride', options.stride ?? 1, 1),
      dilation: pair(op, 'dilation', options.dilation ?? 1, 1),
      outputPadding: pair(op, 'outputPadding', options.outputPadding ?? 0, 0),
    });
    const made = weights(inChannels, outChannels / groups, kernel, outChannels, bias);
    this.weight = made.weight;
    this.bias = made.bias;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, { ...this.options, bias: this.bias });
  }
}
