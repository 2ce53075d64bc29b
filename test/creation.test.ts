// Tensors that are made: patterns, and what is drawn at random, which repeats by its seed whatever the threads.
import { afterEach, describe, expect, test } from 'vitest';
import {
  bernoulli,
  compile,
  eye,
  full,
  linspace,
  manualSeed,
  multinomial,
  permutation,
  rand,
  randint,
  setThreads,
  type Tensor,
  tensor,
} from '../src/index.ts';
import { expectMistake } from './helpers.ts';
import { ints, mistakes, z } from './mistakes.ts';

afterEach(() => setThreads(1));

const N = 60_000;
/** Five standard deviations of a share p of N. */
const five = (p: number) => 5 * Math.sqrt((p * (1 - p)) / N);
const counts = (x: ArrayLike<number>, n: number) => {
  const found = new Array<number>(n).fill(0);
  for (const i of Array.from(x)) found[i] = (found[i] as number) + 1;
  return found;
};
const expectShares = (x: ArrayLike<number>, shares: readonly number[]) =>
  counts(x, shares.length).forEach((count, k) => {
    const share = shares[k] as number;
    expect(Math.abs(count / x.length - share), `share of ${k}`).toBeLessThanOrEqual(five(share));
  });

describe('patterns', () => {
  test('linspace has both ends exactly', () => {
    expect([...linspace(0, 1, 5).data()]).toEqual([0, 0.25, 0.5, 0.75, 1]);
    for (const n of [2, 3, 10, 49]) {
      const x = linspace(-0.1, 0.7, n).data();
      expect([x.length, x[0], x[n - 1]]).toEqual([n, Math.fround(-0.1), Math.fround(0.7)]);
    }
    expect(linspace(-1e12, 0.1, 4).data()[3]).toBe(Math.fround(0.1));
    expect([...linspace(3, 7, 1).data()]).toEqual([3]);
    expect(linspace(3, 7, 0).shape).toEqual([0]);
    expect([...linspace(1, -1, 3).data()]).toEqual([1, 0, -1]);
  });

  test('eye', () => {
    expect(eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(eye(2, 3, { dtype: 'int32' }).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(eye(3, 1).toArray()).toEqual([[1], [0], [0]]);
    expect(eye(0).shape).toEqual([0, 0]);
  });
});

describe('draws', () => {
  const draws: Record<string, () => Tensor> = {
    randint: () => randint(-3, 1000, [1031]),
    bernoulli: () => bernoulli(full([1031], 0.4)),
    permutation: () => permutation(1031),
    multinomial: () => multinomial(full([17, 31], 1), 5),
    'multinomial with replacement': () => multinomial(full([17, 31], 1), 61, { replacement: true }),
  };

  test.each(Object.entries(draws))('%s repeats by its seed, on any number of threads', (_, make) => {
    const seeded = (threads: number) => {
      setThreads(threads);
      manualSeed(11);
      return [...make().data()];
    };
    const alone = seeded(1);
    expect(seeded(1)).toEqual(alone);
    expect(seeded(3)).toEqual(alone);
    expect([...make().data()]).not.toEqual(alone);
  });

  test.each(Object.entries(draws))(
    '%s is drawn anew at each run of a compiled function, the same by its seed',
    (_, make) => {
      const draw = compile(() => make());
      manualSeed(5);
      const [first, second] = [[...draw().data()], [...draw().data()]];
      expect(second).not.toEqual(first);
      manualSeed(5);
      expect([...make().data()]).toEqual(first);
    },
  );

  test('randint: every number of the range as often', () => {
    manualSeed(1);
    const x = randint(-2, 3, [N]);
    expect(x.dtype).toBe('int32');
    expectShares(x.add(2).data(), [0.2, 0.2, 0.2, 0.2, 0.2]);
    expect(new Set(randint(7, 8, [100]).data())).toEqual(new Set([7]));
    const wide = randint(-(2 ** 23), 2 ** 23, [N]).data();
    expect(Math.max(...wide)).toBeLessThan(2 ** 23);
    expect(Math.min(...wide)).toBeGreaterThanOrEqual(-(2 ** 23));
    expect(Math.max(...wide) - Math.min(...wide)).toBeGreaterThan(0.99 * 2 ** 24);
  });

  test('bernoulli: 1 as often as its probability', () => {
    manualSeed(2);
    expectShares(bernoulli(full([N], 0.3)).data(), [0.7, 0.3]);
    expect([...bernoulli(tensor([0, 1, 0, 1])).data()]).toEqual([0, 1, 0, 1]);
  });

  test('permutation: every number once, each place as likely', () => {
    manualSeed(3);
    for (const n of [0, 1, 2, 17, 5000]) {
      expect([...permutation(n).data()].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    const firsts = Array.from({ length: 3000 }, () => permutation(3).data().join(''));
    for (const order of ['012', '021', '102', '120', '201', '210']) {
      const share = firsts.filter((f) => f === order).length / 3000;
      expect(Math.abs(share - 1 / 6), order).toBeLessThan(5 * Math.sqrt(5 / 36 / 3000));
    }
  });

  test('multinomial: categories as often as their weights', () => {
    manualSeed(4);
    const weights = tensor([3, 0, 1, 4, 0]);
    expectShares(multinomial(weights, N, { replacement: true }).data(), [0.375, 0, 0.125, 0.5, 0]);
    const rows = weights.expand(N, 5);
    expectShares(multinomial(rows, 1).data(), [0.375, 0, 0.125, 0.5, 0]);
    // The second of two is drawn among what the first left.
    const second = multinomial(rows, 2).select(1, 1).data();
    const following = (first: number, k: number, rest: number) => (first / 8) * (k / rest);
    const share = following(1, 3, 7) + following(4, 3, 4);
    expect(Math.abs((counts(second, 5)[0] as number) / N - share)).toBeLessThan(five(share));
  });

  test('multinomial without replacement draws no category twice, one of weight 0 last', () => {
    manualSeed(6);
    const all = multinomial(tensor([[1, 0, 2, 3]]).expand(500, 4), 4).toArray() as number[][];
    for (const row of all) {
      expect([...row].sort()).toEqual([0, 1, 2, 3]);
      expect(row[3]).toBe(1);
    }
  });
});

const found = [
  ...mistakes('option', [
    ['linspace', () => linspace(0, 1, -1), 'linspace: steps is -1, expected a whole number from 0'],
    [
      'randint, no number',
      () => randint(3, 3, [2]),
      'randint: from 3 to 3; expected whole numbers of int32, at least one and at most 16777216 of them',
    ],
    [
      'randint, too many',
      () => randint(0, 2 ** 25, [2]),
      'randint: from 0 to 33554432; expected whole numbers of int32, at least one and at most 16777216 of them',
    ],
    ['permutation', () => permutation(2.5), 'permutation: n is 2.5, expected a whole number from 0'],
    [
      'multinomial',
      () => multinomial(z(2, 3), 4),
      'multinomial: n is 4, expected a whole number from 0 to 3, the number of categories (or { replacement: true })',
    ],
    [
      'multinomial, an option that is none',
      () => multinomial(z(2), 1, { replace: true } as object),
      "multinomial: unknown option 'replace'; expected replacement",
    ],
  ]),
  ...mistakes('shape', [
    ['eye', () => eye(-1), 'eye: [-1,-1] is no shape: expected whole numbers from 0, got -1'],
    ['randint', () => randint(0, 2, [1.5]), 'randint: [1.5] is no shape: expected whole numbers from 0, got 1.5'],
    ['multinomial', () => multinomial(z(), 1), 'multinomial: weights are [], expected [.., K] with K from 1'],
  ]),
  ...mistakes('dtype', [
    ['bernoulli', () => bernoulli(ints(0, 1)), "bernoulli: got int32, expected float32; convert with .to('float32')"],
    [
      'multinomial',
      () => multinomial(ints(0, 1), 1),
      "multinomial: got int32, expected float32; convert with .to('float32')",
    ],
  ]),
];

describe.each(found)('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'creation.test.ts'));
});

test('what is drawn has no gradient, and does not stop that of others', () => {
  const x = tensor([0.2, 0.7], { requiresGrad: true });
  x.mul(rand([2]))
    .sum()
    .backward();
  expect(x.grad?.data().every((g) => g >= 0 && g < 1)).toBe(true);
  expect(bernoulli(x).requiresGrad).toBe(false);
});
