// Micro-operations of two vectors: `d, a, b`. d may be a or b.
import {
  MICRO_ADD, MICRO_ADD_I32, MICRO_ATAN2, MICRO_DIV, MICRO_EQ, MICRO_EQ_I32, MICRO_FMOD, MICRO_LE, MICRO_LE_I32,
  MICRO_LT, MICRO_LT_I32,
  MICRO_MAX, MICRO_MAX_I32, MICRO_MIN, MICRO_MIN_I32, MICRO_MUL, MICRO_MUL_I32, MICRO_NE, MICRO_NE_I32, MICRO_POW,
  MICRO_RELU_GRAD, MICRO_SIGMOID_GRAD, MICRO_SUB, MICRO_SUB_I32, MICRO_TANH_GRAD,
} from '../../../abi';
import { vatan2 } from '../../../math/atan';
import { vfmod } from '../../../math/fmod';
import { vpow } from '../../../math/pow';
import { maximum, minimum, nfma } from '../../../simd';
import { loadTail, storeTail } from '../../../tail';
import { address } from '../frame';

/** One vector of the result; `op` is a constant, so one line of these is left. */
// @ts-ignore: decorator
@inline
function value(op: i32, a: v128, b: v128): v128 {
  if (op == MICRO_SUB) return f32x4.sub(a, b);
  if (op == MICRO_MUL) return f32x4.mul(a, b);
  if (op == MICRO_DIV) return f32x4.div(a, b);
  if (op == MICRO_MIN) return minimum(a, b);
  if (op == MICRO_MAX) return maximum(a, b);
  if (op == MICRO_POW) return vpow(a, b);
  if (op == MICRO_ATAN2) return vatan2(a, b);
  if (op == MICRO_FMOD) return vfmod(a, b);
  if (op == MICRO_EQ) return truth(f32x4.eq(a, b));
  if (op == MICRO_NE) return truth(f32x4.ne(a, b));
  if (op == MICRO_LT) return truth(f32x4.lt(a, b));
  if (op == MICRO_LE) return truth(f32x4.le(a, b));
  if (op == MICRO_RELU_GRAD) return v128.and(b, f32x4.gt(a, f32x4.splat(0)));
  if (op == MICRO_TANH_GRAD) return f32x4.mul(b, nfma(a, a, f32x4.splat(1)));
  if (op == MICRO_SIGMOID_GRAD) return f32x4.mul(b, nfma(a, a, a));
  if (op == MICRO_ADD_I32) return i32x4.add(a, b);
  if (op == MICRO_SUB_I32) return i32x4.sub(a, b);
  if (op == MICRO_MUL_I32) return i32x4.mul(a, b);
  if (op == MICRO_MIN_I32) return i32x4.min_s(a, b);
  if (op == MICRO_MAX_I32) return i32x4.max_s(a, b);
  if (op == MICRO_EQ_I32) return truth(i32x4.eq(a, b));
  if (op == MICRO_NE_I32) return truth(i32x4.ne(a, b));
  if (op == MICRO_LT_I32) return truth(i32x4.lt_s(a, b));
  if (op == MICRO_LE_I32) return truth(i32x4.le_s(a, b));
  return f32x4.add(a, b); // MICRO_ADD
}

/** 1.0 where the mask is set, else 0.0. */
// @ts-ignore: decorator
@inline
function truth(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1));
}

/** Whether a vector costs so little that the loop around it must be unrolled. */
// @ts-ignore: decorator
@inline
function isLight(op: i32): bool {
  return op != MICRO_POW && op < MICRO_ATAN2;
}

// @ts-ignore: decorator
@inline
function loop(op: i32, m: usize, frame: usize, n: i32): void {
  let d = address(m, frame, 1), a = address(m, frame, 2), b = address(m, frame, 3);
  if (isLight(op)) {
    for (; n >= 16; n -= 16) {
      const r0 = value(op, v128.load(a), v128.load(b));
      const r1 = value(op, v128.load(a, 16), v128.load(b, 16));
      const r2 = value(op, v128.load(a, 32), v128.load(b, 32));
      const r3 = value(op, v128.load(a, 48), v128.load(b, 48));
      v128.store(d, r0);
      v128.store(d, r1, 16);
      v128.store(d, r2, 32);
      v128.store(d, r3, 48);
      a += 64;
      b += 64;
      d += 64;
    }
  }
  for (; n >= 4; n -= 4) {
    v128.store(d, value(op, v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    d += 16;
  }
  if (n > 0) storeTail(d, value(op, loadTail(a, n), loadTail(b, n)), n);
}

export function add(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ADD, m, frame, n);
}
export function sub(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SUB, m, frame, n);
}
export function mul(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MUL, m, frame, n);
}
export function div(m: usize, frame: usize, n: i32): void {
  loop(MICRO_DIV, m, frame, n);
}
export function min(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MIN, m, frame, n);
}
export function max(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MAX, m, frame, n);
}
export function pow(m: usize, frame: usize, n: i32): void {
  loop(MICRO_POW, m, frame, n);
}
export function eq(m: usize, frame: usize, n: i32): void {
  loop(MICRO_EQ, m, frame, n);
}
export function ne(m: usize, frame: usize, n: i32): void {
  loop(MICRO_NE, m, frame, n);
}
export function lt(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LT, m, frame, n);
}
export function le(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LE, m, frame, n);
}
export function reluGrad(m: usize, frame: usize, n: i32): void {
  loop(MICRO_RELU_GRAD, m, frame, n);
}
export function tanhGrad(m: usize, frame: usize, n: i32): void {
  loop(MICRO_TANH_GRAD, m, frame, n);
}
export function sigmoidGrad(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SIGMOID_GRAD, m, frame, n);
}
export function addI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ADD_I32, m, frame, n);
}
export function subI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SUB_I32, m, frame, n);
}
export function mulI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MUL_I32, m, frame, n);
}
export function minI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MIN_I32, m, frame, n);
}
export function maxI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MAX_I32, m, frame, n);
}
export function eqI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_EQ_I32, m, frame, n);
}
export function neI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_NE_I32, m, frame, n);
}
export function ltI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LT_I32, m, frame, n);
}
export function leI32(m: usize, frame: usize, n: i32): void {
  loop(MICRO_LE_I32, m, frame, n);
}
export function atan2(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ATAN2, m, frame, n);
}
export function fmod(m: usize, frame: usize, n: i32): void {
  loop(MICRO_FMOD, m, frame, n);
}
