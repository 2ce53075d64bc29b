import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { dataset } from '../../src/data/dataset.ts';
import { drawDigits } from '../../src/data/digits.ts';

/** Accuracy of the nearest mean image: what a linear rule without training gets. */
function nearestMeanAccuracy(train: Dataset, unseen: Dataset): number {
  const size = 784;
  const means = Array.from({ length: 10 }, () => new Float64Array(size));
  const perClass = train.labels.length / 10;
  for (const [i, label] of train.labels.entries()) {
    const mean = means[label] as Float64Array;
    for (let p = 0; p < size; p++) mean[p] = (mean[p] as number) + (train.images[i * size + p] as number) / perClass;
  }
  let right = 0;
  for (const [i, label] of unseen.labels.entries()) {
    const distances = means.map((mean) =>
      mean.reduce((sum, grey, p) => sum + (grey - (unseen.images[i * size + p] as number)) ** 2, 0),
    );
    if (distances.indexOf(Math.min(...distances)) === label) right++;
  }
  return right / unseen.labels.length;
}

describe('drawDigits', () => {
  const thousand = drawDigits(1000, { seed: 5 });

  test('gives greys from 0 to 1 in the shape of MNIST', () => {
    expect(thousand.shape).toEqual([1, 28, 28]);
    expect(thousand.classes).toBe(10);
    expect(thousand.images.length).toBe(1000 * 784);
    expect(thousand.images.every((grey) => grey >= 0 && grey <= 1)).toBe(true);
    expect(dataset(thousand.images, thousand.labels, { shape: [1, 28, 28] }).classes).toBe(10);
  });

  test('draws as many of each digit, not in a fixed order', () => {
    for (let digit = 0; digit < 10; digit++) {
      expect(thousand.labels.filter((label) => label === digit).length).toBe(100);
    }
    expect(thousand.labels.subarray(0, 10)).not.toEqual(thousand.labels.subarray(10, 20));
  });

  test('is the same for the same seed, to the last bit', () => {
    expect(hash(thousand.images)).toBe(GOLDEN);
    expect(hash(drawDigits(1000, { seed: 5 }).images)).toBe(GOLDEN);
  });

  test('fewer digits are the first of more', () => {
    const few = drawDigits(13, { seed: 5 });
    expect(few.labels).toEqual(thousand.labels.subarray(0, 13));
    expect(few.images).toEqual(thousand.images.subarray(0, 13 * 784));
  });

  test('draws others for another seed or stream', () => {
    const firstTen = thousand.images.subarray(0, 7840);
    expect(drawDigits(10, { seed: 5, stream: 0 }).images).toEqual(firstTen);
    expect(drawDigits(10, { seed: 6 }).images).not.toEqual(firstTen);
    expect(drawDigits(10, { seed: 5, stream: 1 }).images).not.toEqual(firstTen);
  });

  test('draws every digit with ink, inside the image, and no two alike', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const image = thousand.images.subarray(i * 784, (i + 1) * 784);
      const ink = image.filter((grey) => grey > 0.5).length;
      expect(ink).toBeGreaterThan(8);
      expect(ink).toBeLessThan(260);
      const border = image.filter((grey, p) => grey > 0.5 && (p < 28 || p >= 756 || p % 28 === 0 || p % 28 === 27));
      expect(border.length).toBeLessThan(12);
      seen.add(hash(image));
    }
    expect(seen.size).toBe(1000);
  });

  test('is neither noise nor solved by comparing with mean images', () => {
    const accuracy = nearestMeanAccuracy(drawDigits(3000, { seed: 1 }), drawDigits(1000, { seed: 2 }));
    expect(accuracy).toBeGreaterThan(0.5);
    expect(accuracy).toBeLessThan(0.85);
  });

  test.each([0, -1, 2.5, Number.NaN])('refuses a count of %d', (count) => {
    const message = `drawDigits: count ${count}: expected a whole number, 1 or more`;
    expect(() => drawDigits(count)).toThrow(expect.objectContaining({ code: 'option', message }));
  });
});

/** FNV-1a over the bytes. */
function hash(images: Float32Array): number {
  const bytes = new Uint8Array(images.buffer, images.byteOffset, images.byteLength);
  return bytes.reduce((h, byte) => Math.imul(h ^ byte, 16777619), 2166136261 | 0) >>> 0;
}

const GOLDEN = 3228069034;
