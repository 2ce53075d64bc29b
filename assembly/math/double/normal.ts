// The normal distribution and the logistic function of float64, and what networks make of them. Errors as in power.ts.
import { exp } from './power';

/**
 * erf on [0, 1] as x·P(x²), degree 12, fit error 1.3e-19; and beyond (1 + 2x)·exp(x²)·erfc(x) as a polynomial of
 * degree 21 in t = (x − 3.75)/(x + 3.75), fit error 1.2e-18 on [0.75, 28] (the form of Shepherd and Laframboise,
 * Math. Comp. 36, 1981). Both fitted at Chebyshev nodes in forty digits.
 */
function nearErf(z: f64): f64 {
  let p: f64 = 5.9571761477489114e-11;
  p = p * z - 1.13728488567916737e-9;
  p = p * z + 1.46597752740474358e-8;
  p = p * z - 1.6350312701054695e-7;
  p = p * z + 1.6461000484121368e-6;
  p = p * z - 0.0000149255952668311816;
  p = p * z + 0.000120553311116427109;
  p = p * z - 0.000854832698083378991;
  p = p * z + 0.00522397762481801447;
  p = p * z - 0.0268661706450767932;
  p = p * z + 0.112837916709548787;
  p = p * z - 0.376126389031837481;
  return p * z + 1.12837916709551257;
}

/** erfc(x) for x ≥ 0.75; 0 from 27.3 on. */
function farErfc(x: f64): f64 {
  if (x > 28) return 0;
  const t = (x - 3.75) / (x + 3.75);
  let p: f64 = -7.12221993178900867e-9;
  p = p * t + 2.84668349658568845e-8;
  p = p * t + 3.24470132591615764e-8;
  p = p * t - 2.49678248953504463e-7;
  p = p * t - 6.71493447558901209e-8;
  p = p * t + 1.74738728225591524e-6;
  p = p * t - 9.67597056074385221e-7;
  p = p * t - 0.0000114430721504186741;
  p = p * t + 0.0000223820270618146153;
  p = p * t + 0.0000516490002584908551;
  p = p * t - 0.000290153553475889666;
  p = p * t + 0.000293713647161209705;
  p = p * t + 0.00175562577214991298;
  p = p * t - 0.00974657955161295668;
  p = p * t + 0.0283622774266493289;
  p = p * t - 0.058693398590384439;
  p = p * t + 0.0923043211599575355;
  p = p * t - 0.108803930141710318;
  p = p * t + 0.0822767384901562147;
  p = p * t + 0.00358541548546370068;
  p = p * t - 0.140240598585547051;
  p = p * t + 1.23751263083782758;
  // The square of the upper half of x's digits is exact, so the exponential of −x² loses none.
  const upper = reinterpret<f64>(reinterpret<u64>(x) & 0xfffffffff8000000);
  return (exp(-upper * upper) * exp((upper - x) * (upper + x)) * p) / (1 + 2 * x);
}

/** The error function: 1.5 ulp. */
export function erf(x: f64): f64 {
  const a = abs<f64>(x);
  if (a < 1) return x * nearErf(x * x);
  return a >= 1 ? copysign<f64>(1 - farErfc(a), x) : x;
}

/** 1 − erf(x). */
function erfc(x: f64): f64 {
  const a = abs<f64>(x);
  if (a < 0.75) return 1 - x * nearErf(x * x);
  if (x > 0) return farErfc(x);
  return x < 0 ? 2 - farErfc(a) : x;
}

/** 1 / (1 + e⁻ˣ): 1.9 ulp. */
export function sigmoid(x: f64): f64 {
  const e = exp(-abs<f64>(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/** log(1 + eˣ): 1.4 ulp. */
export function softplus(x: f64): f64 {
  return (x < 0 ? 0 : x) + NativeMath.log1p(exp(-abs<f64>(x)));
}

// The forms of gelu: see gelu.ts. Beyond ±FAR the results are their limits, where a formula would have ∞·0. To the left
// x/√2 is rounded before its square is taken, so the error grows with it: to 70 ulp at −7, of a result of 2e−12.
const FAR: f64 = 40;
const SQRT1_2: f64 = 0.70710678118654752440;
/** 1/√(2π). */
const DENSITY: f64 = 0.39894228040143267794;
/** 2√(2/π), and 0.044715 of it. */
const TWICE: f64 = 1.5957691216057307117;
const CUBIC: f64 = 0.071354816272600248774;

/** Φ(x), the normal distribution. */
function normal(x: f64): f64 {
  return 0.5 * erfc(-x * SQRT1_2);
}

/** x·Φ(x). */
export function gelu(x: f64): f64 {
  return x < -FAR ? 0 : x * normal(x);
}

/** Φ(x) + x·φ(x). */
export function geluSlope(x: f64): f64 {
  if (abs<f64>(x) > FAR) return x < 0 ? 0 : 1;
  return normal(x) + x * DENSITY * exp(-0.5 * x * x);
}

/** x·σ(2u). */
export function geluTanh(x: f64): f64 {
  return x < -FAR ? 0 : x * sigmoid(x * (TWICE + CUBIC * x * x));
}

/** σ + x·σ·(1 − σ)·2u'. */
export function geluTanhSlope(x: f64): f64 {
  if (abs<f64>(x) > FAR) return x < 0 ? 0 : 1;
  const v = x * (TWICE + CUBIC * x * x), s = sigmoid(v);
  return s + x * s * sigmoid(-v) * (TWICE + 3 * CUBIC * x * x);
}
