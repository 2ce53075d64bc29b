// The place of the largest or smallest element along an axis.
import { STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { select } from '../simd';
import { rowGrain } from './rows';

const SIGN_BIT = i32.MIN_VALUE;

/**
 * OP_ARGMAX. x [outer, size, inner] → out int32 [outer, inner], any alignment. A minimum is the maximum of the
 * negated values: `sign` is the bit to flip. An axis of size 0 has no extreme and writes nothing.
 */
export function argmax(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const x = operand(ins, table, 2);
  const size = word(ins, 4);
  const inner = word(ins, 5);
  const outputs = word(ins, 3) * inner;
  const sign = word(ins, 6) ? SIGN_BIT : 0;
  if (size == 0) return STATUS_OK;

  const grain = rowGrain(size);
  const end = shareStart(outputs, thread + 1, threads, grain);
  let i = shareStart(outputs, thread, threads, grain);
  if (inner == 1 && size >= 4) {
    for (; i < end; i++) store<i32>(out + (<usize>i << 2), argmaxRow(x + (<usize>(i * size) << 2), size, sign));
    return STATUS_OK;
  }
  while (i < end) {
    const o = i / inner;
    const start = i - o * inner;
    const n = min(inner - start, end - i);
    argmaxColumns(out + (<usize>i << 2), x + (<usize>(o * size * inner + start) << 2), size, inner, n, sign);
    i += n;
  }
  return STATUS_OK;
}

/** One row of n ≥ 4 elements: its extreme, then the first place that holds it. The last four overlap those before. */
function argmaxRow(x: usize, n: i32, sign: i32): i32 {
  const flip = i32x4.splat(sign);
  const last = x + (<usize>(n - 4) << 2);
  let best = v128.xor(v128.load(last), flip);
  let isNan = f32x4.ne(best, best);
  for (let p = x; p < last; p += 16) {
    const v = v128.xor(v128.load(p), flip);
    best = f32x4.pmax(best, v);
    isNan = v128.or(isNan, f32x4.ne(v, v));
  }
  if (v128.any_true(isNan)) return firstNan(x, n);

  best = f32x4.pmax(best, v128.shuffle<f32>(best, best, 2, 3, 0, 1));
  best = f32x4.pmax(best, v128.shuffle<f32>(best, best, 1, 0, 3, 2));
  best = v128.xor(best, flip);
  let p = x;
  for (; p < last; p += 16) {
    const hit = f32x4.eq(v128.load(p), best);
    if (v128.any_true(hit)) return <i32>((p - x) >> 2) + ctz(i32x4.bitmask(hit));
  }
  return n - 4 + ctz(i32x4.bitmask(f32x4.eq(v128.load(last), best)));
}

function firstNan(x: usize, n: i32): i32 {
  let i = 0;
  while (i < n - 1) {
    const v = load<f32>(x + (<usize>i << 2));
    if (v != v) break;
    i++;
  }
  return i;
}

/** n neighbouring columns of x [size, inner], four at a time; the last four overlap those before. */
function argmaxColumns(out: usize, x: usize, size: i32, inner: i32, n: i32, sign: i32): void {
  if (n < 4) {
    for (let j = 0; j < n; j++) store<i32>(out + (<usize>j << 2), argmaxColumn(x + (<usize>j << 2), size, inner, sign));
    return;
  }
  const flip = i32x4.splat(sign);
  for (let j = 0; j < n; j += 4) {
    const first = <usize>min(j, n - 4) << 2;
    let p = x + first;
    let best = v128.xor(v128.load(p), flip);
    let where = i32x4.splat(0);
    for (let i = 1; i < size; i++) {
      p += <usize>inner << 2;
      const v = v128.xor(v128.load(p), flip);
      // Greater, or the first NaN.
      const wins = v128.andnot(f32x4.eq(best, best), f32x4.le(v, best));
      best = select(v, best, wins);
      where = select(i32x4.splat(i), where, wins);
    }
    v128.store(out + first, where);
  }
}

function argmaxColumn(x: usize, size: i32, inner: i32, sign: i32): i32 {
  let best = reinterpret<f32>(load<i32>(x) ^ sign);
  let where = 0;
  for (let i = 1; i < size; i++) {
    const v = reinterpret<f32>(load<i32>(x + (<usize>(i * inner) << 2)) ^ sign);
    if (!(v <= best) && best == best) {
      best = v;
      where = i;
    }
  }
  return where;
}
