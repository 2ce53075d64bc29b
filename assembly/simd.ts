// What every vector kernel needs: multiply-add and selection by the means this binary has.

/** a·b + c: fused in the relaxed binary, rounded twice in the baseline one. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b, with the rounding of `fma`. */
// @ts-ignore: decorator
@inline
export function nfma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** `fma` of two float64 lanes. */
// @ts-ignore: decorator
@inline
export function fma64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** a where the lane of `mask` is all ones, b where it is all zeros (nothing else may stand there). */
// @ts-ignore: decorator
@inline
export function select(a: v128, b: v128, mask: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_laneselect(a, b, mask);
  return v128.bitselect(a, b, mask);
}

/** The larger of each pair of lanes, NaN where either is. (f32x4.max takes twice the instructions.) */
// @ts-ignore: decorator
@inline
export function maximum(a: v128, b: v128): v128 {
  return v128.or(f32x4.pmax(a, b), f32x4.ne(b, b));
}

/** The smaller of each pair of lanes, NaN where either is. */
// @ts-ignore: decorator
@inline
export function minimum(a: v128, b: v128): v128 {
  return v128.or(f32x4.pmin(a, b), f32x4.ne(b, b));
}
