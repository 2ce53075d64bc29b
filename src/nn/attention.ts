// Attention: the function, and the layer of several heads.
import { zeros } from '../create.ts';
import { isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { causalSoftmax } from '../ops/softmax.ts';
import { checkCount, checkNames } from '../options.ts';
import { formatShape } from '../shape.ts';
import { argument, make, Tensor } from '../tensor.ts';
import { checkProbability, dropout, linear } from './functional.ts';
import { xavierUniform } from './init.ts';
import { Linear } from './layers.ts';
import { Module, parameter, snakeCased } from './module.ts';

export interface AttentionOptions {
  /** Position i sees positions 0 … i alone. */
  isCausal?: boolean;
  /**
   * Broadcast to [.., T, S]: a bool says which positions take part, a float32 is added to their scores. Where it
   * hides all positions the result is 0.
   */
  attnMask?: Tensor | null;
  /** What scores are multiplied by: 1/√d by default. */
  scale?: number;
  /** The probability with which each weight of the average is dropped, as by `dropout`: 0 by default. */
  dropoutP?: number;
}

/** softmax(q·kᵀ·scale)·v: q [.., T, d], k [.., S, d], v [.., S, e] → [.., T, e] (Vaswani et al. 2017). */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkNames('scaledDotProductAttention', options, ['isCausal', 'attnMask', 'scale', 'dropoutP']);
  for (const [name, x] of Object.entries({ q, k, v })) argument('scaledDotProductAttention', name, x);
  checkAttention(q, k, v);
  const { isCausal = false, attnMask = null, scale = 1 / Math.sqrt(q.shape.at(-1) as number), dropoutP = 0 } = options;
  const average = (weights: Tensor) => dropout(weights, dropoutP).matmul(v);
  if (isCausal && attnMask) {
    throw new NablaError(
      'option',
      'scaledDotProductAttention: got both isCausal and attnMask; expected one: add the causal mask to attnMask',
    );
  }
  const scores = q.mul(scale).matmul(k.transpose(-1, -2));
  if (isCausal) return average(make(causalSoftmax(scores.node)));
  if (attnMask === null) return average(scores.softmax(-1));
  checkMask(attnMask, scores);
  return masked(scores, attnMask, average);
}

/** A row that a mask hides whole gives 0 and gets no gradient, as in PyTorch, where softmax alone would give NaN. */
function masked(scores: Tensor, mask: Tensor, average: (weights: Tensor) => Tensor): Tensor {
  const numbers = isFloat(mask.dtype) ? mask : mask.to('float32');
  const best = numbers.max(-1, true);
  const hidden = best.eq(mask.dtype === 'bool' ? 0 : Number.NEGATIVE_INFINITY);
  // A hidden row is computed as if it saw all, then left out.
  const open =
    mask.dtype === 'bool'
      ? numbers.ge(best).where(scores, Number.NEGATIVE_INFINITY)
      : scores.add(hidden.where(0, numbers));
  return hidden.where(0, average(open.softmax(-1)));
}

function checkMask(mask: Tensor, scores: Tensor): void {
  const op = 'scaledDotProductAttention';
  if (mask.dtype !== 'bool' && !isFloat(mask.dtype)) {
    throw new NablaError('dtype', `${op}: attnMask is ${mask.dtype}, expected bool, or float32 to be added`, { op });
  }
  const shape = scores.shape;
  const last = mask.shape.slice(-2);
  if (mask.shape.length > 0 && last.every((d, i) => d === 1 || d === shape[shape.length - last.length + i])) return;
  throw new NablaError(
    'shape',
    `${op}: attnMask ${formatShape(mask.shape)} does not broadcast to scores ${formatShape(shape)}`,
    { op, shapes: [mask.shape, shape] },
  );
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
 * Where attention may look: see AttentionOptions. In the mask true takes part, as in the function; in PyTorch's layer it
 * does not.
 */
export type HeadsOptions = Pick<AttentionOptions, 'isCausal' | 'attnMask'>;

/**
 * Attention of several heads (Vaswani et al. 2017): of x [B, T, embedDim] to itself, or of a query [B, T, embedDim] to
 * keys and values [B, S, embedDim] → [B, T, embedDim]. The three projections are packed: inProjWeight [3·embedDim,
 * embedDim], Xavier-uniform at first, and inProjBias [3·embedDim], zeros; head h has columns h·embedDim/numHeads … of
 * each. outProj is a Linear whose bias starts at 0. In training, weights are dropped with probability `dropout`.
 */
export class MultiheadAttention extends Module {
  inProjWeight: Tensor;
  inProjBias: Tensor | null;
  readonly outProj: Linear;
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;

  constructor(embedDim: number, numHeads: number, options: { bias?: boolean; dropout?: number } = {}) {
    super();
    const { bias = true, dropout = 0 } = options;
    checkNames('MultiheadAttention', options, ['bias', 'dropout']);
    checkCount('MultiheadAttention', 'embedDim', embedDim);
    checkCount('MultiheadAttention', 'numHeads', numHeads);
    checkProbability('MultiheadAttention', dropout);
    if (embedDim % numHeads !== 0) {
      throw new NablaError('option', `MultiheadAttention: embedDim ${embedDim} does not divide into ${numHeads} heads`);
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.inProjWeight = parameter(xavierUniform([3 * embedDim, embedDim]));
    this.inProjBias = bias ? parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    this.outProj.bias = bias ? parameter(zeros([embedDim])) : null;
  }

  /** Names as PyTorch's: `in_proj_weight`. */
  override children(): [string, unknown][] {
    return snakeCased(super.children());
  }

  forward(x: Tensor, options?: HeadsOptions): Tensor;
  forward(query: Tensor, key: Tensor, value: Tensor, options?: HeadsOptions): Tensor;
  forward(query: Tensor, second: Tensor | HeadsOptions = {}, third?: Tensor, last: HeadsOptions = {}): Tensor {
    const toItself = !(second instanceof Tensor);
    const options = toItself ? second : last;
    const inputs = toItself ? { x: query } : { query, key: second, value: third ?? second };
    checkNames('MultiheadAttention', options, ['isCausal', 'attnMask']);
    for (const [name, x] of Object.entries(inputs)) this.#check(name, x);
    const [q, k, v] = toItself ? this.#packed(query) : Object.values(inputs).map((x, i) => this.#heads(x, i));
    const dropoutP = this.training ? this.dropout : 0;
    const y = scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { ...options, dropoutP });
    return this.outProj.forward(y.transpose(1, 2).reshape(query.shape));
  }

  #check(name: string, x: Tensor): void {
    const { shape } = argument('MultiheadAttention', name, x);
    if (shape.length === 3 && shape[2] === this.embedDim) return;
    const length = name === 'x' || name === 'query' ? 'T' : 'S';
    throw new NablaError(
      'shape',
      `MultiheadAttention: ${name} is ${formatShape(shape)}, expected [B, ${length}, ${this.embedDim}]`,
      { op: 'MultiheadAttention', shape },
    );
  }

  /** Queries, keys and values of x by one product: each [B, heads, T, embedDim/heads]. */
  #packed(x: Tensor): Tensor[] {
    const [batch, length, width] = x.shape as [number, number, number];
    const packed = linear(x, this.inProjWeight, this.inProjBias);
    const heads = packed.reshape(batch, length, 3, this.numHeads, width / this.numHeads).permute(2, 0, 3, 1, 4);
    return [0, 1, 2].map((i) => heads.slice({ start: i, stop: i + 1 }).reshape(heads.shape.slice(1)));
  }

  /** Projection i of x. */
  #heads(x: Tensor, i: number): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const rows = { start: i * width, stop: (i + 1) * width };
    const projected = linear(x, this.inProjWeight.slice(rows), this.inProjBias?.slice(rows));
    return projected.reshape(batch, length, this.numHeads, width / this.numHeads).transpose(1, 2);
  }
}
