// The error function on four float32 lanes.
import { fma, select } from '../simd';
import { vexpNormal } from './exp';
import { constant } from './table';

// N. Juffa's two float32 minimax branches (posted to stackoverflow.com, 35148199): a + a·P(a²) below 475/512,
// 1 − e^Q(a) above.
const P0 = 0, P1 = 1, P2 = 2, P3 = 3, P4 = 4, P5 = 5, Q1 = 6, Q2 = 7, Q3 = 8, Q4 = 9, Q5 = 10, Q6 = 11, Q7 = 12;
const BOUND = 13, HIGH = 14, ONE = 15, SIGN = 16;
const ERF = memory.data<f32>([
  0.128379166, -0.376125336, 0.112819925, -0.0267681349, 0.00499119423, -0.000596761703,
  -0.128717512, -0.634846687, -0.106777877, 0.0242546219, -0.00388396438, 0.000383197126, -0.0000172853470,
  0.927734375,
  4, // beyond it erf rounds to 1
  1, -0.0,
], 16);

/** erf x on all of float32. NaN stays. Max error 1 ulp relaxed, 1.2 baseline. */
// @ts-ignore: decorator
@inline
export function verf(x: v128): v128 {
  const one = constant(ERF, ONE), sign = constant(ERF, SIGN);
  const s = f32x4.mul(x, x);
  let p = fma(constant(ERF, P5), s, constant(ERF, P4));
  p = fma(p, s, constant(ERF, P3));
  p = fma(p, s, constant(ERF, P2));
  p = fma(p, s, constant(ERF, P1));
  p = fma(p, s, constant(ERF, P0));
  const small = fma(p, x, x);

  const a = v128.andnot(x, sign);
  const t = f32x4.pmin(a, constant(ERF, HIGH));
  let q = fma(constant(ERF, Q7), t, constant(ERF, Q6));
  q = fma(q, t, constant(ERF, Q5));
  q = fma(q, t, constant(ERF, Q4));
  q = fma(q, t, constant(ERF, Q3));
  q = fma(q, t, constant(ERF, Q2));
  q = fma(q, t, constant(ERF, Q1));
  q = fma(q, t, v128.xor(t, sign));
  const large = v128.or(f32x4.sub(one, vexpNormal(q)), v128.and(x, sign));
  return select(small, large, f32x4.le(a, constant(ERF, BOUND)));
}
