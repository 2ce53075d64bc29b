// How far a float32 result may be from the float64 one, and the words for one that is farther.
// biome-ignore-all lint/style/noNonNullAssertion: places are counted from the arrays they index.

import { largestOf, type Noise } from './interpret.ts';
import { generator } from './kernels/data.ts';

const ULP = 2 ** -23;
const SUBNORMAL = 2 ** -126;
/** What float64 itself may be off by, in results of about 1. */
const DOUBLE = 1e-12;
const SAMPLES = 4;

/** What keeps `got` from being `exact`, element by element; null where nothing does. */
export function differs(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  allowed: (i: number) => number,
  signedZero = false,
): string | null {
  if (got.length !== exact.length) return `${got.length} elements, expected ${exact.length}`;
  for (let i = 0; i < exact.length; i++) {
    const [g, x] = [got[i] as number, exact[i] as number];
    const rounded = Math.fround(x);
    if (Object.is(g, rounded) || (g === rounded && !signedZero)) continue;
    const room = allowed(i);
    if (g !== 0 || x !== 0) if (Math.abs(g - x) <= room) continue;
    return `element ${i} of ${exact.length}: got ${g}, exact ${x}, allowed ± ${room}`;
  }
  return null;
}

/** `ulp` units in the last place of the larger of the result and `scale`. */
export function withinUlp(exact: ArrayLike<number>, ulp: number, absolute = 0, scale?: ArrayLike<number>) {
  return (i: number) => {
    const size = Math.max(Math.abs(exact[i] as number), scale?.[i] ?? 0);
    // Rounding to the nearest is off by half a unit of the result's own binade.
    return Number.isFinite(size) ? Math.max(ulp * ULP * Math.max(size, SUBNORMAL), absolute) : 0;
  };
}

/**
 * What float32 may be off by: evaluated a few times with a random error at every node, some multiple of how far the
 * results move, in part of how far any element of theirs does.
 */
export function withinNoise(exact: readonly Float64Array[], evaluate: (noise: Noise) => Float64Array[], seed: number) {
  const random = generator(seed);
  const moved = exact.map((x) => new Float64Array(x.length));
  for (let k = 0; k < SAMPLES; k++) {
    evaluate(() => 2 * random() - 1).forEach((y, j) => {
      y.forEach((v, i) => {
        const x = (exact[j] as Float64Array)[i]!;
        // NaN only when disturbed: nothing can be told.
        const d = Object.is(v, x) ? 0 : Number.isNaN(v - x) ? Number.POSITIVE_INFINITY : Math.abs(v - x);
        if (d > (moved[j] as Float64Array)[i]!) (moved[j] as Float64Array)[i] = d;
      });
    });
  }
  return exact.map((x, j) => {
    const most = (moved[j] as Float64Array).reduce((a, b) => Math.max(a, b), 0);
    const room = x.map((v, i) => 4 * (moved[j] as Float64Array)[i]! + 0.5 * most + 2 * ULP * Math.abs(v) + DOUBLE);
    return { room, allowed: (i: number) => room[i] as number };
  });
}

/** Float64 against float64: equal but for the order of operations. */
export function withinDouble(exact: Float64Array, relative: number) {
  const top = largestOf(exact);
  return (i: number) => relative * (Math.abs(exact[i] as number) + top) + 1e-12;
}
