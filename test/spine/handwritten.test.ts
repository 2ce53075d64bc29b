// A loss written by hand, as on a blackboard, becomes the program of nn.crossEntropy: the same instructions, so the same
// numbers at the same speed.
import { expect, test } from 'vitest';
import { drawDigits } from '../../src/data/index.ts';
import { compile, manualSeed, nn, optim, type Tensor, tensor } from '../../src/index.ts';
import './checked.ts';

const CLASSES = 10;
const BATCH = 50;

/** Mean over rows of −Σ target · log softmax(logits). */
type Loss = (logits: Tensor, target: Tensor) => Tensor;

const builtIn: Loss = (logits, target) => nn.crossEntropy(logits, target);
const softmaxByHand = (x: Tensor) => x.exp().div(x.exp().sum(-1, true));
const shifted = (x: Tensor) => softmaxByHand(x.sub(x.max(-1, true)));

const FORMS: Record<string, Loss> = {
  'softmax, log, a sum over classes, a mean': (x, t) => x.softmax().log().mul(t).sum(-1).mean().neg(),
  'the minus before the mean': (x, t) => x.softmax().log().mul(t).sum(1).neg().mean(),
  'the minus on the logarithm': (x, t) => x.softmax().log().neg().mul(t).sum(1).mean(),
  'the minus on the target': (x, t) => t.neg().mul(x.softmax().log()).sum(-1, true).mean(),
  'the minus as a factor': (x, t) => t.mul(x.logSoftmax()).sum(-1).mean().mul(-1),
  'softmax of exponentials': (x, t) => softmaxByHand(x).log().mul(t).sum(-1).mean().neg(),
  'softmax of shifted exponentials': (x, t) => shifted(x).log().mul(t).sum(-1).neg().mean(),
};

/** The same of labels [N]. */
const LABELLED: Record<string, Loss> = {
  'nllLoss of logSoftmax': (x, y) => nn.nllLoss(x.logSoftmax(), y),
  'softmax, log, the label picked': (x, y) => x.softmax(1).log().gather(1, y.unsqueeze(1)).mean().neg(),
  'softmax, the label picked, log': (x, y) => x.softmax(1).gather(1, y.unsqueeze(1)).squeeze(1).log().neg().mean(),
  'exponentials, the label picked, log': (x, y) => softmaxByHand(x).gather(1, y.unsqueeze(1)).log().mean().neg(),
  'softmax, log, times oneHot': (x, y) => x.softmax().log().mul(y.oneHot(CLASSES)).sum(-1).mean().neg(),
  'softmax times oneHot, log': (x, y) => x.softmax().mul(y.oneHot(CLASSES)).sum(1).log().neg().mean(),
  'crossEntropy of oneHot': (x, y) => nn.crossEntropy(x, y.oneHot(CLASSES)),
};

const digits = drawDigits(600, { seed: 7 });
const images = tensor(digits.images, { shape: [600, 784] });
const oneHot = Float32Array.from({ length: 600 * CLASSES }, (_, i) =>
  digits.labels[Math.floor(i / CLASSES)] === i % CLASSES ? 1 : 0,
);
const labels = tensor(Int32Array.from(digits.labels.subarray(0, BATCH)));
const targets = tensor(oneHot, { shape: [600, CLASSES] });
const rows = (x: Tensor, k: number) => {
  const start = (k * BATCH) % 600;
  return tensor(x.slice({ start, stop: start + BATCH }).data() as Float32Array, {
    shape: [BATCH, x.shape[1] as number],
  });
};

/** A step of SGD on one of the losses, from the same weights each time. */
function training(loss: Loss) {
  manualSeed(3);
  const model = new nn.Sequential(new nn.Linear(784, 32), new nn.ReLU(), new nn.Linear(32, CLASSES));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
  const step = compile((x: Tensor, t: Tensor) => {
    const value = loss(model.forward(x) as Tensor, t);
    optimizer.minimize(value);
    return value;
  });
  return { step, model };
}

/** What a plan runs: its lines as words, without numbers and in some order, for what waits for nothing may change places. */
const instructions = (plan: string) =>
  plan
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^ *\d+ +/, '').replace(/ *\(.*/, ''))
    .map((line) => line.split(/ +/).sort().join(' '))
    .sort();

for (const [name, loss] of Object.entries({ ...FORMS, ...LABELLED })) {
  test(`${name}: the plan is that of crossEntropy`, () => {
    const [mine, its] = [training(loss), training(builtIn)];
    const [x, t] = [rows(images, 0), name in LABELLED ? labels : rows(targets, 0)];
    expect(instructions(mine.step.explain(x, t))).toEqual(instructions(its.step.explain(x, t)));
    expect(mine.step.explain(x, t).match(/cross_entropy/g)).toHaveLength(1);
  });
}

test('drawn digits are learned by it, to the last bit as by crossEntropy', () => {
  const loss = FORMS['softmax of exponentials'] as Loss;
  const [mine, its] = [training(loss), training(builtIn)];
  const losses = { mine: [] as number[], its: [] as number[] };
  for (let k = 0; k < 240; k++) {
    const [x, t] = [rows(images, k), rows(targets, k)];
    losses.mine.push(mine.step(x, t).item());
    losses.its.push(its.step(x, t).item());
  }
  expect(losses.mine).toEqual(losses.its);
  const found = mine.model.forward(images) as Tensor;
  const right = found
    .argmax(-1)
    .eq(tensor(Int32Array.from(digits.labels)))
    .mean()
    .item();
  expect(right).toBeGreaterThan(0.95);
});

test('what is picked otherwise than one label a row stays picked', () => {
  const x = tensor([[1, 2, 3], [3, 1, 0]]); // biome-ignore format: a matrix
  const logs = x.logSoftmax().toArray() as number[][];
  const two = tensor(Int32Array.of(2, 0, 1, 1), { shape: [2, 2] });
  const column = tensor(Int32Array.of(1, 0, 1), { shape: [1, 3] });
  const picked = compile(() => [x.softmax().log().gather(1, two), x.softmax().log().gather(0, column)]);
  const [rows, columns] = picked().map((y) => y.toArray()) as [number[][], number[][]];
  expect(rows).toEqual([[logs[0]?.[2], logs[0]?.[0]], [logs[1]?.[1], logs[1]?.[1]]]); // biome-ignore format: a matrix
  expect(columns).toEqual([[logs[1]?.[0], logs[0]?.[1], logs[1]?.[2]]]);
});

test('eager steps find it too', () => {
  const w = nn.parameter(tensor([[300, 0, -300]]));
  const target = tensor([[0, 1, 0]]);
  const loss = softmaxByHand(w).log().mul(target).sum(-1).mean().neg();
  loss.backward();
  expect(loss.item()).toBe(300);
  expect([...(w.grad as Tensor).data()]).toEqual([1, -1, 0]);
});
