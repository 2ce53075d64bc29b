// gradcheck: what it accepts, what it finds, and how it says so.
import { describe, expect, test } from 'vitest';
import { compile, customGradient, gradcheck, gradgradcheck, nn, type Tensor, tensor, where } from '../src/index.ts';
import { random, thrown } from './helpers.ts';

/** x² with a gradient that is wrong by half in its last element. */
const wrong = customGradient(
  (x) => x.square(),
  (dy, _, x) =>
    dy
      .mul(x)
      .mul(2)
      .mul(
        tensor([
          [1, 1],
          [1, 1.5],
        ]),
      ),
);

describe('gradcheck', () => {
  test('accepts what is right: several inputs and outputs, indices among them', () => {
    const labels = tensor(Int32Array.of(2, 0), { shape: [2] });
    const f = (x: Tensor, w: Tensor, of: Tensor) => [nn.crossEntropy(x.matmul(w), of), x.tanh().sum(0)];
    expect(gradcheck(f, [random(1, [2, 3]), random(2, [3, 4]), labels])).toBe(true);
    expect(gradgradcheck(f, [random(1, [2, 3]), random(2, [3, 4]), labels])).toBe(true);
  });

  test('names the entry that is off most, and by how much', () => {
    const error = thrown(() =>
      gradcheck(wrong, [
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ]),
    );
    expect(error.message).toBe(
      'gradcheck: 1 of 16 entries disagree; most: ∂y[1,1] / ∂x[1,1] is 12 by the gradient, 8 by differences: off by 4, ' +
        'allowed 0.00801',
    );
    expect(error).toMatchObject({
      code: 'gradient',
      fields: { op: 'gradcheck', input: 0, output: 0, outputIndex: [1, 1], inputIndex: [1, 1], gradient: 12 },
    });
    const two = thrown(() =>
      gradcheck(
        (_: Tensor, x: Tensor) => [x.sum(), wrong(x).sum()],
        [
          tensor(1),
          tensor([
            [1, 2],
            [3, 4],
          ]),
        ],
      ),
    );
    expect(two.message).toContain('∂output 1 / ∂input 1[1,1] is 12');
  });

  test('finds what float32 could not: a gradient wrong in the seventh digit', () => {
    const f = customGradient(
      (x) => x.square(),
      (dy, _, x) => dy.mul(x).mul(2 + 2e-7),
    );
    const strict = { atol: 1e-7, rtol: 0 };
    expect(gradcheck((x: Tensor) => x.square(), [tensor([1])], strict)).toBe(true);
    expect(gradcheck(f, [tensor([1])], { ...strict, raiseException: false })).toBe(false);
  });

  test('finds a wrong second derivative behind a right first one', () => {
    const f = customGradient(
      (x) => x.pow(3),
      (dy, _, x) => dy.mul(x.square().mul(2).add(x.square().detach())),
    );
    expect(gradcheck(f, [tensor([2])])).toBe(true);
    expect(thrown(() => gradgradcheck(f, [tensor([2])])).message).toMatch(/^gradgradcheck: 1 of \d+ entries disagree/);
  });

  test('a kink disagrees; beside it, all is well', () => {
    const f = (x: Tensor) => x.relu();
    expect(gradcheck(f, [tensor([0])], { raiseException: false })).toBe(false);
    expect(gradcheck(f, [tensor([1e-3, -1e-3])])).toBe(true);
  });

  test('no gradient where there is none: a function of other things, a branch not taken', () => {
    expect(gradcheck((x: Tensor) => x.mul(0).add(1), [tensor([3])])).toBe(true);
    expect(gradcheck(() => tensor([3]), [tensor([3])])).toBe(true);
    const safe = (x: Tensor) => where(x.gt(0), x, 1).log();
    expect(gradcheck((x: Tensor) => where(x.gt(0), safe(x), 0), [tensor([2, -2])])).toBe(true);
  });

  test('random numbers are held still', () => {
    expect(gradcheck((x: Tensor) => nn.dropout(x.exp(), 0.5), [random(3, [10])])).toBe(true);
  });

  test('a NaN disagrees with everything', () => {
    const f = customGradient(
      (x) => x.square(),
      (dy) => dy.mul(Number.NaN),
    );
    expect(thrown(() => gradcheck(f, [tensor([1])])).message).toContain('is NaN by the gradient, 2 by differences');
  });

  test('is an error while tracing', () => {
    expect(() => compile((x: Tensor) => (gradcheck((t: Tensor) => t, [x]) ? x : x))(tensor(1))).toThrow(
      'gradcheck: it computes values, which compile() cannot while it traces; call it outside',
    );
  });
});
