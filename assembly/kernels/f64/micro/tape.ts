// The micro-operations of a float64 tape: those that are one instruction two elements at a time, functions one by one.
// d may be any operand. NaN passes through unless said otherwise.
import * as abi from '../../../abi';
import { erf, gelu, geluSlope, geluTanh, geluTanhSlope, sigmoid, softplus } from '../../../math/double/normal';
import { exp, exp2, log, log2, pow } from '../../../math/double/power';
import { fma64 } from '../../../simd';
import { address } from '../../map/frame';

/** Runs one micro-operation that is no reduction, at `m`, over the n elements of the present block. */
export function perform(micro: i32, m: usize, frame: usize, n: i32): i32 {
  if (micro < abi.MICRO_ADD || micro == abi.MICRO_ATAN) return unary(micro, m, frame, n);
  if (micro < abi.MICRO_ADD_S) {
    return binary(micro, address(m, frame, 1), address(m, frame, 2), 16, address(m, frame, 3), 16, n);
  }
  if (micro < abi.MICRO_MADD) return withScalar(micro, m, frame, n);
  return rich(micro, m, frame, n);
}

// ---- one vector: `d, a`

function unary(micro: i32, m: usize, frame: usize, n: i32): i32 {
  const d = address(m, frame, 1), a = address(m, frame, 2);
  switch (micro) {
    case abi.MICRO_COPY: lightLoop(abi.MICRO_COPY, d, a, n); break;
    case abi.MICRO_NEG: lightLoop(abi.MICRO_NEG, d, a, n); break;
    case abi.MICRO_ABS: lightLoop(abi.MICRO_ABS, d, a, n); break;
    case abi.MICRO_SIGN: lightLoop(abi.MICRO_SIGN, d, a, n); break;
    case abi.MICRO_SQRT: lightLoop(abi.MICRO_SQRT, d, a, n); break;
    case abi.MICRO_SQUARE: lightLoop(abi.MICRO_SQUARE, d, a, n); break;
    case abi.MICRO_RECIPROCAL: lightLoop(abi.MICRO_RECIPROCAL, d, a, n); break;
    case abi.MICRO_RELU: lightLoop(abi.MICRO_RELU, d, a, n); break;
    case abi.MICRO_FLOOR: lightLoop(abi.MICRO_FLOOR, d, a, n); break;
    case abi.MICRO_CEIL: lightLoop(abi.MICRO_CEIL, d, a, n); break;
    case abi.MICRO_ROUND: lightLoop(abi.MICRO_ROUND, d, a, n); break;
    case abi.MICRO_TRUNC: lightLoop(abi.MICRO_TRUNC, d, a, n); break;
    case abi.MICRO_TO_I32: lightLoop(abi.MICRO_TO_I32, d, a, n); break;
    case abi.MICRO_TO_F32: lightLoop(abi.MICRO_TO_F32, d, a, n); break;
    default: {
      if (!isHeavy(micro)) return abi.FAULT_OPCODE;
      heavyLoop(micro, d, a, n);
    }
  }
  return abi.STATUS_OK;
}

/** Two elements of the result; `op` is a constant, so one line of these is left. */
// @ts-ignore: decorator
@inline
function light(op: i32, x: v128): v128 {
  if (op == abi.MICRO_NEG) return f64x2.neg(x);
  if (op == abi.MICRO_ABS) return f64x2.abs(x);
  if (op == abi.MICRO_SIGN) return signOf(x);
  if (op == abi.MICRO_SQRT) return f64x2.sqrt(x);
  if (op == abi.MICRO_SQUARE) return f64x2.mul(x, x);
  if (op == abi.MICRO_RECIPROCAL) return f64x2.div(f64x2.splat(1), x);
  if (op == abi.MICRO_RELU) return f64x2.pmax(x, f64x2.splat(0));
  if (op == abi.MICRO_FLOOR) return f64x2.floor(x);
  if (op == abi.MICRO_CEIL) return f64x2.ceil(x);
  if (op == abi.MICRO_ROUND) return f64x2.nearest(x);
  if (op == abi.MICRO_TRUNC) return f64x2.trunc(x);
  if (op == abi.MICRO_TO_I32) return f64x2.convert_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(x));
  if (op == abi.MICRO_TO_F32) return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(x));
  return x; // MICRO_COPY
}

/** ±1 by the sign, ±0 and NaN themselves. */
// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  const one = v128.or(f64x2.splat(1), v128.and(x, f64x2.splat(-0.0)));
  return v128.bitselect(one, x, f64x2.gt(f64x2.abs(x), f64x2.splat(0)));
}

// @ts-ignore: decorator
@inline
function lightLoop(op: i32, d: usize, a: usize, n: i32): void {
  for (; n >= 2; n -= 2, d += 16, a += 16) v128.store(d, light(op, v128.load(a)));
  if (n > 0) v128.store64_lane(d, light(op, v128.load64_zero(a)), 0);
}

/** Functions that cost so much that choosing among them for each element does not count. */
function isHeavy(micro: i32): bool {
  if (micro == abi.MICRO_ATAN) return true;
  return (micro >= abi.MICRO_EXP && micro <= abi.MICRO_SOFTPLUS) || (micro >= abi.MICRO_GELU && micro <= abi.MICRO_LOG2);
}

function heavy(op: i32, x: f64): f64 {
  switch (op) {
    case abi.MICRO_EXP: return exp(x);
    case abi.MICRO_EXPM1: return NativeMath.expm1(x);
    case abi.MICRO_LOG: return log(x);
    case abi.MICRO_LOG1P: return NativeMath.log1p(x);
    case abi.MICRO_SIN: return NativeMath.sin(x);
    case abi.MICRO_COS: return NativeMath.cos(x);
    case abi.MICRO_TANH: return NativeMath.tanh(x);
    case abi.MICRO_ERF: return erf(x);
    case abi.MICRO_SIGMOID: return sigmoid(x);
    case abi.MICRO_SOFTPLUS: return softplus(x);
    case abi.MICRO_GELU: return gelu(x);
    case abi.MICRO_GELU_SLOPE: return geluSlope(x);
    case abi.MICRO_GELU_TANH: return geluTanh(x);
    case abi.MICRO_EXP2: return exp2(x);
    case abi.MICRO_LOG2: return log2(x);
    case abi.MICRO_ATAN: return NativeMath.atan(x);
    default: return geluTanhSlope(x);
  }
}

function heavyLoop(op: i32, d: usize, a: usize, n: i32): void {
  for (; n > 0; n--, d += 8, a += 8) store<f64>(d, heavy(op, load<f64>(a)));
}

// ---- two vectors: `d, a, b`

/** `da` and `db`: bytes from two elements to the next two, 16, or 0 for a scalar, which stands there twice. */
function binary(micro: i32, d: usize, a: usize, da: usize, b: usize, db: usize, n: i32): i32 {
  switch (micro) {
    case abi.MICRO_ADD: pairLoop(abi.MICRO_ADD, d, a, da, b, db, n); break;
    case abi.MICRO_SUB: pairLoop(abi.MICRO_SUB, d, a, da, b, db, n); break;
    case abi.MICRO_MUL: pairLoop(abi.MICRO_MUL, d, a, da, b, db, n); break;
    case abi.MICRO_DIV: pairLoop(abi.MICRO_DIV, d, a, da, b, db, n); break;
    case abi.MICRO_MIN: pairLoop(abi.MICRO_MIN, d, a, da, b, db, n); break;
    case abi.MICRO_MAX: pairLoop(abi.MICRO_MAX, d, a, da, b, db, n); break;
    case abi.MICRO_EQ: pairLoop(abi.MICRO_EQ, d, a, da, b, db, n); break;
    case abi.MICRO_NE: pairLoop(abi.MICRO_NE, d, a, da, b, db, n); break;
    case abi.MICRO_LT: pairLoop(abi.MICRO_LT, d, a, da, b, db, n); break;
    case abi.MICRO_LE: pairLoop(abi.MICRO_LE, d, a, da, b, db, n); break;
    case abi.MICRO_RELU_GRAD: pairLoop(abi.MICRO_RELU_GRAD, d, a, da, b, db, n); break;
    case abi.MICRO_TANH_GRAD: pairLoop(abi.MICRO_TANH_GRAD, d, a, da, b, db, n); break;
    case abi.MICRO_SIGMOID_GRAD: pairLoop(abi.MICRO_SIGMOID_GRAD, d, a, da, b, db, n); break;
    case abi.MICRO_POW:
    case abi.MICRO_ATAN2:
    case abi.MICRO_FMOD: heavyPairLoop(micro, d, a, b, n); break;
    default: return abi.FAULT_OPCODE;
  }
  return abi.STATUS_OK;
}

// @ts-ignore: decorator
@inline
function pair(op: i32, a: v128, b: v128): v128 {
  const one = f64x2.splat(1);
  if (op == abi.MICRO_SUB) return f64x2.sub(a, b);
  if (op == abi.MICRO_MUL) return f64x2.mul(a, b);
  if (op == abi.MICRO_DIV) return f64x2.div(a, b);
  if (op == abi.MICRO_MIN) return f64x2.min(a, b);
  if (op == abi.MICRO_MAX) return f64x2.max(a, b);
  if (op == abi.MICRO_EQ) return v128.and(f64x2.eq(a, b), one);
  if (op == abi.MICRO_NE) return v128.and(f64x2.ne(a, b), one);
  if (op == abi.MICRO_LT) return v128.and(f64x2.lt(a, b), one);
  if (op == abi.MICRO_LE) return v128.and(f64x2.le(a, b), one);
  if (op == abi.MICRO_RELU_GRAD) return v128.and(b, f64x2.gt(a, f64x2.splat(0)));
  if (op == abi.MICRO_TANH_GRAD) return f64x2.mul(b, f64x2.sub(one, f64x2.mul(a, a)));
  if (op == abi.MICRO_SIGMOID_GRAD) return f64x2.mul(f64x2.mul(b, a), f64x2.sub(one, a));
  return f64x2.add(a, b); // MICRO_ADD
}

// @ts-ignore: decorator
@inline
function pairLoop(op: i32, d: usize, a: usize, da: usize, b: usize, db: usize, n: i32): void {
  for (; n >= 2; n -= 2, d += 16, a += da, b += db) v128.store(d, pair(op, v128.load(a), v128.load(b)));
  if (n > 0) v128.store64_lane(d, pair(op, v128.load64_zero(a), v128.load64_zero(b)), 0);
}

function heavyPair(op: i32, a: f64, b: f64): f64 {
  if (op == abi.MICRO_ATAN2) return NativeMath.atan2(a, b);
  if (op == abi.MICRO_FMOD) return NativeMath.mod(a, b);
  return pow(a, b);
}

function heavyPairLoop(op: i32, d: usize, a: usize, b: usize, n: i32): void {
  for (; n > 0; n--, d += 8, a += 8, b += 8) store<f64>(d, heavyPair(op, load<f64>(a), load<f64>(b)));
}

// ---- a vector and a scalar: `d, a, s`

function withScalar(micro: i32, m: usize, frame: usize, n: i32): i32 {
  const d = address(m, frame, 1), a = address(m, frame, 2);
  if (micro == abi.MICRO_FILL) {
    fill(d, v128.load64_splat(a), n);
    return abi.STATUS_OK;
  }
  const s = address(m, frame, 3);
  switch (micro) {
    case abi.MICRO_ADD_S: return binary(abi.MICRO_ADD, d, a, 16, s, 0, n);
    case abi.MICRO_SUB_S: return binary(abi.MICRO_SUB, d, a, 16, s, 0, n);
    case abi.MICRO_RSUB_S: return binary(abi.MICRO_SUB, d, s, 0, a, 16, n);
    case abi.MICRO_MUL_S: return binary(abi.MICRO_MUL, d, a, 16, s, 0, n);
    case abi.MICRO_DIV_S: return binary(abi.MICRO_DIV, d, a, 16, s, 0, n);
    case abi.MICRO_RDIV_S: return binary(abi.MICRO_DIV, d, s, 0, a, 16, n);
    case abi.MICRO_MIN_S: return binary(abi.MICRO_MIN, d, a, 16, s, 0, n);
    case abi.MICRO_MAX_S: return binary(abi.MICRO_MAX, d, a, 16, s, 0, n);
    default: return abi.FAULT_OPCODE;
  }
}

function fill(d: usize, s: v128, n: i32): void {
  for (; n >= 2; n -= 2, d += 16) v128.store(d, s);
  if (n > 0) v128.store64_lane(d, s, 0);
}

// ---- richer forms; operands as abi.ts lists them

function rich(micro: i32, m: usize, f: usize, n: i32): i32 {
  const d = address(m, f, 1), a = address(m, f, 2), b = address(m, f, 3);
  switch (micro) {
    case abi.MICRO_MADD: threeLoop(abi.MICRO_MADD, d, a, b, address(m, f, 4), n); break;
    case abi.MICRO_NMADD: threeLoop(abi.MICRO_NMADD, d, a, b, address(m, f, 4), n); break;
    case abi.MICRO_WHERE: threeLoop(abi.MICRO_WHERE, d, a, b, address(m, f, 4), n); break;
    case abi.MICRO_AXPY: mixedLoop(abi.MICRO_AXPY, d, a, address(m, f, 4), b, b, n); break;
    case abi.MICRO_AXPBY: mixedLoop(abi.MICRO_AXPBY, d, a, address(m, f, 4), b, address(m, f, 5), n); break;
    case abi.MICRO_LERP: mixedLoop(abi.MICRO_LERP, d, a, b, address(m, f, 4), address(m, f, 4), n); break;
    case abi.MICRO_GELU_BOTH: bothLoop(abi.MICRO_GELU_BOTH, d, a, b, n); break;
    case abi.MICRO_GELU_TANH_BOTH: bothLoop(abi.MICRO_GELU_TANH_BOTH, d, a, b, n); break;
    default: return abi.FAULT_OPCODE;
  }
  return abi.STATUS_OK;
}

// @ts-ignore: decorator
@inline
function three(op: i32, a: v128, b: v128, c: v128): v128 {
  if (op == abi.MICRO_NMADD) return fma64(f64x2.neg(a), b, c);
  if (op == abi.MICRO_WHERE) return v128.bitselect(b, c, f64x2.ne(a, f64x2.splat(0)));
  return fma64(a, b, c); // MICRO_MADD
}

// @ts-ignore: decorator
@inline
function threeLoop(op: i32, d: usize, a: usize, b: usize, c: usize, n: i32): void {
  for (; n >= 2; n -= 2, d += 16, a += 16, b += 16, c += 16) {
    v128.store(d, three(op, v128.load(a), v128.load(b), v128.load(c)));
  }
  if (n > 0) v128.store64_lane(d, three(op, v128.load64_zero(a), v128.load64_zero(b), v128.load64_zero(c)), 0);
}

/** Two vectors and up to two scalars. */
// @ts-ignore: decorator
@inline
function mixed(op: i32, a: v128, b: v128, s: v128, t: v128): v128 {
  if (op == abi.MICRO_AXPBY) return fma64(a, s, f64x2.mul(b, t));
  if (op == abi.MICRO_LERP) return fma64(s, f64x2.sub(b, a), a);
  return fma64(a, s, b); // MICRO_AXPY
}

// @ts-ignore: decorator
@inline
function mixedLoop(op: i32, d: usize, a: usize, b: usize, ps: usize, pt: usize, n: i32): void {
  const s = v128.load64_splat(ps), t = v128.load64_splat(pt);
  for (; n >= 2; n -= 2, d += 16, a += 16, b += 16) v128.store(d, mixed(op, v128.load(a), v128.load(b), s, t));
  if (n > 0) v128.store64_lane(d, mixed(op, v128.load64_zero(a), v128.load64_zero(b), s, t), 0);
}

/** `y, slope, a` */
// @ts-ignore: decorator
@inline
function bothLoop(op: i32, y: usize, slope: usize, a: usize, n: i32): void {
  for (; n > 0; n--, y += 8, slope += 8, a += 8) {
    const x = load<f64>(a);
    store<f64>(y, op == abi.MICRO_GELU_BOTH ? gelu(x) : geluTanh(x));
    store<f64>(slope, op == abi.MICRO_GELU_BOTH ? geluSlope(x) : geluTanhSlope(x));
  }
}
