// Seeded random numbers for data on the JavaScript side: drawing digits and shuffling samples.
// Integer arithmetic, + and × only, so every engine gives the same numbers to the last bit.
import { NablaError } from '../error.ts';

const UINT32 = 2 ** 32;
const WARM_UP = 15; // rounds until every bit of the key has reached every bit of the state; upstream uses 12 to 20

/** sfc32 ("small fast counting", Chris Doty-Humphrey, PractRand): 128 bits of state, period at least 2^32. */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed an integer from 0 to 2^53 − 1
   * @param stream an integer from 0 to 2^32 − 1: the same seed has as many independent sequences (an epoch's, say)
   */
  constructor(seed: number, stream = 0) {
    checkInteger('seed', seed, Number.MAX_SAFE_INTEGER);
    checkInteger('stream', stream, UINT32 - 1);
    this.#a = stream | 0;
    this.#b = Math.floor(seed / UINT32) | 0;
    this.#c = seed | 0;
    for (let i = 0; i < WARM_UP; i++) this.uint32();
  }

  /** A whole number, uniform in [0, 2^32). */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / UINT32);
  }

  /** A whole number in [0, n), n ≤ 2^32. Biased by less than n / 2^32. */
  below(n: number): number {
    return Math.floor((this.uint32() / UINT32) * n);
  }

  /** Bell-shaped, mean 0, variance 1, never past ±√12: the sum of four uniforms, which needs no logarithm. */
  bell(): number {
    return (this.uniform() + this.uniform() + this.uniform() + this.uniform() - 2) * 1.7320508075688772;
  }

  /** Shuffles in place (Fisher–Yates). */
  shuffle(values: Int32Array): Int32Array {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swapped = values[i] as number;
      values[i] = values[j] as number;
      values[j] = swapped;
    }
    return values;
  }
}

function checkInteger(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new NablaError('option', `${name} ${value}: expected a whole number from 0 to ${max}`, { [name]: value });
}
