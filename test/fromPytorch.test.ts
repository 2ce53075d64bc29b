// What docs/from-pytorch.md says of nabla, one test a line that could go stale.
import { expect, test } from 'vitest';
import * as nabla from '../src/index.ts';
import { arange, customGradient, einsum, grad, jacobian, nn, optim, tensor } from '../src/index.ts';

const x = arange(12).to('float32').reshape(3, 4);

test('parts of a tensor', () => {
  expect(x.select(0, 2).toArray()).toEqual([8, 9, 10, 11]);
  expect(x.slice(null, { start: 1, stop: 3 }).toArray()).toEqual([[1, 2], [5, 6], [9, 10]]); // biome-ignore format: a matrix
  expect(x.slice({ step: 2 }).shape).toEqual([2, 4]);
  expect(x.slice(null, { step: -1 }).select(0, 0).toArray()).toEqual([3, 2, 1, 0]);
  expect(x.index(tensor(Int32Array.of(2, 0))).select(1, 0).toArray()).toEqual([8, 0]); // biome-ignore format: a line
  expect(x.gt(10).where(x, 0).sum().item()).toBe(11);
  const y = tensor(Int32Array.of(3, 0, 1));
  expect(x.gather(1, y.unsqueeze(1)).squeeze(1).toArray()).toEqual([3, 4, 9]);
  expect(x.index(arange(3), y).toArray()).toEqual([3, 4, 9]);
  expect(x.index(null, y).shape).toEqual([3, 3]);
});

test('widths of pad are counted from the first axis', () => {
  expect(x.pad([1, 0]).shape).toEqual([4, 4]);
  expect(x.pad([0, 0], [2, 1], { mode: 'reflect' }).shape).toEqual([3, 7]);
});

test('dtypes', () => {
  const counts = tensor(Int32Array.of(1, 2, 3, 4));
  expect(() => x.mul(counts)).toThrow(/\.to\('float32'\)/);
  expect(counts.oneHot(5).dtype).toBe('float32');
  const model = new nn.Linear(2, 2);
  const before = model.weight;
  model.to('float64');
  expect(model.weight).not.toBe(before);
  expect(model.weight.dtype).toBe('float64');
});

test('statistics, products, sorting', () => {
  const [a, b] = [tensor([1, 2, 4]), tensor([[1, 2]])];
  expect(a.var(undefined, { correction: 0 }).item()).toBeCloseTo(14 / 9, 6);
  expect(einsum('ij,ik->jk', b, b).toArray()).toEqual([[1, 2], [2, 4]]); // biome-ignore format: a matrix
  expect(() => einsum('ij,ij->ij', b, tensor([[1], [2]]))).toThrow();
  const { values, indices } = a.topk(1);
  expect([values.toArray(), indices.toArray()]).toEqual([[4], [2]]);
});

test('gradients', () => {
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  expect(() => grad(a.sum(), [b])).toThrow();
  const twice = (u: nabla.Tensor, _: nabla.Tensor) => u.mul(2);
  const [da, db] = jacobian(twice, { argnums: [0, 1] })(a, b);
  expect([da?.toArray(), db?.toArray()]).toEqual([[[2, 0], [0, 2]], [[0, 0], [0, 0]]]); // biome-ignore format: matrices
  const double = customGradient(
    (u) => u.square(),
    (dy, y, u) => [dy.mul(u).add(y)],
  );
  expect(grad(double(a).sum(), [a])[0]?.toArray()).toEqual([2, 6]);
  expect(grad(tensor([5, 5]).max(), [])).toEqual([]);
  const ties = tensor([5, 5]);
  expect(grad(ties.max(), [ties])[0]?.toArray()).toEqual([0.5, 0.5]);
});

test('losses', () => {
  const logits = x.reshape(1, 3, 4);
  const labels = tensor(Int32Array.of(0, 2, 1, 1), { shape: [1, 4] });
  const rows = nn.crossEntropy(logits.transpose(1, 2), labels).item();
  expect(nn.crossEntropy(logits, labels, { axis: 1 }).item()).toBe(rows);
  expect(nn.nllLoss(logits.logSoftmax(1), labels, { axis: 1 }).item()).toBeCloseTo(rows, 6);
  expect(nn.accuracy(logits, labels, { axis: 1 }).item()).toBe(0.25);
  expect(() => nn.crossEntropy(logits, labels)).toThrow('{ axis: 1 }');
  expect(() => nn.crossEntropy(x, tensor(Int32Array.of(0, -100, 1)))).toThrow('-100');
  expect(nn.hingeLoss(tensor([0.25, 3]), tensor([1, 1])).item()).toBe(0.375);
});

test('layers', () => {
  expect(Object.keys(new nn.BatchNorm1d(2).stateDict())).toContain('running_mean');
  expect(Object.keys(new nn.MultiheadAttention(4, 2).stateDict())).toContain('in_proj_weight');
  const form = new nn.Bilinear(2, 3, 4);
  expect(form.stateDict()).toMatchObject({ weight: { shape: [4, 2, 3] }, bias: { shape: [4] } });
  const [a, b] = [tensor([[1, 0]]), tensor([[0, 1, 0]])];
  expect(form.forward(a, b).toArray()).toEqual([
    form.weight
      .slice(null, { stop: 1 }, { start: 1, stop: 2 })
      .reshape(4)
      .add(form.bias as nabla.Tensor)
      .toArray(),
  ]);
  const all = tensor([[[false], [true]]]);
  const [q, k] = [tensor([[[1], [2]]]), tensor([[[3]]])];
  expect(nn.scaledDotProductAttention(q, k, k, { attnMask: all }).toArray()).toEqual([[[0], [3]]]);
});

test('every name of the page is there', () => {
  for (const name of ['compile', 'vjp', 'jvp', 'hessian', 'hessianVectorProduct', 'checkpoint']) {
    expect(nabla).toHaveProperty(name);
  }
  expect(optim).toHaveProperty('SGD');
});
