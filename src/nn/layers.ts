// The layers: a function of functional.ts with its parameters.

import { arange, ones, zeros } from '../create.ts';
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import {
  type ConvOptions,
  checkPooling,
  checkProbability,
  conv2d,
  dropout,
  embedding,
  layerNorm,
  linear,
  maxPool2d,
  type Pair,
  pair,
  type WindowOptions,
} from './functional.ts';
import { fanInUniform, normal } from './init.ts';
import { Module, parameter } from './module.ts';

export function checkCount(op: string, name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new NablaError('option', `${op}: ${name} is ${value}; expected a whole number from 1`, {
    op,
    option: name,
    value,
  });
}

/** Layers one after another. */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    const wrong = layers.findIndex((l) => !(l instanceof Module));
    if (wrong >= 0) throw new NablaError('option', `Sequential: argument ${wrong} is no Module`);
    this.layers = layers;
  }

  /** Layer i; negative i counts from the end. The type says which layer it is: `model.at<nn.Linear>(0).weight`. */
  // biome-ignore lint/suspicious/noExplicitAny: as in a Python list, the caller knows which layer stands there
  at<T extends Module = any>(i: number): T {
    const layer = this.layers.at(i);
    if (layer === undefined)
      throw new NablaError('option', `Sequential: at(${i}), but there are ${this.layers.length} layers`);
    return layer as T;
  }

  /** Names as PyTorch's: `0.weight`, not `layers.0.weight`. */
  override children(): [string, unknown][] {
    return Object.entries(this.layers);
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer, i) => this.within(`${i}`, layer, y), x);
  }
}

/** y = x·Wᵀ + b: x [.., in] → [.., out]. weight [out, in], bias [out], both uniform in ±1/√in at first. */
export class Linear extends Module {
  weight: Tensor;
  bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    const { bias = true } = options;
    checkNames('Linear', options, ['bias']);
    checkCount('Linear', 'inFeatures', inFeatures);
    checkCount('Linear', 'outFeatures', outFeatures);
    this.weight = parameter(fanInUniform([outFeatures, inFeatures], inFeatures));
    this.bias = bias ? parameter(fanInUniform([outFeatures], inFeatures)) : null;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** x [N, in, H, W] → [N, out, OH, OW]. weight [out, in/groups, KH, KW], bias [out]. */
export class Conv2d extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly options: ConvOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, all: ConvOptions & { bias?: boolean } = {}) {
    super();
    const { bias = true, ...options } = all;
    checkNames('Conv2d', all, ['stride', 'padding', 'dilation', 'groups', 'bias']);
    checkCount('Conv2d', 'inChannels', inChannels);
    checkCount('Conv2d', 'outChannels', outChannels);
    const groups = options.groups ?? 1;
    checkCount('Conv2d', 'groups', groups);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new NablaError(
        'option',
        `Conv2d: ${inChannels} → ${outChannels} channels do not divide into ${groups} groups`,
      );
    }
    const kernel = pair('Conv2d', 'kernelSize', kernelSize, 1);
    pair('Conv2d', 'stride', options.stride ?? 1, 1);
    pair('Conv2d', 'padding', options.padding ?? 0, 0);
    pair('Conv2d', 'dilation', options.dilation ?? 1, 1);
    const fanIn = (inChannels / groups) * kernel[0] * kernel[1];
    this.weight = parameter(fanInUniform([outChannels, inChannels / groups, ...kernel], fanIn));
    this.bias = bias ? parameter(fanInUniform([outChannels], fanIn)) : null;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

/** Largest of each window; the stride is the kernel's size by default. */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: WindowOptions;

  constructor(kernelSize: Pair, options: WindowOptions = {}) {
    super();
    checkNames('MaxPool2d', options, ['stride', 'padding', 'dilation']);
    checkPooling('MaxPool2d', kernelSize, options);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

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
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    for (const size of this.normalizedShape) checkCount('LayerNorm', 'normalizedShape', size);
    this.eps = eps;
    this.weight = elementwiseAffine ? parameter(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? parameter(zeros(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
}

/**
 * A table of vectors: index, int32 [..] in 0 … numEmbeddings − 1 → [.., embeddingDim]. weight [numEmbeddings,
 * embeddingDim] is N(0, 1) at first; the row `paddingIdx` is 0 and learns nothing.
 */
export class Embedding extends Module {
  weight: Tensor;
  readonly paddingIdx: number | null;

  constructor(numEmbeddings: number, embeddingDim: number, options: { paddingIdx?: number } = {}) {
    super();
    checkNames('Embedding', options, ['paddingIdx']);
    checkCount('Embedding', 'numEmbeddings', numEmbeddings);
    checkCount('Embedding', 'embeddingDim', embeddingDim);
    const { paddingIdx = null } = options;
    if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < numEmbeddings)) {
      throw new NablaError(
        'option',
        `Embedding: paddingIdx is ${paddingIdx}; expected a whole number from 0 to ${numEmbeddings - 1}`,
      );
    }
    const drawn = normal([numEmbeddings, embeddingDim], 1);
    const rows = arange(numEmbeddings).reshape(numEmbeddings, 1);
    this.weight = parameter(paddingIdx === null ? drawn : rows.ne(paddingIdx).where(drawn, 0));
    this.paddingIdx = paddingIdx;
  }

  forward(index: Tensor): Tensor {
    return embedding(index, this.weight, { paddingIdx: this.paddingIdx });
  }
}

/** Axes `startAxis` … `endAxis` as one: by default all but the batch. */
export class Flatten extends Module {
  readonly startAxis: number;
  readonly endAxis: number;

  constructor(startAxis = 1, endAxis = -1) {
    super();
    this.startAxis = startAxis;
    this.endAxis = endAxis;
  }

  forward(x: Tensor): Tensor {
    return x.flatten(this.startAxis, this.endAxis);
  }
}

/** max(x, 0); the derivative at 0 is 0. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}
/** x·Φ(x); `approximate: 'tanh'` for the form of GPT-2 and its like. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(options: { approximate?: 'none' | 'tanh' } = {}) {
    super();
    checkNames('GELU', options, ['approximate']);
    this.approximate = options.approximate ?? 'none';
  }

  forward(x: Tensor): Tensor {
    return x.gelu({ approximate: this.approximate });
  }
}
export class Softmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  forward(x: Tensor): Tensor {
    return x.softmax(this.axis);
  }
}

/** In training, drops each element with probability p and scales the rest by 1/(1 − p); otherwise does nothing. */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkProbability('Dropout', p);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }
}
