// Layer normalisation and its gradients, by rows.
//
// A row is read from memory once: the passes after the first find it in L1. So the gradient works mean and deviation
// out again, which costs less than keeping them would.
import { STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { fma, nfma } from '../simd';
import { loadPart, storePart } from '../tail';
import { addRun, rowGrain } from './rows';
import { sumLanes, sumRow } from './softmax';

/** OP_LAYER_NORM. x [rows, cols] → out, which may be x; any alignment. NaN or ±∞ in a row makes all of it NaN. */
export function layerNorm(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 5);
  const cols = word(ins, 6);
  const eps = reinterpret<f32>(word(ins, 7));
  const start = shareStart(rows, thread, threads, rowGrain(cols));
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  const rowBytes = <usize>cols << 2;
  let out = operand(ins, table, 1) + <usize>start * rowBytes;
  let x = operand(ins, table, 2) + <usize>start * rowBytes;
  const w = operand(ins, table, 3);
  const b = operand(ins, table, 4);
  for (let row = start; row < end; row++, out += rowBytes, x += rowBytes) {
    normalizeRow(out, x, w, b, cols, moments(x, cols, eps));
  }
  return STATUS_OK;
}

/**
 * OP_LAYER_NORM_GRAD. x, dy [rows, cols] → dx, which may be dy or x where nothing else is asked for; any alignment.
 * A thread takes whole slices, so the sums are the same for any number of threads.
 */
export function layerNormGrad(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 7);
  const cols = word(ins, 8);
  const eps = reinterpret<f32>(word(ins, 9));
  const slices = word(ins, 10);
  const height = (rows + slices - 1) / slices;
  const first = shareStart(slices, thread, threads, 1);
  const last = shareStart(slices, thread + 1, threads, 1);
  const rowBytes = <usize>cols << 2;
  const dx = operand(ins, table, 1);
  const dw = operand(ins, table, 2);
  const db = operand(ins, table, 3);
  const x = operand(ins, table, 4);
  const dy = operand(ins, table, 5);
  const w = operand(ins, table, 6);
  for (let slice = first; slice < last; slice++) {
    const part = <usize>slice * rowBytes;
    if (dw) memory.fill(dw + part, 0, rowBytes);
    if (db) memory.fill(db + part, 0, rowBytes);
    const end = min((slice + 1) * height, rows);
    for (let row = slice * height; row < end; row++) {
      const at = <usize>row * rowBytes;
      if (db) addRun(db + part, dy + at, cols);
      if (!dx && !dw) continue;
      const m = moments(x + at, cols, eps);
      if (dw) addProduct(dw + part, x + at, dy + at, cols, m);
      if (dx) gradientRow(dx + at, x + at, dy + at, w, cols, m);
    }
  }
  return STATUS_OK;
}

/**
 * Lane 0: the mean of a row of n; lane 1: 1/√(variance + eps). The variance is of differences from the mean, and what
 * rounding left of their sum corrects both, so a row far from 0 loses no digits.
 */
function moments(x: usize, n: i32, eps: f32): v128 {
  const share: f32 = 1 / <f32>n;
  const mean = sumRow(x, n) * share;
  const m = f32x4.splat(mean);
  const zero = f32x4.splat(0);
  let rest = zero;
  let more = zero;
  let a = zero;
  let b = zero;
  let c = zero;
  let d = zero;
  const stop = x + (<usize>(n & ~15) << 2);
  for (; x < stop; x += 64) {
    const e = f32x4.sub(v128.load(x), m);
    const f = f32x4.sub(v128.load(x, 16), m);
    const g = f32x4.sub(v128.load(x, 32), m);
    const h = f32x4.sub(v128.load(x, 48), m);
    rest = f32x4.add(rest, f32x4.add(e, f));
    more = f32x4.add(more, f32x4.add(g, h));
    a = fma(e, e, a);
    b = fma(f, f, b);
    c = fma(g, g, c);
    d = fma(h, h, d);
  }
  for (let left = n & 15; left > 0; left -= 4, x += 16) {
    const e = f32x4.sub(loadPart(x, left, m), m);
    rest = f32x4.add(rest, e);
    a = fma(e, e, a);
  }
  const shift = sumLanes(f32x4.add(rest, more)) * share;
  const squares = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  const variance = max<f32>(squares * share - shift * shift, 0);
  return f32x4.replace_lane(f32x4.splat(mean + shift), 1, 1 / sqrt<f32>(variance + eps));
}

// @ts-ignore: decorator
@inline
function meanOf(moments: v128): v128 {
  return v128.shuffle<f32>(moments, moments, 0, 0, 0, 0);
}
// @ts-ignore: decorator
@inline
function scaleOf(moments: v128): v128 {
  return v128.shuffle<f32>(moments, moments, 1, 1, 1, 1);
}

/** out[n] = (x − mean)·scale·w + b. */
function normalizeRow(out: usize, x: usize, w: usize, b: usize, n: i32, moments: v128): void {
  const mean = meanOf(moments);
  const scale = scaleOf(moments);
  const bytes = <usize>(n & ~3) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    let y = f32x4.mul(f32x4.sub(v128.load(x + i), mean), scale);
    if (w) y = f32x4.mul(y, v128.load(w + i));
    if (b) y = f32x4.add(y, v128.load(b + i));
    v128.store(out + i, y);
  }
  if (n & 3) {
    let y = f32x4.mul(f32x4.sub(loadPart(x + bytes, n & 3, mean), mean), scale);
    if (w) y = f32x4.mul(y, loadPart(w + bytes, n & 3));
    if (b) y = f32x4.add(y, loadPart(b + bytes, n & 3));
    storePart(out + bytes, y, n & 3);
  }
}

/** dw[n] += dy·(x − mean)·scale. */
function addProduct(dw: usize, x: usize, dy: usize, n: i32, moments: v128): void {
  const mean = meanOf(moments);
  const scale = scaleOf(moments);
  const end = dw + (<usize>(n & ~3) << 2);
  for (; dw < end; dw += 16, x += 16, dy += 16) {
    const y = f32x4.mul(f32x4.sub(v128.load(x), mean), scale);
    v128.store(dw, fma(y, v128.load(dy), v128.load(dw)));
  }
  if (n & 3) {
    const y = f32x4.mul(f32x4.sub(loadPart(x, n & 3, mean), mean), scale);
    storePart(dw, fma(y, loadPart(dy, n & 3), loadPart(dw, n & 3)), n & 3);
  }
}

/** dy·w of the elements i bytes in; dy where there is no w. */
// @ts-ignore: decorator
@inline
function gain(dy: usize, w: usize, i: usize): v128 {
  return w ? f32x4.mul(v128.load(dy + i), v128.load(w + i)) : v128.load(dy + i);
}

/** dx[n] = scale·(g − Σg/n − x̂·Σg·x̂/n), where g = dy·w and x̂ = (x − mean)·scale. */
function gradientRow(dx: usize, x: usize, dy: usize, w: usize, n: i32, moments: v128): void {
  const mean = meanOf(moments);
  const scale = scaleOf(moments);
  const zero = f32x4.splat(0);
  let sum = zero;
  let more = zero;
  let dot = zero;
  let rest = zero;
  const pairs = <usize>(n & ~7) << 2;
  for (let i: usize = 0; i < pairs; i += 32) {
    const g = gain(dy, w, i);
    const h = gain(dy, w, i + 16);
    sum = f32x4.add(sum, g);
    more = f32x4.add(more, h);
    dot = fma(g, f32x4.sub(v128.load(x + i), mean), dot);
    rest = fma(h, f32x4.sub(v128.load(x + i, 16), mean), rest);
  }
  const bytes = <usize>(n & ~3) << 2;
  if (n & 4) {
    const g = gain(dy, w, pairs);
    sum = f32x4.add(sum, g);
    dot = fma(g, f32x4.sub(v128.load(x + pairs), mean), dot);
  }
  const dyPart = loadPart(dy + bytes, n & 3);
  const gPart = w ? f32x4.mul(dyPart, loadPart(w + bytes, n & 3)) : dyPart;
  const xPart = f32x4.sub(loadPart(x + bytes, n & 3, mean), mean);
  sum = f32x4.add(f32x4.add(sum, gPart), more);
  dot = f32x4.add(fma(gPart, xPart, dot), rest);

  const share: f32 = 1 / <f32>n;
  const middle = f32x4.splat(sumLanes(sum) * share);
  const slope = f32x4.mul(f32x4.splat(sumLanes(dot) * share), f32x4.mul(scale, scale));
  for (let i: usize = 0; i < bytes; i += 16) {
    const d = f32x4.sub(v128.load(x + i), mean);
    v128.store(dx + i, f32x4.mul(nfma(d, slope, f32x4.sub(gain(dy, w, i), middle)), scale));
  }
  storePart(dx + bytes, f32x4.mul(nfma(xPart, slope, f32x4.sub(gPart, middle)), scale), n & 3);
}
