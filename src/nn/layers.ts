// The layers: a function of functional.ts with its parameters.

import { arange } from '../create.ts';
import { NablaError } from '../error.ts';
import { checkCount, checkNames } from '../options.ts';
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bilinear, checkProbability, dropout, dropout1d, dropout2d, embedding, linear } from './functional.ts';
import { fanInUniform, normal } from './init.ts';
import { Module, parameter } from './module.ts';

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

/**
 * yₒ = aᵀ·Wₒ·b + biasₒ: a [.., in1], b [.., in2] → [.., out]. weight [out, in1, in2], bias [out], both uniform in ±1/√in1
 * at first.
 */
export class Bilinear extends Module {
  weight: Tensor;
  bias: Tensor | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    const { bias = true } = options;
    checkNames('Bilinear', options, ['bias']);
    checkCount('Bilinear', 'in1Features', in1Features);
    checkCount('Bilinear', 'in2Features', in2Features);
    checkCount('Bilinear', 'outFeatures', outFeatures);
    this.weight = parameter(fanInUniform([outFeatures, in1Features, in2Features], in1Features));
    this.bias = bias ? parameter(fanInUniform([outFeatures], in1Features)) : null;
  }

  forward(a: Tensor, b: Tensor): Tensor {
    return bilinear(a, b, this.weight, this.bias);
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

/** Axis `axis` as several, of `sizes`; one of these may be −1, to be worked out. */
export class Unflatten extends Module {
  readonly axis: number;
  readonly sizes: Shape;

  constructor(axis: number, sizes: Shape) {
    super();
    if (sizes.length === 0) throw new NablaError('option', 'Unflatten: sizes is []; expected at least one size');
    this.axis = axis;
    this.sizes = [...sizes];
  }

  forward(x: Tensor): Tensor {
    const { axis, sizes } = this;
    const at = normalizeAxis('Unflatten', axis, x.shape.length);
    const size = x.shape[at] as number;
    const known = sizeOf(sizes.filter((d) => d !== -1));
    const filled = sizes.map((d) => (d === -1 ? size / known : d));
    if (
      sizes.filter((d) => d === -1).length > 1 ||
      filled.some((d) => !Number.isInteger(d)) ||
      sizeOf(filled) !== size
    ) {
      throw new NablaError('shape', `Unflatten: axis ${axis} of ${formatShape(x.shape)} is no ${formatShape(sizes)}`, {
        op: 'Unflatten',
        shape: x.shape,
      });
    }
    return x.reshape([...x.shape.slice(0, at), ...filled, ...x.shape.slice(at + 1)]);
  }
}

/** Passes what it is given. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
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

export class LogSoftmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  forward(x: Tensor): Tensor {
    return x.logSoftmax(this.axis);
  }
}

/** Softmax over the channels of x [N, C, H, W]. */
export class Softmax2d extends Module {
  forward(x: Tensor): Tensor {
    if (x.shape.length === 4) return x.softmax(1);
    throw new NablaError('shape', `Softmax2d: x is ${formatShape(x.shape)}, expected [N, C, H, W]`, {
      op: 'Softmax2d',
      shape: x.shape,
    });
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

/** In training, drops whole channels of x [N, C, L], each of each row with probability p. */
export class Dropout1d extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkProbability('Dropout1d', p);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return dropout1d(x, this.p, this.training);
  }
}

/** In training, drops whole channels of images x [N, C, H, W], each of each image with probability p. */
export class Dropout2d extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkProbability('Dropout2d', p);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, this.training);
  }
}
