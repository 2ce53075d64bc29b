// Functions of tensors that layers are made of, under PyTorch's names. With attention.ts, windows.ts and norms.ts the only
// files of nn that know ops.

import { rand } from '../create.ts';
import { NablaError } from '../error.ts';
import { binaryEntropy as entropy } from '../ops/entropy.ts';
import { bilinear as bilinearForm } from '../ops/products.ts';
import { crossEntropy } from '../ops/softmax.ts';
import { checkNames } from '../options.ts';
import { formatShape } from '../shape.ts';
import { argument, make, type Tensor } from '../tensor.ts';

/** x [.., in] · wᵀ + b → [.., out]; w is [out, in], b [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const { shape } = argument('linear', 'x', x);
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

/** Σ aᵢ·wₒᵢⱼ·bⱼ + biasₒ: a [.., i], b [.., j], weight [o, i, j], bias [o] → [.., o]. */
export function bilinear(a: Tensor, b: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  return make(
    bilinearForm(
      argument('bilinear', 'a', a),
      argument('bilinear', 'b', b),
      argument('bilinear', 'weight', weight),
      bias ? argument('bilinear', 'bias', bias) : null,
    ),
  );
}

/**
 * Rows of weight [numEmbeddings, d] at index, int32 [..] → [.., d]. The row `paddingIdx` gets no gradient. An index
 * outside the table is an error.
 */
export function embedding(index: Tensor, weight: Tensor, options: { paddingIdx?: number | null } = {}): Tensor {
  checkNames('embedding', options, ['paddingIdx']);
  const { paddingIdx = null } = options;
  argument('embedding', 'index', index);
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
  if (p >= 0 && p <= 1) return;
  throw new NablaError('option', `${op}: p is ${p}; expected a probability, from 0 to 1`, { op, p });
}

/** exp(x) over its sum along an axis; and its log, which is finite wherever x is. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return x.softmax(axis);
}
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return x.logSoftmax(axis);
}

/** Sets each element to 0 with probability p and scales the rest by 1/(1 − p) (Srivastava et al. 2014). */
export function dropout(x: Tensor, p = 0.5, training = true): Tensor {
  checkProbability('dropout', p);
  if (!training || p === 0) return x;
  return rand(x.shape)
    .ge(p)
    .where(x.mul(1 / (1 - p)), 0);
}

/** Sets whole channels to 0: x [N,C,L], each channel of each row with probability p (Tompson et al. 2015). */
export function dropout1d(x: Tensor, p = 0.5, training = true): Tensor {
  return dropChannels('dropout1d', 1, x, p, training);
}
/** x [N,C,H,W]. */
export function dropout2d(x: Tensor, p = 0.5, training = true): Tensor {
  return dropChannels('dropout2d', 2, x, p, training);
}

function dropChannels(op: string, axes: 1 | 2, x: Tensor, p: number, training: boolean): Tensor {
  checkProbability(op, p);
  const { shape } = x;
  if (shape.length !== axes + 2) {
    const expected = axes === 1 ? '[N, C, L]' : '[N, C, H, W]';
    throw new NablaError('shape', `${op}: x is ${formatShape(shape)}, expected ${expected}`, { op, shape });
  }
  if (!training || p === 0) return x;
  const kept = rand(shape.map((d, i) => (i < 2 ? d : 1))).ge(p);
  return kept.where(x.mul(1 / (1 - p)), 0);
}
