// A data set as plain arrays: samples of one shape, one label each.
import { NablaError } from '../error.ts';

export interface Dataset {
  /** The samples one after another, each row-major: [N, ...shape]. */
  readonly images: Float32Array;
  /** The class of each sample, from 0 to classes − 1: [N]. */
  readonly labels: Int32Array;
  /** The shape of one sample: [1, 28, 28] for a grey image, [features] for a row of a table. */
  readonly shape: readonly number[];
  readonly classes: number;
}

/**
 * A data set from the user's own arrays.
 *
 * @param options.shape the shape of one sample
 * @param options.classes how many classes there are; if absent, the highest label + 1
 * @throws NablaError `data` if the sizes do not fit together or a label is out of range
 */
export function dataset(
  images: Float32Array,
  labels: Int32Array,
  options: { shape: readonly number[]; classes?: number },
): Dataset {
  const { shape } = options;
  const sampleSize = sizeOf(shape);
  if (images.length !== labels.length * sampleSize) {
    throw new NablaError(
      'data',
      `${labels.length} labels and samples of [${shape}] need ${labels.length * sampleSize} numbers, ` +
        `the samples have ${images.length}`,
      { labels: labels.length, images: images.length, shape },
    );
  }
  const classes = options.classes ?? labels.reduce((highest, label) => Math.max(highest, label), -1) + 1;
  checkLabels(labels, classes);
  return { images, labels, shape, classes };
}

/** How many samples a data set has. */
export function sampleCount(data: Dataset): number {
  return data.labels.length;
}

/** The samples from `start` up to, not including, `end`, as views of the same arrays. */
export function slice(data: Dataset, start: number, end: number): Dataset {
  const sampleSize = sizeOf(data.shape);
  return {
    ...data,
    images: data.images.subarray(start * sampleSize, end * sampleSize),
    labels: data.labels.subarray(start, end),
  };
}

/** The product of a sample's sizes. */
export function sizeOf(shape: readonly number[]): number {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 1) {
      throw new NablaError('data', `sample shape [${shape}]: expected whole numbers, 1 or more`, { shape });
    }
  }
  return shape.reduce((product, size) => product * size, 1);
}

/** @throws NablaError `data` naming the first label that is not in [0, classes) */
export function checkLabels(labels: ArrayLike<number>, classes: number, source = 'labels'): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label >= 0 && label < classes) continue;
    throw new NablaError('data', `${source}: label ${i} is ${label}; expected 0 to ${classes - 1}`, {
      index: i,
      label,
      classes,
    });
  }
}
