// Micro-operations of one vector: `d, a`. d may be a. NaN passes through unless said otherwise.
import {
  MICRO_ABS, MICRO_ABS_I32, MICRO_ATAN, MICRO_CEIL, MICRO_COPY, MICRO_COS, MICRO_ERF, MICRO_EXP, MICRO_EXP2,
  MICRO_EXPM1, MICRO_FLOOR, MICRO_GELU, MICRO_GELU_SLOPE, MICRO_GELU_TANH, MICRO_GELU_TANH_SLOPE, MICRO_LOG,
  MICRO_LOG1P, MICRO_LOG2,
  MICRO_NEG, MICRO_NEG_I32, MICRO_RECIPROCAL, MICRO_RELU, MICRO_ROUND, MICRO_SIGMOID, MICRO_SIGN, MICRO_SIN,
  MICRO_SOFTPLUS, MICRO_SQRT, MICRO_SQUARE, MICRO_TANH, MICRO_TO_F32, MICRO_TO_I32, MICRO_TRUNC,
} from '../../../abi';
import { vatan } from '../../../math/atan';
import { verf } from '../../../math/erf';
import { vexp, vexp2, vexpm1 } from '../../../math/exp';
import { vgelu, vgeluSlope, vgeluTanh, vgeluTanhSlope } from '../../../math/gelu';
import { vlog, vlog1p, vlog2, vsoftplus } from '../../../math/log';
import { vcos, vsin } from '../../../math/sincos';
import { vsigmoid, vtanh } from '../../../math/tanh';
import { loadTail, storeTail } from '../../../tail';
import { address } from '../frame';

/** One vector of the result; `op` is a constant, so one line of these is left. */
// @ts-ignore: decorator
@inline
function value(op: i32, x: v128): v128 {
  if (op == MICRO_NEG) return f32x4.neg(x);
  if (op == MICRO_ABS) return f32x4.abs(x);
  if (op == MICRO_SIGN) return signOf(x);
  if (op == MICRO_SQRT) return f32x4.sqrt(x);
  if (op == MICRO_SQUARE) return f32x4.mul(x, x);
  if (op == MICRO_RECIPROCAL) return f32x4.div(f32x4.splat(1), x);
  if (op == MICRO_EXP) return vexp(x);
  if (op == MICRO_EXPM1) return vexpm1(x);
  if (op == MICRO_LOG) return vlog(x);
  if (op == MICRO_LOG1P) return vlog1p(x);
  if (op == MICRO_SIN) return vsin(x);
  if (op == MICRO_COS) return vcos(x);
  if (op == MICRO_TANH) return vtanh(x);
  if (op == MICRO_ERF) return verf(x);
  if (op == MICRO_SIGMOID) return vsigmoid(x);
  if (op == MICRO_SOFTPLUS) return vsoftplus(x);
  if (op == MICRO_RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (op == MICRO_FLOOR) return f32x4.floor(x);
  if (op == MICRO_CEIL) return f32x4.ceil(x);
  if (op == MICRO_ROUND) return f32x4.nearest(x);
  if (op == MICRO_TRUNC) return f32x4.trunc(x);
  if (op == MICRO_TO_I32) return i32x4.trunc_sat_f32x4_s(x);
  if (op == MICRO_TO_F32) return f32x4.convert_i32x4_s(x);
  if (op == MICRO_NEG_I32) return i32x4.neg(x);
  if (op == MICRO_ABS_I32) return i32x4.abs(x);
  if (op == MICRO_GELU) return vgelu(x);
  if (op == MICRO_GELU_SLOPE) return vgeluSlope(x);
  if (op == MICRO_GELU_TANH) return vgeluTanh(x);
  if (op == MICRO_GELU_TANH_SLOPE) return vgeluTanhSlope(x);
  if (op == MICRO_EXP2) return vexp2(x);
  if (op == MICRO_LOG2) return vlog2(x);
  if (op == MICRO_ATAN) return vatan(x);
  return x; // MICRO_COPY
}

/** ±1 by the sign, ±0 and NaN themselves. */
// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  const one = v128.or(f32x4.splat(1), v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(one, x, f32x4.gt(f32x4.abs(x), f32x4.splat(0)));
}

/** Whether a vector costs so little that the loop around it must be unrolled. */
// @ts-ignore: decorator
@inline
function isLight(op: i32): bool {
  return op < MICRO_EXP || (op > MICRO_SOFTPLUS && op < MICRO_GELU);
}

// @ts-ignore: decorator
@inline
function loop(op: i32, m: usize, frame: usize, n: i32): void {
  let d = address(m, frame, 1), a = address(m, frame, 2);
  if (isLight(op)) {
    for (; n >= 16; n -= 16) {
      const x0 = v128.load(a), x1 = v128.load(a, 16), x2 = v128.load(a, 32), x3 = v128.load(a, 48);
      v128.store(d, value(op, x0));
      v128.store(d, value(op, x1), 16);
      v128.store(d, value(op, x2), 32);
      v128.store(d, value(op, x3), 48);
      a += 64;
      d += 64;
    }
  }
  for (; n >= 4; n -= 4) {
    v128.store(d, value(op, v128.load(a)));
    a += 16;
    d += 16;
  }
  if (n > 0) storeTail(d, value(op, loadTail(a, n)), n);
}

export function copy(m: usize, frame: usize, n: i32): void {
  loop(MICRO_COPY, m, frame, n);
}
export function neg(m: usize, frame: usize, n: i32): void {
  loop(MICRO_NEG, m, frame, n);
}
export function abs(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ABS, m, frame, n);
}
export function sign(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SIGN, m, frame, n);
}
export function sqrt(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SQRT, m, frame, n);
}
export function square(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SQUARE, m, frame, n);
}
export function reciprocal(m: usize, frame: usize, n: i32): void {
  loop(MICRO_RECIPROCAL, m, frame, n);
}
export function exp(m: usize, frame: usize, n: i32): void {
  loop(MICRO_EXP, m, frame, n);
}
export function expm1(m: usize, frame: usize, n: i32): void {
  loop(MICRO_EXPM1, m, frame, n);
}
export function log(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LOG, m, frame, n);
}
export function log1p(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LOG1P, m, frame, n);
}
export function sin(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SIN, m, frame, n);
}
export function cos(m: usize, frame: usize, n: i32): void {
  loop(MICRO_COS, m, frame, n);
}
export function tanh(m: usize, frame: usize, n: i32): void {
  loop(MICRO_TANH, m, frame, n);
}
export function erf(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ERF, m, frame, n);
}
export function sigmoid(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SIGMOID, m, frame, n);
}
export function softplus(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SOFTPLUS, m, frame, n);
}
export function relu(m: usize, frame: usize, n: i32): void {
  loop(MICRO_RELU, m, frame, n);
}
export function floor(m: usize, frame: usize, n: i32): void {
  loop(MICRO_FLOOR, m, frame, n);
}
export function ceil(m: usize, frame: usize, n: i32): void {
  loop(MICRO_CEIL, m, frame, n);
}
export function round(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ROUND, m, frame, n);
}
export function trunc(m: usize, frame: usize, n: i32): void {
  loop(MICRO_TRUNC, m, frame, n);
}
export function toI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_TO_I32, m, frame, n);
}
export function toF32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_TO_F32, m, frame, n);
}
export function negI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_NEG_I32, m, frame, n);
}
export function absI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ABS_I32, m, frame, n);
}
export function gelu(m: usize, frame: usize, n: i32): void {
  loop(MICRO_GELU, m, frame, n);
}
export function geluSlope(m: usize, frame: usize, n: i32): void {
  loop(MICRO_GELU_SLOPE, m, frame, n);
}
export function geluTanh(m: usize, frame: usize, n: i32): void {
  loop(MICRO_GELU_TANH, m, frame, n);
}
export function geluTanhSlope(m: usize, frame: usize, n: i32): void {
  loop(MICRO_GELU_TANH_SLOPE, m, frame, n);
}
export function exp2(m: usize, frame: usize, n: i32): void {
  loop(MICRO_EXP2, m, frame, n);
}
export function log2(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LOG2, m, frame, n);
}
export function atan(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ATAN, m, frame, n);
}
