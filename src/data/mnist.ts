// MNIST from its four files on disk.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NablaError } from '../error.ts';
import { checkLabels, type Dataset } from './dataset.ts';
import { type IdxArray, type IdxData, readIdx } from './idx.ts';

const SIDE = 28;
const CLASSES = 10;

/**
 * Reads MNIST, or a data set with its files' names and sizes (Fashion-MNIST), from a folder that holds
 * `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`,
 * each plain or with `.gz` (the plain one is taken if both are there).
 *
 * @returns images as float32 [N, 1, 28, 28] from 0 (background) to 1 (ink), labels as int32 [N]
 * @throws NablaError `data` for a missing folder or file, a damaged file, or files that do not belong together
 */
export function readMnist(folder: string): { train: Dataset; test: Dataset } {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new NablaError('data', `${folder}: no such folder; expected the four files of MNIST in it`, { folder });
  }
  return { train: readPart(folder, 'train'), test: readPart(folder, 't10k') };
}

function readPart(folder: string, part: string): Dataset {
  const imagesPath = findFile(folder, `${part}-images-idx3-ubyte`);
  const labelsPath = findFile(folder, `${part}-labels-idx1-ubyte`);
  const images = readBytes(imagesPath, `[N,${SIDE},${SIDE}]`, isImages);
  const labels = readBytes(labelsPath, '[N]', (shape) => shape.length === 1);
  const nImages = images.shape[0] as number;
  const nLabels = labels.shape[0] as number;
  if (nImages !== nLabels) {
    throw new NablaError(
      'data',
      `${imagesPath} holds ${nImages} images, ${labelsPath} ${nLabels} labels; ` +
        'expected one each: take both from the same download',
      { images: nImages, labels: nLabels },
    );
  }
  checkLabels(labels.data, CLASSES, labelsPath);
  return {
    images: toUnit(images.data),
    labels: Int32Array.from(labels.data),
    shape: [1, SIDE, SIDE],
    classes: CLASSES,
  };
}

function toUnit(greys: IdxData): Float32Array {
  const unit = new Float32Array(greys.length); // a loop: Float32Array.from with a function takes seconds on 47 M
  for (let i = 0; i < greys.length; i++) unit[i] = (greys[i] as number) / 255;
  return unit;
}

function isImages(shape: readonly number[]): boolean {
  return shape.length === 3 && shape[1] === SIDE && shape[2] === SIDE;
}

function findFile(folder: string, name: string): string {
  const found = [name, `${name}.gz`].map((file) => join(folder, file)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new NablaError('data', `${folder}: holds neither ${name} nor ${name}.gz`, { folder, name });
}

function readBytes(path: string, expected: string, fits: (shape: readonly number[]) => boolean): IdxArray {
  const array = readIdx(path);
  if (array.data instanceof Uint8Array && fits(array.shape) && array.data.length > 0) return array;
  const found = `${array.data.constructor.name.replace('Array', '')} [${array.shape}]`;
  throw new NablaError('data', `${path}: holds ${found}; expected Uint8 ${expected}, N at least 1`, {
    shape: array.shape,
  });
}
