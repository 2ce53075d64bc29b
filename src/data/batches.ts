// Cuts a data set into seeded, shuffled batches of tensors.

import { tensor } from '../create.ts';
import { NablaError } from '../error.ts';
import type { Tensor } from '../tensor.ts';
import { type Dataset, sampleCount, sizeOf } from './dataset.ts';
import { Rng } from './rng.ts';

export interface BatchOptions {
  /** Samples in a batch, 1 or more; default 64. The last batch holds what is left. */
  batchSize?: number;
  /** Default true. */
  shuffle?: boolean;
  /** Whole number from 0, default 0. The same seed and epoch give the same order. */
  seed?: number;
  /** Whole number from 0, default 0: another epoch, another order. */
  epoch?: number;
}

export interface Batch {
  /** float32 [size, ...shape] */
  readonly x: Tensor;
  /** int32 [size] */
  readonly y: Tensor;
  readonly size: number;
}

/** Samples and labels of one batch, before they become tensors. */
export interface Gathered {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/**
 * The batches of one epoch. The result can be iterated again, and gives the same batches again; `length` is their
 * number. Every batch has arrays of its own.
 *
 * @throws NablaError `option` for a batch size that is no whole number, 1 or more
 */
export function batches(data: Dataset, options: BatchOptions = {}): Iterable<Batch> & { readonly length: number } {
  const { batchSize = 64, shuffle = true, seed = 0, epoch = 0 } = options;
  const length = batchCount(sampleCount(data), batchSize);
  const order = sampleOrder(sampleCount(data), shuffle ? new Rng(seed, epoch) : null);
  return {
    length,
    *[Symbol.iterator]() {
      for (let i = 0; i < length; i++) {
        const picked = order.subarray(i * batchSize, (i + 1) * batchSize);
        const { images, labels } = gather(data, picked);
        yield {
          x: tensor(images, { shape: [picked.length, ...data.shape] }),
          y: tensor(labels, { shape: [picked.length], dtype: 'int32' }),
          size: picked.length,
        };
      }
    },
  };
}

/** How many batches `samples` make, the last short one included. */
export function batchCount(samples: number, batchSize: number): number {
  if (Number.isInteger(batchSize) && batchSize >= 1) return Math.ceil(samples / batchSize);
  throw new NablaError('option', `batchSize ${batchSize}: expected a whole number, 1 or more`, { batchSize });
}

/** The order in which an epoch takes the samples: [samples]. */
export function sampleOrder(samples: number, rng: Rng | null): Int32Array {
  const order = new Int32Array(samples);
  for (let i = 0; i < samples; i++) order[i] = i;
  return rng === null ? order : rng.shuffle(order);
}

/** Copies the picked samples and their labels one after another. */
export function gather(data: Dataset, picked: Int32Array): Gathered {
  const sampleSize = sizeOf(data.shape);
  const images = new Float32Array(picked.length * sampleSize);
  const labels = new Int32Array(picked.length);
  for (const [row, sample] of picked.entries()) {
    images.set(data.images.subarray(sample * sampleSize, (sample + 1) * sampleSize), row * sampleSize);
    labels[row] = data.labels[sample] as number;
  }
  return { images, labels };
}
