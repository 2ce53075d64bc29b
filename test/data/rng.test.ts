import { describe, expect, test } from 'vitest';
import { Rng } from '../../src/data/rng.ts';

const draw = (rng: Rng, count: number) => Array.from({ length: count }, () => rng.uint32());

describe('Rng', () => {
  test('is sfc32: golden numbers', () => {
    expect(draw(new Rng(0), 3)).toEqual([4216505632, 947923937, 2491578854]); // from sfc32 written again in Python
  });

  test('repeats with the seed, differs with the seed and with the stream', () => {
    expect(draw(new Rng(7, 1), 20)).toEqual(draw(new Rng(7, 1), 20));
    const firsts = [new Rng(7), new Rng(8), new Rng(7, 1), new Rng(7 + 2 ** 32)].map((rng) => rng.uint32());
    expect(new Set(firsts).size).toBe(4);
  });

  test('uniform fills its range evenly', () => {
    const rng = new Rng(1);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) (bins[Math.floor(rng.uniform(-5, 5) + 5)] as number)++;
    for (const bin of bins) expect(Math.abs(bin - 10_000)).toBeLessThan(400); // 4 standard deviations are 380
  });

  test('bell has mean 0 and variance 1', () => {
    const rng = new Rng(2);
    let [sum, squares] = [0, 0];
    for (let i = 0; i < 100_000; i++) {
      const value = rng.bell();
      sum += value;
      squares += value * value;
    }
    expect(Math.abs(sum / 100_000)).toBeLessThan(0.013);
    expect(Math.abs(squares / 100_000 - 1)).toBeLessThan(0.02);
  });

  test('shuffle gives every place every value', () => {
    const rng = new Rng(3);
    const seen = new Set<string>();
    for (let i = 0; i < 500; i++) {
      const order = rng.shuffle(Int32Array.of(0, 1, 2, 3));
      expect([...order].sort()).toEqual([0, 1, 2, 3]);
      seen.add(order.join());
    }
    expect(seen.size).toBe(24);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses seed %d', (seed) => {
    const message = `seed ${seed}: expected a whole number from 0 to 9007199254740991`;
    expect(() => new Rng(seed)).toThrow(expect.objectContaining({ code: 'option', message }));
  });
});
