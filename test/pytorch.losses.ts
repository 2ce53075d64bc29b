// How the losses of the fixtures are called: see pytorch.ops.test.ts.
import { nn, type Tensor } from '../src/index.ts';

type Given = [Tensor, Tensor, Tensor, Tensor?];
// biome-ignore lint/suspicious/noExplicitAny: options differ from op to op and come from a file
type Run = (t: Given, options: any) => Tensor;

/** Weights follow prediction and target in this order, where the options say that they are there. */
function weights([, , ...given]: Given, options: { weight?: boolean; posWeight?: boolean }) {
  const names = (['weight', 'posWeight'] as const).filter((name) => options[name]);
  return Object.fromEntries(names.map((name, i) => [name, given[i]]));
}

export const losses: Record<string, Run> = {
  l1Loss: ([x, y], o) => nn.l1Loss(x, y, o),
  huberLoss: ([x, y], o) => nn.huberLoss(x, y, o),
  smoothL1Loss: ([x, y], o) => nn.smoothL1Loss(x, y, o),
  binaryCrossEntropyWeighted: (t, o) => nn.binaryCrossEntropy(t[0], t[1], { reduction: o.reduction, ...weights(t, o) }),
  binaryCrossEntropyWithLogitsWeighted: (t, o) =>
    nn.binaryCrossEntropyWithLogits(t[0], t[1], { reduction: o.reduction, ...weights(t, o) }),
  crossEntropyOptions: ([x, labels, weight], o) => nn.crossEntropy(x, labels, { weight, ...o }),
  crossEntropySoft: ([x, z, weight], o) => nn.crossEntropy(x, z.softmax(o.axis ?? -1), { weight, ...o }),
  nllLoss: ([x, labels, weight], o) => nn.nllLoss(x.logSoftmax(o.axis ?? -1), labels, { weight, ...o }),
  klDiv: ([x, z], o) => nn.klDiv(x.logSoftmax(), o.logTarget ? z.logSoftmax() : z.softmax(), o),
  hingeLoss: ([x, y], o) => nn.hingeLoss(x, y, o),
  hingeEmbeddingLoss: ([x, y], o) => nn.hingeEmbeddingLoss(x, y, o),
  cosineEmbeddingLoss: ([a, b, y], o) => nn.cosineEmbeddingLoss(a, b, y, o),
  tripletMarginLoss: ([a, p, n], o) => nn.tripletMarginLoss(a, p, n, o),
  tripletMarginLossInf: ([a, p, n], o) => nn.tripletMarginLoss(a, p, n, { ...o, p: Infinity }),
  marginRankingLoss: ([a, b, y], o) => nn.marginRankingLoss(a, b, y, o),
};

/** Those whose second input holds labels. */
export const LABELLED = ['crossEntropyOptions', 'nllLoss'];
