// Natural logarithms on four float32 lanes.
//
// x = 2ᵉ·(1 + m) with 1 + m in [2/3, 4/3), log x = e·ln 2 + log1p(m): no cancellation on either side of 1.
import { fma } from '../simd';
import { vexp } from './exp';
import { constant } from './table';

// log1p(m) = m − m²/2 + m³·P(m), |m| ≤ 1/3: N. Juffa's float32 minimax (posted to stackoverflow.com, 39821367),
// two interleaved chains.
const L0 = 0, L1 = 1, L2 = 2, L3 = 3, L4 = 4, L5 = 5, L6 = 6, L7 = 7, L8 = 8;
const TWO_THIRDS = 9, LN2 = 10, TINY = 11, SCALE_1 = 12, SHIFT = 13, INF = 14, SIGN = 15, ONE = 16, QUARTER = 17;
const FOUR = 18, THIRD = 19, HALF = 20, MAX = 21, LOG2E = 22;
const LOG = memory.data<f32>([
  -0.5, 0.333331972, -0.249996200, 0.200120345, -0.166846126, 0.139814854, -0.121483512, 0.140869141, -0.130310059,
  0.666666667, 0.693147182,
  1.17549435e-38, 8388607, 23, // the smallest normal number; below it x is scaled by 2²³ = 1 + 8388607
  Infinity, -0.0, 1, 0.25, 4, 0.333333333, 0.5, 3.40282347e38, 1.44269504,
], 16);

/** log1p(m), |m| ≤ 1/3. */
// @ts-ignore: decorator
@inline
function fraction(m: v128): v128 {
  const s = f32x4.mul(m, m);
  let r = fma(constant(LOG, L8), s, constant(LOG, L6));
  let t = fma(constant(LOG, L7), s, constant(LOG, L5));
  r = fma(r, s, constant(LOG, L4));
  t = fma(t, s, constant(LOG, L3));
  r = fma(r, s, constant(LOG, L2));
  r = fma(t, m, r);
  r = fma(r, m, constant(LOG, L1));
  r = fma(r, m, constant(LOG, L0));
  return fma(r, s, m);
}

/** e·ln 2 + log1p(m), |m| ≤ 1/3. */
// @ts-ignore: decorator
@inline
function assembled(e: v128, m: v128): v128 {
  return fma(e, constant(LOG, LN2), fraction(m));
}

/** r, but ∞ or NaN where x is, and NaN where `below` is set. r must be finite there. */
// @ts-ignore: decorator
@inline
function outside(r: v128, x: v128, below: v128): v128 {
  return v128.or(f32x4.add(r, v128.andnot(x, f32x4.lt(x, constant(LOG, INF)))), below);
}

/**
 * log x on all of float32, subnormals included: −∞ at ±0, NaN below, ∞ at ∞, NaN stays.
 * Max error 1 ulp relaxed, 1.2 baseline.
 */
// @ts-ignore: decorator
@inline
export function vlog(x: v128): v128 {
  const usual = v128.and(f32x4.ge(x, constant(LOG, TINY)), f32x4.lt(x, constant(LOG, INF)));
  return i32x4.bitmask(usual) == 15 ? logNormal(x, f32x4.splat(0)) : logAny(x);
}

/** log x − shift·ln 2 for normal x; anything finite for others. */
// @ts-ignore: decorator
@inline
function logNormal(x: v128, shift: v128): v128 {
  const k = i32x4.shr_s(i32x4.sub(x, constant(LOG, TWO_THIRDS)), 23);
  const m = f32x4.sub(i32x4.sub(x, i32x4.shl(k, 23)), constant(LOG, ONE));
  return assembled(f32x4.sub(f32x4.convert_i32x4_s(k), shift), m);
}

/** `vlog` for a vector with a zero, a subnormal, an infinity, a NaN or a negative number in it. */
function logAny(x: v128): v128 {
  const zero = f32x4.splat(0);
  const tiny = f32x4.lt(x, constant(LOG, TINY));
  const scale = f32x4.add(v128.and(tiny, constant(LOG, SCALE_1)), constant(LOG, ONE)); // 2²³ or 1
  const infinite = v128.and(f32x4.eq(x, zero), constant(LOG, INF)); // gives −∞ at 0
  const shift = f32x4.add(v128.and(tiny, constant(LOG, SHIFT)), infinite);
  return outside(logNormal(f32x4.mul(x, scale), shift), x, f32x4.lt(x, zero));
}

/**
 * log₂ x on all of float32, subnormals included, exact at powers of two: −∞ at ±0, NaN below, ∞ at ∞, NaN stays.
 * Max error 2.1 ulp.
 */
// @ts-ignore: decorator
@inline
export function vlog2(x: v128): v128 {
  const zero = f32x4.splat(0);
  const tiny = f32x4.lt(x, constant(LOG, TINY));
  const z = f32x4.mul(x, f32x4.add(v128.and(tiny, constant(LOG, SCALE_1)), constant(LOG, ONE))); // as in logAny
  const infinite = v128.and(f32x4.eq(x, zero), constant(LOG, INF));
  const shift = f32x4.add(v128.and(tiny, constant(LOG, SHIFT)), infinite);
  const k = i32x4.shr_s(i32x4.sub(z, constant(LOG, TWO_THIRDS)), 23);
  const m = f32x4.sub(i32x4.sub(z, i32x4.shl(k, 23)), constant(LOG, ONE));
  const e = f32x4.sub(f32x4.convert_i32x4_s(k), shift);
  return outside(fma(fraction(m), constant(LOG, LOG2E), e), x, f32x4.lt(x, zero));
}

/**
 * log(1 + x) on all of float32; keeps its relative accuracy and its sign near 0: −∞ at −1, NaN below, ∞ at ∞, NaN stays.
 * Max error 1.7 ulp.
 */
// @ts-ignore: decorator
@inline
export function vlog1p(x: v128): v128 {
  const one = constant(LOG, ONE);
  const u = f32x4.add(x, one);
  const k = i32x4.shr_s(i32x4.sub(u, constant(LOG, TWO_THIRDS)), 23);
  // m = 2⁻ᵏ·(1 + x) − 1 without the rounding of u. 4·2⁻ᵏ is a normal number for every k.
  const quarter = constant(LOG, QUARTER);
  const s = i32x4.sub(constant(LOG, FOUR), i32x4.shl(k, 23));
  const m = fma(f32x4.mul(f32x4.pmin(x, constant(LOG, MAX)), s), quarter, f32x4.sub(f32x4.mul(s, quarter), one));
  const minusOne = f32x4.eq(u, f32x4.splat(0));
  const e = f32x4.sub(f32x4.convert_i32x4_s(k), v128.and(minusOne, constant(LOG, INF)));
  const r = outside(assembled(e, m), x, f32x4.lt(u, f32x4.splat(0)));
  return v128.or(r, v128.and(x, constant(LOG, SIGN)));
}

/**
 * log(1 + eˣ) without overflow: x⁺ + log1p(e^−|x|). NaN stays. Max error 2 ulp.
 */
// @ts-ignore: decorator
@inline
export function vsoftplus(x: v128): v128 {
  const one = constant(LOG, ONE);
  const z = vexp(v128.or(x, constant(LOG, SIGN)));
  // log1p as above for 0 ≤ z ≤ 1: k is 0 or 1.
  const high = f32x4.ge(z, constant(LOG, THIRD));
  const e = v128.and(high, one);
  const s = f32x4.sub(one, v128.and(high, constant(LOG, HALF)));
  const m = fma(z, s, f32x4.sub(s, one));
  return f32x4.add(assembled(e, m), f32x4.pmax(x, f32x4.splat(0)));
}
