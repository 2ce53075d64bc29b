// The traps of laziness, I: values are those of the moment, whatever is read when and however the graph was shared.
import { describe, expect, test } from 'vitest';
import { compile, nn, optim, type Tensor, tensor, zeros } from '../src/index.ts';
import { close, closeTo, fill, fixture, initialise, named, random, type Summary } from './helpers.ts';
import { batch, network, type Optimizer, stepOf, WAYS, weights } from './training.ts';

describe('two models of one structure, an optimizer each', () => {
  test.each(WAYS)('as a GAN trains them: PyTorch’s losses and weights, %s', (way) => {
    const expected = fixture<{ losses: number[]; forger: Record<string, Summary>; judge: Record<string, Summary> }>(
      'gan',
    );
    const make = (seed: number) => {
      const model = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 2));
      initialise(model, seed);
      return model;
    };
    const [forger, judge] = [make(500), make(510)];
    const forgers = new optim.Adam(forger.parameters(), { lr: 0.02 });
    const judges = new optim.Adam(judge.parameters(), { lr: 0.03 });
    const judged = (points: Tensor, truth: number) => {
      const score = judge.forward(points).sum(1);
      return nn.binaryCrossEntropyWithLogits(score, zeros([16]).add(truth));
    };
    const update = (optimizer: Optimizer, loss: Tensor) => {
      if (way === 'compiled') return optimizer.minimize(loss);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    };
    const round = (real: Tensor, noise: Tensor) => {
      const fake = forger.forward(noise);
      const judgeLoss = judged(real, 1).add(judged(fake.detach(), 0));
      update(judges, judgeLoss);
      const forgerLoss = judged(fake, 1);
      update(forgers, forgerLoss);
      return [judgeLoss, forgerLoss];
    };
    const run = way === 'compiled' ? compile(round) : round;
    const losses: Tensor[] = [];
    for (let i = 0; i < 10; i++) losses.push(...run(random(520 + i, [16, 2], 1, 2), random(540 + i, [16, 2])));
    losses.forEach((loss, i) => {
      close(loss, expected.losses[i] as number, 1e-4, `loss ${i}`);
    });
    for (const [name, model] of Object.entries({ forger, judge })) {
      const parameters = expected[name as 'forger' | 'judge'];
      for (const [path, p] of Object.entries(named(model))) closeTo(p, parameters[path] as Summary, 1e-4, path);
    }
  });

  test.each(WAYS)('learn side by side what they learn alone, %s', (way) => {
    const trained = (seeds: number[]) => {
      const models = seeds.map(network);
      const steps = models.map((m, i) => stepOf(way, m, new optim.Adam(m.parameters(), { lr: 0.01 * (i + 1) })));
      return { models, run: (k: number, i: number, at: number) => steps[k]?.(batch(at + i).x, batch(at + i).labels) };
    };
    const together = trained([900, 950]);
    for (let i = 0; i < 5; i++) for (const k of [0, 1]) together.run(k, i, 50 * k);
    const alone = trained([900, 950]);
    for (const k of [0, 1]) for (let i = 0; i < 5; i++) alone.run(k, i, 50 * k);
    expect(together.models.map(weights)).toEqual(alone.models.map(weights));
    expect(weights(together.models[0] as nn.Module)).not.toEqual(weights(together.models[1] as nn.Module));
  });
});

describe('values read after step() are that step’s', () => {
  /** Loss and accuracy of eight steps, each computed by itself before its update. */
  const before = () => {
    const model = network(900);
    const step = stepOf('backward and step', model, new optim.SGD(model.parameters(), { lr: 0.5 }));
    return Array.from({ length: 8 }, (_, i) => {
      const { x, labels } = batch(i);
      const logits = model.forward(x);
      const values = [nn.crossEntropy(logits, labels).item(), nn.accuracy(logits, labels).item()] as const;
      step(x, labels);
      return values;
    });
  };
  const expected = before();

  test('and differ from step to step', () => {
    const losses = expected.map(([loss]) => loss);
    losses.slice(1).forEach((loss, i) => {
      expect(Math.abs(loss - (losses[i] as number))).toBeGreaterThan(1e-3);
    });
    expect(new Set(expected.map(([, accuracy]) => accuracy)).size).toBeGreaterThan(1);
  });

  describe.each(WAYS)('%s', (way) => {
    test.each(['at once', 'at the end of the epoch'])('%s', (when) => {
      const model = network(900);
      const step = stepOf(way, model, new optim.SGD(model.parameters(), { lr: 0.5 }));
      const kept: (() => [number, number])[] = [];
      for (let i = 0; i < 8; i++) {
        const { loss, accuracy } = step(batch(i).x, batch(i).labels);
        const values = () => [loss.item(), accuracy.item()] as [number, number];
        if (when === 'at once') {
          const now = values();
          kept.push(() => now);
        } else kept.push(values);
      }
      kept.forEach((values, i) => {
        const [loss, accuracy] = values();
        close(loss, (expected[i] as readonly [number, number])[0], 1e-6, `loss of step ${i}`);
        expect(accuracy, `accuracy of step ${i}`).toBe((expected[i] as readonly [number, number])[1]);
      });
    });
  });
});

describe('four backward() before one step() equal one batch of four', () => {
  const run = (make: (model: nn.Module) => Optimizer, parts: number) => {
    const model = network(900);
    const optimizer = make(model);
    const gradients: number[][] = [];
    for (let i = 0; i < 3; i++) {
      const { x, labels } = batch(i, 4);
      const [images, digits] = [x.data(), labels.data()];
      optimizer.zeroGrad();
      for (let k = 0; k < parts; k++) {
        const n = 4 / parts;
        const image = tensor(images.slice(3 * n * k, 3 * n * (k + 1)), { shape: [n, 3] });
        const label = tensor(digits.slice(n * k, n * (k + 1)));
        nn.crossEntropy(model.forward(image), label, { reduction: 'sum' }).backward();
      }
      gradients.push(...model.parameters().map((p) => [...(p.grad as Tensor).data()]));
      optimizer.step();
    }
    return [...gradients, ...weights(model)];
  };
  test.each<[string, (model: nn.Module) => Optimizer]>([
    ['SGD', (m) => new optim.SGD(m.parameters(), { lr: 0.1 })],
    ['SGD with momentum', (m) => new optim.SGD(m.parameters(), { lr: 0.1, momentum: 0.9 })],
    ['Adam', (m) => new optim.Adam(m.parameters(), { lr: 0.01 })],
  ])('%s', (_, make) => {
    const whole = run(make, 1);
    for (const parts of [2, 4]) {
      run(make, parts).forEach((values, i) => {
        close(values, whole[i] as number[], 2e-5, `${parts} parts, array ${i}`);
      });
    }
  });

  test('gradients stay until zeroGrad()', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 1 });
    for (const expected of [
      [3, 5],
      [6, 10],
      [9, 15],
    ]) {
      w.mul(tensor([3, 5]))
        .sum()
        .backward();
      expect(w.grad?.toArray()).toEqual(expected);
      optimizer.step();
    }
    expect(w.toArray()).toEqual([1 - 18, 2 - 30]);
    optimizer.zeroGrad();
    expect(w.grad === null || w.grad.data().every((v) => v === 0)).toBe(true);
  });
});

test('a tensor made before an update means the values before it', () => {
  const layer = new nn.Linear(2, 1, { bias: false });
  fill(layer.weight, [1, 2]);
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
  const old = layer.weight.mul(10);
  layer
    .forward(tensor([[3, 4]]))
    .sum()
    .backward();
  optimizer.step();
  const fresh = layer.weight.mul(10);
  close(old, [10, 20], 1e-6, 'before');
  close(fresh, [7, 16], 1e-6, 'after');
});
