// Mistakes with precisions: the exact message of each, thrown on the user's own line.
import { describe, test } from 'vitest';
import { compile, concat, nn, rand, type Tensor, tensor, zeros } from '../src/index.ts';
import { expectMistake, type Mistake } from './helpers.ts';

// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (x: unknown): any => x;
const single = tensor([[1, 2]]);
const double = tensor(Float64Array.of(1, 2), { shape: [1, 2] });
const image = zeros([1, 1, 4, 4]);
const rows = (code: string, list: [string, () => unknown, string][]): Mistake[] =>
  list.map(([of, run, message]) => ({ of, run, code, message }));

const mistakes = rows('dtype', [
  [
    'float32 with float64',
    () => single.mul(double),
    "mul: dtypes differ: float32 and float64; convert one with .to('float64')",
  ],
  [
    'a tensor of one number is no number',
    () => double.mul(tensor(2)),
    "mul: dtypes differ: float64 and float32; convert one with .to('float64')",
  ],
  [
    'int32 with float64',
    () => double.add(tensor(Int32Array.of(1, 2))),
    "add: dtypes differ: float64 and int32; convert one with .to('float64') or .to('int32')",
  ],
  [
    'two branches',
    () => tensor([true, false]).where(single, double),
    "where: dtypes differ: float32 and float64; convert one with .to('float64')",
  ],
  [
    'a product',
    () => single.matmul(double.T),
    "matmul: dtypes differ: float32 and float64; convert one with .to('float64')",
  ],
  [
    'a convolution',
    () => nn.conv2d(image, zeros([1, 1, 2, 2], { dtype: 'float64' })),
    "conv2d: dtypes differ: float32 and float64; convert one with .to('float64')",
  ],
  [
    'a weight',
    () => nn.layerNorm(double, 2, { weight: tensor([1, 2]) }),
    "layerNorm: dtypes differ: float64 and float32; convert one with .to('float64')",
  ],
  [
    'probabilities',
    () => nn.crossEntropy(double, single),
    "crossEntropy: dtypes differ: float64 and float32; convert one with .to('float64')",
  ],
  ['parts', () => concat([single, double]), 'concat: dtypes differ: float32, float64; convert with .to()'],
  [
    'a model of float32',
    () => new nn.Linear(2, 1).forward(double),
    "matmul: dtypes differ: float64 and float32; convert one with .to('float64')",
  ],
  [
    'a float64 in a compiled function',
    () => compile((x: Tensor) => x.add(single))(double),
    "add: dtypes differ: float64 and float32; convert one with .to('float64')",
  ],
  [
    'a model of integers',
    () => new nn.Linear(2, 1).to('int32'),
    "Linear.to: got int32, expected float32; convert with .to('float32')",
  ],
  [
    'random integers',
    () => rand([2], { dtype: 'int32' }),
    "rand: got int32, expected float32; convert with .to('float32')",
  ],
  [
    'no dtype',
    () => double.to(wrong('double')),
    "to: \"double\" is no dtype; expected 'float32', 'float64', 'int32' or 'bool'",
  ],
  [
    'labels of float64',
    () => nn.crossEntropy(double, tensor(Float64Array.of(0.5))),
    "crossEntropy: labels [1] are float64; expected whole numbers, made with { dtype: 'int32' }",
  ],
]).concat(
  rows('data', [
    [
      'values of another precision',
      () => new nn.Linear(2, 1, { bias: false }).loadStateDict({ weight: double }),
      "loadStateDict: weight is float32 [1,2], got float64 [1,2]; use model.to('float64')",
    ],
  ]),
);

describe('precisions', () => {
  test.each(mistakes)('$of', (mistake) => expectMistake(mistake, 'errors.float64.test.ts'));
});
