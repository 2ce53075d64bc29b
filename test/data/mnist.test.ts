import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMnist } from '../../src/data/mnist.ts';
import { imageFile, labelFile } from './idxFiles.ts';

const REAL = join(import.meta.dirname, '../../../shared/data/mnist');
const TRAIN_IMAGES = 'train-images-idx3-ubyte';
const TRAIN_LABELS = 'train-labels-idx1-ubyte';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-mnist-'));
  write(TRAIN_IMAGES, imageFile(2));
  write(TRAIN_LABELS, labelFile([3, 9]));
  write('t10k-images-idx3-ubyte.gz', gzipSync(imageFile(1)));
  write('t10k-labels-idx1-ubyte.gz', gzipSync(labelFile([0])));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
}

function refusal(message: string): void {
  expect(() => readMnist(folder)).toThrow(expect.objectContaining({ code: 'data', message }));
}

describe('readMnist', () => {
  test('gives images from 0 to 1 and labels, from plain and gzip files', () => {
    const { train, test: unseen } = readMnist(folder);
    expect(train.shape).toEqual([1, 28, 28]);
    expect(train.classes).toBe(10);
    expect(train.images.length).toBe(2 * 784);
    expect([...train.images.subarray(0, 3), train.images[255], train.images[256]]).toEqual([
      0,
      Math.fround(1 / 255),
      Math.fround(2 / 255),
      1,
      0,
    ]);
    expect(train.labels).toEqual(Int32Array.of(3, 9));
    expect(unseen.labels).toEqual(Int32Array.of(0));
  });

  test('takes the plain file where both are there', () => {
    write(`${TRAIN_LABELS}.gz`, gzipSync(labelFile([1, 1])));
    expect(readMnist(folder).train.labels).toEqual(Int32Array.of(3, 9));
  });

  test.each(['absent', TRAIN_LABELS])('refuses what is no folder: %s', (name) => {
    const absent = join(folder, name);
    const message = `${absent}: no such folder; expected the four files of MNIST in it`;
    expect(() => readMnist(absent)).toThrow(expect.objectContaining({ code: 'data', message }));
  });

  test('refuses a folder without one of the files', () => {
    rmSync(join(folder, TRAIN_LABELS));
    refusal(`${folder}: holds neither ${TRAIN_LABELS} nor ${TRAIN_LABELS}.gz`);
  });

  test('refuses images and labels that do not match', () => {
    write(TRAIN_LABELS, labelFile([1, 2, 3]));
    refusal(
      `${join(folder, TRAIN_IMAGES)} holds 2 images, ${join(folder, TRAIN_LABELS)} 3 labels; ` +
        'expected one each: take both from the same download',
    );
  });

  test('refuses a label above 9', () => {
    write(TRAIN_LABELS, labelFile([3, 10]));
    refusal(`${join(folder, TRAIN_LABELS)}: label 1 is 10; expected 0 to 9`);
  });

  test.each([
    [27, 28],
    [28, 32],
  ])('refuses images of %d × %d', (height, width) => {
    write(TRAIN_IMAGES, imageFile(2, height, width));
    const found = `Uint8 [2,${height},${width}]`;
    refusal(`${join(folder, TRAIN_IMAGES)}: holds ${found}; expected Uint8 [N,28,28], N at least 1`);
  });

  test('refuses labels where images should be', () => {
    write(TRAIN_IMAGES, labelFile([1, 2]));
    refusal(`${join(folder, TRAIN_IMAGES)}: holds Uint8 [2]; expected Uint8 [N,28,28], N at least 1`);
  });

  test('refuses no images at all', () => {
    write(TRAIN_IMAGES, imageFile(0));
    refusal(`${join(folder, TRAIN_IMAGES)}: holds Uint8 [0,28,28]; expected Uint8 [N,28,28], N at least 1`);
  });

  // Needs MNIST itself in ../shared/data/mnist; skipped without it.
  test.skipIf(!existsSync(REAL))('reads the real files', () => {
    const { train, test: unseen } = readMnist(REAL);
    expect([train.labels.length, unseen.labels.length]).toEqual([60000, 10000]);
    expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    expect([...unseen.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
    const mean = unseen.images.reduce((sum, grey) => sum + grey, 0) / unseen.images.length;
    expect(mean).toBeCloseTo(0.1325, 4); // the test set's mean; the often quoted 0.1307 is the training set's
  });
});
