// Reductions of a block: runs of elements into one output each, or rows added up column by column.
import { MICRO_PROD, MICRO_REDUCE_MAX, MICRO_REDUCE_MIN, MICRO_SUM } from '../../../abi';
import { maximum, minimum } from '../../../simd';
import { loadTail, storeTail } from '../../../tail';

/** What an empty reduction gives. */
export function identity(op: i32): f32 {
  if (op == MICRO_SUM) return 0;
  if (op == MICRO_PROD) return 1;
  return op == MICRO_REDUCE_MAX ? -Infinity : Infinity;
}

// @ts-ignore: decorator
@inline
function combine(op: i32, a: v128, b: v128): v128 {
  if (op == MICRO_REDUCE_MAX) return maximum(a, b);
  if (op == MICRO_REDUCE_MIN) return minimum(a, b);
  if (op == MICRO_PROD) return f32x4.mul(a, b);
  return f32x4.add(a, b);
}

/** Lane 0: the n ≥ 1 elements at x as one number: 16 partial results, combined pairwise, then the last n mod 4. */
// @ts-ignore: decorator
@inline
function reduceRun(op: i32, x: usize, n: i32): v128 {
  let a0 = v128.load32_zero(x);
  if (n >= 4) {
    a0 = v128.load(x);
    x += 16;
    n -= 4;
    if (n >= 12) {
      let a1 = v128.load(x), a2 = v128.load(x, 16), a3 = v128.load(x, 32);
      x += 48;
      n -= 12;
      for (; n >= 16; n -= 16) {
        a0 = combine(op, a0, v128.load(x));
        a1 = combine(op, a1, v128.load(x, 16));
        a2 = combine(op, a2, v128.load(x, 32));
        a3 = combine(op, a3, v128.load(x, 48));
        x += 64;
      }
      a0 = combine(op, combine(op, a0, a1), combine(op, a2, a3));
    }
    for (; n >= 4; n -= 4) {
      a0 = combine(op, a0, v128.load(x));
      x += 16;
    }
    a0 = combine(op, a0, i32x4.shuffle(a0, a0, 2, 3, 0, 1));
    a0 = combine(op, a0, i32x4.shuffle(a0, a0, 1, 0, 3, 2));
  } else {
    x += 4;
    n--;
  }
  for (; n > 0; n--) {
    a0 = combine(op, a0, v128.load32_zero(x));
    x += 4;
  }
  return a0;
}

// @ts-ignore: decorator
@inline
function runsOf(op: i32, out: usize, x: usize, n: i32, inner: i32, period: i32, position: i32, output: i32): void {
  let length = inner - position;
  while (n > 0) {
    if (length > n) length = n;
    const o = out + (<usize>output << 2);
    v128.store32_lane(o, combine(op, v128.load32_zero(o), reduceRun(op, x, length)), 0);
    x += <usize>length << 2;
    n -= length;
    length = inner;
    if (++output == period) output = 0;
  }
}

/**
 * Combines n elements at x into out[period], run by run: each `inner` elements feed one output, the next run the
 * next one, cyclically. The first element is number `position` of its run, which feeds `output`.
 */
export function runs(op: i32, out: usize, x: usize, n: i32, inner: i32, period: i32, position: i32, output: i32): void {
  if (op == MICRO_SUM) runsOf(MICRO_SUM, out, x, n, inner, period, position, output);
  else if (op == MICRO_REDUCE_MAX) runsOf(MICRO_REDUCE_MAX, out, x, n, inner, period, position, output);
  else if (op == MICRO_REDUCE_MIN) runsOf(MICRO_REDUCE_MIN, out, x, n, inner, period, position, output);
  else runsOf(MICRO_PROD, out, x, n, inner, period, position, output);
}

// @ts-ignore: decorator
@inline
function columnsOf(op: i32, out: usize, x: usize, rows: i32, width: i32): void {
  const stride = <usize>width << 2;
  for (; width >= 16; width -= 16) {
    let a0 = v128.load(out), a1 = v128.load(out, 16), a2 = v128.load(out, 32), a3 = v128.load(out, 48);
    for (let r = 0, p = x; r < rows; r++, p += stride) {
      a0 = combine(op, a0, v128.load(p));
      a1 = combine(op, a1, v128.load(p, 16));
      a2 = combine(op, a2, v128.load(p, 32));
      a3 = combine(op, a3, v128.load(p, 48));
    }
    v128.store(out, a0);
    v128.store(out, a1, 16);
    v128.store(out, a2, 32);
    v128.store(out, a3, 48);
    out += 64;
    x += 64;
  }
  for (; width >= 4; width -= 4) {
    let a = v128.load(out);
    for (let r = 0, p = x; r < rows; r++, p += stride) a = combine(op, a, v128.load(p));
    v128.store(out, a);
    out += 16;
    x += 16;
  }
  if (width == 0) return;
  let a = loadTail(out, width);
  for (let r = 0, p = x; r < rows; r++, p += stride) a = combine(op, a, loadTail(p, width));
  storeTail(out, a, width);
}

/** Combines x[rows, width] into out[width]. */
export function columns(op: i32, out: usize, x: usize, rows: i32, width: i32): void {
  if (op == MICRO_SUM) columnsOf(MICRO_SUM, out, x, rows, width);
  else if (op == MICRO_REDUCE_MAX) columnsOf(MICRO_REDUCE_MAX, out, x, rows, width);
  else if (op == MICRO_REDUCE_MIN) columnsOf(MICRO_REDUCE_MIN, out, x, rows, width);
  else columnsOf(MICRO_PROD, out, x, rows, width);
}
