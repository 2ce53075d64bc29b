// The traps of laziness, II: modes, returned weights, failures and tied weights; a model is never half updated.
import { describe, expect, test } from 'vitest';
import { compile, NablaError, nn, optim, Tensor, tensor } from '../src/index.ts';
import { close, fill, random, thrown, uniform } from './helpers.ts';
import { batch, network, type Optimizer, stepOf, WAYS, weights } from './training.ts';

describe('eval()', () => {
  const x = random(2100, [16, 64], 1, 2);
  const dropped = (y: Tensor) => [...y.data()].filter((v) => v === 0).length;
  const run: Record<string, (model: nn.Module) => (x: Tensor) => Tensor> = {
    'as it is': (model) => (t) => model.forward(t),
    compiled: (model) => compile((t: Tensor) => model.forward(t)),
  };
  test.each(Object.keys(run))('a model drops nothing out after it, and does again after train(): %s', (way) => {
    const model = new nn.Sequential(new nn.Dropout(0.5), new nn.Sequential(new nn.Dropout(0.25)));
    const forward = (run[way] as (model: nn.Module) => (x: Tensor) => Tensor)(model);
    const [first, second] = [forward(x), forward(x)];
    for (const y of [first, second]) {
      const share = dropped(y) / 1024; // 1 − 0.5·0.75 = 0.625, standard deviation 0.015
      expect(share).toBeGreaterThan(0.55);
      expect(share).toBeLessThan(0.7);
      y.data().forEach((v, i) => {
        if (v !== 0) expect(v / (x.data()[i] as number)).toBeCloseTo(1 / (0.5 * 0.75), 4);
      });
    }
    expect(first.toArray()).not.toEqual(second.toArray());
    model.eval();
    for (let i = 0; i < 3; i++) expect(forward(x).toArray()).toEqual(x.toArray());
    model.train();
    expect(dropped(forward(x))).toBeGreaterThan(500);
    model.eval();
    expect(forward(x).toArray()).toEqual(x.toArray());
  });
});

describe('[before, after] of a weight', () => {
  const make = () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    fill(layer.weight, [1, 2]);
    return { layer, optimizer: new optim.SGD(layer.parameters(), { lr: 0.1 }) };
  };
  // The loss Σ w·x at x = (3, 4) moves the weight by (−0.3, −0.4) a step.
  const at = (k: number) => [1 - 0.3 * k, 2 - 0.4 * k];
  const x = () => tensor([[3, 4]]);

  test('returned from a compiled step', () => {
    const { layer, optimizer } = make();
    const step = compile((input: Tensor) => {
      const before = [layer.weight.clone(), layer.weight.add(0), layer.weight.reshape(2), layer.weight.mul(2)];
      optimizer.minimize(layer.forward(input).sum());
      return [...before, layer.weight.clone(), layer.weight.add(0), layer.weight.reshape(2), layer.weight.mul(2)];
    });
    const kept = [0, 1, 2].map(() => step(x()));
    kept.forEach((returned, k) => {
      returned.forEach((t, i) => {
        const factor = i % 4 === 3 ? 2 : 1;
        const wanted = at(i < 4 ? k : k + 1).map((v) => v * factor);
        close(t, wanted, 1e-6, `step ${k}, result ${i}`);
      });
    });
    close(layer.weight, at(3), 1e-6, 'the weight');
  });

  test('the handle itself, returned from a compiled step, is the weight after it', () => {
    const { layer, optimizer } = make();
    const step = compile((input: Tensor) => {
      optimizer.minimize(layer.forward(input).sum());
      return layer.weight;
    });
    close(step(x()), at(1), 1e-6);
    close(step(x()), at(2), 1e-6);
  });

  test('uncompiled: a copy is what it was; too old a one may be an error, never a newer value', () => {
    const { layer, optimizer } = make();
    const step = () => {
      const loss = layer.forward(x()).sum();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    };
    const copies = [layer.weight.clone()];
    step();
    close(copies[0] as Tensor, at(0), 1e-6, 'read after the next step');
    copies.push(layer.weight.clone());
    step();
    step();
    try {
      close(copies[1] as Tensor, at(1), 1e-6, 'read two steps later');
    } catch (error) {
      if (!(error instanceof NablaError)) throw error;
      expect(error.code).toBe('stale');
    }
    close(copies[0] as Tensor, at(0), 1e-6, 'read before, stays');
    close(layer.weight, at(3), 1e-6, 'the weight');
  });
});

describe.each(WAYS)('what goes wrong leaves every weight as it was: %s', (way) => {
  const optimizers: Record<string, (m: nn.Module) => Optimizer> = {
    momentum: (m) => new optim.SGD(m.parameters(), { lr: 0.1, momentum: 0.9 }),
    Adam: (m) => new optim.Adam(m.parameters(), { lr: 0.01 }),
  };
  const mishaps: Record<string, () => [Tensor, Tensor]> = {
    'a label out of range': () => [batch(3).x, tensor(Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2))],
    'a negative label': () => [batch(3).x, tensor(Int32Array.of(0, 1, 2, 3, 3, 0, 1, -1))],
    'labels that do not fit': () => [batch(3).x, tensor(Int32Array.of(0, 1))],
    'an input that does not fit': () => [random(2200, [8, 5]), batch(3).labels],
  };
  describe.each(Object.keys(optimizers))('%s', (kind) => {
    test.each(Object.keys(mishaps))('%s', (mishap) => {
      const run = (failing: boolean) => {
        const model = network();
        const step = stepOf(way, model, (optimizers[kind] as (m: nn.Module) => Optimizer)(model));
        for (let i = 0; i < 3; i++) step(batch(i).x, batch(i).labels);
        const before = weights(model);
        if (failing) {
          const [x, labels] = (mishaps[mishap] as () => [Tensor, Tensor])();
          expect(thrown(() => step(x, labels))).toBeInstanceOf(NablaError);
          expect(weights(model)).toEqual(before);
        }
        for (let i = 3; i < 6; i++) step(batch(i).x, batch(i).labels);
        expect(weights(model)).not.toEqual(before);
        return weights(model);
      };
      // The moments, too: what follows is what follows without the mishap.
      expect(run(true)).toEqual(run(false));
    });
  });
});

describe('an exception inside compile leaves model and optimizer usable', () => {
  test.each([
    ['before the update', 0],
    ['after the update', 1],
  ])('%s', (_, late) => {
    const run = (failures: number[]) => {
      const model = network();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      let fail = false;
      const make = () =>
        compile((x: Tensor, labels: Tensor) => {
          const loss = nn.crossEntropy(model.forward(x), labels);
          if (fail && late === 0) throw new RangeError('mine');
          optimizer.minimize(loss);
          if (fail) throw new RangeError('mine');
          return loss;
        });
      let step = make();
      for (let i = 0; i < 4; i++) {
        const { x, labels } = batch(i);
        if (failures.includes(i)) {
          const before = weights(model);
          step = make(); // a fresh function traces anew
          fail = true;
          expect(thrown(() => step(x, labels))).toBeInstanceOf(RangeError);
          fail = false;
          expect(weights(model)).toEqual(before);
          expect(model.parameters().every((p) => p.grad === null)).toBe(true);
          expect(tensor([1, 2]).add(1).toArray()).toEqual([2, 3]); // no trace is left open
        }
        step(x, labels);
      }
      // And the other way of writing goes on from there.
      stepOf('backward and step', model, optimizer)(batch(4).x, batch(4).labels);
      return weights(model);
    };
    const undisturbed = run([]);
    expect(run([0])).toEqual(undisturbed);
    expect(run([2])).toEqual(undisturbed);
  });
});

describe('a tied weight gets both gradients and one update', () => {
  const x = random(2300, [5, 4]);
  const y = random(2301, [5, 4]);
  const start = uniform(2302, 16, -0.5, 0.5);
  const make = (tied: boolean) => {
    const [inner, outer] = [new nn.Linear(4, 4, { bias: false }), new nn.Linear(4, 4, { bias: false })];
    fill(inner.weight, start);
    if (tied) outer.weight = inner.weight;
    else fill(outer.weight, start);
    return { inner, outer, model: new nn.Sequential(inner, new nn.Tanh(), outer) };
  };

  test.each(WAYS)('%s', (way) => {
    const untied = make(false);
    nn.mseLoss(untied.model.forward(x), y).backward();
    const [g, h] = [untied.inner, untied.outer].map((l) => (l.weight.grad as Tensor).data()) as [
      Float32Array,
      Float32Array,
    ];
    const both = g.map((v, i) => v + (h[i] as number));

    const { inner, outer, model } = make(true);
    expect(model.parameters().length).toBe(1);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = compile((a: Tensor, b: Tensor) => {
      const loss = nn.mseLoss(model.forward(a), b);
      optimizer.minimize(loss);
      return loss;
    });
    if (way === 'compiled') step(x, y);
    else {
      nn.mseLoss(model.forward(x), y).backward();
      close(inner.weight.grad as Tensor, both, 1e-5, 'the gradient');
      optimizer.step();
    }
    close(
      inner.weight,
      start.map((v, i) => v - 0.1 * (both[i] as number)),
      1e-6,
      'the weight',
    );
    expect([...outer.weight.data()]).toEqual([...inner.weight.data()]);
    expect(outer.weight).toBeInstanceOf(Tensor);
  });
});
