// Mistakes in use: making tensors, options, values read while tracing, disposed tensors. The exact message of each.
import { describe, expect, test } from 'vitest';
import { compile, explain, nn, optim, type Tensor, tensor, zeros } from '../src/index.ts';
import { expectMistake, type Mistake } from './helpers.ts';

/** What TypeScript would not let through; users of JavaScript get the message alone. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (x: unknown): any => x;
const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));
const weights = () => new nn.Linear(2, 1).parameters();

const made = [
  ...mistakes('data', [
    [
      'nothing',
      () => tensor(wrong(undefined)),
      'tensor: got undefined, expected a number, nested arrays or a typed array',
    ],
  ]),
  ...mistakes('shape', [
    [
      'a ragged array',
      () => tensor([[1, 2], [3]]),
      'tensor: the nested arrays are ragged: an array of 1 where 2 elements were expected on axis 1',
    ],
    [
      'a deeper ragged array',
      () =>
        tensor([
          [[1], [2]],
          [[3], [4, 5]],
        ]),
      'tensor: the nested arrays are ragged: an array of 2 where 1 elements were expected on axis 2',
    ],
    [
      'numbers beside arrays',
      () => tensor(wrong([[1, 2], 3])),
      'tensor: the nested arrays are ragged: number where 2 elements were expected on axis 1',
    ],
    [
      'a shape that does not fit',
      () => tensor(new Float32Array(6), { shape: [2, 2] }),
      'tensor: 6 elements do not fill shape [2,2], which has 4',
    ],
    [
      'a negative size',
      () => tensor([], { shape: [-1] }),
      'tensor: [-1] is no shape: expected whole numbers from 0, got -1',
    ],
  ]),
  ...mistakes('dtype', [
    [
      'an unknown dtype',
      () => tensor([1], { dtype: wrong('float16') }),
      "tensor: \"float16\" is no dtype; expected 'float32', 'float64', 'int32' or 'bool'",
    ],
    [
      'a fraction as an integer',
      () => tensor([1, 1.5], { dtype: 'int32' }),
      "tensor: element 1 is 1.5, which is no int32; use dtype 'float32' or round it",
    ],
    ['text', () => tensor(wrong([1, 'a'])), "tensor: element [1] is a string ('a'); expected a number"],
    [
      'the gradient of integers',
      () => tensor([1, 2], { dtype: 'int32', requiresGrad: true }),
      'tensor: requiresGrad needs float32 or float64, got int32',
    ],
    [
      'integers and floats',
      () => tensor([1.5]).add(tensor([1], { dtype: 'int32' })),
      "add: dtypes differ: float32 and int32; convert one with .to('float32') or .to('int32')",
    ],
  ]),
];

const options = mistakes('option', [
  ['Conv2d, stride', () => new nn.Conv2d(1, 1, 3, { stride: 0 }), 'Conv2d: stride is 0; expected whole numbers from 1'],
  [
    'Conv2d, one of two strides',
    () => new nn.Conv2d(1, 1, 3, { stride: [1, 0] }),
    'Conv2d: stride is [1,0]; expected whole numbers from 1',
  ],
  [
    'Conv2d, padding',
    () => new nn.Conv2d(1, 1, 3, { padding: -1 }),
    'Conv2d: padding is -1; expected whole numbers from 0',
  ],
  ['Conv2d, kernel', () => new nn.Conv2d(1, 1, 1.5), 'Conv2d: kernelSize is 1.5; expected whole numbers from 1'],
  ['Conv2d, groups', () => new nn.Conv2d(3, 4, 3, { groups: 2 }), 'Conv2d: 3 → 4 channels do not divide into 2 groups'],
  [
    'conv2d, dilation',
    () => nn.conv2d(zeros([1, 1, 4, 4]), zeros([1, 1, 2, 2]), { dilation: 0 }),
    'conv2d: dilation is 0; expected whole numbers from 1',
  ],
  ['MaxPool2d', () => new nn.MaxPool2d(0), 'MaxPool2d: kernelSize is 0; expected whole numbers from 1'],
  [
    'MaxPool2d, padding',
    () => new nn.MaxPool2d(2, { padding: 2 }),
    'MaxPool2d: padding 2,2 is more than half of the kernel 2,2',
  ],
  ['Linear', () => new nn.Linear(-1, 2), 'Linear: inFeatures is -1; expected a whole number from 1'],
  [
    'Linear without sizes',
    () => new (wrong(nn.Linear))(3),
    'Linear: outFeatures is undefined; expected a whole number from 1',
  ],
  ['LayerNorm', () => new nn.LayerNorm([4, 0]), 'LayerNorm: normalizedShape is 0; expected a whole number from 1'],
  [
    'MultiheadAttention',
    () => new nn.MultiheadAttention(10, 4),
    'MultiheadAttention: embedDim 10 does not divide into 4 heads',
  ],
  [
    'two masks',
    () =>
      nn.scaledDotProductAttention(zeros([2, 2]), zeros([2, 2]), zeros([2, 2]), {
        isCausal: true,
        attnMask: zeros([2, 2]),
      }),
    'scaledDotProductAttention: got both isCausal and attnMask; expected one: add the causal mask to attnMask',
  ],
  ['compile', () => compile(wrong(3)), 'compile: expected a function of tensors, got a number'],
  ['explain', () => explain(wrong(tensor(1))), 'explain: expected a function of tensors, got an object'],
  [
    'MultiheadAttention, dropout',
    () => new nn.MultiheadAttention(8, 2, { dropout: 2 }),
    'MultiheadAttention: p is 2; expected a probability, from 0 to 1',
  ],
  ['Bilinear', () => new nn.Bilinear(2, 0, 4), 'Bilinear: in2Features is 0; expected a whole number from 1'],
  ['Embedding', () => new nn.Embedding(0, 4), 'Embedding: numEmbeddings is 0; expected a whole number from 1'],
  [
    'Embedding, paddingIdx',
    () => new nn.Embedding(10, 4, { paddingIdx: 10 }),
    'Embedding: paddingIdx is 10; expected a whole number from 0 to 9',
  ],
  ['Dropout', () => new nn.Dropout(2), 'Dropout: p is 2; expected a probability, from 0 to 1'],
  ['SGD, lr', () => new optim.SGD(weights(), { lr: -1 }), 'SGD: lr is -1; expected a finite number from 0'],
  [
    'SGD, lr that is none',
    () => new optim.SGD(weights(), { lr: Number.NaN }),
    'SGD: lr is NaN; expected a finite number from 0',
  ],
  [
    'SGD, momentum',
    () => new optim.SGD(weights(), { lr: 1, momentum: -0.1 }),
    'SGD: momentum is -0.1; expected a finite number from 0',
  ],
  [
    'SGD, weightDecay',
    () => new optim.SGD(weights(), { lr: 1, weightDecay: -1 }),
    'SGD: weightDecay is -1; expected a finite number from 0',
  ],
  [
    'SGD, nesterov',
    () => new optim.SGD(weights(), { lr: 1, nesterov: true }),
    'SGD: nesterov needs a momentum above 0 and no dampening; got 0 and 0',
  ],
  ['SGD of nothing', () => new optim.SGD([], { lr: 1 }), 'SGD: got no parameters; expected model.parameters()'],
  [
    'Adam, betas',
    () => new optim.Adam(weights(), { lr: 1, betas: [0.9, 1] }),
    'Adam: betas[1] is 1; expected a number from 0 to below 1',
  ],
  ['Adam, eps', () => new optim.Adam(weights(), { eps: -1 }), 'Adam: eps is -1; expected a finite number from 0'],
  [
    'an unknown option',
    () => new optim.SGD(weights(), wrong({ lr: 1, weight_decay: 0.1 })),
    "SGD: unknown option 'weight_decay'; expected lr, momentum, dampening, nesterov or weightDecay",
  ],
  [
    'an unknown option of a layer',
    () => new nn.Conv2d(1, 1, 3, wrong({ pad: 1 })),
    "Conv2d: unknown option 'pad'; expected stride, padding, dilation, groups or bias",
  ],
  [
    'reduction',
    () => nn.mseLoss(zeros([2]), zeros([2]), { reduction: wrong('avg') }),
    "mseLoss: reduction is 'avg'; expected 'mean', 'sum' or 'none'",
  ],
]);

const read = (name: 'item' | 'data' | 'toArray') =>
  [
    `${name} while tracing`,
    () => compile((x: Tensor) => x.mul(x.exp()[name]() as number))(tensor(1)),
    'a value cannot be read while compile() traces: its elements are not known yet; read it before, or return the tensor from the function',
  ] as [string, () => unknown, string];
const ESCAPED =
  'a tensor made inside compile() was used outside; its elements exist only in the compiled program: return it from the function';
const escaped = () => {
  let kept: Tensor | undefined;
  compile((x: Tensor) => {
    kept = x.exp();
    return kept.mul(2);
  })(tensor(1));
  return kept as Tensor;
};
const traced = mistakes('trace', [
  read('item'),
  read('data'),
  read('toArray'),
  ['a traced tensor in an expression outside', () => escaped().add(1).item(), ESCAPED],
  ['reading a traced tensor outside', () => escaped().item(), ESCAPED],
]);

const disposed = () => {
  const x = tensor([1, 2]);
  x.dispose();
  return x;
};
const gone = 'this tensor was disposed; its memory is gone';
const uses = [
  ...mistakes('disposed', [
    ['data of a disposed tensor', () => disposed().data(), gone],
    ['an expression of a disposed tensor', () => disposed().add(1).toArray(), gone],
    ['a compiled function of a disposed tensor', () => compile((x: Tensor) => x.add(1))(disposed()).toArray(), gone],
    [
      'a tensor after its using block',
      () => {
        let kept: Tensor;
        {
          using x = tensor(3);
          kept = x;
          expect(x.add(1).item()).toBe(4);
        }
        return kept.item();
      },
      gone,
    ],
  ]),
  ...mistakes('shape', [
    ['item of many', () => zeros([2, 3]).item(), 'item: [2,3] has 6 elements, expected 1; use data() or toArray()'],
    ['item of none', () => zeros([0]).item(), 'item: [0] has 0 elements, expected 1; use data() or toArray()'],
  ]),
];

describe.each([...made, ...options, ...traced, ...uses])('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.use.test.ts'));
});

test('a value of one element can be read whatever its rank', () => {
  expect(tensor([[7]]).item()).toBe(7);
});
