// Sine and cosine on four float32 lanes.
//
// x = q·π/2 + r with |r| ≤ π/4 is reduced in float64, so one path serves both binaries and needs neither fma nor
// Payne–Hanek: q·(the first 25 bits of π/2) is exact up to |q| < 2²⁸, what is left of π/2 is multiplied once.
import { fma, select } from '../simd';
import { constant, constant64 } from './table';

const TWO_OVER_PI = 0, BIG = 1, PIO2_HI = 2, PIO2_LO = 3;
const REDUCE = memory.data<f64>([
  0.6366197723675814,
  6755399441055744, // 1.5·2⁵²: the sum's low word is q
  1.57079631090164184570, 1.58932547735281966916e-8,
], 16);

// On |r| ≤ 0.7862, minimax for the relative error: sin r = r + r³·S(r²), 2^-32.5; cos r = 1 − r²/2 + r⁴·C(r²), 2^-33.
const S0 = 0, S1 = 1, S2 = 2, S3 = 3, C0 = 4, C1 = 5, C2 = 6, MINUS_HALF = 7, ONE = 8, HIGH = 9, LOW = 10;
const TRIG = memory.data<f32>([
  -0.166666672, 0.0083333794, -0.000198530717, 2.8326574e-6,
  0.0416666456, -0.00138873095, 2.44323273e-5,
  -0.5, 1, 0.7854, -0.7854,
], 16);

/** q of two float64 lanes, in the low word of each. */
// @ts-ignore: decorator
@inline
function quadrant(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, constant64(REDUCE, TWO_OVER_PI)), constant64(REDUCE, BIG));
}

/** r of two float64 lanes. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, q: v128): v128 {
  const n = f64x2.sub(q, constant64(REDUCE, BIG));
  x = f64x2.sub(x, f64x2.mul(n, constant64(REDUCE, PIO2_HI)));
  return f64x2.sub(x, f64x2.mul(n, constant64(REDUCE, PIO2_LO)));
}

/** sin(x + turn·π/2); `turn` is a constant, 0 or 1. */
// @ts-ignore: decorator
@inline
function sine(x: v128, turn: i32): v128 {
  const x0 = f64x2.promote_low_f32x4(x);
  const x1 = f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3));
  const q0 = quadrant(x0), q1 = quadrant(x1);
  const r0 = f32x4.demote_f64x2_zero(remainder(x0, q0));
  const r1 = f32x4.demote_f64x2_zero(remainder(x1, q1));
  let r = i32x4.shuffle(r0, r1, 0, 1, 4, 5);
  let q = i32x4.shuffle(q0, q1, 0, 2, 4, 6);
  if (turn) q = i32x4.add(q, i32x4.splat(1));
  // Far out r is noise; held to its range, the result stays one of a sine.
  r = f32x4.pmax(f32x4.pmin(r, constant(TRIG, HIGH)), constant(TRIG, LOW));

  const z = f32x4.mul(r, r);
  let s = fma(constant(TRIG, S3), z, constant(TRIG, S2));
  s = fma(s, z, constant(TRIG, S1));
  s = fma(s, z, constant(TRIG, S0));
  s = fma(f32x4.mul(s, z), r, r);
  let c = fma(constant(TRIG, C2), z, constant(TRIG, C1));
  c = fma(c, z, constant(TRIG, C0));
  c = fma(c, f32x4.mul(z, z), fma(constant(TRIG, MINUS_HALF), z, constant(TRIG, ONE)));
  const odd = i32x4.shr_s(i32x4.shl(q, 31), 31);
  const sign = i32x4.shl(i32x4.shr_u(q, 1), 31);
  return v128.xor(select(c, s, odd), sign);
}

/**
 * sin x: max error 1.6 ulp for |x| ≤ 2²⁸. Beyond, the error grows to any value of a sine, always within [−1, 1];
 * NaN at ±∞ and NaN.
 */
// @ts-ignore: decorator
@inline
export function vsin(x: v128): v128 {
  return sine(x, 0);
}

/** cos x; range and error as `vsin`. */
// @ts-ignore: decorator
@inline
export function vcos(x: v128): v128 {
  return sine(x, 1);
}
