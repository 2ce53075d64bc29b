// The operations of networks as fixtures/ops_networks.py names them.
import { nn, type Tensor, tensor } from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: options differ from op to op and come from a file
type Options = any;

const maybe = (weight: Tensor | undefined, bias: Tensor | undefined) => ({
  weight: weight ?? null,
  bias: bias ?? null,
});
const vector = (values: number[] | undefined) => (values === undefined ? null : tensor(values));

/** By heads: no layer is made inside a compiled function. */
const LAYERS: Record<number, nn.MultiheadAttention> = {
  2: new nn.MultiheadAttention(8, 2),
  4: new nn.MultiheadAttention(8, 4),
};

type Given = [Tensor, Tensor, Tensor?, Tensor?, ...Tensor[]];

export const networks: Record<string, (t: Given, options: Options) => Tensor> = {
  conv1d: ([x, w, bias], o) => nn.conv1d(x, w, { ...o, bias: bias ?? null }),
  convTranspose1d: ([x, w, bias], o) => nn.convTranspose1d(x, w, { ...o, bias: bias ?? null }),
  convTranspose2d: ([x, w, bias], o) => nn.convTranspose2d(x, w, { ...o, bias: bias ?? null }),
  maxPool1d: ([x], { kernel, ...o }) => nn.maxPool1d(x, kernel, o),
  maxPool2dCeil: ([x], { kernel, ...o }) => nn.maxPool2d(x, kernel, o),
  avgPool1d: ([x], { kernel, ...o }) => nn.avgPool1d(x, kernel, o),
  avgPool2d: ([x], { kernel, ...o }) => nn.avgPool2d(x, kernel, o),
  adaptiveAvgPool1d: ([x], { size }) => nn.adaptiveAvgPool1d(x, size),
  adaptiveAvgPool2d: ([x], { size }) => nn.adaptiveAvgPool2d(x, size),
  adaptiveMaxPool1d: ([x], { size }) => nn.adaptiveMaxPool1d(x, size),
  adaptiveMaxPool2d: ([x], { size }) => nn.adaptiveMaxPool2d(x, size),
  interpolate: ([x], o) => nn.interpolate(x, o),
  batchNorm: ([x, w, bias], { mean, variance, ...o }) =>
    nn.batchNorm(x, {
      ...{ ...maybe(w, bias), ...o, training: mean === undefined },
      ...{ runningMean: vector(mean), runningVar: vector(variance) },
    }),
  groupNorm: ([x, w, bias], { groups, ...o }) => nn.groupNorm(x, groups, { ...maybe(w, bias), ...o }),
  instanceNorm: ([x, w, bias], o) => nn.instanceNorm(x, { ...maybe(w, bias), ...o }),
  rmsNorm: ([x, weight], { shape, ...o }) => nn.rmsNorm(x, shape, { weight: weight ?? null, ...o }),
  attentionHidden: ([q, k, v], { mask, added, ...o }) => {
    const bools = tensor(mask, { dtype: 'bool' });
    const attnMask = added ? bools.where(0, Number.NEGATIVE_INFINITY) : bools;
    return nn.scaledDotProductAttention(q, k, v as Tensor, { attnMask, ...o });
  },
  multiheadAttention: ([query, key, value, ...packed], { heads, mask }) => {
    const layer = LAYERS[heads] as nn.MultiheadAttention;
    [layer.inProjWeight, layer.inProjBias, layer.outProj.weight, layer.outProj.bias] = packed as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    return layer.forward(query, key, value as Tensor, { attnMask: mask ? tensor(mask, { dtype: 'bool' }) : null });
  },
};
