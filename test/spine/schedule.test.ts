// The order of instructions: what can wait does, and what frees memory comes at once.
import { describe, expect, test } from 'vitest';
import { compile, nn, optim, type Tensor, tensor } from '../../src/index.ts';
import { random } from '../helpers.ts';
import './checked.ts';

const WIDTH = 64;
/** Few, so that the gradient of a layer's weights is larger than what the layer stores. */
const BATCH = 8;
const x = random(1, [BATCH, WIDTH]);
const layers = (n: number, ...more: (() => nn.Module)[]) =>
  new nn.Sequential(
    ...Array.from({ length: n }, () => [new nn.Linear(WIDTH, WIDTH), ...more.map((make) => make())]).flat(),
  );

describe('the arena of a deeper network', () => {
  test('is no larger without a gradient, masks of dropout included', () => {
    const arena = (n: number) => {
      const net = layers(n, () => new nn.Dropout(0.5));
      return compile((t: Tensor) => net.forward(t) as Tensor).memory(x).arenaBytes;
    };
    expect(arena(20)).toBe(arena(10));
  });

  test('grows in training by what the gradient needs, not by the gradients', () => {
    const arena = (n: number) => {
      const net = layers(n, () => new nn.ReLU());
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const step = compile((t: Tensor) => {
        const loss = (net.forward(t) as Tensor).square().mean();
        optimizer.minimize(loss);
        return loss;
      });
      return step.memory(x).arenaBytes;
    };
    // One activation a layer, and a little to keep addresses apart.
    expect(arena(20) - arena(10)).toBeLessThan(10.5 * BATCH * WIDTH * 4);
  });
});

test('updates in an order that no order of age allows are made all the same', () => {
  // Each variable becomes what the other was: neither can be written over before both are read.
  const [a, b] = [tensor([1, 2], { requiresGrad: true }), tensor([3, 4], { requiresGrad: true })];
  const swap = compile(() => {
    const [oldA, oldB] = [a.mul(1), b.mul(1)];
    a.assign(oldB.add(0.5));
    b.assign(oldA.sub(0.5));
    return a.sum();
  });
  swap();
  swap();
  expect([a.toArray(), b.toArray()]).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
