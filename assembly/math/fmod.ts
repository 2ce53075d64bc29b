// The exact remainder of a division, on four float32 lanes.
//
// a − trunc(a/b)·b in float64 (two lanes at a time) is exact while the quotient has at most 29 bits: b has 24, and the
// product's 53 fit. Where it has more, the lanes are done one after another, bit by bit.
import { constant, constant64 } from './table';

const LARGEST = 0, INF = 1;
const FMOD = memory.data<f64>([536870912, Infinity], 16); // 2²⁹

const F_SIGN = 0, F_INF = 1;
const FMODF = memory.data<f32>([-0.0, Infinity], 16);

/** The remainder of two float64 lanes without sign; `q` is their quotient. */
// @ts-ignore: decorator
@inline
function remainder(a: v128, b: v128, q: v128): v128 {
  const r = f64x2.sub(a, f64x2.mul(f64x2.trunc(q), b));
  // A quotient just below a whole number was rounded up to it.
  return f64x2.add(r, v128.and(b, f64x2.lt(r, f64x2.splat(0))));
}

/** Four lanes without sign, one after another. */
function slowly(a: v128, b: v128): v128 {
  let r = f32x4.splat(f32x4.extract_lane(a, 0) % f32x4.extract_lane(b, 0));
  r = f32x4.replace_lane(r, 1, f32x4.extract_lane(a, 1) % f32x4.extract_lane(b, 1));
  r = f32x4.replace_lane(r, 2, f32x4.extract_lane(a, 2) % f32x4.extract_lane(b, 2));
  return f32x4.replace_lane(r, 3, f32x4.extract_lane(a, 3) % f32x4.extract_lane(b, 3));
}

/**
 * a − trunc(a/b)·b on all of float32, exact, with the sign of a, as C's fmod: NaN where a is infinite or b is 0; a where
 * b is infinite; NaN stays.
 */
// @ts-ignore: decorator
@inline
export function vfmod(a: v128, b: v128): v128 {
  const sign = constant(FMODF, F_SIGN), inf = constant(FMODF, F_INF);
  const x = v128.andnot(a, sign), y = v128.andnot(b, sign);
  const x0 = f64x2.promote_low_f32x4(x), x1 = f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3));
  const y0 = f64x2.promote_low_f32x4(y), y1 = f64x2.promote_low_f32x4(i32x4.shuffle(y, y, 2, 3, 2, 3));
  const q0 = f64x2.div(x0, y0), q1 = f64x2.div(x1, y1);
  const most = constant64(FMOD, LARGEST), endless = constant64(FMOD, INF);
  const long0 = v128.and(f64x2.gt(q0, most), f64x2.lt(q0, endless));
  const long1 = v128.and(f64x2.gt(q1, most), f64x2.lt(q1, endless));
  let r: v128;
  if (v128.any_true(v128.or(long0, long1))) r = slowly(x, y);
  else {
    const r0 = f32x4.demote_f64x2_zero(remainder(x0, y0, q0));
    const r1 = f32x4.demote_f64x2_zero(remainder(x1, y1, q1));
    r = i32x4.shuffle(r0, r1, 0, 1, 4, 5);
  }
  // What is finite is its own remainder of ∞.
  r = v128.bitselect(x, r, v128.and(f32x4.eq(y, inf), f32x4.lt(x, inf)));
  return v128.or(r, v128.and(a, sign));
}
