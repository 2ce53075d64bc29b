// Where other libraries give NaN, ∞ or no digit: elementwise functions at their edges, and gradients of branches that
// are not taken. Every one computed lazily and compiled.
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, type Tensor, tensor, where } from '../src/index.ts';

/** Both ways to compute. */
const ways: [string, (f: (x: Tensor) => Tensor, x: Tensor) => Tensor][] = [
  ['lazy', (f, x) => f(x)],
  ['compiled', (f, x) => compile(f)(x)],
];
const slope = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad(f(x).sum(), [x])[0] as Tensor;

/** Units in the last place of float32 at `exact`. */
const ulp = (exact: number) => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(exact))), -126) - 23);

describe.each(ways)('%s', (_, run) => {
  /** Values of f at x. */
  const at = (f: (x: Tensor) => Tensor, ...x: number[]) => [...run(f, tensor(x)).data()];

  test('log just below 2 and tanh near 0 to 2 ulp', () => {
    const below = Array.from({ length: 1000 }, (_, i) => Math.fround(2 - (i + 1) * 2 ** -23));
    at((x) => x.log(), ...below).forEach((y, i) => {
      const exact = Math.log(below[i] as number);
      expect(Math.abs(y - exact)).toBeLessThanOrEqual(2 * ulp(exact));
    });
    const near = Array.from({ length: 1000 }, (_, i) => Math.fround((i - 500) * 10 ** ((i % 30) - 32)));
    at((x) => x.tanh(), ...near).forEach((y, i) => {
      const exact = Math.tanh(near[i] as number);
      expect(Math.abs(y - exact)).toBeLessThanOrEqual(exact === 0 ? 0 : 2 * ulp(exact));
    });
  });

  test('exp(88.7) is finite, and sinh and cosh go as far as float32 does', () => {
    const [a, b] = at((x) => x.exp(), 88.7, 88.73);
    expect(a).toBeCloseTo(3.326e38, -35);
    expect(b).toBe(Infinity);
    for (const f of [(x: Tensor) => x.sinh(), (x: Tensor) => x.cosh()]) {
      const [most, over] = at(f, 89.4, 89.5) as [number, number];
      expect(Math.abs(most / Math.sinh(Math.fround(89.4)) - 1)).toBeLessThan(1e-6);
      expect(over).toBe(Infinity);
    }
  });

  test('powers of two have whole logarithms', () => {
    const n = Array.from({ length: 253 }, (_, i) => i - 126);
    expect(at((x) => x.log2(), ...n.map((k) => 2 ** k))).toEqual(n);
    expect(at((x) => x.exp2(), ...n)).toEqual(n.map((k) => 2 ** k));
  });

  test('the gradient of x.mul(x) is 2x', () => {
    expect(
      at(
        slope((x) => x.mul(x)),
        1,
        -2,
        0.5,
      ),
    ).toEqual([2, -4, 1]);
    expect(
      at(
        slope((x) => x.mul(x).mul(x)),
        1,
        -2,
        0.5,
      ),
    ).toEqual([3, 12, 0.75]);
  });

  describe('the branch of where that is not taken leaves no NaN in a gradient', () => {
    const rows: [string, (x: Tensor) => Tensor, number[], number[]][] = [
      ['log', (x) => where(x.gt(0), x.log(), 0), [0, -1, 2], [0, 0, 0.5]],
      ['log, the other way round', (x) => where(x.le(0), 0, x.log()), [0, -1, 2], [0, 0, 0.5]],
      ['sqrt', (x) => where(x.gt(0), x.sqrt(), 0), [0, -1, 4], [0, 0, 0.25]],
      ['reciprocal', (x) => where(x.ne(0), x.reciprocal(), 0), [0, 2], [0, -0.25]],
      ['a quotient', (x) => where(x.ne(0), x.square().div(x), 0), [0, 2], [0, 1]],
      ['exp', (x) => where(x.lt(10), x.exp(), x), [1000, 0], [1, 1]],
      ['exp of exp', (x) => where(x.lt(1), x.exp().exp().log(), x.mul(3)), [1000, 0], [3, 1]],
      ['pow', (x) => where(x.gt(0), x.pow(0.5), 0), [0, 4], [0, 0.25]],
      ['asin', (x) => where(x.lt(1), x.asin(), 0), [1, 2, 0], [0, 0, 1]],
      ['two masks', (x) => where(x.gt(-1), where(x.gt(0), x.log(), 0), 0), [0, -5, 2], [0, 0, 0.5]],
      ['a norm', (x) => where(x.square().sum().gt(0), x.square().sum().sqrt(), 0), [0, 0], [0, 0]],
      ['a constant ∞', (x) => where(x.gt(0), x, tensor(Infinity)), [1, -1], [1, 0]],
    ];
    test.each(rows)('%s', (_name, f, x, expected) => {
      // −0 is as good as 0.
      expect(at(slope(f), ...x).map((g) => g + 0)).toEqual(expected);
    });
  });

  test('activations have their limits and finite gradients at the ends of float32', () => {
    const ends = [-Infinity, -3e38, -1000, 1000, 3e38];
    const activations: Record<string, (x: Tensor) => Tensor> = {
      ...{ silu: (x) => x.silu(), mish: (x) => x.mish(), softsign: (x) => x.softsign(), elu: (x) => x.elu() },
      ...{ selu: (x) => x.selu(), celu: (x) => x.celu(), hardswish: (x) => x.hardswish(), relu6: (x) => x.relu6() },
      ...{ hardsigmoid: (x) => x.hardsigmoid(), logSigmoid: (x) => x.logSigmoid(), prelu: (x) => x.prelu(tensor(0.1)) },
    };
    for (const [name, f] of Object.entries(activations)) {
      const values = at(f, ...ends);
      expect(values.some(Number.isNaN), `${name} of ${ends} is ${values}`).toBe(false);
      const slopes = at(slope(f), ...ends, Infinity);
      expect(slopes.every(Number.isFinite), `the slope of ${name} at ${ends} is ${slopes}`).toBe(true);
    }
    expect(at((x) => x.silu(), -Infinity).map((y) => y + 0)).toEqual([0]);
    expect(at((x) => x.softsign(), -Infinity, Infinity)).toEqual([-1, 1]);
  });

  test('∞ where prelu passes it on leaves no NaN in the gradient of its weight', () => {
    const f = (w: Tensor) => grad(tensor([Infinity, -2]).prelu(w).clamp(-9, 9).sum(), [w])[0] as Tensor;
    expect(at(f, 0.5)).toEqual([-2]);
  });

  test('the angle of the origin and of far points has a gradient', () => {
    const f = (x: Tensor) => x.atan2(x.mul(2));
    expect(at(slope(f), 0, 1e30, 1e-30).map((g) => g + 0)).toEqual([0, 0, 0]);
    const [g] = at(
      slope((x) => x.atan2(3e30)),
      1e30,
    ) as [number];
    expect(g).toBeCloseTo(3e30 / 10e60, 36);
  });
});

describe.each(ways)('losses, %s', (_, run) => {
  const at = (f: (x: Tensor) => Tensor, ...x: number[]) => [...run(f, tensor(x)).data()];

  test('binary cross-entropy of certainty has a finite gradient: 0 where it is right', () => {
    const f = (p: Tensor) => nn.binaryCrossEntropy(p, tensor([0, 1, 1, 0]), { reduction: 'sum' });
    expect(at(f, 0, 1, 0, 1)).toEqual([200]);
    const [a, b, c, d] = at(slope(f), 0, 1, 0, 1) as [number, number, number, number];
    expect([a + 0, b + 0]).toEqual([0, 0]);
    expect(c).toBeCloseTo(-1e12, -6);
    expect(d).toBeCloseTo(1e12, -6);
  });

  test('the Huber loss of what is infinitely far has the gradient of its line', () => {
    const f = (x: Tensor) => nn.huberLoss(x, tensor([0, 0, 0]), { delta: 2, reduction: 'sum' });
    expect(at(slope(f), Infinity, -3e38, 1)).toEqual([2, -2, 1]);
  });

  test('the second derivative of a Huber loss is that of its square where the prediction is the target', () => {
    const twice = (f: (x: Tensor) => Tensor) => slope((x) => slope(f)(x).sum());
    const huber = (x: Tensor) => nn.huberLoss(x, tensor([1, 1, 1]), { delta: 2, reduction: 'sum' });
    expect(at(twice(huber), 1, 2, 4)).toEqual([1, 1, 0]);
    const smooth = (x: Tensor) => nn.smoothL1Loss(x, tensor([1, 1, 1]), { beta: 0.5, reduction: 'sum' });
    expect(at(twice(smooth), 1, 1.25, 4)).toEqual([2, 2, 0]);
  });

  test('what has probability 0 costs nothing, whatever the prediction says', () => {
    const f = (x: Tensor) => nn.klDiv(x, tensor([0, 0.5, 0.5]), { reduction: 'sum' });
    expect(at(slope(f), -Infinity, -1, -1).map((g) => g + 0)).toEqual([0, -0.5, -0.5]);
    const g = (y: Tensor) => nn.klDiv(tensor([-Infinity, -1]), y, { reduction: 'sum', logTarget: true });
    expect(at(g, -Infinity, -1)).toEqual([0]);
    expect(at(slope(g), -Infinity, -1).every(Number.isFinite)).toBe(true);
  });

  test('labels that are ignored cost nothing, and a batch of them has a sum of 0', () => {
    const labels = tensor([-1, -1], { dtype: 'int32' });
    const f = (x: Tensor) => nn.crossEntropy(x.reshape(2, 2), labels, { ignoreIndex: -1, reduction: 'sum' });
    expect(at(f, 1, 2, 3, 4)).toEqual([0]);
    expect(at(slope(f), 1, 2, 3, 4).map((g) => g + 0)).toEqual([0, 0, 0, 0]);
  });

  test('distances of 0 and vectors of 0 have finite gradients', () => {
    const same = tensor([[1, 2]]);
    const triplet = (x: Tensor) => nn.tripletMarginLoss(x.reshape(1, 2), same, tensor([[4, 6]]), { eps: 0, margin: 6 });
    expect(at(triplet, 1, 2)).toEqual([1]);
    at(slope(triplet), 1, 2).forEach((g, i) => expect(g).toBeCloseTo([0.6, 0.8][i] as number, 6));
    const cosine = (x: Tensor) => nn.cosineEmbeddingLoss(x.reshape(1, 2), same, tensor([1]));
    expect(at(slope(cosine), 0, 0).every(Number.isFinite)).toBe(true);
  });
});
