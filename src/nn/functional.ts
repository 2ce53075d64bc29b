// Functions of tensors that layers are made of, under PyTorch's names; the one file of nn that knows ops.

import { rand } from '../create.ts';
import { NablaError } from '../error.ts';
import { type ConvOptions, conv2d as convolve } from '../ops/conv.ts';
import { binaryEntropy as entropy } from '../ops/entropy.ts';
import { layerNorm as normalize } from '../ops/norm.ts';
import { maxPool2d as pool } from '../ops/pool.ts';
import { causalSoftmax, crossEntropy } from '../ops/softmax.ts';
import type { Pair, WindowOptions } from '../ops/window.ts';
import { checkNames } from '../options.ts';
import { formatShape, type Shape } from '../shape.ts';
import { make, type Tensor } from '../tensor.ts';

export { checkPooling } from '../ops/pool.ts';
export { type Pair, pair, type WindowOptions } from '../ops/window.ts';
export type { ConvOptions };

/** x [.., in] · wᵀ + b → [.., out]; w is [out, in], b [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const { shape } = x;
  const [out, inputs] = weight.shape as [number, number];
  if (shape.length === 0 || shape.at(-1) !== inputs) {
    throw new NablaError(
      'shape',
      `linear: x ${formatShape(shape)} does not fit weight ${formatShape(weight.shape)}; x's last size must be ${inputs}`,
      { op: 'linear', shapes: [shape, weight.shape] },
    );
  }
  const rows = shape.length === 2 ? x : x.reshape([shape.slice(0, -1).reduce((a, b) => a * b, 1), inputs]);
  const product = rows.matmul(weight.T);
  const y = bias ? product.add(bias) : product;
  return shape.length === 2 ? y : y.reshape([...shape.slice(0, -1), out]);
}

/** x [N,C,H,W] ⋆ w [O,C/groups,KH,KW] + b [O] → [N,O,OH,OW]. */
export function conv2d(x: Tensor, weight: Tensor, options: ConvOptions & { bias?: Tensor | null } = {}): Tensor {
  const y = make(convolve(x.node, weight.node, options));
  if (!options.bias) return y;
  const { shape } = options.bias;
  if (shape.length !== 1 || shape[0] !== weight.shape[0]) {
    throw new NablaError(
      'shape',
      `conv2d: bias is ${formatShape(shape)}, expected ${formatShape([weight.shape[0] as number])}`,
      {
        op: 'conv2d',
        shape,
      },
    );
  }
  return y.add(options.bias.reshape([options.bias.size, 1, 1]));
}

/** Largest of each window of x [N,C,H,W]; the stride is the kernel's size by default. */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: WindowOptions = {}): Tensor {
  return make(pool(x.node, kernelSize, options));
}

export interface LayerNormOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  eps?: number;
}

/**
 * (x − mean)/√(variance + eps)·weight + bias, mean and variance over the last axes, which must be `normalizedShape`
 * (a number stands for one axis); weight and bias are of that shape. The variance divides by n (Ba et al. 2016).
 */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, options: LayerNormOptions = {}): Tensor {
  checkNames('layerNorm', options, ['weight', 'bias', 'eps']);
  const { weight, bias, eps } = options;
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  return make(
    normalize(x.node, shape, {
      weight: weight?.node ?? null,
      bias: bias?.node ?? null,
      ...(eps !== undefined && { eps }),
    }),
  );
}

export interface AttentionOptions {
  /** Position i sees positions 0 … i alone. */
  isCausal?: boolean;
  /** Broadcast to [.., T, S]: a bool says which positions take part, a float32 is added to their scores. */
  attnMask?: Tensor | null;
  /** What scores are multiplied by: 1/√d by default. */
  scale?: number;
}

/** softmax(q·kᵀ·scale)·v: q [.., T, d], k [.., S, d], v [.., S, e] → [.., T, e] (Vaswani et al. 2017). */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkNames('scaledDotProductAttention', options, ['isCausal', 'attnMask', 'scale']);
  checkAttention(q, k, v);
  const { isCausal = false, attnMask = null, scale = 1 / Math.sqrt(q.shape.at(-1) as number) } = options;
  if (isCausal && attnMask) {
    throw new NablaError(
      'option',
      'scaledDotProductAttention: got both isCausal and attnMask; expected one: add the causal mask to attnMask',
    );
  }
  const scores = q.mul(scale).matmul(k.transpose(-1, -2));
  if (isCausal) return make(causalSoftmax(scores.node)).matmul(v);
  return masked(scores, attnMask).softmax(-1).matmul(v);
}

function masked(scores: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) return scores;
  return mask.dtype === 'bool' ? mask.where(scores, Number.NEGATIVE_INFINITY) : scores.add(mask);
}

function checkAttention(q: Tensor, k: Tensor, v: Tensor): void {
  const fits =
    [q, k, v].every(({ shape }) => shape.length >= 2) &&
    q.shape.at(-1) === k.shape.at(-1) &&
    k.shape.at(-2) === v.shape.at(-2);
  if (fits) return;
  throw new NablaError(
    'shape',
    `scaledDotProductAttention: q ${formatShape(q.shape)}, k ${formatShape(k.shape)} and v ${formatShape(v.shape)} ` +
      'do not fit; expected [.., T, d], [.., S, d] and [.., S, e]',
    { op: 'scaledDotProductAttention', shapes: [q.shape, k.shape, v.shape] },
  );
}

/**
 * Rows of weight [numEmbeddings, d] at index, int32 [..] → [.., d]. The row `paddingIdx` gets no gradient. An index
 * outside the table is an error.
 */
export function embedding(index: Tensor, weight: Tensor, options: { paddingIdx?: number | null } = {}): Tensor {
  checkNames('embedding', options, ['paddingIdx']);
  const { paddingIdx = null } = options;
  if (index.dtype !== 'int32') {
    throw new NablaError(
      'dtype',
      `embedding: the index is ${index.dtype}, expected int32; make it with { dtype: 'int32' }`,
      { op: 'embedding' },
    );
  }
  const picked = weight.indexSelect(0, index.reshape(-1)).reshape([...index.shape, ...weight.shape.slice(1)]);
  if (paddingIdx === null) return picked;
  const learns = index.ne(paddingIdx).reshape([...index.shape, 1]);
  return learns.where(picked, picked.detach());
}

/** Softmax cross-entropy of each row of logits [.., K]; labels int32 [..] or probabilities [.., K] → [..]. */
export function crossEntropyRows(logits: Tensor, target: Tensor): Tensor {
  return make(crossEntropy(logits.node, target.node));
}

/** −(y·log p + (1 − y)·log(1 − p)) of each element, logs held at −100. */
export function binaryEntropy(p: Tensor, target: Tensor): Tensor {
  return make(entropy(p.node, target.node));
}

export function checkProbability(op: string, p: number): void {
  if (p >= 0 && p < 1) return;
  throw new NablaError('option', `${op}: p is ${p}; expected a probability from 0 to below 1`, { op, p });
}

/** Sets each element to 0 with probability p and scales the rest by 1/(1 − p) (Srivastava et al. 2014). */
export function dropout(x: Tensor, p = 0.5, training = true): Tensor {
  checkProbability('dropout', p);
  if (!training || p === 0) return x;
  return rand(x.shape)
    .ge(p)
    .where(x.mul(1 / (1 - p)), 0);
}
