// counters(): the work of programs, exact and free of the clock.
import { describe, expect, test } from 'vitest';
import { compile, counters, nn, optim, rand, setThreads, type Tensor, tensor } from '../src/index.ts';

const matrix = (rows: number, cols: number) => tensor(rand([rows, cols]).data(), { shape: [rows, cols] });
const [a, b] = [matrix(6, 5), matrix(5, 7)];
const product = compile((x: Tensor, y: Tensor) => x.matmul(y));
const settled = () => {
  for (let i = 0; i < 3; i++) product(a, b);
};
const ONE = { programs: 1, instructions: 1, flops: 2 * 6 * 5 * 7, bytes: 4 * (30 + 35 + 42), allocations: 0 };

describe('counters', () => {
  test('of a product: its FLOPs, each operand once, and no allocation once it has settled', () => {
    settled();
    expect(counters(() => product(a, b))).toMatchObject(ONE);
    expect(counters(() => product(a, b)).peakBytes).toBe(product.memory(a, b).peakBytes);
  });

  test('add up over programs, and the peak is the largest', () => {
    settled();
    const larger = compile((x: Tensor) => x.exp().sum());
    const x = tensor(rand([100_000]).data());
    larger(x);
    const both = counters(() => {
      product(a, b);
      larger(x);
      product(a, b);
    });
    expect(both).toMatchObject({ programs: 3, flops: 2 * ONE.flops });
    expect(both.peakBytes).toBe(larger.memory(x).peakBytes);
  });

  test('of asynchronous calls are there when the promise is', async () => {
    settled();
    await product.async(a, b);
    const counted = counters(async () => {
      await product.async(a, b);
      return product.async(a, b);
    });
    expect(counted).toBeInstanceOf(Promise);
    expect(await counted).toMatchObject({ programs: 2, flops: 2 * ONE.flops });
  });

  test('within counters count for both', () => {
    settled();
    let inner = 0;
    const outer = counters(() => {
      inner = counters(() => product(a, b)).flops;
      product(a, b);
    });
    expect(inner).toBe(ONE.flops);
    expect(outer).toMatchObject({ programs: 2, flops: 2 * ONE.flops });
  });

  test('of what throws are lost, and later ones are right', () => {
    settled();
    expect(() =>
      counters(() => {
        product(a, b);
        throw new Error('paper jam');
      }),
    ).toThrow('paper jam');
    expect(counters(() => product(a, b))).toMatchObject(ONE);
  });

  test('of what stays lazy are none', () => {
    expect(counters(() => a.matmul(b))).toMatchObject({ programs: 0, flops: 0, bytes: 0 });
    expect(counters(() => a.matmul(b).data())).toMatchObject({ programs: 1, flops: ONE.flops });
  });

  test('of a training step are those of its profile, on one thread as on two but for scratch memory', () => {
    const model = new nn.Sequential(new nn.Linear(20, 8), new nn.ReLU(), new nn.Linear(8, 4));
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
    const step = compile((x: Tensor, y: Tensor) => {
      const loss = nn.crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      return loss;
    });
    const [x, y] = [matrix(16, 20), tensor(new Int32Array(16))];
    const { rows } = step.profile(x, y);
    const total = (key: 'flops' | 'bytes') => rows.reduce((sum, row) => sum + row[key], 0);
    step(x, y);
    for (const threads of [1, 2]) {
      setThreads(threads);
      const counted = counters(() => step(x, y));
      expect(counted).toMatchObject({ programs: 1, instructions: rows.length, allocations: 0 });
      expect([counted.flops, counted.bytes]).toEqual([total('flops'), total('bytes')]);
    }
  });
});
