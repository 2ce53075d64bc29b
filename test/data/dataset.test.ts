import { describe, expect, test } from 'vitest';
import { dataset, sampleCount, slice } from '../../src/data/dataset.ts';

const images = Float32Array.of(1, 2, 3, 4, 5, 6);
const labels = Int32Array.of(0, 2, 1);

describe('dataset', () => {
  test("takes the user's own arrays", () => {
    expect(dataset(images, labels, { shape: [2] })).toEqual({ images, labels, shape: [2], classes: 3 });
    expect(dataset(images, labels, { shape: [1, 2], classes: 5 }).classes).toBe(5);
  });

  test.each([
    [
      'samples that do not match the labels',
      () => dataset(images, labels, { shape: [3] }),
      '3 labels and samples of [3] need 9 numbers, the samples have 6',
    ],
    [
      'a label past the classes',
      () => dataset(images, labels, { shape: [2], classes: 2 }),
      'labels: label 1 is 2; expected 0 to 1',
    ],
    [
      'a negative label',
      () => dataset(images, Int32Array.of(0, 1, -1), { shape: [2] }),
      'labels: label 2 is -1; expected 0 to 1',
    ],
    [
      'a shape that is none',
      () => dataset(images, labels, { shape: [1.5] }),
      'sample shape [1.5]: expected whole numbers, 1 or more',
    ],
    [
      'samples of no size',
      () => dataset(new Float32Array(0), labels, { shape: [2, 0] }),
      'sample shape [2,0]: expected whole numbers, 1 or more',
    ],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'data', message }));
  });
});

test('slice takes samples from start up to end', () => {
  const part = slice(dataset(images, labels, { shape: [2] }), 1, 3);
  expect(part).toEqual({ images: Float32Array.of(3, 4, 5, 6), labels: Int32Array.of(2, 1), shape: [2], classes: 3 });
  expect(sampleCount(part)).toBe(2);
});
