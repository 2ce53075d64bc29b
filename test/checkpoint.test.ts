// checkpoint and customGradient: derivatives that are not what the graph alone would say, in every way to run them.
import { describe, expect, test } from 'vitest';
import {
  type Compiled,
  checkpoint,
  compile,
  customGradient,
  grad,
  gradcheck,
  gradgradcheck,
  hessian,
  jvp,
  manualSeed,
  nn,
  optim,
  type Tensor,
  tensor,
} from '../src/index.ts';
import { close, initialise, list, random } from './helpers.ts';
import './spine/checked.ts';

describe('checkpoint', () => {
  const block = (seed: number) => {
    const net = new nn.Sequential(new nn.Linear(4, 4), new nn.GELU(), new nn.LayerNorm(4));
    initialise(net, seed);
    return net;
  };
  /** The same network with and without; `wrap` is checkpoint, or the plain call. */
  type Wrap = (fn: (h: Tensor) => Tensor, h: Tensor) => Tensor;
  const plain: Wrap = (fn, h) => fn(h);
  const network = (wrap: Wrap) => {
    const blocks = [100, 110, 120, 130].map(block);
    const forward = (x: Tensor) => blocks.reduce((h, b) => wrap((t) => b.forward(t).add(t), h), x);
    return { parameters: blocks.flatMap((b) => b.parameters()), forward };
  };
  const x = random(90, [5, 4]);

  test('gives the same value and gradients by grad, backward and compile', () => {
    const results = [plain, checkpoint as Wrap].map((wrap) => {
      const { parameters, forward } = network(wrap);
      const loss = () => forward(x).square().mean();
      const byGrad = grad(loss(), [x, ...parameters]).map(list);
      loss().backward();
      const byBackward = parameters.map((p) => list(p.grad as Tensor));
      const step = compile((t: Tensor) => {
        const y = forward(t).square().mean();
        return [y, ...grad(y, [t, ...parameters])];
      });
      return { loss: loss().item(), byGrad, byBackward, compiled: step(x).map(list) };
    });
    const [without, with_] = results as [(typeof results)[0], (typeof results)[0]];
    expect(with_.loss).toBeCloseTo(without.loss, 6);
    for (const way of ['byGrad', 'byBackward', 'compiled'] as const) {
      with_[way].forEach((g, i) => close(g, without[way][i] as number[], 1e-5, `${way} ${i}`));
    }
  });

  test('trains as without, step by step, in both loops', () => {
    const losses = [plain, checkpoint as Wrap].flatMap((wrap) =>
      ['compiled', 'uncompiled'].map((loop) => {
        const { parameters, forward } = network(wrap);
        const optimizer = new optim.Adam(parameters, { lr: 0.01 });
        const loss = (t: Tensor) => forward(t).sub(1).square().mean();
        const step = compile((t: Tensor) => {
          const l = loss(t);
          optimizer.minimize(l);
          return l;
        });
        return Array.from({ length: 6 }, () => {
          if (loop === 'compiled') return step(x).item();
          const l = loss(x);
          optimizer.zeroGrad();
          l.backward();
          optimizer.step();
          return l.item();
        });
      }),
    );
    for (const other of losses.slice(1)) close(other, losses[0] as number[], 1e-4);
    expect(losses[0]?.[5]).toBeLessThan(losses[0]?.[0] as number);
  });

  test('derives again: a second derivative, jvp, a checkpoint inside a checkpoint', () => {
    const f = (t: Tensor) => t.tanh().mul(t.exp()).sum();
    const nested = (t: Tensor) =>
      checkpoint((a: Tensor) => checkpoint((b: Tensor) => b.tanh(), a).mul(checkpoint((b: Tensor) => b.exp(), a)), t);
    const g = (t: Tensor) => nested(t).sum();
    const [a, v] = [random(91, [3]), random(92, [3])];
    close(grad(g)(a), grad(f)(a), 1e-6);
    close(hessian(g)(a), hessian(f)(a), 1e-5);
    close(jvp(g, [a], [v])[1], jvp(f, [a], [v])[1], 1e-5);
    expect(gradcheck(g, [a])).toBe(true);
    expect(gradgradcheck(nested, [a])).toBe(true);
  });

  test('what it takes from outside gets its gradient: a parameter, and what was computed before', () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const outside = w.exp();
    const y = (wrap: Wrap) =>
      wrap((t) => t.mul(outside).softmax().log().mul(w), random(93, [3]))
        .square()
        .sum();
    const expected = list(grad(y(plain), [w])[0]);
    close(grad(y(checkpoint as Wrap), [w])[0], expected, 1e-5);
    y(checkpoint as Wrap).backward();
    close(w.grad as Tensor, expected, 1e-5);
    // Read before it is differentiated.
    w.grad = null;
    const loss = y(checkpoint as Wrap);
    for (let i = 0; i < 4; i++) loss.item();
    loss.backward();
    close(w.grad as Tensor | null as Tensor, expected, 1e-5);
  });

  test('no rule of stability reaches across its border', () => {
    const a = tensor([0, -200, 3]);
    const y = (wrap: Wrap) =>
      wrap((p) => p.log(), a.softmax())
        .mul(tensor([1, 0, 2]))
        .sum();
    const lazy = grad(checkpoint((p: Tensor) => p.add(1).log(), a.softmax()).sum(), [a])[0];
    close(lazy, list(grad(a.softmax().add(1).log().sum(), [a])[0]), 1e-5);
    expect(Number.isFinite(y(plain).item())).toBe(true);
  });

  test('random numbers are the same the second time', () => {
    const drop = (wrap: Wrap) => {
      manualSeed(7);
      const a = random(94, [200]);
      const y = wrap((t) => nn.dropout(t.exp(), 0.5).square(), a);
      const [value, g] = [y.sum(), grad(y.sum(), [a])[0]];
      return [value.item(), ...list(g)];
    };
    close(drop(checkpoint as Wrap), drop(plain), 1e-6);
    const layer = new nn.Sequential(new nn.Linear(8, 8), new nn.Dropout(0.5), new nn.Tanh());
    const step = (wrap: Wrap) => {
      manualSeed(8);
      const run = compile(
        (t: Tensor) =>
          grad(
            wrap((h) => layer.forward(h), t)
              .square()
              .sum(),
            [t],
          )[0],
      );
      return [1, 2].flatMap(() => list(run(random(95, [4, 8]))));
    };
    close(step(checkpoint as Wrap), step(plain), 1e-6);
  });

  test('an argument given back, a constant, and an argument that is no tensor', () => {
    const a = tensor([1, 2]);
    expect(grad(checkpoint((t: Tensor) => t, a).sum(), [a])[0].toArray()).toEqual([1, 1]);
    expect(checkpoint(() => a)).toBe(a);
    const y = checkpoint((t: Tensor, k: number) => t.mul(k).square(), a, 3);
    expect(grad(y.sum(), [a])[0].toArray()).toEqual([18, 36]);
  });

  test('what was made inside cannot be asked about from outside', () => {
    let inner: Tensor | null = null;
    const a = tensor([1, 2]);
    const y = checkpoint((t: Tensor) => {
      inner = t.exp();
      return inner.square();
    }, a).sum();
    expect(() => grad(y, [inner as unknown as Tensor])).toThrow('grad: y does not depend on x[0] [2]');
  });

  describe('on a network of 50 layers', () => {
    const WIDTH = 32;
    const BATCH = 256;
    const deep = (segment: number) => {
      const layers = Array.from({ length: 50 }, () => new nn.Sequential(new nn.Linear(WIDTH, WIDTH), new nn.GELU()));
      layers.forEach((layer, i) => initialise(layer, 1000 + 10 * i));
      const optimizer = new optim.SGD(
        layers.flatMap((layer) => layer.parameters()),
        { lr: 0.01 },
      );
      const step = compile((t: Tensor) => {
        let h = t;
        for (let i = 0; i < 50; i += segment) {
          const part = layers.slice(i, i + segment);
          h = segment === 50 ? run(part, h) : checkpoint((u: Tensor) => run(part, u), h);
        }
        const loss = h.sub(1).square().mean();
        optimizer.minimize(loss);
        return loss;
      });
      return { step, weights: () => layers.map((layer) => list(layer.parameters()[0] as Tensor)) };
    };
    const run = (layers: nn.Sequential[], h: Tensor) =>
      layers.reduce((t, layer) => t.add(layer.forward(t).mul(0.1)), h);
    const input = random(96, [BATCH, WIDTH]);
    const arena = (step: Compiled<[Tensor], Tensor>) => step.memory(input).arenaBytes;

    test('it lowers the peak of memory at least four times', () => {
      const [without, with_] = [arena(deep(50).step), arena(deep(5).step)];
      console.log(
        `arena of 50 layers: ${without} bytes stored, ${with_} with checkpoint: ${(without / with_).toFixed(2)}`,
      );
      expect(without / with_).toBeGreaterThan(4);
    });

    test('and trains the same weights', () => {
      const [a, b] = [deep(50), deep(5)];
      for (let i = 0; i < 3; i++) expect(b.step(input).item()).toBeCloseTo(a.step(input).item(), 5);
      b.weights().forEach((w, i) => close(w, a.weights()[i] as number[], 1e-6, `layer ${i}`));
    });
  });
});

describe('customGradient', () => {
  /** exp with three times its gradient. */
  const triple = customGradient(
    (x) => x.exp(),
    (dy, y) => dy.mul(y).mul(3),
  );
  const x = () => tensor([0.5, -1], { requiresGrad: true });
  const expected = [0.5, -1].map((v) => 3 * Math.exp(v) * 2 * Math.exp(v));
  const loss = (t: Tensor) => triple(t).square().sum();

  test('is obeyed by grad, backward and compile; the value is the function', () => {
    const a = x();
    close(triple(a), [Math.exp(0.5), Math.exp(-1)], 1e-6);
    close(grad(loss(a), [a])[0], expected, 1e-6);
    loss(a).backward();
    close(a.grad as Tensor, expected, 1e-6);
    const step = compile((t: Tensor) => {
      const l = loss(t);
      return [l, ...grad(l, [t])];
    });
    close(step(tensor([0.5, -1]))[1] as Tensor, expected, 1e-6);
  });

  test('derives again through the rule', () => {
    // y' = 3y, and so y'' = 9y.
    const second = grad((t: Tensor) => grad((u: Tensor) => triple(u).sum())(t).sum())(tensor([0.5]));
    close(second, [9 * Math.exp(0.5)], 1e-6);
    close(jvp(triple, [tensor([0.5])], [tensor([2])])[1], [6 * Math.exp(0.5)], 1e-6);
  });

  test('several arguments, null for one; the same tensor twice', () => {
    const product = customGradient(
      (a, b) => a.mul(b),
      (dy, _, a) => [null, dy.mul(a)],
    );
    const [a, b] = [tensor(2), tensor(3)];
    expect(grad(product(a, b), [b])[0].item()).toBe(2);
    expect(grad(product(a, b), [a])[0].item()).toBe(0);
    expect(grad(product(a, a), [a])[0].item()).toBe(2);
  });

  test('a straight-through estimator trains what a step function would stop', () => {
    const sign = customGradient(
      (t) => t.sign(),
      (dy, _, t) => t.abs().le(1).where(dy, 0),
    );
    const w = tensor([0.5, -0.5, 2], { requiresGrad: true });
    sign(w)
      .mul(tensor([1, 2, 3]))
      .sum()
      .backward();
    expect(w.grad?.toArray()).toEqual([1, 2, 0]);
  });

  test('two rules over one expression stay two', () => {
    const of = (k: number) =>
      customGradient(
        (t) => t.exp(),
        (dy) => dy.mul(k),
      );
    const a = tensor(0, { requiresGrad: true });
    expect(grad(of(2)(a).add(of(5)(a)), [a])[0].item()).toBe(7);
    // And programs that are kept for one rule are not run for another.
    const gradients = [2, 5].map((k) => {
      a.grad = null;
      of(k)(a).backward();
      return (a.grad as Tensor | null)?.item();
    });
    expect(gradients).toEqual([2, 5]);
  });

  test('the rule may read what is no argument: a tensor, a variable as it is now', () => {
    const scale = tensor(2, { requiresGrad: true });
    const scaled = customGradient(
      (t) => t.mul(1),
      (dy) => dy.mul(scale),
    );
    const a = tensor([1, 1], { requiresGrad: true });
    for (const s of [2, 7]) {
      scale.assign(s);
      a.grad = null;
      scaled(a).sum().backward();
      expect((a.grad as Tensor | null)?.toArray()).toEqual([s, s]);
    }
    const step = compile((t: Tensor) => grad(scaled(t).sum(), [t])[0]);
    expect(step(tensor([1, 1])).toArray()).toEqual([7, 7]);
    scale.assign(3);
    expect(step(tensor([1, 1])).toArray()).toEqual([3, 3]);
  });

  test('gradcheck finds a wrong rule, and accepts a right one', () => {
    const right = customGradient(
      (t) => t.exp(),
      (dy, y) => dy.mul(y),
    );
    expect(gradcheck(right, [tensor([0.3])])).toBe(true);
    expect(gradgradcheck(right, [tensor([0.3])])).toBe(true);
    expect(gradcheck(triple, [tensor([0.3])], { raiseException: false })).toBe(false);
  });

  test('what the function reads beside its arguments gets no gradient through it', () => {
    const w = tensor(2, { requiresGrad: true });
    const f = customGradient(
      (t) => t.mul(w),
      (dy) => dy.mul(10),
    );
    const a = tensor(3, { requiresGrad: true });
    f(a).backward();
    expect([a.grad?.item(), w.grad]).toEqual([10, null]);
  });
});
