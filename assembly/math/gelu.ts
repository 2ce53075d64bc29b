// The Gaussian error linear unit (Hendrycks and Gimpel 2016) and its derivative, on four float32 lanes.
//
// erf form: y = x·Φ(x), y' = Φ(x) + x·φ(x), with Φ and φ the normal distribution and its density.
// tanh form: y = x·σ(2u), 2u = x·(c + d·x²), c = 2√(2/π), d = 0.044715·c: ½(1 + tanh u) is σ(2u).
import { fma } from '../simd';
import { verf } from './erf';
import { vexpNormal } from './exp';
import { constant } from './table';

const HALF = 0, ROOT_HALF = 1, DENSITY = 2, ONE = 3, C = 4, D = 5, D3 = 6, LOW = 7, HIGH = 8, FAR = 9;
const GELU = memory.data<f32>([
  0.5, 0.707106769, 0.398942292, 1,
  1.59576917, 0.0713548139, 0.214064449,
  -10, 10, // beyond ±10 the tanh form is 0 or x, and e^∓2u is still a normal float32
  13, // beyond it φ is 0
], 16);

/** Φ(x). */
// @ts-ignore: decorator
@inline
export function normal(x: v128): v128 {
  const half = constant(GELU, HALF);
  return fma(verf(f32x4.mul(x, constant(GELU, ROOT_HALF))), half, half);
}

/** φ(x), x clamped to where it is not 0. */
// @ts-ignore: decorator
@inline
function density(x: v128): v128 {
  return f32x4.mul(vexpNormal(f32x4.mul(f32x4.mul(x, x), f32x4.neg(constant(GELU, HALF)))), constant(GELU, DENSITY));
}

// @ts-ignore: decorator
@inline
function clamp(x: v128, high: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, high), f32x4.neg(high));
}

// The parts that a form's value and its derivative share, each a function of those before it.

/** x where the tanh form is neither 0 nor x yet. */
// @ts-ignore: decorator
@inline
export function nearTanh(x: v128): v128 {
  return clamp(x, constant(GELU, HIGH));
}

/** e^−2u for x in ±10. */
// @ts-ignore: decorator
@inline
export function exponential(near: v128): v128 {
  const half = fma(f32x4.mul(near, near), constant(GELU, D), constant(GELU, C));
  return vexpNormal(f32x4.neg(f32x4.mul(near, half)));
}

/** σ(2u) of e^−2u. */
// @ts-ignore: decorator
@inline
export function logistic(e: v128): v128 {
  const one = constant(GELU, ONE);
  return f32x4.div(one, f32x4.add(e, one));
}

/** x·Φ(x): max error 1.5 ulp of |x|, since Φ comes as ½ + ½·erf. NaN stays. */
// @ts-ignore: decorator
@inline
export function geluOf(x: v128, distribution: v128): v128 {
  return f32x4.mul(x, distribution);
}

/** Φ(x) + x·φ(x): max absolute error 3e-7. NaN stays. */
// @ts-ignore: decorator
@inline
export function geluSlopeOf(x: v128, distribution: v128): v128 {
  const near = clamp(x, constant(GELU, FAR));
  return fma(near, density(near), distribution);
}

/** x·σ(2u): max error 2 ulp of |x|; below −10 at most 1.3e-37 off 0. NaN stays. */
// @ts-ignore: decorator
@inline
export function geluTanhOf(x: v128, s: v128): v128 {
  return f32x4.mul(f32x4.pmax(x, constant(GELU, LOW)), s);
}

/** σ(2u)·(1 + x·(1 − σ(2u))·2u'), 1 − σ(2u) being e·s: max absolute error 4e-7. NaN stays. */
// @ts-ignore: decorator
@inline
export function geluTanhSlopeOf(near: v128, e: v128, s: v128): v128 {
  const slope = fma(f32x4.mul(near, near), constant(GELU, D3), constant(GELU, C));
  return f32x4.mul(s, fma(f32x4.mul(near, slope), f32x4.mul(e, s), constant(GELU, ONE)));
}

// ---- one at a time

// @ts-ignore: decorator
@inline
export function vgelu(x: v128): v128 {
  return geluOf(x, normal(x));
}

// @ts-ignore: decorator
@inline
export function vgeluSlope(x: v128): v128 {
  return geluSlopeOf(x, normal(x));
}

// @ts-ignore: decorator
@inline
export function vgeluTanh(x: v128): v128 {
  return geluTanhOf(x, logistic(exponential(nearTanh(x))));
}

// @ts-ignore: decorator
@inline
export function vgeluTanhSlope(x: v128): v128 {
  const near = nearTanh(x), e = exponential(near);
  return geluTanhSlopeOf(near, e, logistic(e));
}
