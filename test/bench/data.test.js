// The data every side of the bench draws from one description, and the layouts peers want it in.
import { expect, test } from 'vitest';
import { batchSource, labels, materialise, oneHot, permute, sample, uniform } from '../../bench/peers/data.js';
import { uniform as mulberry32 } from '../random.js';

test('descriptions become arrays wherever they stand', () => {
  const made = materialise({ w: [uniform(7, [2, 3])], y: labels(8, 50, 4) });
  expect(made.w[0]).toEqual({ shape: [2, 3], elements: mulberry32(7, 6) });
  expect(made.y.elements).toEqual(Int32Array.from(mulberry32(8, 50, 0, 4), Math.floor));
  expect(new Set(made.y.elements)).toEqual(new Set([0, 1, 2, 3]));
});

test('permute moves axes, and its inverse moves them back', () => {
  const array = { shape: [2, 3, 4], elements: Int32Array.from({ length: 24 }, (_, i) => i) };
  const moved = permute(array, [2, 0, 1]);
  expect(moved.shape).toEqual([4, 2, 3]);
  expect([...moved.elements.subarray(0, 7)]).toEqual([0, 4, 8, 12, 16, 20, 1]);
  expect(permute(moved, [1, 2, 0])).toEqual(array);
});

test('labels as one-hot rows', () => {
  expect(oneHot({ shape: [2], elements: Int32Array.of(2, 0) }, 3)).toEqual({
    shape: [2, 3],
    elements: Float32Array.of(0, 0, 1, 1, 0, 0),
  });
});

test('a sample takes all of a small array and spreads over a large one', () => {
  expect(sample(Float32Array.of(1, 2, 3))).toEqual([1, 2, 3]);
  expect(
    sample(
      Int32Array.from({ length: 1000 }, (_, i) => i),
      4,
    ),
  ).toEqual([0, 250, 500, 750]);
});

test('batches repeat; fresh ones are made at each step', () => {
  const made = [];
  const make = (x) => made.push(x) && [x];
  const batch = batchSource(['a', 'b'], make);
  expect([0, 1, 2].map(batch)).toEqual([['a'], ['b'], ['a']]);
  expect(made).toEqual(['a', 'b']);
  const fresh = batchSource(['a', 'b'], make, true);
  expect([0, 1, 2].map((i) => fresh(i))).toEqual([['a'], ['b'], ['a']]);
  expect(made).toEqual(['a', 'b', 'a', 'b', 'a']);
});
