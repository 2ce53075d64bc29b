// A window on an image: a zero-padded copy of the rows and channels at hand, laid out so that every tap of every
// pixel is a plain load.
//
// Pixel (i, j) of a grid meets tap (r, q) at source row i·stepH + row(r), column j·stepW + col(q). The copy holds each
// source row as stepW phases, phase f being every stepW-th column from f on. So for a given tap, four neighbours of
// the grid are four neighbours in memory whatever the stride, and the place of (channel, tap) is one offset that
// all pixels share. That replaces im2col: where the column matrix repeats a pixel once a tap, the copy holds it once.

/** Most taps of a filter. */
export const MAX_TAPS: i32 = 4096;
/** Widest strip of the grid taken at once; a multiple of 4. */
const WIDTH: i32 = 512;
const MIN_WIDTH: i32 = 8;
/** Bytes a copy may take, and what it takes where it has the choice (it should stay in the L2 cache). */
export const COPY_BYTES: usize = 2359296;
const COPY_AIM: usize = 393216;

// @ts-ignore: decorator
@unmanaged
export class Window {
  /** float32 [image][channel][h][w]; strides in bytes. */
  x: usize;
  imageX: usize;
  planeX: usize;
  h: i32;
  w: i32;
  /** Channels of one group. */
  channels: i32;
  gridH: i32;
  gridW: i32;
  stepH: i32;
  stepW: i32;
  /** Tables of (source row or column, element of the filter), int32: a tap is a row of one with a row of the other. */
  rowTaps: usize;
  colTaps: usize;
  nRowTaps: i32;
  nColTaps: i32;
  rowMin: i32;
  rowMax: i32;
  colMin: i32;
  colMax: i32;
  // The copy: [channel][row][phase][phaseLen].
  width: i32;
  phaseLen: i32;
  rowBytes: usize;
  planeBytes: usize;
}

/** Forgets the taps; the tables take MAX_TAPS × 16 bytes at `tables`. */
export function clearTaps(v: Window, tables: usize): void {
  v.rowTaps = tables;
  v.colTaps = tables + <usize>MAX_TAPS * 8;
  v.nRowTaps = v.nColTaps = 0;
  v.rowMin = v.colMin = i32.MAX_VALUE;
  v.rowMax = v.colMax = i32.MIN_VALUE;
}

export function addRowTap(v: Window, row: i32, element: i32): void {
  const at = v.rowTaps + (<usize>v.nRowTaps << 3);
  v.nRowTaps++;
  store<i32>(at, row);
  store<i32>(at, element, 4);
  v.rowMin = min(v.rowMin, row);
  v.rowMax = max(v.rowMax, row);
}

export function addColTap(v: Window, col: i32, element: i32): void {
  const at = v.colTaps + (<usize>v.nColTaps << 3);
  v.nColTaps++;
  store<i32>(at, col);
  store<i32>(at, element, 4);
  v.colMin = min(v.colMin, col);
  v.colMax = max(v.colMax, col);
}

/**
 * Whether a copy can hold the window of one quad, and tables its taps: `rowReach` and `colReach` are the distances
 * from the first row and column of the source that it meets to the last. Otherwise the kernels of plain.ts serve.
 */
export function holds(taps: i64, rowReach: i64, colReach: i64, stepW: i64): bool {
  const row = (MIN_WIDTH + colReach / stepW) * stepW;
  return taps <= <i64>MAX_TAPS && row < 1 << 20 && (rowReach + 1) * row * 4 <= <i64>COPY_BYTES - 128;
}

/** Chooses the width of a strip, by shape alone. */
export function chooseWidth(v: Window): void {
  if (v.nRowTaps == 0) v.rowMin = v.rowMax = 0;
  if (v.nColTaps == 0) v.colMin = v.colMax = 0;
  v.width = min(WIDTH, max(4, (v.gridW + 3) & ~3));
  while (true) {
    v.phaseLen = v.width + (v.colMax - v.colMin) / v.stepW;
    v.rowBytes = <usize>(v.phaseLen * v.stepW) << 2;
    if (v.width <= MIN_WIDTH || (planeBytes(v, 1) <= COPY_BYTES && v.phaseLen * v.stepW < 1 << 20)) return;
    v.width = (v.width / 2 + 3) & ~3;
  }
}

/** Bytes from a channel to the next with `rows` rows of the grid: an odd number of cache lines, so that channels do
 * not all fall on the same few sets of the cache. */
export function planeBytes(v: Window, rows: i32): usize {
  const lines = (<usize>sourceRows(v, rows) * v.rowBytes + 63) >> 6;
  return (lines | 1) << 6;
}

/** Most channels of a copy that is at least one row of the grid high. */
export function mostChannels(v: Window): i32 {
  return max<i32>(1, <i32>(COPY_BYTES / planeBytes(v, 1)));
}

/** Rows of the grid to copy at once, for so many planes: an even number that fits in the aim, or 1. */
export function chooseRows(v: Window, planes: i32, most: i32): i32 {
  let rows = (most + 1) & ~1;
  while (rows > 1 && planeBytes(v, rows) * <usize>planes > COPY_AIM) rows = rows == 2 ? 1 : ((rows >> 1) + 1) & ~1;
  return rows;
}

function sourceRows(v: Window, rows: i32): i32 {
  return (rows - 1) * v.stepH + v.rowMax - v.rowMin + 1;
}

/** Byte offset of tap (r, q) in channel c of the copy, seen from a pixel. */
export function tapOffset(v: Window, c: i32, r: i32, q: i32): usize {
  const row = load<i32>(v.rowTaps + (<usize>r << 3)) - v.rowMin;
  const col = load<i32>(v.colTaps + (<usize>q << 3)) - v.colMin;
  const phase = (col % v.stepW) * v.phaseLen + col / v.stepW;
  return <usize>c * v.planeBytes + <usize>row * v.rowBytes + (<usize>phase << 2);
}

/** Byte offset of grid pixel (i, j) of the copy. */
// @ts-ignore: decorator
@inline
export function pixelOffset(v: Window, i: i32, j: i32): usize {
  return <usize>(i * v.stepH) * v.rowBytes + (<usize>j << 2);
}

/**
 * Copies channels [c0, c1) of the image at x, for `rows` rows of the grid from (i0, j0) on. Everything outside the
 * image is zero. Writes up to 12 bytes past the last row, reads nothing outside the image.
 */
export function copyWindow(v: Window, dst: usize, x: usize, c0: i32, c1: i32, i0: i32, j0: i32, rows: i32): void {
  const top = i0 * v.stepH + v.rowMin;
  const left = j0 * v.stepW + v.colMin;
  const n = sourceRows(v, rows);
  for (let c = c0; c < c1; c++) {
    const plane = x + <usize>c * v.planeX;
    let row = dst;
    for (let r = top; r < top + n; r++) {
      const src = plane + (<usize>(r * v.w) << 2);
      if (r < 0 || r >= v.h) fillZero(row, row + v.rowBytes);
      else if (v.stepW == 1) copyRow(row, v.phaseLen, src, v.w, left);
      else copyPhases(row, v.phaseLen, v.stepW, src, v.w, left);
      row += v.rowBytes;
    }
    dst += v.planeBytes;
  }
}

/** n floats of the row from column `left` on, zeros where it has none. */
function copyRow(dst: usize, n: i32, src: usize, w: i32, left: i32): void {
  const from = min(max(-left, 0), n);
  const to = max(from, min(w - left, n));
  const start = dst + (<usize>from << 2);
  const end = dst + (<usize>to << 2);
  fillZero(dst, start);
  src += <usize>(left << 2);
  let p = start;
  src += p - dst;
  for (; p + 16 <= end; p += 16, src += 16) v128.store(p, v128.load(src));
  for (; p < end; p += 4, src += 4) store<u32>(p, load<u32>(src));
  fillZero(end, dst + (<usize>n << 2));
}

/** The same for every phase of a row whose step is `step`. */
function copyPhases(dst: usize, n: i32, step: i32, src: usize, w: i32, left: i32): void {
  for (let f = 0; f < step; f++, dst += <usize>n << 2) {
    const col = left + f;
    const from = min(n, firstAtLeast(-col, step));
    const to = max(from, min(n, firstAtLeast(w - col, step)));
    fillZero(dst, dst + (<usize>from << 2));
    copyEvery(dst + (<usize>from << 2), to - from, src, col + from * step, step, w);
    fillZero(dst + (<usize>to << 2), dst + (<usize>n << 2));
  }
}

/** n floats of the row, every `step`-th from column `col` on, all of them there. */
function copyEvery(dst: usize, n: i32, src: usize, col: i32, step: i32, w: i32): void {
  const stride = <usize>step << 2;
  let p = src + (<usize>col << 2);
  if (step == 2) {
    // Eight columns are read for four: not past the end of the row.
    for (const last = src + (<usize>w << 2) - 32; n >= 4 && p <= last; n -= 4, dst += 16, p += 32) {
      v128.store(dst, v128.shuffle<f32>(v128.load(p), v128.load(p, 16), 0, 2, 4, 6));
    }
  }
  for (; n > 0; --n, dst += 4, p += stride) store<u32>(dst, load<u32>(p));
}

/** The smallest t ≥ 0 with t·step ≥ x. */
// @ts-ignore: decorator
@inline
export function firstAtLeast(x: i32, step: i32): i32 {
  return x > 0 ? (x - 1) / step + 1 : 0;
}

/** Zeros from p to end; up to 12 bytes more, which whoever writes in rising order overwrites. */
function fillZero(p: usize, end: usize): void {
  const zero = i32x4.splat(0);
  for (; p < end; p += 16) v128.store(p, zero);
}
