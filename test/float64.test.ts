// float64 through the library: what gives it, how it mixes, that gradients, optimizers, compiled functions, threads and
// files keep it. The ops themselves run in float64 in the op table.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  arange,
  compile,
  type DType,
  full,
  grad,
  manualSeed,
  nn,
  ones,
  optim,
  rand,
  randn,
  setThreads,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.ts';
import { loadSafetensors, saveSafetensors } from '../src/io/index.ts';
import { uniform, untilReady } from './helpers.ts';

afterEach(() => setThreads(1));

const doubles = (seed: number, shape: number[], lo = -1, hi = 1): Tensor => {
  const n = shape.reduce((a, b) => a * b, 1);
  // Two draws a number, so that all digits are in use.
  const [high, low] = [uniform(seed, n, lo, hi), uniform(seed + 1, n, -1, 1)];
  return tensor(
    Float64Array.from(high, (x, i) => x + 2 ** -26 * (low[i] as number)),
    { shape },
  );
};

/** Within so many units in the last place of the largest. */
function near(got: ArrayLike<number>, want: ArrayLike<number>, ulps: number): void {
  expect(got.length).toBe(want.length);
  const top = Array.from(want).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (let i = 0; i < want.length; i++) {
    const off = Math.abs((got[i] as number) - (want[i] as number));
    if (!(off <= ulps * 2 ** -52 * top)) expect.fail(`element ${i}: ${got[i]}, expected ${want[i]}`);
  }
}

describe('dtypes', () => {
  test.each<[string, () => Tensor, DType]>([
    ['a Float64Array', () => tensor(Float64Array.of(0.1, 0.2)), 'float64'],
    ['a Float32Array', () => tensor(Float32Array.of(0.1)), 'float32'],
    ['a number', () => tensor(0.1), 'float32'],
    ['a number, asked for', () => tensor(0.1, { dtype: 'float64' }), 'float64'],
    ['a Float64Array, asked for float32', () => tensor(Float64Array.of(0.1), { dtype: 'float32' }), 'float32'],
    ['zeros', () => zeros([2], { dtype: 'float64' }), 'float64'],
    ['ones', () => ones([2], { dtype: 'float64' }), 'float64'],
    ['full', () => full([2], 0.1, { dtype: 'float64' }), 'float64'],
    ['arange', () => arange(0, 1, 0.1, { dtype: 'float64' }), 'float64'],
    ['rand', () => rand([2], { dtype: 'float64' }), 'float64'],
    ['randn', () => randn([2], { dtype: 'float64' }), 'float64'],
    ['a sum with a number', () => tensor(Float64Array.of(1)).add(0.1), 'float64'],
    ['a product with a bool', () => tensor(Float64Array.of(1, 2)).mul(tensor([true, false])), 'float64'],
    ['a comparison', () => tensor(Float64Array.of(1)).gt(0.1), 'bool'],
    ['argmax', () => tensor(Float64Array.of(1)).argmax(), 'int32'],
    [
      'a choice of numbers alone',
      () =>
        tensor([true])
          .where(0.1, 0.2)
          .add(tensor(Float64Array.of(1))),
      'float64',
    ],
    ['a choice of numbers', () => tensor([true]).where(tensor(Float64Array.of(1)), 0.1), 'float64'],
  ])('%s', (_, make, dtype) => {
    const t = make();
    expect(t.dtype).toBe(dtype);
    const arrays = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array };
    expect(t.data()).toBeInstanceOf(arrays[dtype]);
  });

  test('no digit is lost between a number, an array and a tensor', () => {
    expect(tensor(0.1, { dtype: 'float64' }).item()).toBe(0.1);
    expect(full([2], Math.PI, { dtype: 'float64' }).toArray()).toEqual([Math.PI, Math.PI]);
    expect(tensor(Float64Array.of(1)).mul(0.1).item()).toBe(0.1);
    expect(arange(0, 1, 0.25, { dtype: 'float64' }).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(tensor(Float64Array.of(1e300)).square().item()).toBe(Number.POSITIVE_INFINITY);
    expect(
      tensor(Float64Array.of(1 + 2 ** -52))
        .sub(1)
        .item(),
    ).toBe(2 ** -52);
  });

  test('from one precision to another and back', () => {
    const x = tensor(Float64Array.of(0.1, 1e300, -1e-300, 2.5));
    expect(x.to('float32').toArray()).toEqual([0.1, 1e300, -1e-300, 2.5].map(Math.fround));
    expect(x.to('float32').to('float64').add(0).toArray()).toEqual([0.1, 1e300, -1e-300, 2.5].map(Math.fround));
    expect(x.to('int32').toArray()).toEqual([0, 2 ** 31 - 1, 0, 2]);
    expect(x.to('bool').toArray()).toEqual([true, true, true, true]);
    expect(
      tensor(Int32Array.of(2 ** 31 - 1))
        .to('float64')
        .mul(0.5)
        .item(),
    ).toBe((2 ** 31 - 1) / 2);
    expect(tensor([true, false]).to('float64').div(3).toArray()).toEqual([1 / 3, 0]);
  });

  test('masks of float64 in one tape with int32 and bool, streams, rows and columns of each', () => {
    const x = doubles(1, [3, 5]);
    const rows = tensor(Int32Array.of(7, -8, 9, 10, -11));
    const column = tensor([[true], [false], [true]]);
    const y = column
      .where(x.add(rows.to('float64')), x.mul(2))
      .gt(0)
      .to('float64')
      .add(x.lt(0).to('int32').to('float64'));
    const at = (i: number, j: number) => (x.toArray() as number[][])[i]?.[j] as number;
    const want = Array.from({ length: 15 }, (_, k) => {
      const [i, j] = [Math.floor(k / 5), k % 5];
      const value = i === 1 ? 2 * at(i, j) : at(i, j) + ([7, -8, 9, 10, -11][j] as number);
      return (value > 0 ? 1 : 0) + (at(i, j) < 0 ? 1 : 0);
    });
    expect([...y.data()]).toEqual(want);
  });
});

describe('gradients', () => {
  test('flow between precisions, each in its own', () => {
    const x = tensor(Float64Array.of(0.1, 2), { requiresGrad: true });
    const w = tensor([3, 4], { requiresGrad: true });
    x.to('float32').mul(w).sum().backward();
    expect([x.grad?.dtype, w.grad?.dtype]).toEqual(['float64', 'float32']);
    expect(x.grad?.toArray()).toEqual([3, 4]);
    expect(w.grad?.toArray()).toEqual([Math.fround(0.1), 2]);
    const [dw] = grad(w.to('float64').mul(0.1).sum(), [w]);
    expect(dw.dtype).toBe('float32');
    expect(dw.toArray()).toEqual([Math.fround(0.1), Math.fround(0.1)]);
  });

  test("second derivatives of Rosenbrock's function, exact", () => {
    const x = tensor(Float64Array.of(-1.2, 1));
    const [a, b] = [x.slice({ stop: 1 }), x.slice({ start: 1 })];
    const f = b.sub(a.square()).square().mul(100).add(a.neg().add(1).square()).sum();
    const [g] = grad(f, [x]);
    const rows = [0, 1].map((i) => grad(g.slice({ start: i, stop: i + 1 }).sum(), [x])[0].toArray());
    near((rows as number[][]).flat(), [1330, 480, 480, 200], 1);
    near(g.data(), [-215.6, -88], 2);
  });

  test('of a network by central differences of its own loss', () => {
    manualSeed(5);
    const model = new nn.Sequential(
      new nn.Conv2d(2, 3, 3, { padding: 1 }),
      new nn.GELU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.LayerNorm(12),
      new nn.Linear(12, 5),
      new nn.Tanh(),
      new nn.Linear(5, 4),
    ).to('float64');
    const x = doubles(3, [3, 2, 4, 4]);
    const labels = tensor(Int32Array.of(0, 3, 1));
    const loss = compile(() => nn.crossEntropy(model.forward(x), labels));
    nn.crossEntropy(model.forward(x), labels).backward();
    for (const p of model.parameters()) {
      const values = p.data();
      const gradient = p.grad?.data() as Float64Array;
      for (const i of [0, values.length - 1]) {
        const at = (h: number) => {
          const moved = Float64Array.from(values);
          (moved[i] as number) += h;
          p.assign(tensor(moved, { shape: p.shape }));
          return loss().item();
        };
        const h = 1e-3;
        const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        at(0);
        expect(Math.abs(slope - (gradient[i] as number))).toBeLessThan(1e-9);
      }
    }
  });
});

describe('training', () => {
  const steps = 5;
  /** Minimises Σ(x − target)⁴ from plain numbers. */
  function descend(optimizer: (p: Tensor[]) => optim.Optimizer, compiled: boolean): ArrayLike<number> {
    const p = nn.parameter(tensor(Float64Array.of(0.3, -0.7, 1.1)));
    const o = optimizer([p]);
    const target = tensor(Float64Array.of(1, 2, 3));
    const loss = () => p.sub(target).square().square().sum();
    const step = compiled
      ? compile(() => o.minimize(loss()))
      : () => {
          o.zeroGrad();
          loss().backward();
          o.step();
        };
    for (let k = 0; k < steps; k++) step();
    expect(p.dtype).toBe('float64');
    return p.data();
  }
  const slopes = (p: number[]) => p.map((x, i) => 4 * (x - (i + 1)) ** 3);

  test.each([false, true])('SGD with all it has, to float64 (compiled: %s)', (compiled) => {
    const [lr, momentum, dampening, weightDecay] = [1e-3, 0.9, 0.1, 0.01];
    let p = [0.3, -0.7, 1.1];
    let v = [0, 0, 0];
    for (let k = 0; k < steps; k++) {
      const g = slopes(p).map((s, i) => s + weightDecay * (p[i] as number));
      v = v.map((x, i) => (k === 0 ? (g[i] as number) : momentum * x + (1 - dampening) * (g[i] as number)));
      p = p.map((x, i) => x - lr * (v[i] as number));
    }
    near(
      descend((list) => new optim.SGD(list, { lr, momentum, dampening, weightDecay }), compiled),
      p,
      8,
    );
  });

  test.each([false, true])('Adam, to float64 (compiled: %s)', (compiled) => {
    const [lr, eps, b1, b2] = [0.1, 1e-8, 0.9, 0.999];
    let p = [0.3, -0.7, 1.1];
    let [m, v] = [
      [0, 0, 0],
      [0, 0, 0],
    ];
    for (let k = 1; k <= steps; k++) {
      const g = slopes(p);
      m = m.map((x, i) => b1 * x + (1 - b1) * (g[i] as number));
      v = v.map((x, i) => b2 * x + (1 - b2) * (g[i] as number) ** 2);
      p = p.map((x, i) => {
        const mean = (m[i] as number) / (1 - b1 ** k);
        return x - (lr * mean) / (Math.sqrt((v[i] as number) / (1 - b2 ** k)) + eps);
      });
    }
    // 1 − β rounds at 1e−17 of 1 − 0.999, that is at 500 units of its own.
    near(
      descend((list) => new optim.Adam(list, { lr, betas: [b1, b2], eps }), compiled),
      p,
      600,
    );
  });

  test('one optimizer of parameters of both precisions', () => {
    const a = nn.parameter(tensor([1, 2]));
    const b = nn.parameter(tensor(Float64Array.of(1, 2)));
    for (const o of [new optim.Adam([a, b]), new optim.SGD([a, b], { lr: 0.1, momentum: 0.9, dampening: 0.5 })]) {
      for (let k = 0; k < 3; k++) {
        o.zeroGrad();
        a.to('float64').add(b).square().sum().backward();
        o.step();
      }
    }
    expect([a.dtype, b.dtype]).toEqual(['float32', 'float64']);
    near(a.data(), b.data(), 2 ** 32);
  });

  test('numbers handed to a compiled function keep all digits, alone, in an expression and in a choice', () => {
    const f = compile((x: Tensor, s: number) => {
      const t = s as unknown as Tensor;
      return [x.mul(t), x.add(t.mul(2)), x.gt(0).where(t, x), t.sub(x), x.gt(0).where(t, 0.3).mul(x)];
    });
    for (const s of [0.1, 1 / 3]) {
      const got = f(tensor(Float64Array.of(0.7)), s).map((t) => t.item());
      expect(got).toEqual([0.7 * s, 0.7 + 2 * s, s, s - 0.7, s * 0.7]);
    }
    expect(f(tensor([0.5]), 0.1)[0]?.dtype).toBe('float32');
    expect(f.traces).toBe(2);
  });
});

describe('modules', () => {
  class Tied extends nn.Module {
    first = nn.parameter(tensor([[0.1, 0.2]]));
    again = this.first;
    blocks = [new nn.Linear(2, 1), { weight: this.first }];
    shift = tensor([0.5]);
    index = tensor(Int32Array.of(1));

    forward(x: Tensor): Tensor {
      return x.mul(this.first).add(this.again).sum().add(this.shift);
    }
  }

  test('to() converts parameters and constants, keeps ties, and traces anew', () => {
    const model = new Tied();
    const step = compile((x: Tensor) => model.forward(x));
    expect(step(tensor([1, 2])).dtype).toBe('float32');
    expect(model.to('float64')).toBe(model);
    expect(Object.values(model.stateDict()).map((t) => t.dtype)).toEqual(['float64', 'float64', 'float64']);
    expect(model.again).toBe(model.first);
    expect([model.shift.dtype, model.index.dtype]).toEqual(['float64', 'int32']);
    expect(model.parameters().every((p) => p.requiresGrad)).toBe(true);
    const y = step(tensor(Float64Array.of(1, 2)));
    const [a, b] = [0.1, 0.2].map(Math.fround) as [number, number];
    near(y.data(), [a + 2 * b + a + b + 0.5], 2);
    expect(model.to('float32').first.dtype).toBe('float32');
  });

  test('a file keeps float64', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'nabla-')), 'm.safetensors');
    const model = new nn.Linear(3, 2).to('float64');
    model.bias?.assign(tensor(Float64Array.of(0.1, -1e-300)));
    saveSafetensors(path, model.stateDict());
    const loaded = loadSafetensors(path);
    expect(loaded.bias?.data()).toEqual(Float64Array.of(0.1, -1e-300));
    const other = new nn.Linear(3, 2).to('float64');
    other.loadStateDict(loaded);
    expect(other.weight.data()).toEqual(model.weight.data());
  });
});

describe('random numbers', () => {
  const N = 40_000;
  const moments = (x: ArrayLike<number>) => {
    const mean = Array.from(x).reduce((a, b) => a + b, 0) / x.length;
    return [mean, Array.from(x).reduce((s, v) => s + (v - mean) ** 2, 0) / x.length];
  };
  test.each([
    ['rand', rand, 0.5, 1 / 12],
    ['randn', randn, 0, 1],
  ] as const)('%s repeats by its seed, has all digits, and its mean and variance', (_, make, mean, variance) => {
    manualSeed(7);
    const x = make([N], { dtype: 'float64' }).data();
    manualSeed(7);
    expect(
      make([N + 1], { dtype: 'float64' })
        .data()
        .slice(0, N),
    ).toEqual(x);
    const found = moments(x);
    expect(Math.abs((found[0] as number) - mean)).toBeLessThan(5 * Math.sqrt(variance / N));
    expect(Math.abs((found[1] as number) - variance)).toBeLessThan((5 * variance * Math.SQRT2) / Math.sqrt(N));
    expect(x.filter((v) => v === Math.fround(v)).length).toBeLessThan(N / 100);
    const pairs = Array.from(x).filter((_, i) => i % 2 === 0);
    const lag = pairs.reduce((s, v, i) => s + (v - mean) * ((x[2 * i + 1] as number) - mean), 0) / pairs.length;
    expect(Math.abs(lag / variance)).toBeLessThan(5 / Math.sqrt(pairs.length));
    if (make === rand) expect(x.every((v) => v >= 0 && v < 1)).toBe(true);
  });
});

describe('threads', () => {
  function train(threads: number): number[][] {
    setThreads(threads);
    manualSeed(3);
    const model = new nn.Sequential(
      new nn.Conv2d(3, 13, 5, { padding: 1, stride: 2 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(13, 10, 3),
      new nn.GELU(),
      new nn.Flatten(),
      new nn.LayerNorm(250),
      new nn.Linear(250, 97),
      new nn.Dropout(0.3),
      new nn.Sigmoid(),
      new nn.Linear(97, 10),
    ).to('float64');
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.01, weightDecay: 1e-4 });
    const x = doubles(6, [33, 3, 31, 31]);
    const y = tensor(Int32Array.from({ length: 33 }, (_, i) => (i * 7) % 10));
    const table = doubles(8, [700, 129]);
    const step = compile((images: Tensor, digits: Tensor) => {
      const noise = randn([700, 129], { dtype: 'float64' });
      const picked = table.mul(noise).softmax(-1).indexSelect(0, table.argmax(1));
      const extra = picked.transpose(0, 1).sum(0).log().mean().add(table.sum(0).mean()).add(table.exp().sum(1).max());
      const loss = nn.crossEntropy(model.forward(images), digits);
      optimizer.minimize(loss);
      return [loss, extra];
    });
    step(x, y);
    untilReady(threads);
    manualSeed(4);
    const losses = Array.from({ length: 3 }, () => step(x, y).map((t) => t.item()));
    return [losses.flat(), ...model.parameters().map((p) => [...p.data()])];
  }

  test('the same bits on 1, 2, 3 and 7', { timeout: 120_000 }, () => {
    const alone = train(1);
    expect(alone.flat().every(Number.isFinite)).toBe(true);
    for (const threads of [2, 3, 7]) expect(train(threads)).toEqual(alone);
  });
});
