// x to the power y, on four float32 lanes, through log2 and 2ˣ in float64 (two lanes at a time): y·log2 x needs eight
// bits more than float32 has.
import { fma64 } from '../simd';
import { constant, constant64 } from './table';

// log2((1 + s)/(1 − s)) = s·(L0 + L1·s² + …): Taylor, 2/(ln 2·(2i + 1)). |s| ≤ 0.1716, so what is cut off is 2^-39.
// 2ᵍ = E0 + E1·g + …: Taylor, (ln 2)ⁱ/i!. |g| ≤ ½: 2^-32.
const L0 = 0, L1 = 1, L2 = 2, L3 = 3, L4 = 4, L5 = 5, L6 = 6;
const E0 = 7, E1 = 8, E2 = 9, E3 = 10, E4 = 11, E5 = 12, E6 = 13, E7 = 14, E8 = 15;
const SQRT_HALF = 16, ONE = 17, BIG = 18, BIG_1023 = 19, SCALE = 20, INF = 21, LOW = 22, HIGH = 23;
const POW = memory.data<f64>([
  2.88539008177792681, 0.961796693925975605, 0.577078016355585363, 0.412198583111132402, 0.320598897975325202,
  0.262308189252538801, 0.221953083213686678,
  1, 0.693147180559945309, 0.240226506959100712, 0.05550410866482158, 0.00961812910762847716,
  0.00133335581464284434, 0.0001540353039338161, 0.0000152527338040598403, 1.32154867901443095e-6,
  0.70710678118654757, 1,
  4503599627370496, 4503599627371519, // 2⁵² and 2⁵² + 1023
  6755399441056767, // 1.5·2⁵² + 1023: the sum's low bits shifted up are 2ⁿ
  Infinity, -160, 140,
], 16);

/** log2 of two float64 lanes that hold a float32 each and no sign: −∞ at 0, ∞ at ∞, NaN stays. */
// @ts-ignore: decorator
@inline
function log2(x: v128): v128 {
  const one = constant64(POW, ONE), base = constant64(POW, SQRT_HALF);
  const t = i64x2.add(i64x2.sub(x, base), one); // the exponent of x/√½, biased; its fraction
  const k = f64x2.sub(v128.or(i64x2.shr_u(t, 52), constant64(POW, BIG)), constant64(POW, BIG_1023));
  const m = i64x2.add(i64x2.shr_u(i64x2.shl(t, 12), 12), base); // [√½, √2)
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = fma64(constant64(POW, L6), z, constant64(POW, L5));
  p = fma64(p, z, constant64(POW, L4));
  p = fma64(p, z, constant64(POW, L3));
  p = fma64(p, z, constant64(POW, L2));
  p = fma64(p, z, constant64(POW, L1));
  p = fma64(p, z, constant64(POW, L0));
  const inf = constant64(POW, INF);
  const r = f64x2.sub(fma64(p, s, k), v128.and(f64x2.eq(x, f64x2.splat(0)), inf));
  return v128.bitselect(r, x, f64x2.lt(x, inf));
}

/** 2ʷ of two float64 lanes, held within what float32 can tell apart. NaN stays. */
// @ts-ignore: decorator
@inline
function exp2(w: v128): v128 {
  w = f64x2.pmax(f64x2.pmin(w, constant64(POW, HIGH)), constant64(POW, LOW));
  const n = f64x2.nearest(w);
  const g = f64x2.sub(w, n);
  let p = fma64(constant64(POW, E8), g, constant64(POW, E7));
  p = fma64(p, g, constant64(POW, E6));
  p = fma64(p, g, constant64(POW, E5));
  p = fma64(p, g, constant64(POW, E4));
  p = fma64(p, g, constant64(POW, E3));
  p = fma64(p, g, constant64(POW, E2));
  p = fma64(p, g, constant64(POW, E1));
  p = fma64(p, g, constant64(POW, E0));
  return f64x2.mul(p, i64x2.shl(f64x2.add(n, constant64(POW, SCALE)), 52));
}

/** xʸ of the low two lanes, x without its sign. */
// @ts-ignore: decorator
@inline
function powLow(x: v128, y: v128): v128 {
  const l = log2(f64x2.promote_low_f32x4(x));
  const b = f64x2.promote_low_f32x4(y);
  // 1ʸ and x⁰ are 1 even for ∞ and NaN.
  const zero = f64x2.splat(0);
  const counts = v128.and(f64x2.ne(l, zero), f64x2.ne(b, zero));
  return f32x4.demote_f64x2_zero(exp2(v128.and(f64x2.mul(b, l), counts)));
}

const F_SIGN = 0, F_HALF = 1, F_LOWEST = 2;
const POWF = memory.data<f32>([-0.0, 0.5, -3.40282347e38], 16);

/**
 * xʸ on all of float32, with the special cases of C's pow: 1 where y = 0 or x = 1, even beside NaN; the sign of x
 * where y is odd; NaN where x is negative and finite and y no integer. Max error 1 ulp.
 */
// @ts-ignore: decorator
@inline
export function vpow(x: v128, y: v128): v128 {
  const sign = constant(POWF, F_SIGN);
  const a = v128.andnot(x, sign);
  const r0 = powLow(a, y);
  const r1 = powLow(i32x4.shuffle(a, a, 2, 3, 2, 3), i32x4.shuffle(y, y, 2, 3, 2, 3));
  const r = i32x4.shuffle(r0, r1, 0, 1, 4, 5);
  const half = f32x4.mul(y, constant(POWF, F_HALF));
  const fractional = f32x4.ne(y, f32x4.nearest(y));
  const odd = v128.andnot(f32x4.ne(half, f32x4.nearest(half)), fractional);
  const finiteBelow = v128.and(f32x4.lt(x, f32x4.splat(0)), f32x4.ge(x, constant(POWF, F_LOWEST)));
  return v128.or(v128.xor(r, v128.and(v128.and(x, sign), odd)), v128.and(finiteBelow, fractional));
}
