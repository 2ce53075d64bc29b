// exp, log and pow of float64 without tables: AssemblyScript's own are as exact, but each brings kilobytes of them to
// the binary. The other functions are NativeMath's: sin and cos 0.7 ulp, log1p 0.8, expm1 1.5, tanh 2. Errors are the
// largest found in 4,000 samples against forty digits.
//
// Polynomials are fitted at Chebyshev nodes in forty digits; log by s = (m − 1)/(m + 1) as in Sun's fdlibm.

const LN2_HIGH: f64 = 0.6931471803691238; // 32 bits: a multiple of it by a whole number below 2¹¹ is exact
const LN2_LOW: f64 = 1.9082149292705878e-10;
const LOG2_E: f64 = 1.4426950408889634;
const LN2: f64 = 0.6931471805599453;
const LN2_REST: f64 = 2.3190468138462996e-17;

/** e to the power hi + lo, |lo| far below hi. */
function expOf(hi: f64, lo: f64): f64 {
  if (!(hi < 709.79)) return hi != hi ? hi : Infinity;
  if (hi < -745.2) return 0;
  const k = nearest<f64>(hi * LOG2_E);
  const high = hi - k * LN2_HIGH, low = k * LN2_LOW - lo;
  const r = high - low;
  // e^r = 1 + r + r²·Q(r), |r| ≤ ln 2 / 2, fit error 1.4e-18.
  let q: f64 = 2.09146869680868772e-9;
  q = q * r + 2.51052170047207452e-8;
  q = q * r + 2.75572736431102953e-7;
  q = q * r + 2.75572554002064244e-6;
  q = q * r + 0.0000248015873255477412;
  q = q * r + 0.000198412698748206253;
  q = q * r + 0.00138888888888837483;
  q = q * r + 0.00833333333332613513;
  q = q * r + 0.0416666666666666698;
  q = q * r + 0.16666666666666671;
  q = q * r + 0.5;
  const y = 1 + (high - (low - r * r * q));
  // In two steps, since 2ᵏ may be more than a float64 holds, or less.
  const half = <i32>k >> 1;
  return y * powerOfTwo(half) * powerOfTwo(<i32>k - half);
}

// @ts-ignore: decorator
@inline
function powerOfTwo(k: i32): f64 {
  return reinterpret<f64>(<u64>(k + 1023) << 52);
}

/** eˣ: 0.9 ulp; subnormal results are rounded twice. */
export function exp(x: f64): f64 {
  return expOf(x, 0);
}

/** The k for which x·2⁻ᵏ, x > 0 normal, lies in [√½, √2). */
// @ts-ignore: decorator
@inline
function exponentOf(x: f64): i32 {
  return <i32>((reinterpret<i64>(x) - 0x3fe6a09e667f3bcd) >> 52);
}

const TWO_54: f64 = 18014398509481984;
const LEAST_NORMAL: f64 = 2.2250738585072014e-308;

/** The natural logarithm: 0.8 ulp. −∞ of 0, NaN below. */
export function log(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return x;
  let k = 0;
  if (x < LEAST_NORMAL) {
    x *= TWO_54;
    k = -54;
  }
  const e = exponentOf(x);
  const f = x * powerOfTwo(-e >> 1) * powerOfTwo(-e - (-e >> 1)) - 1;
  const s = f / (2 + f), z = s * s;
  // log m = 2s + s·z·R(z), |s| ≤ 0.1716, fit error 3.1e-16 of R.
  let r: f64 = 0.14617807153417325;
  r = r * z + 0.153316117220550079;
  r = r * z + 0.181828924325368712;
  r = r * z + 0.222222110893794962;
  r = r * z + 0.285714286262538376;
  r = r * z + 0.399999999998988905;
  r = r * z + 0.666666666666666971;
  const half = 0.5 * f * f, n = <f64>(k + e);
  return n * LN2_HIGH - (half - (s * (half + z * r) + n * LN2_LOW) - f);
}

/** 2ˣ, exact where x is a whole number: 0.9 ulp. */
export function exp2(x: f64): f64 {
  if (x != x || x > 1024) return x > 0 ? Infinity : x;
  if (x < -1080) return 0;
  const k = nearest<f64>(x), half = <i32>k >> 1;
  return expOf((x - k) * LN2, (x - k) * LN2_REST) * powerOfTwo(half) * powerOfTwo(<i32>k - half);
}

/** The logarithm to base 2, exact of powers of two: 1.7 ulp. */
export function log2(x: f64): f64 {
  if (!(x >= LEAST_NORMAL) || x == Infinity) return x > 0 && x < 1 ? log2(x * TWO_54) - 54 : log(x);
  const e = exponentOf(x);
  return <f64>e + log(x * powerOfTwo(-e >> 1) * powerOfTwo(-e - (-e >> 1))) * LOG2_E;
}

/** What a·b lost to rounding (Dekker 1971). */
// @ts-ignore: decorator
@inline
function lost(a: f64, b: f64, product: f64): f64 {
  const p = 134217729 * a, q = 134217729 * b; // 2²⁷ + 1
  const ah = p - (p - a), bh = q - (q - b);
  const al = a - ah, bl = b - bh;
  return ah * bh - product + ah * bl + al * bh + al * bl;
}

/** x to the power y for finite x > 0 and y, by a logarithm of twice the digits: 1.3 ulp. */
function positivePow(x: f64, y: f64): f64 {
  let k = 0;
  if (x < LEAST_NORMAL) {
    x *= TWO_54;
    k = -54;
  }
  const e = exponentOf(x), n = <f64>(k + e);
  const f = x * powerOfTwo(-e >> 1) * powerOfTwo(-e - (-e >> 1)) - 1;
  // s and z = s² with what they lost.
  const u = 2 + f, s = f / u, product = s * u;
  const sLow = (f - product - lost(s, u, product) - s * (f - (u - 2))) / u;
  const z = s * s, zLow = lost(s, s, z) + 2 * s * sLow;
  // log m = 2s + 2/3·s·z + s·z²·T(z), fit error 2.8e-16 of T.
  let t: f64 = 0.129147121839350906;
  t = t * z + 0.132858688375457416;
  t = t * z + 0.153855774633081443;
  t = t * z + 0.181818082109218814;
  t = t * z + 0.222222222713268082;
  t = t * z + 0.285714285713380107;
  t = t * z + 0.400000000000000272;
  const c = s * z, cLow = lost(s, z, c) + s * zLow + sLow * z;
  const third: f64 = 0.6666666666666666;
  const d = third * c, dLow = lost(third, c, d) + third * cLow + 3.7007434154171887e-17 * c + c * z * t;
  // The sum of n·ln 2, 2s and d, largest first.
  const base = n * LN2_HIGH, a = base + 2 * s;
  let low: f64 = n == 0 ? 0 : 2 * s - (a - base);
  const b = a + d;
  low += d - (b - a) + (2 * sLow + dLow + n * LN2_LOW);
  const hi = b + low, lo = low - (hi - b);
  if (abs<f64>(y) > 1e20) return (y > 0) == (hi > 0) ? Infinity : 0; // x is not 1: beyond all it can be
  const power = y * hi;
  return expOf(power, abs<f64>(power) < 1e3 ? lost(y, hi, power) + y * lo : 0);
}

/** x to the power y as C has it: 1 to any power is 1, NaN included, and so is −1 to ±∞. */
export function pow(x: f64, y: f64): f64 {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return x + y;
  const a = abs<f64>(x);
  if (y == Infinity || y == -Infinity) return a == 1 ? 1 : (a > 1) == (y > 0) ? Infinity : 0;
  const isWhole = y == trunc<f64>(y), isOdd = isWhole && abs<f64>(y) < 9007199254740992 && (<i64>y & 1) != 0;
  let r: f64;
  if (a == 0) r = y > 0 ? 0 : Infinity;
  else if (a == Infinity) r = y > 0 ? Infinity : 0;
  else if (x < 0 && !isWhole) return NaN;
  else r = a == 1 ? 1 : positivePow(a, y);
  return isOdd ? copysign<f64>(r, x) : r;
}
