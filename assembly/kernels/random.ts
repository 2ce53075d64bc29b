// Philox-4x32-10: random numbers that are a function of their key and place alone.
//
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
import { RANDOM_NORMAL, STATUS_OK } from '../abi';
import { constant } from '../math/table';
import { vlog } from '../math/log';
import { vcos, vsin } from '../math/sincos';
import { operand, shareStart, word } from '../program';
import { storePart } from '../tail';

// Philox's multipliers, and the Weyl steps of its key.
const M0 = 0, M1 = 1, W0 = 2, W1 = 3;
const PHILOX = memory.data<u32>([0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85], 16);
const ROUNDS = 10;

const UNIT = 0, TWO_PI = 1, MINUS_TWO = 2;
const SCALE = memory.data<f32>([5.9604644775390625e-8, 6.283185307179586, -2], 16); // UNIT is 2⁻²⁴

/**
 * OP_RANDOM. out [n], any alignment; the key is two words. Words 4b … 4b+3 of the stream are Philox of the counter
 * (b, 0, 0, 0), so element i is word i of the stream (uniform) or made of the pair it stands in (normal). Sixteen
 * elements, four counters, go at a time; of the last sixteen only what lies inside is stored.
 */
export function random(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const key = operand(ins, table, 2);
  const n = word(ins, 3);
  const start = shareStart(n, thread, threads);
  const end = shareStart(n, thread + 1, threads);
  if (start < end) fill(operand(ins, table, 1), load<u32>(key), load<u32>(key, 4), start, end, word(ins, 4));
  return STATUS_OK;
}

/** Elements [start, end); start is a multiple of 16. */
function fill(out: usize, key0: u32, key1: u32, start: i32, end: i32, kind: i32): void {
  const k0 = i32x4.splat(key0);
  const k1 = i32x4.splat(key1);
  const step = i32x4.splat(4);
  let counter = i32x4.add(i32x4.splat(start >> 2), i32x4(0, 1, 2, 3));
  for (let i = start; i < end; i += 16) {
    block(out + (<usize>i << 2), counter, k0, k1, end - i, kind);
    counter = i32x4.add(counter, step);
  }
}

/** Four counters' words, as numbers of the kind asked for: the first `n` at out, sixteen at most. */
// @ts-ignore: decorator
@inline
function block(out: usize, counter: v128, k0: v128, k1: v128, n: i32, kind: i32): void {
  const m0 = constant(PHILOX, M0);
  const m1 = constant(PHILOX, M1);
  let c0 = counter;
  let c1 = i32x4.splat(0);
  let c2 = c1;
  let c3 = c1;
  for (let round = 0; round < ROUNDS; round++) {
    // The 64-bit products of lanes 0, 1 and of lanes 2, 3.
    const a = i64x2.extmul_low_i32x4_u(c0, m0);
    const b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1);
    const d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(highWords(c, d), c1), k0);
    c2 = v128.xor(v128.xor(highWords(a, b), c3), k1);
    c1 = lowWords(c, d);
    c3 = lowWords(a, b);
    k0 = i32x4.add(k0, constant(PHILOX, W0));
    k1 = i32x4.add(k1, constant(PHILOX, W1));
  }
  const unit = constant(SCALE, UNIT);
  let x0 = upper24(c0);
  let x1 = f32x4.mul(upper24(c1), unit);
  let x2 = upper24(c2);
  let x3 = f32x4.mul(upper24(c3), unit);
  if (kind == RANDOM_NORMAL) {
    const r0 = radius(x0, unit);
    const r1 = radius(x2, unit);
    const angle0 = f32x4.mul(x1, constant(SCALE, TWO_PI));
    const angle1 = f32x4.mul(x3, constant(SCALE, TWO_PI));
    x0 = f32x4.mul(r0, vcos(angle0));
    x1 = f32x4.mul(r0, vsin(angle0));
    x2 = f32x4.mul(r1, vcos(angle1));
    x3 = f32x4.mul(r1, vsin(angle1));
  } else {
    x0 = f32x4.mul(x0, unit);
    x2 = f32x4.mul(x2, unit);
  }
  storeByCounter(out, x0, x1, x2, x3, n);
}

// @ts-ignore: decorator
@inline
function lowWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** The upper 24 bits of a word: a whole number that float32 holds. */
// @ts-ignore: decorator
@inline
function upper24(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_u(x, 8));
}

/** √(−2·ln u) for u = (x + 1)·2⁻²⁴ in (0, 1]: never the logarithm of zero; 5.77 at most. */
// @ts-ignore: decorator
@inline
function radius(x: v128, unit: v128): v128 {
  const u = f32x4.add(f32x4.mul(x, unit), unit);
  return f32x4.sqrt(f32x4.mul(vlog(u), constant(SCALE, MINUS_TWO)));
}

/** x0 … x3 hold words 0 … 3 of four counters: stores them counter by counter, the first n elements of sixteen. */
// @ts-ignore: decorator
@inline
function storeByCounter(out: usize, x0: v128, x1: v128, x2: v128, x3: v128, n: i32): void {
  const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
  const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
  storeUpTo(out, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), n);
  storeUpTo(out + 16, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), n - 4);
  storeUpTo(out + 32, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), n - 8);
  storeUpTo(out + 48, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), n - 12);
}

// @ts-ignore: decorator
@inline
function storeUpTo(out: usize, x: v128, n: i32): void {
  if (n >= 4) v128.store(out, x);
  else if (n > 0) storePart(out, x, n);
}
