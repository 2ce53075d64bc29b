// Softmax, its log and their gradients, by rows.
//
// A row is gone over in a few simple passes; its tail of n mod 4 elements is a partial vector, filled with what
// changes no result (−∞ under an exponential, 0 in a sum), so no column is left to scalar code.
import { STATUS_OK } from '../abi';
import { vexpNormal } from '../math/exp';
import { vlog } from '../math/log';
import { constant } from '../math/table';
import { operand, shareStart, word } from '../program';
import { fma, nfma } from '../simd';
import { loadPart, storePart } from '../tail';
import { rowGrain } from './rows';

const LEAST_POWER = memory.data<f32>([-87], 16);

/**
 * OP_SOFTMAX. x [rows, cols] → out, which may be x; any alignment. A row of −∞ alone, or with +∞ or NaN in it, is
 * NaN throughout, as in PyTorch. The log subtracts the maximum first and the log of the sum second, so neither
 * large logits nor improbable classes lose digits.
 */
export function softmax(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 3);
  const cols = word(ins, 4);
  const wantsLog = word(ins, 5);
  const height = word(ins, 6);
  const first = word(ins, 7);
  const start = shareStart(rows, thread, threads, rowGrain(cols));
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  const offset = <usize>(start * cols) << 2;
  let out = operand(ins, table, 1) + offset;
  let x = operand(ins, table, 2) + offset;
  const rowBytes = <usize>cols << 2;
  for (let row = start; row < end; row++, out += rowBytes, x += rowBytes) {
    const n = visible(row, cols, height, first);
    const top = rowMax(x, n);
    if (wantsLog) subtractTwo(out, x, n, top, logOf(sumExp(0, x, n, top)));
    else scaleRow(out, n, 1 / sumExp(out, x, n, top));
    hideRest(out, n, cols);
  }
  return STATUS_OK;
}

/** OP_SOFTMAX_GRAD. y and dy [rows, cols] → dx, which may be dy or y; any alignment. */
export function softmaxGrad(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 4);
  const cols = word(ins, 5);
  const ofLog = word(ins, 6);
  const height = word(ins, 7);
  const first = word(ins, 8);
  const start = shareStart(rows, thread, threads, rowGrain(cols));
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  const offset = <usize>(start * cols) << 2;
  let dx = operand(ins, table, 1) + offset;
  let y = operand(ins, table, 2) + offset;
  let dy = operand(ins, table, 3) + offset;
  const rowBytes = <usize>cols << 2;
  for (let row = start; row < end; row++, dx += rowBytes, y += rowBytes, dy += rowBytes) {
    const n = visible(row, cols, height, first);
    if (ofLog) logSoftmaxGradRow(dx, y, dy, n, sumRow(dy, n));
    else softmaxGradRow(dx, y, dy, n, dotRows(y, dy, n));
    hideRest(dx, n, cols);
  }
  return STATUS_OK;
}

/** Columns of a row that the causal mask leaves: all where there is none. */
// @ts-ignore: decorator
@inline
function visible(row: i32, cols: i32, height: i32, first: i32): i32 {
  return height == 0 ? cols : max(0, min(cols, (row % height) + first));
}

/** Zeros in columns [n, cols) of a row. */
// @ts-ignore: decorator
@inline
function hideRest(row: usize, n: i32, cols: i32): void {
  if (n < cols) memory.fill(row + (<usize>n << 2), 0, <usize>(cols - n) << 2);
}

/** The sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  v = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
}

// @ts-ignore: decorator
@inline
export function logOf(x: f32): f32 {
  return f32x4.extract_lane(vlog(f32x4.splat(x)), 0);
}

/**
 * eˣ for x ≤ 0, and 0 below −87: next to a maximum of 1 such a term is nothing, and a subnormal result (or the −∞
 * of a mask) would cost a hundred cycles. NaN stays.
 */
// @ts-ignore: decorator
@inline
export function expBelow(x: v128): v128 {
  const least = constant(LEAST_POWER, 0);
  return v128.andnot(vexpNormal(f32x4.pmax(x, least)), f32x4.lt(x, least));
}

/** The maximum of a row of n; −∞ of none. NaN is passed over: it shows in the sum of exponentials. */
export function rowMax(x: usize, n: i32): f32 {
  const least = f32x4.splat(-Infinity);
  let max = least;
  const end = x + (<usize>(n & ~3) << 2);
  if (n >= 16) {
    // Four chains: one would wait for each maximum before it takes the next.
    let b = least;
    let c = least;
    let d = least;
    const stop = x + (<usize>(n & ~15) << 2);
    for (; x < stop; x += 64) {
      max = f32x4.pmax(max, v128.load(x));
      b = f32x4.pmax(b, v128.load(x, 16));
      c = f32x4.pmax(c, v128.load(x, 32));
      d = f32x4.pmax(d, v128.load(x, 48));
    }
    max = f32x4.pmax(f32x4.pmax(max, b), f32x4.pmax(c, d));
  }
  for (; x < end; x += 16) max = f32x4.pmax(max, v128.load(x));
  if (n & 3) max = f32x4.pmax(max, loadPart(end, n & 3, least));
  max = f32x4.pmax(max, v128.shuffle<f32>(max, max, 2, 3, 0, 1));
  max = f32x4.pmax(max, v128.shuffle<f32>(max, max, 1, 0, 3, 2));
  return f32x4.extract_lane(max, 0);
}

/** Σ exp(x − max) over a row of n; the terms go to `out` unless it is 0. out may be x. */
export function sumExp(out: usize, x: usize, n: i32, max: f32): f32 {
  const top = f32x4.splat(max);
  let sum = f32x4.splat(0);
  const end = x + (<usize>(n & ~3) << 2);
  for (; x < end; x += 16) {
    const e = expBelow(f32x4.sub(v128.load(x), top));
    sum = f32x4.add(sum, e);
    if (out) {
      v128.store(out, e);
      out += 16;
    }
  }
  if (n & 3) {
    const e = expBelow(f32x4.sub(loadPart(x, n & 3, f32x4.splat(-Infinity)), top));
    sum = f32x4.add(sum, e);
    if (out) storePart(out, e, n & 3);
  }
  return sumLanes(sum);
}

/** out[n] *= factor. */
export function scaleRow(out: usize, n: i32, factor: f32): void {
  const s = f32x4.splat(factor);
  const end = out + (<usize>(n & ~3) << 2);
  for (; out < end; out += 16) v128.store(out, f32x4.mul(v128.load(out), s));
  if (n & 3) storePart(out, f32x4.mul(loadPart(out, n & 3, s), s), n & 3);
}

/** out[n] = x − first − second. */
function subtractTwo(out: usize, x: usize, n: i32, first: f32, second: f32): void {
  const a = f32x4.splat(first);
  const b = f32x4.splat(second);
  const end = x + (<usize>(n & ~3) << 2);
  for (; x < end; x += 16, out += 16) v128.store(out, f32x4.sub(f32x4.sub(v128.load(x), a), b));
  if (n & 3) storePart(out, f32x4.sub(f32x4.sub(loadPart(x, n & 3, a), a), b), n & 3);
}

/** Σ x over a row of n. */
export function sumRow(x: usize, n: i32): f32 {
  // Four chains: one would wait for each sum before it takes the next.
  const zero = f32x4.splat(0);
  let a = zero;
  let b = zero;
  let c = zero;
  let d = zero;
  const stop = x + (<usize>(n & ~15) << 2);
  for (; x < stop; x += 64) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
  }
  for (let left = n & 15; left > 0; left -= 4, x += 16) a = f32x4.add(a, loadPart(x, left));
  return sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/** Σ x·y over rows of n. */
function dotRows(x: usize, y: usize, n: i32): f32 {
  const zero = f32x4.splat(0);
  let a = zero;
  let b = zero;
  const stop = x + (<usize>(n & ~7) << 2);
  for (; x < stop; x += 32, y += 32) {
    a = fma(v128.load(x), v128.load(y), a);
    b = fma(v128.load(x, 16), v128.load(y, 16), b);
  }
  if (n & 4) {
    a = fma(v128.load(x), v128.load(y), a);
    x += 16;
    y += 16;
  }
  if (n & 3) b = fma(loadPart(x, n & 3), loadPart(y, n & 3), b);
  return sumLanes(f32x4.add(a, b));
}

/** dx[n] = y·(dy − total). */
function softmaxGradRow(dx: usize, y: usize, dy: usize, n: i32, total: f32): void {
  const dot = f32x4.splat(total);
  const end = y + (<usize>(n & ~3) << 2);
  for (; y < end; y += 16, dy += 16, dx += 16) {
    v128.store(dx, f32x4.mul(v128.load(y), f32x4.sub(v128.load(dy), dot)));
  }
  if (n & 3) {
    const part = f32x4.mul(loadPart(y, n & 3, dot), f32x4.sub(loadPart(dy, n & 3, dot), dot));
    storePart(dx, part, n & 3);
  }
}

/** dx[n] = dy − exp(y)·total. */
function logSoftmaxGradRow(dx: usize, y: usize, dy: usize, n: i32, total: f32): void {
  const sum = f32x4.splat(total);
  const end = y + (<usize>(n & ~3) << 2);
  for (; y < end; y += 16, dy += 16, dx += 16) {
    v128.store(dx, nfma(expBelow(v128.load(y)), sum, v128.load(dy)));
  }
  if (n & 3) {
    const part = nfma(expBelow(loadPart(y, n & 3, sum)), sum, loadPart(dy, n & 3, sum));
    storePart(dx, part, n & 3);
  }
}
