// Mistakes in reductions and running sums: the exact message, at the line that makes the mistake.
import { describe, test } from 'vitest';
import { expectMistake } from './helpers.ts';
import { bools, ints, mistakes, z } from './mistakes.ts';

const found = [
  ...mistakes('shape', [
    ['prod, axis', () => z(2, 3).prod(2), 'prod: axis 2 is out of range: expected an integer from -2 to 1'],
    ['var, axes', () => z(2, 3).var([0, -2]), 'var: axes [0,-2] name an axis twice'],
    ['std, axis', () => z(2, 3).std(-3), 'std: axis -3 is out of range: expected an integer from -2 to 1'],
    ['norm, axis', () => z(2, 3).norm(1, 2), 'norm: axis 2 is out of range: expected an integer from -2 to 1'],
    ['logsumexp, axis', () => z().logsumexp(0), 'logsumexp: axis 0 is out of range: a scalar has no axes'],
    ['any, axis', () => z(2).any(1), 'any: axis 1 is out of range: expected an integer from -1 to 0'],
    ['all, axis', () => z(2).all(0.5), 'all: axis 0.5 is out of range: expected an integer from -1 to 0'],
    ['cumsum, axis', () => z(2, 3).cumsum(2), 'cumsum: axis 2 is out of range: expected an integer from -2 to 1'],
    ['cumprod of a scalar', () => z().cumprod(0), 'cumprod: axis 0 is out of range: a scalar has no axes'],
    ['the largest of nothing', () => z(0).norm(Number.POSITIVE_INFINITY), 'max: an empty tensor [0] has no max'],
    ['the largest of empty rows', () => z(3, 0).max(-1), 'max: an empty tensor [3,0] has no max along axis 1'],
    ['the place of it', () => z(3, 0).argmin(1), 'argmin: an empty tensor [3,0] has no argmin along axis 1'],
    ['the place of it in all', () => z(3, 0).argmax(), 'argmax: an empty tensor [3,0] has no argmax'],
  ]),
  ...mistakes('dtype', [
    ['var of int32', () => ints(1, 2).var(), "var: got int32, expected float32; convert with .to('float32')"],
    ['mean of int32', () => ints(1, 2).mean(), "mean: got int32, expected float32; convert with .to('float32')"],
    ['std of bool', () => bools(true).std(), "std: got bool, expected float32; convert with .to('float32')"],
    ['norm of int32', () => ints(1).norm(), "norm: got int32, expected float32; convert with .to('float32')"],
    [
      'logsumexp of int32',
      () => ints(1).logsumexp(),
      "logsumexp: got int32, expected float32; convert with .to('float32')",
    ],
  ]),
  ...mistakes('option', [
    ['sum, axes', () => z(2).sum(null as never), 'sum: axes are null, expected a number, a list of numbers or nothing'],
    ['argmax, axis', () => z(2).argmax({ axis: 1 } as never), 'argmax: axis is an object, expected a whole number'],
    [
      'max, keepDim',
      () => z(2).max(0, { keepDim: true } as never),
      'max: keepDim is an object, expected true or false',
    ],
    ['sort', () => z(2).sort(0, 1 as never), 'sort: descending is a number, expected true or false'],
    ['norm, p', () => z(2).norm(Number.NaN), 'norm: p is NaN, expected a number, such as 2, 1 or Infinity'],
    [
      'var, an option that is none',
      () => z(2).var(0, { keepdim: true } as object),
      "var: unknown option 'keepdim'; expected correction, unbiased or keepDim",
    ],
    [
      'std, options that are none',
      () => z(2).std(0, true as unknown as object),
      'std: got true for options; expected an object like { correction: … }',
    ],
    [
      'var, correction twice',
      () => z(2).var(0, { correction: 0, unbiased: true }),
      'var: got both correction and unbiased; expected one',
    ],
    [
      'var, correction',
      () => z(2).var(0, { correction: Number.POSITIVE_INFINITY }),
      'var: correction is Infinity, expected a number',
    ],
  ]),
];

describe.each(found)('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.reductions.test.ts'));
});
