// Mistakes in shapes, indices and gradients: the exact message, at the line that makes the mistake.
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, optim, Tensor, tensor, zeros } from '../src/index.ts';
import { expectMistake, fill, type Mistake, thrown } from './helpers.ts';

const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));
const z = (...shape: number[]) => zeros(shape);

const shapes = mistakes('shape', [
  [
    'matmul',
    () => z(2, 3).matmul(z(2, 3)),
    "matmul: inner sizes differ: a [2,3] · b [2,3]; a's last (3) must equal b's second-to-last (2)",
  ],
  [
    'matmul by a vector',
    () => z(2, 3).matmul(z(2)),
    "matmul: inner sizes differ: a [2,3] · b [2]; a's last (3) must equal b's last (2)",
  ],
  [
    'matmul, a stack of matrices',
    () => z(2, 3, 4).matmul(z(5, 6)),
    "matmul: inner sizes differ: a [2,3,4] · b [5,6]; a's last (4) must equal b's second-to-last (5)",
  ],
  [
    'matmul, batches',
    () => z(2, 3, 4).matmul(z(5, 4, 6)),
    'matmul: shapes [2] and [5] do not broadcast: axis -1 has 2 and 5; sizes must be equal or 1',
  ],
  ['matmul of a scalar', () => z().matmul(z(2, 3)), 'matmul: a [] · b [2,3]: a scalar has no product; use mul'],
  [
    'broadcast',
    () => z(2, 3).add(z(2, 4)),
    'add: shapes [2,3] and [2,4] do not broadcast: axis -1 has 3 and 4; sizes must be equal or 1',
  ],
  [
    'broadcast, another axis',
    () => z(5, 2, 3).mul(z(4, 1)),
    'mul: shapes [5,2,3] and [4,1] do not broadcast: axis -2 has 2 and 4; sizes must be equal or 1',
  ],
  [
    'expand',
    () => z(2, 3).expand(4, 3),
    'expand: shapes [2,3] and [4,3] do not broadcast: axis -2 has 2 and 4; sizes must be equal or 1',
  ],
  ['reshape', () => z(2, 3).reshape(4, 2), 'reshape: [2,3] has 6 elements, [4,2] needs 8'],
  ['reshape with -1', () => z(2, 3).reshape(4, -1), 'reshape: [2,3] has 6 elements, [4,-1] needs a multiple of 4'],
  [
    'reshape with two -1',
    () => z(2, 3).reshape(-1, -1),
    'reshape: [2,3] has 6 elements, [-1,-1] leaves more than one size open',
  ],
  ['an axis', () => z(2, 3).sum(2), 'sum: axis 2 is out of range: expected an integer from -2 to 1'],
  ['an axis of a scalar', () => z().max(0), 'max: axis 0 is out of range: a scalar has no axes'],
  ['an axis twice', () => z(2, 3).mean([1, -1]), 'mean: axes [1,-1] name an axis twice'],
  ['softmax', () => z(2, 3).softmax(-3), 'softmax: axis -3 is out of range: expected an integer from -2 to 1'],
  ['permute', () => z(2, 3).permute(0, 0), 'permute: [0,0] does not name each of the 2 axes of [2,3] once'],
  ['too few axes', () => z(2, 3, 4).permute(1, 0), 'permute: [1,0] does not name each of the 3 axes of [2,3,4] once'],
  ['a negative size', () => zeros([2, -1]), 'zeros: [2,-1] is no shape: expected whole numbers from 0, got -1'],
  [
    'conv2d, channels',
    () => nn.conv2d(z(1, 3, 8, 8), z(4, 2, 3, 3)),
    'conv2d: x [1,3,8,8], w [4,2,3,3]: x has 3 channels, w expects 2',
  ],
  [
    'conv2d, channels of groups',
    () => nn.conv2d(z(1, 3, 8, 8), z(4, 2, 3, 3), { groups: 2 }),
    'conv2d: x [1,3,8,8], w [4,2,3,3]: x has 3 channels, w expects 2 × 2 groups = 4',
  ],
  [
    'conv2d, groups',
    () => nn.conv2d(z(1, 4, 8, 8), z(3, 2, 3, 3), { groups: 2 }),
    'conv2d: x [1,4,8,8], w [3,2,3,3]: 3 output channels do not divide into 2 groups',
  ],
  [
    'conv2d, kernel',
    () => nn.conv2d(z(1, 3, 4, 4), z(4, 3, 5, 5)),
    'conv2d: a window of 5×5 (dilation 1,1) does not fit an image of 4×4 with padding 0,0',
  ],
  [
    'conv2d, kernel, padding and dilation',
    () => nn.conv2d(z(1, 3, 4, 4), z(4, 3, 5, 3), { padding: 1, dilation: 2 }),
    'conv2d: a window of 5×3 (dilation 2,2) does not fit an image of 4×4 with padding 1,1',
  ],
  [
    'conv2d, rank',
    () => nn.conv2d(z(3, 8, 8), z(4, 3, 3, 3)),
    'conv2d: x [3,8,8], w [4,3,3,3]: x must be [N, C, H, W]',
  ],
  ['conv2d, bias', () => nn.conv2d(z(1, 3, 8, 8), z(4, 3, 3, 3), { bias: z(3) }), 'conv2d: bias is [3], expected [4]'],
  ['maxPool2d, rank', () => nn.maxPool2d(z(8, 8), 2), 'maxPool2d: x is [8,8], expected [N, C, H, W]'],
  [
    'maxPool2d, kernel',
    () => nn.maxPool2d(z(1, 1, 4, 4), 5),
    'maxPool2d: a window of 5×5 (dilation 1,1) does not fit an image of 4×4 with padding 0,0',
  ],
  [
    'labels, how many',
    () => nn.crossEntropy(z(2, 3), tensor(Int32Array.of(0, 1, 2))),
    'crossEntropy: labels [3] do not fit logits [2,3]; expected [2]',
  ],
  [
    'binaryCrossEntropy',
    () => nn.binaryCrossEntropy(z(4, 1), z(4)),
    'binaryCrossEntropy: prediction [4,1] and target [4] differ; expected equal shapes (reshape or flatten one)',
  ],
  [
    'binaryCrossEntropyWithLogits',
    () => nn.binaryCrossEntropyWithLogits(z(4, 1), z(4)),
    'binaryCrossEntropyWithLogits: prediction [4,1] and target [4] differ; expected equal shapes (reshape or flatten one)',
  ],
  [
    'layerNorm, shape',
    () => nn.layerNorm(z(2, 3, 4), [3, 5]),
    'layerNorm: x [2,3,4] does not end in normalizedShape [3,5]',
  ],
  [
    'layerNorm, weight',
    () => nn.layerNorm(z(2, 4), 4, { weight: z(2) }),
    'layerNorm: weight is [2], expected normalizedShape [4]',
  ],
  ['LayerNorm', () => new nn.LayerNorm(4).forward(z(2, 3)), 'layerNorm: x [2,3] does not end in normalizedShape [4]'],
  [
    'attention',
    () => nn.scaledDotProductAttention(z(2, 5, 4), z(2, 5, 3), z(2, 5, 3)),
    'scaledDotProductAttention: q [2,5,4], k [2,5,3] and v [2,5,3] do not fit; expected [.., T, d], [.., S, d] and [.., S, e]',
  ],
  [
    'MultiheadAttention',
    () => new nn.MultiheadAttention(8, 2).forward(z(5, 8)),
    'MultiheadAttention: x is [5,8], expected [B, T, 8]',
  ],
  [
    'MultiheadAttention, keys',
    () => new nn.MultiheadAttention(8, 2).forward(z(1, 5, 8), z(1, 5, 4), z(1, 5, 4)),
    'MultiheadAttention: key is [1,5,4], expected [B, S, 8]',
  ],
  [
    'a layer of a model is named',
    () =>
      new nn.Sequential(new nn.Linear(4, 3), new nn.Sequential(new nn.ReLU(), new nn.Linear(2, 1))).forward(z(5, 4)),
    "linear: x [5,3] does not fit weight [1,2]; x's last size must be 2 (in layer 1 (Sequential).1 (Linear))",
  ],
]);

const labels = (...values: number[]) => tensor(Int32Array.from(values));
const indices = mistakes('index', [
  [
    'a label too large',
    () => nn.crossEntropy(z(4, 10), labels(3, 9, 10, 0)).item(),
    'crossEntropy: label 10 at position 2 is out of range 0…9',
  ],
  [
    'a negative label',
    () => nn.crossEntropy(z(2, 3), labels(0, -1)).item(),
    'crossEntropy: label -1 at position 1 is out of range 0…2',
  ],
  [
    'labels that are plain numbers',
    () => nn.crossEntropy(z(2, 3), tensor([0, 3])).item(),
    'crossEntropy: label 3 at position 1 is out of range 0…2',
  ],
  [
    'in a compiled function',
    () => compile((x: Tensor, y: Tensor) => nn.crossEntropy(x, y))(z(2, 3), labels(0, 7)).item(),
    'crossEntropy: label 7 at position 1 is out of range 0…2',
  ],
  [
    'Embedding',
    () => new nn.Embedding(10, 4).forward(labels(0, 3, 10)).data(),
    'gather from [10,4]: index 10 at position 2 is out of range 0…9',
  ],
  [
    'Embedding, computed indices',
    () => new nn.Embedding(10, 4).forward(labels(0, 3).sub(labels(0, 4))).data(),
    'gather: a computed index is out of range; nothing was updated',
  ],
  [
    'Embedding in a compiled function',
    () => compile((i: Tensor) => nn.embedding(i, z(10, 4)).sum())(labels(-1)).item(),
    'gather from [10,4]: index -1 at position 0 is out of range 0…9',
  ],
  ['accuracy', () => nn.accuracy(z(2, 3), labels(3, 0)).item(), 'accuracy: label 3 at position 0 is out of range 0…2'],
]);

const fractions = mistakes('dtype', [
  [
    'an index of float32',
    () => new nn.Embedding(10, 4).forward(z(2)),
    "embedding: the index is float32, expected int32; make it with { dtype: 'int32' }",
  ],
  [
    'layerNorm',
    () => nn.layerNorm(labels(1, 2), 2),
    "layerNorm: got int32, expected float32; convert with .to('float32')",
  ],
  [
    'labels that are no whole numbers',
    () => nn.crossEntropy(z(2, 3), tensor([0, 1.5])).item(),
    "crossEntropy: labels [2] are float32; expected whole numbers, made with { dtype: 'int32' }",
  ],
]);

const gradients = mistakes('gradient', [
  [
    'grad of a non-scalar',
    () => {
      const x = tensor([1, 2, 3]);
      return grad(x.square(), [x]);
    },
    'grad: the gradient of [3] is not defined; expected a scalar: reduce it first, e.g. with .sum() or .mean(), or ' +
      'give a seed of its shape',
  ],
  [
    'backward of a non-scalar',
    () =>
      tensor([[1, 2]], { requiresGrad: true })
        .exp()
        .backward(),
    'backward: the loss is [1,2], expected a scalar; reduce it first, e.g. with .sum() or .mean()',
  ],
  [
    'grad by what y does not depend on',
    () => {
      const [x, other] = [tensor(2), tensor([1, 2])];
      return grad(x.square(), [x, other]);
    },
    'grad: y does not depend on x[1] [2]',
  ],
  [
    'grad through detach',
    () => {
      const x = tensor(2);
      return grad(x.detach().square(), [x]);
    },
    'grad: y does not depend on x[0] [] by operations that have a derivative: detach has none',
  ],
  [
    'backward without parameters',
    () => tensor([1, 2]).sum().backward(),
    'backward: there is nothing to differentiate: it depends on no parameter or variable that requires a gradient',
  ],
  [
    'minimize with a parameter that has no part',
    () => {
      const [used, unused] = [new nn.Linear(2, 1), new nn.Linear(3, 1)];
      const optimizer = new optim.SGD([...used.parameters(), ...unused.parameters()], { lr: 0.1 });
      return optimizer.minimize(used.forward(z(4, 2)).sum());
    },
    'SGD.minimize: the loss does not depend on parameter 2 [1,3]; leave it out of the optimizer or use it',
  ],
  [
    'a second backward',
    () => {
      const loss = tensor([1, 2], { requiresGrad: true }).square().sum();
      loss.backward();
      loss.backward();
    },
    'backward: there is nothing to differentiate: its graph is gone: backward() was called on it before, or a step was made; compute the loss again',
  ],
]);

describe.each([...shapes, ...indices, ...fractions, ...gradients])('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.test.ts'));
});

test('a batch that does not fit leaves a compiled step usable', () => {
  const model = new nn.Linear(2, 1);
  fill(model.weight, [1, 2]);
  const step = compile((x: Tensor) => model.forward(x).sum());
  const good = tensor([[1, 1]]);
  const before = step(good).item();
  expect(thrown(() => step(tensor([[1, 1, 1]]))).message).toContain(
    "linear: x [1,3] does not fit weight [1,2]; x's last size must be 2",
  );
  expect(step(good).item()).toBe(before);
  expect(model.weight).toBeInstanceOf(Tensor);
  expect(model.weight.toArray()).toEqual([[1, 2]]);
});
