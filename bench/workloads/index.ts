// The workloads that are measured, W1 to W8, and other shapes.
import { manualSeed } from '../../src/index.ts';
import { activation, crossEntropy } from './elements.ts';
import { cnn, inference, mlp, training } from './models.ts';
import { type Convolution, convolution, product } from './products.ts';
import { shapes } from './shapes.ts';
import { type Sizes, transformer } from './transformer.ts';
import type { Workload } from './workload.ts';

export type { Workload } from './workload.ts';

const W4: Convolution = { n: 16, c: 64, o: 64, size: 32, kernel: 3, padding: 1 };
const W8: Sizes = { batch: 8, tokens: 128, width: 128, heads: 4, hidden: 512, vocabulary: 64 };
const W2 = () => mlp(784, 256, 128, 10);

export function workloads(): Workload[] {
  manualSeed(0);
  return [
    ...[64, 256, 512, 1024].map((n) => product(`W1 GEMM n=${n}`, { m: n, n, k: n })),
    product('W1 A·Bᵀ n=256', { m: 256, n: 256, k: 256, transpose: 'b' }),
    product('W1 Aᵀ·B n=256', { m: 256, n: 256, k: 256, transpose: 'a' }),
    training('W2 MLP 784-256-128-10, batch 64', 64, W2, [784]),
    training('W2b MLP 784-32-10, batch 1', 1, () => mlp(784, 32, 10), [784]),
    training('W3 CNN, batch 64', 64, () => cnn(), [1, 28, 28]),
    convolution('W4 convolution', W4, 'forward'),
    convolution('W4 convolution', W4, 'dx'),
    convolution('W4 convolution', W4, 'dw'),
    crossEntropy(1024, 10),
    crossEntropy(256, 32000),
    activation('tanh', (x) => x.tanh()),
    activation('gelu, tanh form', (x) => x.gelu({ approximate: 'tanh' })),
    activation('gelu, erf form', (x) => x.gelu()),
    activation('sigmoid', (x) => x.sigmoid()),
    activation('relu', (x) => x.relu()),
    ...[1, 64].map((batch) => inference('MLP inference', batch, W2, [784])),
    ...[1, 64].map((batch) => inference('CNN inference', batch, () => cnn(), [1, 28, 28])),
    transformer('W8 transformer block, Adam', W8),
    ...shapes,
  ];
}
