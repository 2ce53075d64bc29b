// The generator that random nodes take their keys from: a seed and a count, so a whole run repeats.
import { NablaError } from './error.ts';

let seed = Math.floor(Math.random() * 2 ** 32);
let count = 0;

/** Starts the sequence of random keys anew: the same seed gives the same initial weights, masks and noise. */
export function manualSeed(n: number): void {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32) {
    throw new NablaError('option', `manualSeed: got ${n}, expected a whole number from 0 to 4294967295`, { seed: n });
  }
  seed = n;
  count = 0;
}

/** The next key: two 32-bit words. */
export function nextKey(): readonly number[] {
  return [seed | 0, count++ | 0];
}

/** Runs `fn` and takes back the keys it drew, so what follows draws the same as without it. */
export function keepingKeys<T>(fn: () => T): T {
  const before = count;
  try {
    return fn();
  } finally {
    count = before;
  }
}
