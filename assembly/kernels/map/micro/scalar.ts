// Micro-operations of a vector and a scalar: `d, a, s`, and filling with one. d may be a.
import {
  MICRO_ADD_S, MICRO_DIV_S, MICRO_MAX_S, MICRO_MIN_S, MICRO_MUL_S, MICRO_RDIV_S, MICRO_RSUB_S, MICRO_SUB_S,
} from '../../../abi';
import { maximum, minimum } from '../../../simd';
import { loadTail, storeTail } from '../../../tail';
import { address } from '../frame';

/** One vector of the result; `op` is a constant, so one line of these is left. */
// @ts-ignore: decorator
@inline
function value(op: i32, a: v128, s: v128): v128 {
  if (op == MICRO_SUB_S) return f32x4.sub(a, s);
  if (op == MICRO_RSUB_S) return f32x4.sub(s, a);
  if (op == MICRO_MUL_S) return f32x4.mul(a, s);
  if (op == MICRO_DIV_S) return f32x4.div(a, s);
  if (op == MICRO_RDIV_S) return f32x4.div(s, a);
  if (op == MICRO_MIN_S) return minimum(a, s);
  if (op == MICRO_MAX_S) return maximum(a, s);
  return f32x4.add(a, s); // MICRO_ADD_S
}

// @ts-ignore: decorator
@inline
function loop(op: i32, m: usize, frame: usize, n: i32): void {
  let d = address(m, frame, 1), a = address(m, frame, 2);
  const s = v128.load32_splat(address(m, frame, 3));
  for (; n >= 16; n -= 16) {
    const x0 = v128.load(a), x1 = v128.load(a, 16), x2 = v128.load(a, 32), x3 = v128.load(a, 48);
    v128.store(d, value(op, x0, s));
    v128.store(d, value(op, x1, s), 16);
    v128.store(d, value(op, x2, s), 32);
    v128.store(d, value(op, x3, s), 48);
    a += 64;
    d += 64;
  }
  for (; n >= 4; n -= 4) {
    v128.store(d, value(op, v128.load(a), s));
    a += 16;
    d += 16;
  }
  if (n > 0) storeTail(d, value(op, loadTail(a, n), s), n);
}

export function addS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_ADD_S, m, frame, n);
}
export function subS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_SUB_S, m, frame, n);
}
export function rsubS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_RSUB_S, m, frame, n);
}
export function mulS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MUL_S, m, frame, n);
}
export function divS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_DIV_S, m, frame, n);
}
export function rdivS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_RDIV_S, m, frame, n);
}
export function minS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MIN_S, m, frame, n);
}
export function maxS(m: usize, frame: usize, n: i32): void {
  loop(MICRO_MAX_S, m, frame, n);
}
/** `d, s` */
export function fill(m: usize, frame: usize, n: i32): void {
  let d = address(m, frame, 1);
  const s = v128.load32_splat(address(m, frame, 2));
  for (; n >= 16; n -= 16) {
    v128.store(d, s);
    v128.store(d, s, 16);
    v128.store(d, s, 32);
    v128.store(d, s, 48);
    d += 64;
  }
  for (; n >= 4; n -= 4) {
    v128.store(d, s);
    d += 16;
  }
  if (n > 0) storeTail(d, s, n);
}
