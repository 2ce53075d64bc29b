// Other shapes than the round ones, where a cliff would show: odd sizes, few channels, strides, thin and long matrices,
// batches of one, three and 257.
import { cnn, mlp, training } from './models.ts';
import { type Convolution, convolution, type Pass, product } from './products.ts';
import type { Workload } from './workload.ts';

const PRODUCTS: [m: number, n: number, k: number][] = [
  [1, 1000, 1000],
  [3, 257, 100],
  [257, 3, 100],
  [64, 10, 128],
  [100, 100, 100],
  [127, 129, 131],
  [2048, 64, 64],
  [64, 2048, 64],
  [64, 64, 2048],
  [384, 384, 12],
  [1000, 1000, 1],
];

const CONVOLUTIONS: [string, Convolution][] = [
  ['7×7 stride 2, 3→64, 112²', { n: 4, c: 3, o: 64, size: 112, kernel: 7, stride: 2, padding: 3 }],
  ['1×1, 256→256, 14²', { n: 8, c: 256, o: 256, size: 14, kernel: 1 }],
  ['3×3 stride 2, 64→128, 28²', { n: 8, c: 64, o: 128, size: 28, kernel: 3, stride: 2, padding: 1 }],
  ['3×3 dilation 2, 32→32, 28²', { n: 8, c: 32, o: 32, size: 28, kernel: 3, padding: 2, dilation: 2 }],
  ['3×3 depthwise, 64, 28²', { n: 8, c: 64, o: 64, size: 28, kernel: 3, padding: 1, groups: 64 }],
  ['5×5, 1→16, 28²', { n: 64, c: 1, o: 16, size: 28, kernel: 5 }],
  ['5×5, 16→32, 12²', { n: 64, c: 16, o: 32, size: 12, kernel: 5 }],
  ['3×3, 64→64, 33², batch 1', { n: 1, c: 64, o: 64, size: 33, kernel: 3, padding: 1 }],
  ['3×3, 13→29, 17², batch 3', { n: 3, c: 13, o: 29, size: 17, kernel: 3, padding: 1 }],
  ['3×3, 8→8, 9², batch 257', { n: 257, c: 8, o: 8, size: 9, kernel: 3, padding: 1 }],
];

const PASSES: Pass[] = ['forward', 'dx', 'dw'];

export const shapes: Workload[] = [
  ...PRODUCTS.map(([m, n, k]) => product(`shapes GEMM ${m}×${n}×${k}`, { m, n, k })),
  product('shapes GEMM 32 × 128×128×32', { batch: 32, m: 128, n: 128, k: 32 }),
  product('shapes GEMM 32 × 128×32×128', { batch: 32, m: 128, n: 32, k: 128 }),
  ...CONVOLUTIONS.flatMap(([name, shape]) => PASSES.map((pass) => convolution(`shapes ${name}`, shape, pass))),
  ...[1, 3, 257].map((batch) =>
    training(`shapes MLP 784-256-128-10, batch ${batch}`, batch, () => mlp(784, 256, 128, 10), [784]),
  ),
  ...[1, 3, 257].map((batch) => training(`shapes CNN, batch ${batch}`, batch, () => cnn(), [1, 28, 28])),
  training('shapes MLP wide 784-4096-10, batch 32', 32, () => mlp(784, 4096, 10), [784]),
  training('shapes MLP deep 20 × 128, batch 32', 32, () => mlp(...new Array(20).fill(128), 10), [128]),
  training('shapes CNN 32², 3 channels, batch 32', 32, () => cnn(32, 3), [3, 32, 32]),
];
