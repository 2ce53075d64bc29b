// Seeded data and comparisons with float64 references, for tests of kernels.
import { expect } from 'vitest';

const ODD = [NaN, Infinity, -Infinity, 0, -0];
const F32_MIN = 2 ** -149;

/** Seeded numbers in [low, high), with a NaN, an infinity and zeros among them where `odd` is set. */
export function numbers(n: number, seed: number, low = -3, high = 3, odd = false): Float32Array {
  let s = (seed * 2654435761) >>> 0;
  const out = Float32Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * s) / 2 ** 32;
  });
  if (odd) for (const [i, x] of ODD.entries()) if (n > 7 * i + 3) out[(7 * i + 3 * seed) % n] = x;
  return out;
}

/** |got − exact| ≤ ulp units of the last place of exact, or of `scale` where terms of that size cancel. */
function near(got: number, exact: number, ulp: number, scale = 0): boolean {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) || got === rounded) return true;
  const size = Math.max(Math.abs(exact), scale, 2 ** -126);
  return Math.abs(got - exact) <= ulp * 2 ** -23 * size + F32_MIN;
}

export function expectNear(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  ulp: number,
  scales?: ArrayLike<number>,
  note = '',
) {
  expect(got.length).toBe(exact.length);
  for (let i = 0; i < exact.length; i++) {
    const [g, e] = [got[i] as number, exact[i] as number];
    if (!near(g, e, ulp, scales?.[i])) throw new Error(`${note} [${i}] of ${exact.length}: got ${g}, exact ${e}`);
  }
}

/** The same numbers, bit for bit (the deep walk of toEqual takes ten times as long). */
export function expectSame(got: ArrayLike<number>, exact: ArrayLike<number>, note = '') {
  expect(got.length).toBe(exact.length);
  for (let i = 0; i < exact.length; i++) {
    if (!Object.is(got[i], exact[i]))
      throw new Error(`${note} [${i}] of ${exact.length}: got ${got[i]}, not ${exact[i]}`);
  }
}
