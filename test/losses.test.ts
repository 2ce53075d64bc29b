// What losses run as, and what their options mean.
import { expect, test } from 'vitest';
import { compile, grad, nn, type Tensor, tensor } from '../src/index.ts';
import { OPCODE_NAMES, observePlans } from '../src/plan/plan.ts';
import { random } from './helpers.ts';

/** Names of the instructions that a loss of logits and labels and its gradient take. */
function instructions(loss: (x: Tensor, labels: Tensor) => Tensor): string[] {
  const names: string[] = [];
  observePlans((plan) => names.push(...plan.instructions.map(({ opcode }) => OPCODE_NAMES.get(opcode) as string)));
  const step = compile((x: Tensor, labels: Tensor) => {
    const y = loss(x, labels);
    return [y, ...grad(y, [x])];
  });
  step(random(1, [6, 5]), tensor([0, 4, 2, 2, 1, 3], { dtype: 'int32' }));
  observePlans(null);
  return names;
}

test('cross-entropy and its gradient are one kernel, then the mean of its rows', () => {
  expect(instructions((x, y) => nn.crossEntropy(x, y))).toEqual(['cross_entropy', 'map', 'map']);
});

test('with class weights, a label to ignore and smoothing it still is that kernel, and no softmax', () => {
  const weight = tensor([1, 2, 3, 4, 5]);
  for (const options of [{ weight }, { ignoreIndex: 2 }, { labelSmoothing: 0.1 }]) {
    const run = instructions((x, y) => nn.crossEntropy(x, y, options));
    expect(run).toContain('cross_entropy');
    expect(run.filter((name) => /softmax/.test(name))).toEqual([]);
  }
});

test('a mean is over the weights of the labels that count', () => {
  const x = tensor([
    [1, 2, 3],
    [3, 2, 1],
    [0, 5, 0],
  ]);
  const labels = tensor([0, 2, 1], { dtype: 'int32' });
  const weight = tensor([1, 10, 3]);
  const rows = nn.crossEntropy(x, labels, { reduction: 'none' }).data();
  const loss = nn.crossEntropy(x, labels, { weight, ignoreIndex: 1 });
  expect(loss.item()).toBeCloseTo(((rows[0] as number) * 1 + (rows[1] as number) * 3) / 4, 5);
});

test('labels given as plain numbers count too, the ignored one among them', () => {
  const x = random(2, [3, 4]);
  const [plain, whole] = [tensor([0, -1, 3]), tensor([0, -1, 3], { dtype: 'int32' })];
  for (const loss of [nn.crossEntropy, nn.nllLoss]) {
    expect(loss(x, plain, { ignoreIndex: -1 }).item()).toBe(loss(x, whole, { ignoreIndex: -1 }).item());
  }
});

test('nllLoss of log-probabilities is crossEntropy', () => {
  const [x, y] = [random(3, [5, 7], -4, 4), tensor([0, 6, 3, 3, 1], { dtype: 'int32' })];
  expect(nn.nllLoss(x.logSoftmax(), y).item()).toBeCloseTo(nn.crossEntropy(x, y).item(), 5);
});

test('classes of ±1 may be whole numbers', () => {
  const x = random(4, [6]);
  const [plain, whole] = [tensor([1, -1, 1, 1, -1, -1]), tensor([1, -1, 1, 1, -1, -1], { dtype: 'int32' })];
  for (const loss of [nn.hingeLoss, nn.hingeEmbeddingLoss]) expect(loss(x, plain).item()).toBe(loss(x, whole).item());
  const other = random(5, [6]);
  const ranked = (y: Tensor) => nn.marginRankingLoss(x, other, y, { margin: 0.3 }).item();
  expect(ranked(plain)).toBe(ranked(whole));
});

test('a PReLU learns its slopes, under their name', () => {
  const layer = new nn.PReLU(2, { init: 0.5 });
  expect(Object.keys(layer.stateDict())).toEqual(['weight']);
  const y = layer.forward(
    tensor([
      [-1, -2],
      [3, -4],
    ]),
  );
  expect(y.toArray()).toEqual([
    [-0.5, -1],
    [3, -2],
  ]);
  y.sum().backward();
  expect(layer.weight.grad?.toArray()).toEqual([-1, -6]);
});
