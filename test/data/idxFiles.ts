// Small files in the shape of MNIST, for tests.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An IDX file of images whose pixels are 0, 1, 2 … 255, 0, 1 … */
export function imageFile(count: number, height = 28, width = 28): Uint8Array {
  const pixels = Array.from({ length: count * height * width }, (_, i) => i & 255);
  return Uint8Array.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, height, 0, 0, 0, width, ...pixels]);
}

export function labelFile(values: readonly number[]): Uint8Array {
  return Uint8Array.from([0, 0, 8, 1, 0, 0, 0, values.length, ...values]);
}

/** A folder with these labels and as many images. */
export function writeMnist(folder: string, train: readonly number[], test: readonly number[]): void {
  mkdirSync(folder, { recursive: true });
  for (const [part, labels] of [
    ['train', train],
    ['t10k', test],
  ] as const) {
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), imageFile(labels.length));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), labelFile(labels));
  }
}
