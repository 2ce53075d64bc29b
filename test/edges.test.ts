// Gradients of reductions and products where a formula taken literally gives NaN, and plans that copy nothing needlessly.
import { describe, expect, test } from 'vitest';
import { compile, einsum, grad, type Tensor, tensor, zeros } from '../src/index.ts';

const { POSITIVE_INFINITY: INF, NaN: NAN } = Number;
/** The value, and the gradient of its sum. */
function both(x: number[] | number[][], f: (x: Tensor) => Tensor): [number[], number[]] {
  const t = tensor(x);
  const y = f(t);
  return [[...y.data()], [...grad(y.sum(), [t])[0].data()]];
}

test('int32 is reduced exactly, and stays within int32', () => {
  const most = 2 ** 31 - 1;
  const x = tensor(Int32Array.of(most, -5, 16_777_217, 1));
  expect([x.sum(), x.max(), x.min(), x.argmax(), x.prod()].map((y) => y.dtype)).toEqual(new Array(5).fill('int32'));
  expect([x.max().item(), x.min().item(), x.argmax().item(), x.argmin().item()]).toEqual([most, -5, 0, 1]);
  // Two that float32 holds as one.
  expect(
    tensor(Int32Array.of(2 ** 24, 2 ** 24 + 1))
      .argmax()
      .item(),
  ).toBe(1);
  expect(x.slice({ start: 1 }).sum().item()).toBe(16_777_213);
  expect(x.sum().item()).toBe(most);
  expect(x.slice({ start: 1, stop: 3 }).prod().item()).toBe(-83_886_085);
});

test('more than 2²⁴ that are true are counted exactly', () => {
  const n = 2 ** 24 + 3;
  const yes = tensor(new Uint8Array(n).fill(1)).ne(0);
  expect(yes.sum().item()).toBe(n);
});

describe('gradients at edges', () => {
  test('logsumexp(−∞, −∞) is −∞, and its gradient is finite', () => {
    expect(both([-INF, -INF], (x) => x.logsumexp())).toEqual([[-INF], [0, 0]]);
    expect(both([-INF, 0], (x) => x.logsumexp())).toEqual([[0], [0, 1]]);
    expect(both([INF, 0], (x) => x.logsumexp())).toEqual([[INF], [0, 0]]);
    expect(both([1000, 1000], (x) => x.logsumexp())[1]).toEqual([0.5, 0.5]);
    const rows = both(
      [
        [-INF, -INF],
        [3, 3],
      ],
      (x) => x.logsumexp(1),
    );
    expect(rows[1]).toEqual([0, 0, 0.5, 0.5]);
    expect(both([NAN, 0], (x) => x.logsumexp())[0]).toEqual([NAN]);
  });

  test('a norm of 0 has gradient 0, whatever p', () => {
    for (const p of [2, 1, 3, 1.5, 0.5, 0, INF, -INF, -1]) {
      const [y, dx] = both([0, 0, 0], (x) => x.norm(p));
      expect([p, ...y, ...dx]).toEqual([p, 0, 0, 0, 0]);
    }
    const [y, dx] = both(
      [
        [0, 0],
        [3, -4],
      ],
      (x) => x.norm(2, 1),
    );
    expect(y).toEqual([0, 5]);
    [0, 0, 0.6, -0.8].forEach((g, i) => expect(dx[i]).toBeCloseTo(g, 6));
  });

  test('at a norm of 0 a second gradient is finite', () => {
    for (const p of [2, 3, 1.5]) {
      const x = tensor([0, 0]);
      const [dx] = grad(x.norm(p), [x]);
      const [second] = grad(dx.mul(tensor([1, 2])).sum(), [x]);
      expect([p, ...second.data()].every(Number.isFinite), `p = ${p}`).toBe(true);
    }
  });

  test('a norm whose squares overflow or vanish has its digits, and so has its gradient', () => {
    for (const size of [1e30, 1e-30, 3e38]) {
      const [[y], dx] = both([3 * size * 0.2, -4 * size * 0.2], (x) => x.norm());
      expect((y as number) / size).toBeCloseTo(1, 5);
      [0.6, -0.8].forEach((g, i) => expect(dx[i]).toBeCloseTo(g, 5));
    }
  });

  test('p < 1: elements that are 0 have gradient 0', () => {
    const [, dx] = both([0, 4], (x) => x.norm(0.5));
    expect(dx).toEqual([0, 1]);
  });

  test('ties of the largest share the gradient', () => {
    expect(both([2, -2, 1], (x) => x.norm(INF))).toEqual([[2], [0.5, -0.5, 0]]);
  });

  test('a deviation of equal elements has gradient 0', () => {
    expect(both([2, 2, 2], (x) => x.std())).toEqual([[0], [0, 0, 0]]);
  });

  test('a variance of no more elements than the correction is NaN', () => {
    expect(tensor([3]).var().item()).toBeNaN();
    expect(tensor([3]).var(0, { correction: 0 }).item()).toBe(0);
    expect([
      ...tensor([
        [1, 3],
        [5, 9],
      ])
        .var(1)
        .data(),
    ]).toEqual([2, 8]);
    expect([
      ...tensor([
        [1, 3],
        [5, 9],
      ])
        .var(1, { unbiased: false })
        .data(),
    ]).toEqual([1, 4]);
  });

  test('a variance keeps its digits beside a large mean', () => {
    expect(
      tensor([1e4, 1e4 + 1, 1e4 + 2])
        .var()
        .item(),
    ).toBe(1);
  });

  test('products among zeros have the gradient of the others', () => {
    expect(both([2, 3, 4], (x) => x.prod())).toEqual([[24], [12, 8, 6]]);
    expect(both([2, 0, 4], (x) => x.prod())).toEqual([[0], [0, 8, 0]]);
    expect(both([0, 3, 0], (x) => x.prod())).toEqual([[0], [0, 0, 0]]);
    expect(both([2, 0, 4], (x) => x.cumprod(0))).toEqual([
      [2, 0, 0],
      [1, 10, 0],
    ]);
    expect(both([0, 3, 0], (x) => x.cumprod(0))).toEqual([
      [0, 0, 0],
      [4, 0, 0],
    ]);
    // An infinite first element: 0 · ∞ has no part in it.
    expect(both([INF, 0.5], (x) => x.cumprod(0))[0]).toEqual([INF, INF]);
  });

  test('of nothing', () => {
    const x = zeros([2, 0]);
    expect([...x.prod(1).data()]).toEqual([1, 1]);
    expect([...x.any(1).data()]).toEqual([0, 0]);
    expect([...x.all(1).data()]).toEqual([1, 1]);
    expect([...x.logsumexp(1).data()]).toEqual([-INF, -INF]);
    expect([...x.norm(2, 1).data()]).toEqual([0, 0]);
    expect([...x.var(1).data()]).toEqual([NAN, NAN]);
    expect(grad(x.prod(1).sum(), [x])[0].shape).toEqual([2, 0]);
    expect(x.cumsum(1).shape).toEqual([2, 0]);
    expect(einsum('ij,kj->ik', x, zeros([3, 0])).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('maskedFill lets no gradient into what it filled, ∞ included', () => {
    const x = tensor([1, INF, 3]);
    const y = x.maskedFill(x.gt(2), -INF).exp().sum();
    expect(y.item()).toBeCloseTo(Math.E, 5);
    expect([...grad(y, [x])[0].data()]).toEqual([Math.fround(Math.E), 0, 0]);
  });

  test('a sort of NaN and ties gives each gradient back to its element', () => {
    const x = tensor([3, NAN, 1, 3, -INF]);
    const { values, indices } = x.sort();
    expect([...values.data()]).toEqual([-INF, 1, 3, 3, NAN]);
    expect([...indices.data()]).toEqual([4, 2, 0, 3, 1]);
    const weights = tensor([1, 2, 3, 4, 5]);
    const safe = tensor([3, 9, 1, 3, -7]);
    expect([...grad(safe.sort().values.mul(weights).sum(), [safe])[0].data()]).toEqual([3, 5, 2, 4, 1]);
    const top = safe.topk(2);
    expect([[...top.values.data()], [...top.indices.data()]]).toEqual([
      [9, 3],
      [1, 0],
    ]);
    expect([...grad(top.values.sum(), [safe])[0].data()]).toEqual([1, 1, 0, 0, 0]);
  });

  test('scatterAdd adds up what meets', () => {
    const x = zeros([3]);
    const src = tensor([1, 2, 3]);
    const index = tensor(Int32Array.of(0, 2, 0));
    const y = x.scatterAdd(0, index, src);
    expect([...y.data()]).toEqual([4, 0, 2]);
    expect([...grad(y.mul(tensor([1, 10, 100])).sum(), [src])[0].data()]).toEqual([1, 100, 1]);
  });
});

/** What each instruction of a compiled function is. */
const instructions = (f: (...x: Tensor[]) => Tensor, ...x: Tensor[]) =>
  compile(f)
    .explain(...x)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trim().split(/\s+/)[1]);

describe('plans', () => {
  const stack = zeros([8, 5, 7]);

  test('a stack of one matrix, or a matrix alone, is read by every product as it is', () => {
    expect(instructions((a, b) => a.matmul(b), zeros([1, 3, 5]), stack)).toEqual(['gemm']);
    expect(instructions((a, b) => a.matmul(b), stack, zeros([1, 7, 4]))).toEqual(['gemm']);
    expect(instructions((a, b) => a.matmul(b), zeros([3, 5]), stack)).toEqual(['gemm']);
    expect(instructions((a, b) => a.matmul(b), zeros([2, 8, 3, 5]), zeros([1, 1, 5, 4]))).toEqual(['gemm']);
  });

  test('einsum reads transposed operands as they lie', () => {
    for (const [equation, a, b] of [
      ['ij,jk->ik', [3, 4], [4, 5]],
      ['ji,jk->ik', [4, 3], [4, 5]],
      ['ij,kj->ik', [3, 4], [5, 4]],
      ['ji,kj->ik', [4, 3], [5, 4]],
      ['ij,jk->ki', [3, 4], [4, 5]],
      ['bij,bkj->bik', [2, 3, 4], [2, 5, 4]],
      ['bhqd,bhkd->bhqk', [2, 3, 4, 5], [2, 3, 6, 5]],
      ['...ij,jk->...ik', [2, 6, 3, 4], [4, 5]],
      ['i,i->', [6], [6]],
      ['ij,ij->i', [3, 6], [3, 6]],
    ] as const) {
      const found = instructions((x, y) => einsum(equation, x, y), zeros(a), zeros(b));
      expect([equation, ...found], equation).toEqual([
        equation,
        equation.startsWith('i,') || equation === 'ij,ij->i' ? 'map' : 'gemm',
      ]);
    }
  });

  test('einsum takes the cheapest pair first', () => {
    const sizes = (equation: string, ...shapes: number[][]) =>
      compile((...x: Tensor[]) => einsum(equation, ...x))
        .profile(...shapes.map((s) => zeros(s)))
        .rows.filter((row) => row.instruction === 'gemm')
        .map((row) => row.sizes);
    // (100×2 · 2×100) · 100×1 would take 30,000 multiplications, 100×2 · (2×100 · 100×1) takes 400.
    expect(sizes('ij,jk,kl->il', [100, 2], [2, 100], [100, 1])).toEqual(['2×1×100', '100×1×2']);
    expect(sizes('ij,jk,kl->il', [1, 100], [100, 2], [2, 100])).toEqual(['1×2×100', '1×100×2']);
  });
});
