// Layer normalisation and its gradients with FLAG_F64, by rows. NaN or ±∞ in a row makes all of it NaN.
import { STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { rowGrain } from '../rows';

// @ts-ignore: decorator
@inline
function get(row: usize, i: i32): f64 {
  return load<f64>(row + (<usize>i << 3));
}
// @ts-ignore: decorator
@inline
function put(row: usize, i: i32, x: f64): void {
  store<f64>(row + (<usize>i << 3), x);
}

function meanOf(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += get(x, i);
  return sum / n;
}

/** 1/√(variance + eps), from differences to the mean. */
function scaleOf(x: usize, n: i32, mean: f64, eps: f64): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    const d = get(x, i) - mean;
    sum += d * d;
  }
  return 1 / sqrt<f64>(sum / n + eps);
}

/** OP_LAYER_NORM. out may be x. */
export function layerNorm64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 5), cols = word(ins, 6), eps = load<f64>(operand(ins, table, 7));
  const w = operand(ins, table, 3), b = operand(ins, table, 4);
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  for (let row = shareStart(rows, thread, threads, rowGrain(cols)); row < end; row++) {
    const offset = <usize>(row * cols) << 3;
    const out = operand(ins, table, 1) + offset, x = operand(ins, table, 2) + offset;
    const mean = meanOf(x, cols), scale = scaleOf(x, cols, mean, eps);
    for (let i = 0; i < cols; i++) {
      let y = (get(x, i) - mean) * scale;
      if (w) y *= get(w, i);
      if (b) y += get(b, i);
      put(out, i, y);
    }
  }
  return STATUS_OK;
}

/** OP_LAYER_NORM_GRAD. A thread takes whole slices, so the sums are the same for any number of threads. */
export function layerNormGrad64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 7), cols = word(ins, 8), eps = load<f64>(operand(ins, table, 9)), slices = word(ins, 10);
  const height = (rows + slices - 1) / slices, rowBytes = <usize>cols << 3;
  const dx = operand(ins, table, 1), dw = operand(ins, table, 2), db = operand(ins, table, 3);
  const x = operand(ins, table, 4), dy = operand(ins, table, 5), w = operand(ins, table, 6);
  const last = shareStart(slices, thread + 1, threads, 1);
  for (let slice = shareStart(slices, thread, threads, 1); slice < last; slice++) {
    const part = <usize>slice * rowBytes;
    if (dw) memory.fill(dw + part, 0, rowBytes);
    if (db) memory.fill(db + part, 0, rowBytes);
    const end = min((slice + 1) * height, rows);
    for (let row = slice * height; row < end; row++) {
      const at = <usize>row * rowBytes;
      gradientRow(dx ? dx + at : 0, dw ? dw + part : 0, db ? db + part : 0, x + at, dy + at, w, cols, eps);
    }
  }
  return STATUS_OK;
}

function gradientRow(dx: usize, dw: usize, db: usize, x: usize, dy: usize, w: usize, n: i32, eps: f64): void {
  const mean = meanOf(x, n), scale = scaleOf(x, n, mean, eps);
  let sum: f64 = 0, dot: f64 = 0;
  for (let i = 0; i < n; i++) {
    const d = get(dy, i), xHat = (get(x, i) - mean) * scale, g = w ? d * get(w, i) : d;
    sum += g;
    dot += g * xHat;
    if (dw) put(dw, i, get(dw, i) + d * xHat);
    if (db) put(db, i, get(db, i) + d);
  }
  if (!dx) return;
  const middle = sum / n, slope = dot / n;
  for (let i = 0; i < n; i++) {
    const g = w ? get(dy, i) * get(w, i) : get(dy, i);
    put(dx, i, (g - middle - (get(x, i) - mean) * scale * slope) * scale);
  }
}
