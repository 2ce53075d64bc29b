// What several test files share: seeded numbers, PyTorch's fixtures, and the comparison of arrays.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { NablaError, type nn, Tensor, tensor } from '../src/index.ts';
import { poolReady } from '../src/run/pool.ts';
import { uniform } from './random.js';

export { uniform };

/** Workers start without this thread's help; until they are up programs run on one. */
export function untilReady(threads: number): void {
  const end = performance.now() + 20_000;
  while (threads > 1 && !poolReady()) {
    if (performance.now() > end) throw new Error('the workers did not come up within 20 s');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}

export const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A seeded tensor of a shape. */
export function random(seed: number, shape: number[], lo = -1, hi = 1): Tensor {
  return tensor(uniform(seed, size(shape), lo, hi), { shape });
}

/** An input as a fixture writes it: seeded, or with its values. */
export interface Spec {
  shape: number[];
  seed?: number;
  lo?: number;
  hi?: number;
  values?: number[];
}

export function specValues(spec: Spec): Float32Array {
  if (spec.values) return Float32Array.from(spec.values);
  return uniform(spec.seed as number, size(spec.shape), spec.lo, spec.hi);
}

/** An expected tensor: all of it, or every `stride`-th element and its sums. */
export interface Summary {
  shape: number[];
  values: number[];
  stride?: number;
  sum?: number;
  sumAbs?: number;
}

export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8'));
}

export type Values = Tensor | number | ArrayLike<number>;

export function list(values: Values): number[] {
  if (typeof values === 'number') return [values];
  return Array.from(values instanceof Tensor ? values.data() : values);
}

/**
 * Fails unless every element is within `rel` of the largest magnitude expected. Scaled by the whole array, not by each
 * element: a float32 sum of terms of size s carries an error of about 1e-7·s whatever the sum comes to, so an element
 * that cancels to nearly nothing has few digits right in any library, PyTorch included. Where all is expected to be
 * zero, all has to be.
 */
export function close(actual: Values, expected: Values, rel: number, what = 'values'): void {
  const got = list(actual);
  const want = list(expected);
  expect(got.length, `${what}: number of elements`).toBe(want.length);
  const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const wrong = want.findIndex((v, i) => !(Math.abs((got[i] as number) - v) <= rel * scale));
  if (wrong < 0) return;
  const found = `${what}: element ${wrong} is ${got[wrong]}, expected ${want[wrong]}`;
  expect.fail(`${found}, to ${rel} of the largest magnitude ${scale}`);
}

/** Compares a tensor with a fixture's summary of it. */
export function closeTo(actual: Tensor, expected: Summary, rel: number, what = 'tensor'): void {
  expect(actual.shape, `${what}: shape`).toEqual(expected.shape);
  const { stride = 1, sum, sumAbs = 0 } = expected;
  const all = list(actual);
  const taken = all.filter((_, i) => i % stride === 0);
  close(taken, expected.values, rel, stride === 1 ? what : `${what}, every ${stride}th`);
  if (sum === undefined) return;
  const got = all.reduce((a, b) => a + b, 0);
  expect(Math.abs(got - sum), `${what}: sum is ${got}, expected ${sum}`).toBeLessThanOrEqual(rel * sumAbs);
}

/** Parameters by PyTorch's names. */
export function named(model: nn.Module): Record<string, Tensor> {
  return Object.fromEntries(model.namedParameters());
}

/** Puts numbers into a parameter. */
export function fill(parameter: Tensor, values: ArrayLike<number>): void {
  parameter.assign(tensor(Float32Array.from(values), { shape: [...parameter.shape] }));
}

/** Fills a model as `initialise` of make.py does: U(−1/√fanIn, 1/√fanIn), seeds counted up. */
export function initialise(model: nn.Module, seed: number): void {
  let bound = 1;
  model.parameters().forEach((p, i) => {
    if (p.shape.length > 1) bound = 1 / Math.sqrt(size(p.shape.slice(1)));
    fill(p, uniform(seed + i, size(p.shape), -bound, bound));
  });
}

/** Batch `step` of the digits that make.py trains on: noise, and a bright band of two rows where the label says. */
export function digits(step: number, batch: number): { x: Tensor; labels: Tensor } {
  const labels = Int32Array.from(uniform(5000 + step, batch, 0, 1), (u) => u * 10);
  const x = uniform(6000 + step, batch * 784, 0, 0.5);
  labels.forEach((k, i) => {
    const from = i * 784 + (2 * k + 4) * 28;
    for (let j = from; j < from + 56; j++) x[j] = (x[j] as number) + Math.fround(0.8);
  });
  return {
    x: tensor(x, { shape: [batch, 1, 28, 28] }),
    labels: tensor(labels, { shape: [batch] }),
  };
}

/** The error a function throws; fails where it throws none. */
export function thrown(run: () => unknown): Error & { code?: string } {
  try {
    run();
  } catch (error) {
    return error as Error & { code?: string };
  }
  return expect.fail('nothing was thrown');
}

/** A mistake and the exact message it must get. */
export interface Mistake {
  of: string;
  run: () => unknown;
  code: string;
  message: string;
}

/** Runs a mistake: a NablaError of this code and message, thrown on a line of `file`; and the library works on. */
export function expectMistake({ run, code, message }: Mistake, file: string): void {
  const error = thrown(run);
  expect(error.message).toBe(message);
  expect(error).toBeInstanceOf(NablaError);
  expect(error.code).toBe(code);
  expect(error.stack).toContain(file);
  const x = tensor([1, 2], { requiresGrad: true });
  x.square().sum().backward();
  expect(x.grad?.toArray()).toEqual([2, 4]);
}
