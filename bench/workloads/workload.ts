// What a workload is, and the seeded data that all are made of.
import { rand, type Tensor, tensor } from '../../src/index.ts';

export interface Workload {
  name: string;
  /** What `amount` counts. */
  unit: 'GFLOP/s' | 'samples/s' | 'tokens/s' | 'rows/s' | 'Melem/s';
  /** FLOPs, samples, tokens, rows or elements of one call. */
  amount: number;
  /** Makes everything the call needs; the call itself is what is timed. */
  prepare(): () => void;
}

/** What a unit counts of an amount. */
export const SCALE: Record<Workload['unit'], number> = {
  'GFLOP/s': 1e-9,
  'Melem/s': 1e-6,
  'samples/s': 1,
  'tokens/s': 1,
  'rows/s': 1,
};

/** A tensor in ±½ whose elements are known: lazy ones would be computed inside the timing. */
export function data(...shape: number[]): Tensor {
  return tensor(rand(shape).sub(0.5).data(), { shape });
}

export function labels(n: number, classes: number): Tensor {
  const values = rand([n]).data();
  return tensor(Int32Array.from(values, (v) => Math.floor(v * classes)));
}
