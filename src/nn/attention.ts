// Self-attention with several heads.
import { zeros } from '../create.ts';
import { NablaError } from '../error.ts';
import { checkCount, checkNames } from '../options.ts';
import { formatShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { linear, scaledDotProductAttention } from './functional.ts';
import { xavierUniform } from './init.ts';
import { Linear } from './layers.ts';
import { Module, parameter, snakeCased } from './module.ts';

/**
 * Self-attention (Vaswani et al. 2017): x [B, T, embedDim] → the same shape. Queries, keys and values are one packed
 * projection: inProjWeight [3·embedDim, embedDim], Xavier-uniform at first, and inProjBias [3·embedDim], zeros; head h
 * has columns h·embedDim/numHeads … of each. outProj is a Linear whose bias starts at 0.
 */
export class MultiheadAttention extends Module {
  inProjWeight: Tensor;
  inProjBias: Tensor | null;
  readonly outProj: Linear;
  readonly embedDim: number;
  readonly numHeads: number;

  constructor(embedDim: number, numHeads: number, options: { bias?: boolean } = {}) {
    super();
    const { bias = true } = options;
    checkNames('MultiheadAttention', options, ['bias']);
    checkCount('MultiheadAttention', 'embedDim', embedDim);
    checkCount('MultiheadAttention', 'numHeads', numHeads);
    if (embedDim % numHeads !== 0) {
      throw new NablaError('option', `MultiheadAttention: embedDim ${embedDim} does not divide into ${numHeads} heads`);
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.inProjWeight = parameter(xavierUniform([3 * embedDim, embedDim]));
    this.inProjBias = bias ? parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    this.outProj.bias = bias ? parameter(zeros([embedDim])) : null;
  }

  /** Names as PyTorch's: `in_proj_weight`. */
  override children(): [string, unknown][] {
    return snakeCased(super.children());
  }

  /** With `isCausal`, position i sees positions 0 … i alone. */
  forward(x: Tensor, options: { isCausal?: boolean } = {}): Tensor {
    checkNames('MultiheadAttention', options, ['isCausal']);
    const { embedDim, numHeads } = this;
    const [batch, length, width] = x.shape as [number, number, number];
    if (x.shape.length !== 3 || width !== embedDim) {
      throw new NablaError('shape', `MultiheadAttention: x is ${formatShape(x.shape)}, expected [B, T, ${embedDim}]`, {
        op: 'MultiheadAttention',
        shape: x.shape,
      });
    }
    const packed = linear(x, this.inProjWeight, this.inProjBias);
    const heads = packed.reshape(batch, length, 3, numHeads, embedDim / numHeads).permute(2, 0, 3, 1, 4);
    const [q, k, v] = [0, 1, 2].map((i) => heads.slice({ start: i, stop: i + 1 }).reshape(heads.shape.slice(1)));
    const y = scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, options);
    return this.outProj.forward(y.transpose(1, 2).reshape(batch, length, embedDim));
  }
}
