// What a workload is, and the seeded data that all are made of.
import { rand, type Tensor, tensor } from '../../src/index.ts';

export interface Workload {
  name: string;
  /** What one call does so many of; FLOPs, where these are what counts, are counted. */
  items?: number;
  unit?: 'samples' | 'tokens' | 'rows' | 'elements';
  /** Makes everything the call needs; the call itself is what is timed. */
  prepare(): () => unknown;
}

/** A tensor in ±½ whose elements are known: lazy ones would be computed inside the timing. */
export function data(...shape: number[]): Tensor {
  return tensor(rand(shape).sub(0.5).data(), { shape });
}

export function labels(n: number, classes: number): Tensor {
  const values = rand([n]).data();
  return tensor(Int32Array.from(values, (v) => Math.floor(v * classes)));
}
