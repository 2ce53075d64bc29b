// Random numbers have no reference: they are repeated, they do not depend on what they are computed with, and they
// biome-ignore-all lint/style/noNonNullAssertion: places are counted from the arrays they index.
// are distributed as they say.
import { expect, test } from 'vitest';
import { compile } from '../src/compile.ts';
import { rand, randn } from '../src/create.ts';
import { manualSeed } from '../src/random.ts';
import type { Tensor } from '../src/tensor.ts';

const N = 60_000;
/** Five standard deviations of a mean of N. */
const FIVE = 5 / Math.sqrt(N);

const kinds = [
  { name: 'uniform', make: rand, mean: 0.5, variance: 1 / 12, below: [0.1, 0.5, 0.9], share: [0.1, 0.5, 0.9] },
  { name: 'normal', make: randn, mean: 0, variance: 1, below: [-1, 0, 2], share: [0.158655, 0.5, 0.97725] },
];

const seeded = (make: () => Tensor) => {
  manualSeed(7);
  return [...make().data()];
};

export function randomOps(): void {
  for (const { name, make, mean, variance, below, share } of kinds) {
    test(`${name} is repeated by its seed, alone or within a larger graph`, () => {
      const alone = seeded(() => make([37]));
      expect(seeded(() => make([37]))).toEqual(alone);
      expect(
        seeded(() =>
          make([37])
            .add(1)
            .sub(1)
            .mul(0)
            .add(make([37])),
        ),
      ).not.toEqual(alone);
      const longer = seeded(() => make([101]));
      expect(longer.slice(0, 37)).toEqual(alone);
      for (const rewrites of [true, false]) {
        manualSeed(7);
        const draw = compile(() => make([37]), { rewrites });
        expect([...draw().data()]).toEqual(alone);
        expect([...draw().data()]).not.toEqual(alone);
      }
      const x = make([5]);
      const [a, b] = [x.data(), x.add(0.5).sub(x).data()];
      expect(x.data()).toEqual(a);
      for (const v of b) expect(v).toBeCloseTo(0.5, 5);
    });

    test(`${name} has its mean, variance and shares`, () => {
      const x = Float64Array.from(seeded(() => make([N])));
      const m = x.reduce((s, v) => s + v, 0) / N;
      expect(Math.abs(m - mean)).toBeLessThan(FIVE * Math.sqrt(variance));
      const v = x.reduce((s, q) => s + (q - m) ** 2, 0) / N;
      expect(Math.abs(v - variance)).toBeLessThan(FIVE * variance * Math.SQRT2);
      below.forEach((limit, k) => {
        const found = x.filter((q) => q < limit).length / N;
        expect(Math.abs(found - share[k]!)).toBeLessThan(FIVE / 2);
      });
      // Neighbours are independent: their correlation is 0 within its own deviation.
      const lag = x.reduce((s, q, i) => (i === 0 ? 0 : s + (q - m) * (x[i - 1]! - m)), 0) / N / v;
      expect(Math.abs(lag)).toBeLessThan(FIVE);
    });
  }

  test('uniform numbers lie in [0, 1)', () => {
    const x = seeded(() => rand([N]));
    expect(Math.min(...x)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...x)).toBeLessThan(1);
  });
}
