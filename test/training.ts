// A small classifier, its batches and both ways of training it, for the tests of laziness.
import { compile, nn, type optim, type Tensor, tensor } from '../src/index.ts';
import { initialise, random, uniform } from './helpers.ts';

export const WAYS = ['backward and step', 'compiled'] as const;
export type Optimizer = optim.SGD | optim.Adam;

export function network(seed = 900): nn.Module {
  const model = new nn.Sequential(new nn.Linear(3, 6), new nn.Tanh(), new nn.Linear(6, 4));
  initialise(model, seed);
  return model;
}

/** A copy of every parameter's numbers. */
export const weights = (model: nn.Module): number[][] => model.parameters().map((p) => [...p.data()]);

export function batch(i: number, n = 8): { x: Tensor; labels: Tensor } {
  const labels = Int32Array.from(uniform(2500 + i, n, 0, 4), Math.floor);
  return { x: random(2000 + i, [n, 3]), labels: tensor(labels) };
}

/** A training step that returns loss and accuracy, in either way of writing. */
export function stepOf(way: (typeof WAYS)[number], model: nn.Module, optimizer: Optimizer) {
  const forward = (x: Tensor, labels: Tensor) => {
    const logits = model.forward(x);
    return { loss: nn.crossEntropy(logits, labels), accuracy: nn.accuracy(logits, labels) };
  };
  if (way === 'compiled') {
    return compile((x: Tensor, labels: Tensor) => {
      const results = forward(x, labels);
      optimizer.minimize(results.loss);
      return results;
    });
  }
  return (x: Tensor, labels: Tensor) => {
    const results = forward(x, labels);
    optimizer.zeroGrad();
    results.loss.backward();
    optimizer.step();
    return results;
  };
}
