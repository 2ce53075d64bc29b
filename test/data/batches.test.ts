import { describe, expect, test } from 'vitest';
import { batches } from '../../src/data/batches.ts';
import { dataset } from '../../src/data/dataset.ts';

/** Seven samples of [1, 2]; sample i is (i, i + 0.5) and has label i. */
const seven = dataset(
  Float32Array.from({ length: 14 }, (_, i) => i / 2),
  Int32Array.from({ length: 7 }, (_, i) => i),
  { shape: [1, 2] },
);

const order = (options: Parameters<typeof batches>[1]) =>
  [...batches(seven, options)].flatMap(({ y }) => [...y.data()]);

describe('batches', () => {
  test('gives tensors, the last batch short', () => {
    const all = [...batches(seven, { batchSize: 3, shuffle: false })];
    expect(all.map(({ size }) => size)).toEqual([3, 3, 1]);
    expect(all.map(({ x }) => x.shape)).toEqual([
      [3, 1, 2],
      [3, 1, 2],
      [1, 1, 2],
    ]);
    expect(all.map(({ x }) => x.dtype)).toEqual(['float32', 'float32', 'float32']);
    expect(all.map(({ y }) => [y.dtype, ...y.shape])).toEqual([
      ['int32', 3],
      ['int32', 3],
      ['int32', 1],
    ]);
    expect(all.flatMap(({ x }) => [...x.data()])).toEqual([...seven.images]);
    expect(all.flatMap(({ y }) => [...y.data()])).toEqual([...seven.labels]);
  });

  test('knows how many there are and can be gone through again', () => {
    const epoch = batches(seven, { batchSize: 2 });
    expect(epoch.length).toBe(4);
    const labels = () => [...epoch].flatMap(({ y }) => [...y.data()]);
    expect(labels()).toEqual(labels());
    expect(batches(seven, { batchSize: 7 }).length).toBe(1);
    expect(batches(seven).length).toBe(1);
  });

  test('shuffles every sample into its place, samples with their labels', () => {
    expect(order({ batchSize: 3 })).not.toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(order({ batchSize: 3 }).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const { x, y } of batches(seven, { batchSize: 3 })) {
      const labels = [...y.data()];
      expect([...x.data()]).toEqual(labels.flatMap((label) => [label, label + 0.5]));
    }
  });

  test('the order depends on seed and epoch, not on the batch size', () => {
    expect(order({ seed: 4, epoch: 2 })).toEqual(order({ seed: 4, epoch: 2, batchSize: 2 }));
    const orders = [order({ seed: 4 }), order({ seed: 5 }), order({ seed: 4, epoch: 1 })].map(String);
    expect(new Set(orders).size).toBe(3);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses a batch size of %d', (batchSize) => {
    const message = `batchSize ${batchSize}: expected a whole number, 1 or more`;
    expect(() => batches(seven, { batchSize })).toThrow(expect.objectContaining({ code: 'option', message }));
  });
});
