import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/create.ts';
import { type Dataset, dataset } from '../../src/data/dataset.ts';
import { drawDigits } from '../../src/data/digits.ts';
import * as nn from '../../src/nn/index.ts';
import { SGD } from '../../src/optim/index.ts';
import { manualSeed } from '../../src/random.ts';
import { evaluator } from '../../src/train/evaluate.ts';
import { digitCnn, digitMlp, probabilities } from '../../src/train/models.ts';
import type { Progress } from '../../src/train/progress.ts';
import { trainClassifier } from '../../src/train/trainClassifier.ts';

const train = drawDigits(300, { seed: 1 });
const unseen = drawDigits(100, { seed: 2 });

function linearModel(): nn.Sequential {
  manualSeed(1);
  return new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10));
}

describe('trainClassifier', () => {
  const model = linearModel();
  const seen: Progress[] = [];
  const results = trainClassifier({
    model,
    optimizer: new SGD(model.parameters(), { lr: 0.02 }),
    train,
    test: unseen,
    epochs: 3,
    batchSize: 64,
    onBatch: (progress) => seen.push(progress),
  });

  test('learns: the loss falls from near log 10, unseen digits are recognised', () => {
    expect(seen[0]?.loss).toBeGreaterThan(1.8);
    expect(seen[0]?.loss).toBeLessThan(3.2);
    const losses = results.map(({ loss }) => loss);
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    expect(results[2]?.test?.accuracy).toBeGreaterThan(0.3);
    expect(results[2]?.accuracy).toBeGreaterThan(results[0]?.accuracy as number);
  });

  test('tells of every batch, the short last one included', () => {
    expect(seen).toHaveLength(15);
    expect(seen.map(({ epoch, batch }) => `${epoch}.${batch}`).slice(3, 7)).toEqual(['1.4', '1.5', '2.1', '2.2']);
    expect(seen.every(({ batches, epochs }) => batches === 5 && epochs === 3)).toBe(true);
    expect(seen.at(-1)?.secondsLeft).toBe(0);
    expect(seen.at(-2)?.secondsLeft).toBeGreaterThan(0);
    expect(seen.at(-1)?.loss).toBe(results[2]?.loss);
  });

  test('evaluates every test sample, and the result stays the same whatever the batch', () => {
    const byClass = evaluator(model, 7)(unseen);
    expect(byClass.total).toBe(100);
    expect(byClass.counts).toEqual(results[2]?.test?.counts);
    expect(byClass.counts).toEqual(evaluator(model, 100)(unseen).counts);
  });

  test('weighs the short last batch by its size, and takes another order each epoch', () => {
    const still = linearModel();
    const optimizer = new SGD(still.parameters(), { lr: 1e-12 }); // as good as not training: losses can be compared
    const run = (batchSize: number) => {
      const losses: number[] = [];
      const onBatch = ({ loss }: Progress) => losses.push(loss);
      const results = trainClassifier({ model: still, optimizer, train, epochs: 2, batchSize, onBatch });
      return { losses, means: results.map(({ loss }) => loss) };
    };
    const batched = run(250);
    const [mean] = run(300).means as [number];
    for (const loss of batched.means) expect(loss).toBeCloseTo(mean, 5);
    expect(batched.losses[0]).not.toBeCloseTo(batched.losses[2] as number, 5);
  });

  test('evaluates only with a test set, and leaves the model in training mode', () => {
    const fresh = linearModel();
    fresh.eval();
    const optimizer = new SGD(fresh.parameters(), { lr: 0.01 });
    expect(trainClassifier({ model: fresh, optimizer, train, epochs: 1 })[0]?.test).toBeNull();
    expect(fresh.training).toBe(true);
  });

  test('stops when the loss is no number', () => {
    const fresh = linearModel();
    const poisoned: Dataset = { ...train, images: train.images.map((grey, i) => (i === 0 ? Number.NaN : grey)) };
    const optimizer = new SGD(fresh.parameters(), { lr: 0.01 });
    const options = { model: fresh, optimizer, train: poisoned, epochs: 1, batchSize: 300 };
    const message = 'the loss is NaN in epoch 1, batch 1: training diverged; try a smaller learning rate';
    expect(() => trainClassifier(options)).toThrow(expect.objectContaining({ code: 'option', message }));
  });
});

test('evaluator runs the model in evaluation mode: dropout does not change the result', () => {
  manualSeed(1);
  const linear = new nn.Linear(784, 10);
  const [plain, dropping] = [
    new nn.Sequential(new nn.Flatten(), linear),
    new nn.Sequential(new nn.Flatten(), linear, new nn.Dropout(0.9)),
  ];
  expect(evaluator(dropping)(unseen).counts).toEqual(evaluator(plain)(unseen).counts);
});

test('evaluator leaves the mode as it was', () => {
  const model = linearModel();
  const evaluate = evaluator(model);
  const one = dataset(new Float32Array(784), Int32Array.of(0), { shape: [1, 28, 28], classes: 10 });
  evaluate(one);
  expect(model.training).toBe(true);
  model.eval();
  evaluate(one);
  expect(model.training).toBe(false);
});

describe.each([
  ['digitCnn', digitCnn, 33738],
  ['digitMlp', digitMlp, 235146],
] as const)('%s', (_, make, weights) => {
  test('has the parameters it says', () => {
    const sizes = make()
      .parameters()
      .map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    expect(sizes.reduce((a, b) => a + b)).toBe(weights);
  });

  test('gives probabilities', () => {
    const p = probabilities(make(), tensor(unseen.images.slice(0, 2 * 784), { shape: [2, 1, 28, 28] }));
    expect(p.shape).toEqual([2, 10]);
    const values = [...p.data()];
    expect(values.slice(0, 10).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(values.every((value) => value > 0 && value < 1)).toBe(true);
  });
});
