// How far a float32 result may be from the float64 one, and the words for one that is farther.
// biome-ignore-all lint/style/noNonNullAssertion: places are counted from the arrays they index.

import { largestOf, type Noise } from './interpret.ts';
import { generator } from './kernels/data.ts';

/** What a dtype holds. */
export interface Precision {
  /** A unit in the last place of 1, and the least normal number. */
  ulp: number;
  normal: number;
  round: (x: number) => number;
  /** Units in the last place that the oracle, which is float64, may be off by. */
  oracle: number;
}
export const SINGLE: Precision = { ulp: 2 ** -23, normal: 2 ** -126, round: Math.fround, oracle: 0 };
/** Results of JavaScript's functions are off by up to a unit, those of formulas by some. */
export const PRECISE: Precision = { ulp: 2 ** -52, normal: 2 ** -1022, round: (x) => x, oracle: 4 };

const ULP = SINGLE.ulp;
/** What float64 itself may be off by, in results of about 1. */
const DOUBLE = 1e-12;
const SAMPLES = 4;

/** What keeps `got` from being `exact`, element by element; null where nothing does. */
export function differs(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  allowed: (i: number) => number,
  signedZero = false,
  { round } = SINGLE,
): string | null {
  if (got.length !== exact.length) return `${got.length} elements, expected ${exact.length}`;
  for (let i = 0; i < exact.length; i++) {
    const [g, x] = [got[i] as number, exact[i] as number];
    const rounded = round(x);
    if (Object.is(g, rounded) || (g === rounded && !signedZero)) continue;
    const room = allowed(i);
    if (g !== 0 || x !== 0) if (Math.abs(g - x) <= room) continue;
    return `element ${i} of ${exact.length}: got ${g}, exact ${x}, allowed ± ${room}`;
  }
  return null;
}

/** `ulp` units in the last place of the larger of the result and `scale`. */
export function withinUlp(
  exact: ArrayLike<number>,
  ulp: number,
  absolute = 0,
  scale?: ArrayLike<number>,
  { ulp: unit, normal, oracle } = SINGLE,
) {
  const units = ulp === 0 ? 0 : ulp + oracle;
  return (i: number) => {
    const size = Math.max(Math.abs(exact[i] as number), scale?.[i] ?? 0);
    // Rounding to the nearest is off by half a unit of the result's own binade.
    return Number.isFinite(size) ? Math.max(units * unit * Math.max(size, normal), (absolute * unit) / ULP) : 0;
  };
}

/**
 * What float32 (or, by so much less, float64) may be off by: evaluated a few times with a random error at every node, some multiple of how far the
 * results move, in part of how far any element of theirs does.
 */
export function withinNoise(
  exact: readonly Float64Array[],
  evaluate: (noise: Noise) => Float64Array[],
  seed: number,
  { ulp, oracle } = SINGLE,
) {
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
    // The oracle's own roundings move it as far as the kernels' do.
    const share = (oracle > 0 ? 2 : 1) * (ulp / ULP);
    const room = x.map(
      (v, i) => share * (4 * (moved[j] as Float64Array)[i]! + 0.5 * most + 2 * ULP * Math.abs(v) + DOUBLE),
    );
    return { room, allowed: (i: number) => room[i] as number };
  });
}

/** Float64 against float64: equal but for the order of operations. */
export function withinDouble(exact: Float64Array, relative: number) {
  const top = largestOf(exact);
  return (i: number) => relative * (Math.abs(exact[i] as number) + top) + 1e-12;
}
