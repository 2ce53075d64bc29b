// OP_CONV_DW: the gradient of a convolution's filter: dw[o, (c, tap)] = Σ over images and pixels of dy·shifted x.
//
//   for each block of output channels
//     for each block of pixels (a strip of rows of one image, or several whole images)   sums continue in dw
//       dy copied with rows padded to quads
//       for each block of channels: windows copied; every 6 (c, tap) meet every 2 output channels
import { STATUS_OK } from '../../abi';
import { operand, shareStart } from '../../program';
import { loadTail } from '../../tail';
import { DOT_COLUMNS, SUMS_BYTES, convDot, gatherSums } from './dot';
import { plainDw } from './plain';
import { Shape, holdsWindow, readShape } from './shape';
import {
  COPY_BYTES, MAX_TAPS, Window, addColTap, addRowTap, chooseWidth, clearTaps, copyWindow, pixelOffset, planeBytes,
  tapOffset,
} from './window';

/** Quads of a block of pixels: 4 KiB of a row of dy, so that rows and windows stay in L1. */
const QUADS_AIM: i32 = 256;
/** Output channels of a block: 1 MiB of dy at most. */
const ROWS: i32 = 192;
/** Most (channel, tap) pairs of a block. */
const MAX_COLUMNS: i32 = 16384;

// A thread's scratch.
const SUMS: usize = 768;
const TAPS: usize = 1024;
const COLUMNS: usize = TAPS + <usize>MAX_TAPS * 16;
const QUADS: usize = COLUMNS + <usize>MAX_COLUMNS * 4;
const DY: usize = QUADS + 4096;
const COPY: usize = DY + <usize>ROWS * QUADS_AIM * 16 + 64;

// @ts-ignore: decorator
@unmanaged
class Gradient extends Window {
  scratch: usize;
  dw: usize;
  /** Bytes from an output channel's filter to the next. */
  rowW: usize;
  dy: usize;
  imageY: usize;
  planeY: usize;
  ow: i32;
  images: i32;
  nTaps: i32;
  // This thread's share.
  o0: i32;
  o1: i32;
  c0: i32;
  c1: i32;
  // The block at hand: nImages × nRows × nQuads quads; channels at once.
  nImages: i32;
  nRows: i32;
  nQuads: i32;
  nChannels: i32;
}

/**
 * dw[O,C/G,KH,KW] from x[N,C,H,W] and dy[N,O,OH,OW]; words as in abi.ts. Any alignment; dw overlaps nothing.
 * 2·N·O·OH·OW·C/G·KH·KW FLOPs. Pixels are summed in an order that the shape alone decides.
 */
export function convDw(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  const d = changetype<Gradient>(scratch + 256);
  const dw = operand(ins, table, 1), x = operand(ins, table, 2), dy = operand(ins, table, 3);
  if (!holdsWindow(s)) {
    plainDw(s, dw, x, dy, thread, threads);
    return STATUS_OK;
  }
  d.scratch = scratch;
  describe(d, s);
  chooseBlock(d);
  const m = s.o / s.groups;
  let g0 = 0, g1 = s.groups;
  d.o0 = d.c0 = 0;
  d.o1 = m;
  d.c1 = d.channels;
  if (s.groups % threads == 0 || s.groups >= 4 * threads) {
    g0 = shareStart(s.groups, thread, threads, 1);
    g1 = shareStart(s.groups, thread + 1, threads, 1);
  } else if (d.channels % threads == 0 || d.channels > m) {
    d.c0 = shareStart(d.channels, thread, threads, 1);
    d.c1 = shareStart(d.channels, thread + 1, threads, 1);
  } else {
    d.o0 = shareStart(m, thread, threads, 2);
    d.o1 = shareStart(m, thread + 1, threads, 2);
  }
  if (d.c0 == d.c1) return STATUS_OK;
  for (let g = g0; g < g1; g++) {
    d.dw = dw + <usize>(g * m) * d.rowW;
    d.x = x + <usize>(g * d.channels) * d.planeX;
    d.dy = dy + <usize>(g * m) * d.planeY;
    for (let o = d.o0; o < d.o1; o += ROWS) rowsOfFilters(d, o, min(o + ROWS, d.o1));
  }
  return STATUS_OK;
}

function describe(d: Gradient, s: Shape): void {
  d.images = s.n;
  d.channels = s.c / s.groups;
  d.h = s.h;
  d.w = s.w;
  d.planeX = <usize>(s.h * s.w) << 2;
  d.imageX = d.planeX * <usize>s.c;
  d.gridH = s.oh;
  d.gridW = d.ow = s.ow;
  d.planeY = <usize>(s.oh * s.ow) << 2;
  d.imageY = d.planeY * <usize>s.o;
  d.stepH = s.strideH;
  d.stepW = s.strideW;
  clearTaps(d, d.scratch + TAPS);
  for (let i = 0; i < s.kh; i++) addRowTap(d, i * s.dilationH - s.padH, i * s.kw);
  for (let j = 0; j < s.kw; j++) addColTap(d, j * s.dilationW - s.padW, j);
  d.nTaps = s.kh * s.kw;
  d.rowW = <usize>(d.channels * d.nTaps) << 2;
}

/** Sizes of a block of pixels, by shape alone. */
function chooseBlock(d: Gradient): void {
  chooseWidth(d);
  const perRow = d.width >> 2;
  d.nRows = max(1, min(d.gridH, QUADS_AIM / perRow));
  while (d.nRows > 1 && planeBytes(d, d.nRows) > COPY_BYTES) d.nRows = (d.nRows + 1) >> 1;
  d.planeBytes = planeBytes(d, d.nRows);
  d.nImages = 1;
  if (d.nRows == d.gridH && d.width >= d.gridW) {
    const fit = <i32>(COPY_BYTES / d.planeBytes);
    d.nImages = max(1, min(min(d.images, fit), QUADS_AIM / (perRow * d.nRows)));
  }
  const fit = <i32>(COPY_BYTES / (d.planeBytes * <usize>d.nImages));
  d.nChannels = max(1, min(fit, MAX_COLUMNS / d.nTaps));
}

/** Filters of output channels [o0, o1): block after block of pixels is added to them. */
function rowsOfFilters(d: Gradient, o0: i32, o1: i32): void {
  clear(d, o0, o1);
  for (let j = 0; j < d.gridW; j += d.width) {
    const width = min(d.width, d.gridW - j);
    const perRow = (width + 3) >> 2;
    for (let i = 0; i < d.gridH; i += d.nRows) {
      const rows = min(d.nRows, d.gridH - i);
      for (let n = 0; n < d.images; n += d.nImages) {
        const images = min(d.nImages, d.images - n);
        d.nQuads = images * rows * perRow;
        copyDy(d, o0, o1, n, images, i, rows, j, width);
        for (let c = d.c0; c < d.c1; c += d.nChannels) {
          const channels = min(d.nChannels, d.c1 - c);
          const imageBytes = d.planeBytes * <usize>channels;
          let copy = d.scratch + COPY;
          for (let k = 0; k < images; k++, copy += imageBytes) {
            copyWindow(d, copy, d.x + <usize>(n + k) * d.imageX, c, c + channels, i, j, rows);
          }
          listColumns(d, channels);
          listQuads(d, images, rows, perRow, imageBytes);
          tiles(d, o0, o1, c, channels);
        }
      }
    }
  }
}

/** Zeros in this thread's part of dw: every block adds. */
function clear(d: Gradient, o0: i32, o1: i32): void {
  const bytes = <usize>((d.c1 - d.c0) * d.nTaps) << 2;
  for (let o = o0; o < o1; o++) {
    memory.fill(d.dw + <usize>o * d.rowW + (<usize>(d.c0 * d.nTaps) << 2), 0, bytes);
  }
}

/**
 * dy of the block as [pair of o][image, row, quad][2][4], rows filled up with zeros: those pixels must add nothing.
 * The second of an odd last pair is left as it is.
 */
function copyDy(d: Gradient, o0: i32, o1: i32, n: i32, images: i32, i: i32, rows: i32, j: i32, width: i32): void {
  for (let o = o0; o < o1; o++) {
    let dst = pairOfDy(d, (o - o0) >> 1) + (<usize>((o - o0) & 1) << 4);
    for (let k = n; k < n + images; k++) {
      let src = d.dy + <usize>k * d.imageY + <usize>o * d.planeY + (<usize>(i * d.ow + j) << 2);
      for (let r = 0; r < rows; r++, src += <usize>d.ow << 2) {
        let p = src;
        const end = src + (<usize>width << 2);
        for (; p + 16 <= end; p += 16, dst += 32) v128.store(dst, v128.load(p));
        if (p < end) {
          v128.store(dst, loadTail(p, <i32>(end - p) >> 2));
          dst += 32;
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function pairOfDy(d: Gradient, pair: i32): usize {
  return d.scratch + DY + <usize>(pair * d.nQuads) * 32;
}

/** Addresses of every (channel, tap) of the copy. */
function listColumns(d: Gradient, channels: i32): void {
  const copy = d.scratch + COPY;
  let at = d.scratch + COLUMNS;
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < d.nRowTaps; r++) {
      for (let q = 0; q < d.nColTaps; q++, at += 4) store<u32>(at, <u32>(copy + tapOffset(d, c, r, q)));
    }
  }
}

function listQuads(d: Gradient, images: i32, rows: i32, perRow: i32, imageBytes: usize): void {
  let at = d.scratch + QUADS;
  for (let k = 0; k < images; k++) {
    for (let i = 0; i < rows; i++) {
      for (let q = 0; q < perRow; q++, at += 4) {
        store<u32>(at, <u32>(<usize>k * imageBytes + pixelOffset(d, i, q << 2)));
      }
    }
  }
}

/** Columns (channel, tap) in tiles of nearly equal width, 4 to 6, so that none is short and wasteful. */
function tiles(d: Gradient, o0: i32, o1: i32, c: i32, channels: i32): void {
  const columns = channels * d.nTaps;
  const count = (columns + DOT_COLUMNS - 1) / DOT_COLUMNS;
  for (let t = 0; t < count; t++) {
    const j = <i32>((<i64>columns * t) / count);
    const nj = <i32>((<i64>columns * (t + 1)) / count) - j;
    const dw = d.dw + (<usize>(c * d.nTaps + j) << 2);
    for (let o = o0; o < o1; o += 2) tile(d, dw, o, o0, o1, j, nj);
  }
}

function tile(d: Gradient, dw: usize, o: i32, o0: i32, o1: i32, j: i32, nj: i32): void {
  const s = d.scratch;
  const y = pairOfDy(d, (o - o0) >> 1);
  convDot(max(4, nj), d.nQuads, y, s + QUADS, s + COLUMNS + (<usize>j << 2), nj, s + SUMS);
  const row = dw + <usize>o * d.rowW;
  gatherSums(row, s + SUMS, nj);
  if (o + 1 < o1) gatherSums(row + d.rowW, s + SUMS + SUMS_BYTES / 2, nj);
}
