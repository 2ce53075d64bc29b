// Angles, on four float32 lanes: the arctangent of a number and of a quotient.
//
// The smaller of |x| and |y| over the larger is t in [0, 1], whose arctangent a polynomial gives; the larger one and the
// signs say from which multiple of π/2 it is taken.
import { fma } from '../simd';
import { constant } from './table';

// atan t = t + t³·P(t²), |t| ≤ 1: the coefficients of N. Shibata's SLEEF (atanf).
const P0 = 0, P1 = 1, P2 = 2, P3 = 3, P4 = 4, P5 = 5, P6 = 6, P7 = 7;
const SIGN = 8, ONE = 9, PIO2_HI = 10, PIO2_LO = 11;
const ATAN = memory.data<f32>([
  -0.333331019, 0.199926957, -0.142027363, 0.106347933, -0.0748900920, 0.0425049886, -0.0159569029, 0.00282363896,
  -0.0, 1,
  1.57079637, -4.37113883e-8,
], 16);

/** t + t³·P(t²). */
// @ts-ignore: decorator
@inline
function polynomial(t: v128): v128 {
  const s = f32x4.mul(t, t);
  let p = fma(constant(ATAN, P7), s, constant(ATAN, P6));
  p = fma(p, s, constant(ATAN, P5));
  p = fma(p, s, constant(ATAN, P4));
  p = fma(p, s, constant(ATAN, P3));
  p = fma(p, s, constant(ATAN, P2));
  p = fma(p, s, constant(ATAN, P1));
  p = fma(p, s, constant(ATAN, P0));
  return fma(f32x4.mul(p, s), t, t);
}

/**
 * atan x on all of float32; keeps its relative accuracy and its sign near 0: ±π/2 at ±∞, NaN stays.
 * Max error 1.7 ulp.
 */
// @ts-ignore: decorator
@inline
export function vatan(x: v128): v128 {
  const one = constant(ATAN, ONE), sign = constant(ATAN, SIGN);
  const a = v128.andnot(x, sign);
  const steep = f32x4.gt(a, one);
  const p = polynomial(v128.bitselect(f32x4.div(one, a), a, steep));
  // π/2 − p, or p.
  const turned = f32x4.add(v128.and(constant(ATAN, PIO2_LO), steep), v128.xor(p, v128.and(sign, steep)));
  return v128.or(f32x4.add(v128.and(constant(ATAN, PIO2_HI), steep), turned), v128.and(x, sign));
}

/**
 * The angle of the point (x, y) in [−π, π], on all of float32, with the special cases of C's atan2: a zero y has an
 * angle of 0 or π by the sign of x, with its own sign, even at x = ±0; ∞ beside ∞ counts as 1 beside 1. NaN stays.
 * Max error 2 ulp.
 */
// @ts-ignore: decorator
@inline
export function vatan2(y: v128, x: v128): v128 {
  const one = constant(ATAN, ONE), sign = constant(ATAN, SIGN), zero = f32x4.splat(0);
  const a = v128.andnot(x, sign), b = v128.andnot(y, sign);
  const larger = f32x4.max(a, b);
  // 0/0 and ∞/∞ have no quotient: 0 and 1 stand for it.
  const equal = f32x4.eq(a, b);
  const t = v128.bitselect(v128.and(f32x4.gt(a, zero), one), f32x4.div(f32x4.min(a, b), larger), equal);
  const steep = f32x4.gt(b, a), left = i32x4.shr_s(x, 31);
  // p on the right and flat, π/2 − p right and steep, π/2 + p left and steep, π − p left and flat.
  const p = v128.xor(polynomial(t), v128.and(sign, v128.xor(steep, left)));
  const hi = constant(ATAN, PIO2_HI), lo = constant(ATAN, PIO2_LO);
  const flat = v128.andnot(left, steep);
  const turns = f32x4.add(v128.and(one, v128.or(steep, left)), v128.and(one, flat)); // 0, 1 or 2 times π/2
  const r = f32x4.add(f32x4.mul(hi, turns), f32x4.add(f32x4.mul(lo, turns), p));
  return v128.or(r, v128.and(y, sign));
}
