// Habits of people who come from PyTorch, each of which once went silently wrong.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  arange,
  compile,
  concat,
  einsum,
  eye,
  full,
  grad,
  linspace,
  NablaError,
  nn,
  ones,
  optim,
  randn,
  stack,
  state,
  type Tensor,
  tensor,
  where,
  zeros,
} from '../src/index.ts';
import { initialise, random } from './helpers.ts';

const wrong = (x: unknown) => x as never;
const list = (t: Tensor) => [...t.data()];

function trained() {
  const model = new nn.Sequential(new nn.Linear(2, 2));
  initialise(model, 70);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const x = random(71, [3, 2]);
  const step = () => {
    const loss = model.forward(x).square().mean();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  };
  return { model, step, weight: (model.at(0) as nn.Linear).weight };
}

test("JavaScript's operators on a tensor are an error, inside compile() too", () => {
  const message = 'a tensor [] was used as a number; use its methods (mul, add, gt, …) or, outside compile(), item()';
  expect(() => (wrong(tensor(2)) as number) * 3).toThrow(message);
  expect(() => compile((x: Tensor, k: number) => x.mul(k * 2))(ones([1]), 3)).toThrow(message);
  expect(`${tensor([1, 2])}`).toBe('Tensor [2] float32');
});

test('console.log shows the values of a small tensor', () => {
  expect(inspect(tensor([[1, 2]]).add(1))).toBe('Tensor [1,2] float32 [[2,3]]');
  expect(inspect(ones([200]))).toBe('Tensor [200] float32');
});

test('a loop of assignments that reads the loss afterwards does not replay itself', () => {
  const x = random(72, [20, 2]);
  const y = random(73, [20, 1]);
  const descend = (readFirst: boolean) => {
    const w = nn.parameter(tensor([[0.1], [0.2]]));
    const losses: number[] = [];
    for (let i = 0; i < 300; i++) {
      const loss = nn.mseLoss(x.matmul(w), y);
      if (readFirst) losses.push(loss.item());
      const [g] = grad(loss, [w]);
      w.assign(w.sub(g.mul(0.1)));
      if (!readFirst) losses.push(loss.item());
    }
    return losses;
  };
  const started = performance.now();
  const after = descend(false);
  expect(performance.now() - started).toBeLessThan(5000); // replayed, it took minutes
  const before = descend(true);
  after.forEach((loss, i) => {
    expect(loss).toBeCloseTo(before[i] as number, 5);
  });
});

test('copies of weights are what the weights were: clone(), loadStateDict(), a moving average', () => {
  const { model, step, weight } = trained();
  const first = list(weight);
  const best = Object.fromEntries(Object.entries(model.stateDict()).map(([name, t]) => [name, t.clone()]));
  for (let i = 0; i < 3; i++) step();
  expect(list(weight)).not.toEqual(first);
  model.loadStateDict(best);
  expect(list(weight)).toEqual(first);
  step();

  const target = trained();
  target.model.loadStateDict(model.stateDict());
  const taken = list(weight);
  for (let i = 0; i < 3; i++) step();
  expect(list(target.weight)).toEqual(taken);

  const average = state(weight);
  let expected = list(weight);
  for (let i = 0; i < 5; i++) {
    step();
    average.assign(average.mul(0.9).add(weight.mul(0.1)));
    const now = list(weight);
    expected = expected.map((e, k) => 0.9 * e + 0.1 * (now[k] as number));
  }
  list(average).forEach((v, k) => {
    expect(v).toBeCloseTo(expected[k] as number, 5);
  });
});

test("a Sequential in a module of one's own has PyTorch's names", () => {
  class Encoder extends nn.Module {
    enc = new nn.Sequential(new nn.Linear(1, 1), new nn.Sequential(new nn.Linear(1, 1)));
    forward(x: Tensor): Tensor {
      return this.enc.forward(x);
    }
  }
  const names = ['enc.0.weight', 'enc.0.bias', 'enc.1.0.weight', 'enc.1.0.bias'];
  expect(Object.keys(new Encoder().stateDict())).toEqual(names);
});

test('expand keeps the axes that are −1', () => {
  const x = tensor([[1], [2]]);
  expect(x.expand(-1, 3).toArray()).toEqual([[1, 1, 1], [2, 2, 2]]); // biome-ignore format: a matrix
  expect(x.expand([2, -1, 2]).shape).toEqual([2, 2, 2]);
  expect(() => x.expand(-1, 2, 1)).toThrow('expand: [-1,2,1] is no shape: expected whole numbers from 0, got -1');
});

test('no gradient goes through detach(): it stays null, and a loss of nothing else is an error', () => {
  const w = tensor([1], { requiresGrad: true });
  expect(() => w.detach().square().sum().backward()).toThrow(
    'backward: there is nothing to differentiate: it depends on no parameter or variable that requires a gradient',
  );
  const v = tensor([2], { requiresGrad: true });
  w.detach().mul(v).sum().backward();
  expect([w.grad, v.grad?.toArray()]).toEqual([null, [1]]);
});

test.each<[() => unknown, string]>([
  [() => new nn.Linear(2, 3, wrong(false)), 'Linear: got false for options; expected an object like { bias: … }'],
  [() => new nn.Conv2d(1, 2, 3, wrong(2)), 'Conv2d: got 2 for options; expected an object like { stride: … }'],
  [
    () => nn.conv2d(ones([1, 1, 3, 3]), ones([2, 1, 2, 2]), wrong(ones([2]))),
    'conv2d: got Tensor [2] float32 for options; expected an object like { stride: … }',
  ],
  [
    () => nn.crossEntropy(ones([1, 2]), tensor([1]), wrong(ones([2]))),
    'crossEntropy: got Tensor [2] float32 for options; expected an object like { weight: … }',
  ],
  [
    () => nn.scaledDotProductAttention(ones([2, 2]), ones([2, 2]), ones([2, 2]), wrong(ones([2, 2]))),
    'scaledDotProductAttention: got Tensor [2,2] float32 for options; expected an object like { isCausal: … }',
  ],
  [() => ones([3]).slice(wrong({ end: 2 })), "slice: unknown option 'end'; expected start, stop or step"],
  [
    () => tensor([1], wrong({ requires_grad: true })),
    "tensor: unknown option 'requires_grad'; expected shape, dtype or requiresGrad",
  ],
  [() => zeros([3], wrong({ requiresGrad: true })), "zeros: unknown option 'requiresGrad'; expected dtype"],
  [() => full([3], 1, wrong('int32')), 'full: got int32 for options; expected an object like { dtype: … }'],
  [() => arange(0, 1, 0.5, wrong({ type: 'float64' })), "arange: unknown option 'type'; expected dtype"],
  [
    () => linspace(0, 1, 2, wrong('float64')),
    'linspace: got float64 for options; expected an object like { dtype: … }',
  ],
  [() => eye(2, 2, wrong({ device: 'cpu' })), "eye: unknown option 'device'; expected dtype"],
  [() => randn([3], wrong({ requiresGrad: true })), "randn: unknown option 'requiresGrad'; expected dtype"],
  [() => ones(wrong(2)), 'ones: got 2; expected a shape like [2, 3]'],
  [() => new optim.SGD(wrong({}), { lr: 1 }), 'SGD: got no list of parameters; expected model.parameters()'],
  [() => grad(tensor(1), wrong(tensor(1))), 'grad: expected a list of tensors as in grad(y, [x])'],
])('%# a misplaced argument is named', (make, message) => {
  expect(make).toThrow(message);
});

const z = (...shape: number[]) => zeros(shape);
test.each<[() => unknown, string]>([
  [() => z(2, 2).matmul(wrong(2)), 'matmul: b is a number'],
  [() => z(2).gather(0, wrong([0])), 'gather: index is an array'],
  [() => z(2).scatterAdd(0, wrong([0]), z(1)), 'scatterAdd: index is an array'],
  [() => concat(wrong(z(2)), wrong(z(2))), 'concat: got an object, expected a list of tensors: concat([a, b])'],
  [() => stack([z(2), wrong([1, 2])]), 'stack: item 1 is an array'],
  [() => einsum('i,i->', wrong([z(2), z(2)])), 'einsum: operand 0 is an array'],
  [() => where(wrong([true]), z(1), 0), 'where: the condition is an array'],
  [() => nn.linear(wrong([1, 2]), z(3, 2)), 'linear: x is an array'],
  [() => nn.conv2d(wrong([1]), z(1, 1, 1, 1)), 'conv2d: x is an array'],
  [() => nn.conv2d(z(1, 1, 2, 2), z(1, 1, 1, 1), { bias: wrong([1]) }), 'conv2d: bias is an array'],
  [() => nn.maxPool2d(wrong([1]), 2), 'maxPool2d: x is an array'],
  [() => nn.layerNorm(z(2), 2, { weight: wrong([1, 2]) }), 'layerNorm: weight is an array'],
  [() => nn.batchNorm(wrong(1), { training: true }), 'batchNorm: x is a number'],
  [() => nn.crossEntropy(z(2, 3), wrong([0, 1])), 'crossEntropy: target is an array'],
  [() => nn.nllLoss(wrong([[0]]), z(1)), 'nllLoss: input is an array'],
  [() => nn.mseLoss(z(2), wrong([0, 1])), 'mseLoss: target is an array'],
  [() => new nn.MultiheadAttention(2, 1).forward(wrong([1])), 'MultiheadAttention: x is an array'],
  [() => nn.embedding(wrong([0]), z(2, 2)), 'embedding: index is an array'],
  [() => nn.scaledDotProductAttention(z(1, 1), z(1, 1), wrong(undefined)), 'scaledDotProductAttention: v is undefined'],
])('what is no tensor is named, with the argument it was given for', (call, message) => {
  expect(call).toThrow(NablaError);
  expect(call).toThrow(message);
});
