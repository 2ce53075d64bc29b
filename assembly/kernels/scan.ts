// Running sums and products along an axis: the linear recurrence h = a·h + b that both are.
import { SCAN_I32, SCAN_REVERSE, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { fma64 } from '../simd';
import { loadPart, storePart } from '../tail';
import { rowGrain } from './rows';

// Columns whose float64 accumulators are kept at once: 8 KiB of the L1 cache.
const COLUMNS = 1024;

/**
 * OP_SCAN. a, b [outer, size, inner] → out, any alignment; out overlaps nothing. Shared by columns. Each result is
 * rounded once from a float64 accumulator, so a running sum errs by half an ulp of itself, however long.
 */
export function scan(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const a = operand(ins, table, 2);
  const b = operand(ins, table, 3);
  const size = word(ins, 5);
  const inner = word(ins, 6);
  const flags = word(ins, 7);
  const columns = word(ins, 4) * inner;
  if (size == 0) return STATUS_OK;

  const reverse = (flags & SCAN_REVERSE) != 0;
  const first = reverse ? (size - 1) * inner : 0;
  const step = <usize>(reverse ? -inner : inner) << 2;
  const end = shareStart(columns, thread + 1, threads, rowGrain(size));
  let i = shareStart(columns, thread, threads, rowGrain(size));
  while (i < end) {
    const o = i / inner;
    const start = i - o * inner;
    const n = min(min(inner - start, end - i), COLUMNS);
    const at = <usize>(o * size * inner + first + start) << 2;
    const factors: usize = a == 0 ? <usize>0 : a + at;
    if (flags & SCAN_I32) scanInts(out + at, factors, b + at, size, step, n);
    else if (inner == 1) scanRow(out + at, factors, b + at, size, step);
    else scanColumns(out + at, factors, b + at, size, step, n, scratch);
    i += n;
  }
  return STATUS_OK;
}

/** One column; `step` bytes lie between its elements. */
function scanRow(out: usize, a: usize, b: usize, size: i32, step: usize): void {
  let h: f64 = load<f32>(b);
  store<f32>(out, <f32>h);
  for (let i = 1; i < size; i++) {
    out += step;
    b += step;
    if (a != 0) {
      a += step;
      h *= load<f32>(a);
    }
    h += load<f32>(b);
    store<f32>(out, <f32>h);
  }
}

/** n ≤ COLUMNS neighbouring columns, row by row, their accumulators at `sums`. */
function scanColumns(out: usize, a: usize, b: usize, size: i32, step: usize, n: i32, sums: usize): void {
  for (let c = 0; c < n; c += 4) {
    const v = loadPart(b + (<usize>c << 2), n - c);
    storePart(out + (<usize>c << 2), v, n - c);
    v128.store(sums + (<usize>c << 3), low(v));
    v128.store(sums + (<usize>c << 3), high(v), 16);
  }
  for (let i = 1; i < size; i++) {
    out += step;
    b += step;
    if (a != 0) a += step;
    for (let c = 0; c < n; c += 4) {
      const h = sums + (<usize>c << 3);
      const v = loadPart(b + (<usize>c << 2), n - c);
      let h0 = v128.load(h), h1 = v128.load(h, 16);
      if (a != 0) {
        const w = loadPart(a + (<usize>c << 2), n - c);
        h0 = fma64(h0, low(w), low(v));
        h1 = fma64(h1, high(w), high(v));
      } else {
        h0 = f64x2.add(h0, low(v));
        h1 = f64x2.add(h1, high(v));
      }
      v128.store(h, h0);
      v128.store(h, h1, 16);
      const y = v128.shuffle<f64>(f32x4.demote_f64x2_zero(h0), f32x4.demote_f64x2_zero(h1), 0, 2);
      storePart(out + (<usize>c << 2), y, n - c);
    }
  }
}

/** The first two lanes in float64. */
// @ts-ignore: decorator
@inline
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** The last two lanes in float64. */
// @ts-ignore: decorator
@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 0));
}

/** n columns of int32, one after another. */
function scanInts(out: usize, a: usize, b: usize, size: i32, step: usize, n: i32): void {
  for (let c = 0; c < n; c++) {
    let h = 0;
    for (let i = 0, p = <usize>c << 2; i < size; i++, p += step) {
      if (a != 0) h *= load<i32>(a + p);
      h += load<i32>(b + p);
      store<i32>(out + p, h);
    }
  }
}
