// e to a power, on four float32 lanes.
//
// All forms reduce x = n·ln 2 + r with |r| ≤ ½·ln 2: n comes out of the low bits of a sum with 1.5·2²³ (whose
// constant also carries the exponent's bias), r by a two-step subtraction (n·0.693145752 is exact), and
// e^r = 1 + r + r²·P(r). Scaling by 2ⁿ is a multiplication, so NaN stays NaN.
import { fma, nfma } from '../simd';
import { constant } from './table';

// Minimax for the relative error of e^r on |r| ≤ 0.3468: degree 6, 2^-28.2; each coefficient rounded to float32
// in turn and the rest fitted again. (Degree 5 reaches 2^-23.2 and misses 2 ulp.)
const P0 = 0, P1 = 1, P2 = 2, P3 = 3, P4 = 4;
const ONE = 5, LOG2E = 6, LN2_HI = 7, LN2_LO = 8, BIG_254 = 9, BIG_127 = 10, LOW = 11, HIGH = 12;
const EXP = memory.data<f32>([
  0.49999994, 0.166665211, 0.0416682661, 0.00836867373, 0.00138206326,
  1, 1.44269504, 0.693145752, 1.42860677e-6,
  12583166, // 1.5·2²³ + 254: the sum's low bits are n + 2·127
  12583039, // 1.5·2²³ + 127
  -104, 89, // beyond these the result is 0 or ∞
], 16);

/** r of x = n·ln 2 + r. */
// @ts-ignore: decorator
@inline
function reduced(x: v128, n: v128): v128 {
  return nfma(n, constant(EXP, LN2_LO), nfma(n, constant(EXP, LN2_HI), x));
}

// @ts-ignore: decorator
@inline
function polynomial(r: v128): v128 {
  const s = f32x4.mul(r, r);
  const low = fma(constant(EXP, P1), r, constant(EXP, P0));
  const high = fma(constant(EXP, P4), s, fma(constant(EXP, P3), r, constant(EXP, P2)));
  return fma(fma(high, s, low), s, f32x4.add(r, constant(EXP, ONE)));
}

/**
 * eˣ on all of float32: subnormal results are rounded once, overflow is ∞, NaN stays.
 * Max error 1 ulp relaxed, 1.2 baseline.
 */
// @ts-ignore: decorator
@inline
export function vexp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, constant(EXP, HIGH)), constant(EXP, LOW));
  const big = constant(EXP, BIG_254);
  const t = fma(x, constant(EXP, LOG2E), big);
  const p = polynomial(reduced(x, f32x4.sub(t, big)));
  // 2ⁿ may be no float32, so it is applied in two halves. Only the low bits of t survive the shifts by 23.
  const half = i32x4.shr_u(t, 1);
  const a = i32x4.shl(half, 23);
  const b = i32x4.shl(i32x4.sub(t, half), 23);
  return f32x4.mul(f32x4.mul(p, a), b);
}

/** eˣ where x lies in [−87, 88], for callers that know it: one scaling less. NaN stays. Error as `vexp`. */
// @ts-ignore: decorator
@inline
export function vexpNormal(x: v128): v128 {
  const big = constant(EXP, BIG_127);
  const t = fma(x, constant(EXP, LOG2E), big);
  return f32x4.mul(polynomial(reduced(x, f32x4.sub(t, big))), i32x4.shl(t, 23));
}

const X_LN2 = 0, X_LOW = 1, X_HIGH = 2;
const EXP2 = memory.data<f32>([
  0.693147182,
  -151, 129, // beyond these the result is 0 or ∞
], 16);

/**
 * 2ˣ on all of float32, exact at whole numbers: subnormal results are rounded once, overflow is ∞, NaN stays.
 * x = n + r with |r| ≤ ½, which is exact. Max error 1.3 ulp.
 */
// @ts-ignore: decorator
@inline
export function vexp2(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, constant(EXP2, X_HIGH)), constant(EXP2, X_LOW));
  const big = constant(EXP, BIG_254);
  const t = f32x4.add(x, big);
  const p = polynomial(f32x4.mul(f32x4.sub(x, f32x4.sub(t, big)), constant(EXP2, X_LN2)));
  const half = i32x4.shr_u(t, 1); // as in vexp
  const a = i32x4.shl(half, 23);
  const b = i32x4.shl(i32x4.sub(t, half), 23);
  return f32x4.mul(f32x4.mul(p, a), b);
}

// Minimax for the relative error of e^r − 1 on |r| ≤ 0.3468: degree 6, 2^-26.1.
const M0 = 0, M1 = 1, M2 = 2, M3 = 3, M4 = 4, M_LOW = 5, M_HALF = 6, M_SIGN = 7, M_BIG = 8;
const EXPM1 = memory.data<f32>([
  0.49999997, 0.166665465, 0.0416674353, 0.00836626254, 0.00138706656,
  -86, 0.5, -0.0,
  12583038, // 1.5·2²³ + 126: the sum's low bits shifted up are 2ⁿ⁻¹
], 16);

/**
 * eˣ − 1 on all of float32; keeps its relative accuracy and its sign near 0. NaN stays.
 * Max error 1.7 ulp.
 */
// @ts-ignore: decorator
@inline
export function vexpm1(x: v128): v128 {
  const z = f32x4.pmax(f32x4.pmin(x, constant(EXP, HIGH)), constant(EXPM1, M_LOW));
  const big = constant(EXPM1, M_BIG);
  const t = fma(z, constant(EXP, LOG2E), big);
  const r = reduced(z, f32x4.sub(t, big));
  let p = fma(constant(EXPM1, M4), r, constant(EXPM1, M3));
  p = fma(p, r, constant(EXPM1, M2));
  p = fma(p, r, constant(EXPM1, M1));
  p = fma(p, r, constant(EXPM1, M0));
  const q = fma(p, f32x4.mul(r, r), r); // e^r − 1
  // 2ⁿ·q + (2ⁿ − 1), at half its size because 2¹²⁸ is no float32.
  const s = i32x4.shl(t, 23);
  const h = fma(q, s, f32x4.sub(s, constant(EXPM1, M_HALF)));
  return v128.or(f32x4.add(h, h), v128.and(x, constant(EXPM1, M_SIGN)));
}
