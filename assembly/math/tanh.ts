// tanh and the logistic function, on four float32 lanes.
import { fma, select } from '../simd';
import { vexp, vexpNormal } from './exp';
import { constant } from './table';

// tanh x = x + x³·P(x²), |x| ≤ 0.55: minimax for the relative error, 2^-24.7.
const P0 = 0, P1 = 1, P2 = 2, P3 = 3, BOUND = 4, ONE = 5, TWO = 6, HIGH = 7, SIGN = 8;
const TANH = memory.data<f32>([
  -0.333329469, 0.133207291, -0.0526720136, 0.0164378919,
  0.55, 1, 2,
  9.1, // beyond it tanh rounds to 1
  -0.0,
], 16);

/**
 * tanh x on all of float32; keeps its relative accuracy and its sign near 0. NaN stays.
 * Max error 1.6 ulp.
 */
// @ts-ignore: decorator
@inline
export function vtanh(x: v128): v128 {
  const one = constant(TANH, ONE), two = constant(TANH, TWO), sign = constant(TANH, SIGN);
  const a = v128.andnot(x, sign);
  const b = f32x4.pmin(a, constant(TANH, HIGH));
  const e = vexpNormal(f32x4.add(b, b));
  const large = v128.or(f32x4.sub(one, f32x4.div(two, f32x4.add(e, one))), v128.and(x, sign));
  const s = f32x4.mul(x, x);
  let p = fma(constant(TANH, P3), s, constant(TANH, P2));
  p = fma(p, s, constant(TANH, P1));
  p = fma(p, s, constant(TANH, P0));
  const small = fma(f32x4.mul(p, s), x, x);
  return select(small, large, f32x4.lt(a, constant(TANH, BOUND)));
}

/**
 * 1 / (1 + e⁻ˣ) on all of float32, subnormal results included: from e^−|x|, which never overflows. NaN stays.
 * Max error 2.5 ulp.
 */
// @ts-ignore: decorator
@inline
export function vsigmoid(x: v128): v128 {
  const one = constant(TANH, ONE);
  const e = vexp(v128.or(x, constant(TANH, SIGN)));
  return f32x4.div(select(e, one, f32x4.lt(x, f32x4.splat(0))), f32x4.add(e, one));
}
