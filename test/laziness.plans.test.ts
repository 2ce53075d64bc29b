// The traps of laziness, III: numbers that change from step to step are operands of a plan, not part of it.
import { describe, expect, test } from 'vitest';
import { planCount } from '../src/compile.ts';
import { compile, nn, optim, type Tensor } from '../src/index.ts';
import { close } from './helpers.ts';
import { batch, network, type Optimizer, WAYS, weights } from './training.ts';

describe('a learning rate or a factor that changes every step makes no new plan', () => {
  const optimizers: Record<string, (model: nn.Module) => Optimizer> = {
    SGD: (m) => new optim.SGD(m.parameters(), { lr: 0.1 }),
    momentum: (m) => new optim.SGD(m.parameters(), { lr: 0.1, momentum: 0.9 }),
    Adam: (m) => new optim.Adam(m.parameters(), { lr: 0.1 }),
  };
  describe.each(Object.keys(optimizers))('%s', (kind) => {
    test.each(WAYS)('%s', (way) => {
      const model = network(900);
      const optimizer = (optimizers[kind] as (model: nn.Module) => Optimizer)(model);
      const scaled = (x: Tensor, labels: Tensor, factor: number) =>
        nn.crossEntropy(model.forward(x), labels).mul(factor);
      const compiled = compile((x: Tensor, labels: Tensor, factor: number) => {
        const loss = scaled(x, labels, factor);
        optimizer.minimize(loss);
        return loss;
      });
      const update = (x: Tensor, labels: Tensor, factor: number) => {
        if (way === 'compiled') return compiled(x, labels, factor).item();
        const loss = scaled(x, labels, factor);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item();
      };
      const step = (i: number, n = 8) => {
        const { x, labels } = batch(i, n);
        optimizer.lr = 0.01 / (1 + i);
        // Clear of 0, ±1, ½ and 2, which rules may look at.
        return update(x, labels, 1.55 + 0.1 * i);
      };
      for (let i = 0; i < 3; i++) step(i);
      const warm = planCount();
      for (let i = 3; i < 20; i++) {
        const { x, labels } = batch(i);
        const plain = nn.crossEntropy(model.forward(x), labels).item();
        if (i === 3) continue; // the line above may have made a plan of its own
        const now = planCount();
        close(step(i), plain * (1.55 + 0.1 * i), 1e-5, `loss of step ${i}`);
        expect(planCount(), `plans after step ${i}`).toBe(now);
      }
      expect(planCount() - warm).toBeLessThanOrEqual(1);
      step(0, 5); // another shape: the counter does count
      expect(planCount() - warm).toBeGreaterThanOrEqual(1);
      const last = weights(model);
      optimizer.lr = 0;
      const { x, labels } = batch(0);
      update(x, labels, 1.7); // the rate is read anew at every step: at 0 nothing moves
      expect(weights(model)).toEqual(last);
    });
  });
});
