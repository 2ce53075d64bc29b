// Micro-operations of three operands and more that give one vector. d may be any of the vectors.
import {
  MICRO_AXPBY, MICRO_AXPY, MICRO_LERP, MICRO_MADD, MICRO_NMADD, MICRO_WHERE,
} from '../../../abi';
import { fma, nfma, select } from '../../../simd';
import { loadTail, storeTail } from '../../../tail';
import { address } from '../frame';

/** Three vectors; `op` is a constant. */
// @ts-ignore: decorator
@inline
function ternary(op: i32, a: v128, b: v128, c: v128): v128 {
  if (op == MICRO_NMADD) return nfma(a, b, c);
  if (op == MICRO_WHERE) return select(b, c, f32x4.ne(a, f32x4.splat(0)));
  return fma(a, b, c); // MICRO_MADD
}

// @ts-ignore: decorator
@inline
function ternaryLoop(op: i32, m: usize, frame: usize, n: i32): void {
  let d = address(m, frame, 1), a = address(m, frame, 2), b = address(m, frame, 3), c = address(m, frame, 4);
  for (; n >= 16; n -= 16) {
    const r0 = ternary(op, v128.load(a), v128.load(b), v128.load(c));
    const r1 = ternary(op, v128.load(a, 16), v128.load(b, 16), v128.load(c, 16));
    const r2 = ternary(op, v128.load(a, 32), v128.load(b, 32), v128.load(c, 32));
    const r3 = ternary(op, v128.load(a, 48), v128.load(b, 48), v128.load(c, 48));
    v128.store(d, r0);
    v128.store(d, r1, 16);
    v128.store(d, r2, 32);
    v128.store(d, r3, 48);
    a += 64;
    b += 64;
    c += 64;
    d += 64;
  }
  for (; n >= 4; n -= 4) {
    v128.store(d, ternary(op, v128.load(a), v128.load(b), v128.load(c)));
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  if (n > 0) storeTail(d, ternary(op, loadTail(a, n), loadTail(b, n), loadTail(c, n)), n);
}

export function madd(m: usize, frame: usize, n: i32): void {
  ternaryLoop(MICRO_MADD, m, frame, n);
}
export function nmadd(m: usize, frame: usize, n: i32): void {
  ternaryLoop(MICRO_NMADD, m, frame, n);
}
export function where(m: usize, frame: usize, n: i32): void {
  ternaryLoop(MICRO_WHERE, m, frame, n);
}

/** Two vectors and up to two scalars; `op` is a constant. */
// @ts-ignore: decorator
@inline
function mixed(op: i32, a: v128, b: v128, s: v128, t: v128): v128 {
  if (op == MICRO_AXPBY) return fma(a, s, f32x4.mul(b, t));
  if (op == MICRO_LERP) return fma(s, f32x4.sub(b, a), a);
  return fma(a, s, b); // MICRO_AXPY
}

// @ts-ignore: decorator
@inline
function mixedLoop(op: i32, d: usize, a: usize, b: usize, ps: usize, pt: usize, n: i32): void {
  const s = v128.load32_splat(ps), t = v128.load32_splat(pt);
  for (; n >= 16; n -= 16) {
    const r0 = mixed(op, v128.load(a), v128.load(b), s, t);
    const r1 = mixed(op, v128.load(a, 16), v128.load(b, 16), s, t);
    const r2 = mixed(op, v128.load(a, 32), v128.load(b, 32), s, t);
    const r3 = mixed(op, v128.load(a, 48), v128.load(b, 48), s, t);
    v128.store(d, r0);
    v128.store(d, r1, 16);
    v128.store(d, r2, 32);
    v128.store(d, r3, 48);
    a += 64;
    b += 64;
    d += 64;
  }
  for (; n >= 4; n -= 4) {
    v128.store(d, mixed(op, v128.load(a), v128.load(b), s, t));
    a += 16;
    b += 16;
    d += 16;
  }
  if (n > 0) storeTail(d, mixed(op, loadTail(a, n), loadTail(b, n), s, t), n);
}

/** `d, a, s, c` */
export function axpy(m: usize, f: usize, n: i32): void {
  const s = address(m, f, 3);
  mixedLoop(MICRO_AXPY, address(m, f, 1), address(m, f, 2), address(m, f, 4), s, s, n);
}
/** `d, a, s, b, t` */
export function axpby(m: usize, f: usize, n: i32): void {
  mixedLoop(MICRO_AXPBY, address(m, f, 1), address(m, f, 2), address(m, f, 4), address(m, f, 3), address(m, f, 5), n);
}
/** `d, a, b, s` */
export function lerp(m: usize, f: usize, n: i32): void {
  const s = address(m, f, 4);
  mixedLoop(MICRO_LERP, address(m, f, 1), address(m, f, 2), address(m, f, 3), s, s, n);
}
