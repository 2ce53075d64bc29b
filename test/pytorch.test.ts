// Values, gradients and training of whole networks and optimizers against PyTorch, to 1e-4 (fixtures/make.py made the numbers).
import { describe, expect, test } from 'vitest';
import { compile, nn, optim, type Tensor } from '../src/index.ts';
import { close, closeTo, digits, fixture, initialise, named, random, type Summary } from './helpers.ts';

const REL = 1e-4;

interface Run {
  optimizer: 'SGD' | 'Adam';
  options: { lr: number };
  losses: number[];
  parameters: Record<string, Summary>;
}
interface Network {
  batch: number;
  seed: number;
  first: { logits: Summary; gradients: Record<string, Summary> };
  runs: Record<string, Run>;
}

const build = {
  mlp: () =>
    new nn.Sequential(
      new nn.Flatten(),
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    ),
  cnn: () =>
    new nn.Sequential(
      new nn.Conv2d(1, 16, 5),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(16, 32, 5),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(512, 10),
    ),
};

type Optimizer = optim.SGD | optim.Adam;
type Step = (x: Tensor, target: Tensor) => Tensor;
type Loss = (prediction: Tensor, target: Tensor) => Tensor;

/** The two ways of writing a training step. */
const ways: Record<string, (model: nn.Module, optimizer: Optimizer, lossOf: Loss) => Step> = {
  'backward and step': (model, optimizer, lossOf) => (x, target) => {
    const loss = lossOf(model.forward(x), target);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  },
  compiled: (model, optimizer, lossOf) =>
    compile((x: Tensor, target: Tensor) => {
      const loss = lossOf(model.forward(x), target);
      optimizer.minimize(loss);
      return loss;
    }),
};

function expectParameters(model: nn.Module, expected: Record<string, Summary>): void {
  const parameters = named(model);
  expect(Object.keys(parameters)).toEqual(Object.keys(expected));
  for (const [name, summary] of Object.entries(expected)) closeTo(parameters[name] as Tensor, summary, REL, name);
}

describe.each(['mlp', 'cnn'] as const)('%s', (network) => {
  const expected = fixture<Network>(network);
  const make = () => {
    const model = build[network]();
    initialise(model, expected.seed);
    return model;
  };

  test('logits and gradients of the first batch', () => {
    const model = make();
    const { x, labels } = digits(0, expected.batch);
    const logits = model.forward(x);
    nn.crossEntropy(logits, labels).backward();
    closeTo(logits, expected.first.logits, REL, 'logits');
    for (const [name, p] of Object.entries(named(model))) {
      closeTo(p.grad as Tensor, expected.first.gradients[name] as Summary, REL, `gradient of ${name}`);
    }
  });

  describe.each(Object.keys(expected.runs))('%s', (name) => {
    const run = expected.runs[name] as Run;
    test.each(Object.keys(ways))('20 steps, %s', (way) => {
      const model = make();
      const optimizer = new optim[run.optimizer](model.parameters(), run.options);
      const step = (ways[way] as (typeof ways)[string])(model, optimizer, nn.crossEntropy);
      const losses = run.losses.map((_, i) => {
        const { x, labels } = digits(i, expected.batch);
        return step(x, labels).item();
      });
      run.losses.forEach((loss, i) => {
        close(losses[i] as number, loss, REL, `loss of step ${i}`);
      });
      expectParameters(model, run.parameters);
    });
  });
});

describe('optimizers, twelve steps with the learning rate halved after six', () => {
  const { cases } = fixture<{ cases: Run[] }>('optimizers');
  const rows = cases.map((c) => ({ ...c, title: `${c.optimizer} ${JSON.stringify(c.options)}` }));
  describe.each(rows)('$title', (run) => {
    test.each(Object.keys(ways))('%s', (way) => {
      const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 2));
      initialise(model, 300);
      const optimizer = new optim[run.optimizer](model.parameters(), run.options);
      const step = (ways[way] as (typeof ways)[string])(model, optimizer, nn.mseLoss);
      const x = random(310, [8, 3]);
      const y = random(311, [8, 2]);
      run.losses.forEach((loss, i) => {
        if (i === 6) optimizer.lr /= 2;
        close(step(x, y).item(), loss, REL, `loss of step ${i}`);
      });
      expectParameters(model, run.parameters);
    });
  });
});
