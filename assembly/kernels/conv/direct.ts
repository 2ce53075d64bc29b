// Convolution of a window with a packed filter: the loops that the forward pass and the input gradient share.
//
//   for each block of channels (≤ KC of k)      sums continue in C from block to block
//     for each block of output channels         its filters packed into panels [k][6]
//       for each band of rows of the grid       offsets of k and quads of pixels, the same for all images
//         for each image                        its window copied
//           for each two quads                  the B side, in L1
//             for each 6 output channels        one micro-kernel
//
// k runs over (row of taps, channel, column of taps): the rows of taps that fall outside the image above or below a
// tile are then a prefix or suffix of k, and are left out.
import { shareStart } from '../../program';
import { activate } from '../activate';
import { STEP, packFilter } from './filter';
import { MR, START_BIAS, START_C, START_ZERO, convMicro } from './micro';
import {
  MAX_TAPS, Window, chooseRows, chooseWidth, copyWindow, mostChannels, pixelOffset, planeBytes, tapOffset,
} from './window';

/** Aim for the depth of a block of k: 6 rows of the filter (15 KiB) and the pixels of a tile stay in L1. */
const KC: i32 = 640;
/** Bytes of packed filters used at once, in L2. */
const FILTER_BYTES: i32 = 524288;
/** Most quads of a band. */
const MAX_QUADS: i32 = 4096;
/** Quads times depth of a block of tiles: 16 KiB of pixels, in L1. */
const QUADS_DEPTH: i32 = 1024;
/** Bytes of a quad's entry: offset in the window, offset in the output, pixels that count, first and last k: int32. */
const QUAD: usize = 20;

// A thread's scratch.
const TILE: usize = 768;
export const TAPS: usize = 1024;
const OFFSETS: usize = TAPS + <usize>MAX_TAPS * 16;
const QUADS: usize = OFFSETS + <usize>MAX_TAPS * 4;
const FILTERS: usize = QUADS + <usize>MAX_QUADS * QUAD + 64;
const COPY: usize = FILTERS + <usize>FILTER_BYTES + 131072;

// @ts-ignore: decorator
@unmanaged
export class Direct extends Window {
  scratch: usize;
  /** Filters: (m, channel, tap) at filter + m·rowF + channel·channelF + 4·(element of row + of column), in bytes. */
  filter: usize;
  rowF: usize;
  channelF: usize;
  /** Output channels of one group. */
  m: i32;
  /** Pixel (i, j) of the grid at out + i·rowOut + j·pixelOut, in bytes. */
  out: usize;
  imageOut: usize;
  planeOut: usize;
  rowOut: usize;
  pixelOut: usize;
  bias: usize;
  act: i32;
  images: i32;
  // This thread's share of the output.
  n0: i32;
  n1: i32;
  i0: i32;
  i1: i32;
  m0: i32;
  m1: i32;
}

/** Cuts the output between threads: by images, else by channels where filters outweigh the image, else by rows. */
export function share(d: Direct, thread: i32, threads: i32): void {
  d.n0 = d.i0 = d.m0 = 0;
  d.n1 = d.images;
  d.i1 = d.gridH;
  d.m1 = d.m;
  const heavy = <i64>d.m * d.nRowTaps * d.nColTaps > <i64>d.h * d.w;
  if (d.images % threads == 0 || d.images >= 4 * threads) {
    d.n0 = shareStart(d.images, thread, threads, 1);
    d.n1 = shareStart(d.images, thread + 1, threads, 1);
  } else if (d.gridH < 2 * threads || (heavy && d.m >= 2 * MR * threads)) {
    d.m0 = shareStart(d.m, thread, threads, MR);
    d.m1 = shareStart(d.m, thread + 1, threads, MR);
  } else {
    // Two rows at a time, as in `strip`: which quads share a tile must not depend on the number of threads.
    d.i0 = shareStart(d.gridH, thread, threads, 2);
    d.i1 = shareStart(d.gridH, thread + 1, threads, 2);
  }
}

/** This thread's share of one group. */
export function direct(d: Direct): void {
  chooseWidth(d);
  if (d.n0 >= d.n1 || d.i0 >= d.i1 || d.m0 >= d.m1) return;
  const nTaps = d.nRowTaps * d.nColTaps;
  const most = min(max(1, KC / max(1, nTaps)), mostChannels(d));
  const blocks = (d.channels + most - 1) / most;
  const channels = (d.channels + blocks - 1) / blocks;
  for (let j = 0; j < d.gridW; j += d.width) {
    for (let c = 0; c < d.channels; c += channels) {
      const kc = min(channels, d.channels - c) * nTaps;
      const rows = max(1, FILTER_BYTES / (max(1, kc) * <i32>STEP)) * MR;
      for (let m = d.m0; m < d.m1; m += rows) strip(d, j, c, min(channels, d.channels - c), m, min(rows, d.m1 - m));
    }
  }
}

/** Columns from j on, channels c … c + nc − 1, output channels m … m + mc − 1, all rows and images. */
function strip(d: Direct, j: i32, c: i32, nc: i32, m: i32, mc: i32): void {
  const width = min(d.width, d.gridW - j);
  const quadsPerRow = (width + 3) >> 2;
  const rows = chooseRows(d, nc, min(d.i1 - d.i0, MAX_QUADS / quadsPerRow));
  const last = c + nc == d.channels;
  const start = c > 0 ? START_C : d.bias ? START_BIAS : START_ZERO;
  const corner = d.out + <usize>m * d.planeOut + <usize>j * d.pixelOut;
  const filter = d.filter + <usize>m * d.rowF + <usize>c * d.channelF;
  packFilter(d, d.scratch + FILTERS, filter, d.rowF, d.channelF, mc, nc);
  d.planeBytes = planeBytes(d, rows);
  listOffsets(d, nc);
  for (let i = d.i0; i < d.i1; i += rows) {
    const n = min(rows, d.i1 - i);
    listQuads(d, i, n, width, nc * d.nColTaps);
    for (let image = d.n0; image < d.n1; image++) {
      copyWindow(d, d.scratch + COPY, d.x + <usize>image * d.imageX, c, c + nc, i, j, n);
      const out = corner + <usize>image * d.imageOut + <usize>i * d.rowOut;
      tiles(d, out, n * quadsPerRow, nc * d.nRowTaps * d.nColTaps, m, mc, start);
      if (last && d.act) activateBand(d, out, mc, n, width);
    }
  }
}

/** offsets[k] for k = (row of taps, channel, column of taps). */
function listOffsets(d: Direct, nc: i32): void {
  let at = d.scratch + OFFSETS;
  for (let r = 0; r < d.nRowTaps; r++) {
    for (let c = 0; c < nc; c++) {
      for (let q = 0; q < d.nColTaps; q++, at += 4) store<u32>(at, <u32>tapOffset(d, c, r, q));
    }
  }
}

/** Entries of `rows` rows of the grid from row i on; `depth`: k a row of taps. The last is there twice, to pair
 * an odd one with: a tile reads C before it writes, so it then writes the same values twice. */
function listQuads(d: Direct, i: i32, rows: i32, width: i32, depth: i32): void {
  let at = d.scratch + QUADS;
  for (let r = 0; r < rows; r++) {
    const first = at;
    listRange(d, (i + r) * d.stepH, depth, first);
    for (let j = 0; j < width; j += 4, at += QUAD) {
      store<u32>(at, <u32>pixelOffset(d, r, j));
      store<u32>(at, <u32>(<usize>r * d.rowOut + <usize>j * d.pixelOut), 4);
      store<i32>(at, min(4, width - j), 8);
      store<i32>(at, load<i32>(first, 12), 12);
      store<i32>(at, load<i32>(first, 16), 16);
    }
  }
  memory.copy(at, at - QUAD, QUAD);
}

/** The range of k whose rows of taps meet the image, seen from source row `top`; at least one row of taps. */
function listRange(d: Direct, top: i32, depth: i32, quad: usize): void {
  let r0 = 0, r1 = d.nRowTaps;
  while (r0 + 1 < r1 && outside(d, top, r0)) r0++;
  while (r0 + 1 < r1 && outside(d, top, r1 - 1)) r1--;
  store<i32>(quad, r0 * depth, 12);
  store<i32>(quad, r1 * depth, 16);
}

function outside(d: Direct, top: i32, r: i32): bool {
  const row = top + load<i32>(d.rowTaps + (<usize>r << 3));
  return row < 0 || row >= d.h;
}

/** A few quads at a time meet all output channels: as many as L1 holds, so that lines of the output are filled at once. */
function tiles(d: Direct, out: usize, nQuads: i32, depth: i32, m: i32, mc: i32, start: i32): void {
  const block = max(2, (QUADS_DEPTH / max(1, depth)) & ~1);
  for (let q = 0; q < nQuads; q += block) {
    const end = min(q + block, nQuads);
    let panel = d.scratch + FILTERS;
    for (let i = 0; i < mc; i += MR) {
      const c = out + <usize>i * d.planeOut;
      const bias = d.bias + (<usize>(m + i) << 2);
      for (let p = q; p < end; p += 2) {
        pair(d, d.scratch + QUADS + <usize>p * QUAD, min(MR, mc - i), panel, c, start, bias);
      }
      panel += <usize>depth * STEP;
    }
  }
}

/** Two quads with up to six output channels. */
function pair(d: Direct, quad: usize, mr: i32, panel: usize, c: usize, start: i32, bias: usize): void {
  const x = d.scratch + COPY;
  const xA = x + <usize>load<u32>(quad), xB = x + <usize>load<u32>(quad, QUAD);
  const oA = <usize>load<u32>(quad, 4), oB = <usize>load<u32>(quad, QUAD + 4);
  const whole = d.pixelOut == 4 && load<i32>(quad, 8) == 4 && load<i32>(quad, QUAD + 8) == 4;
  const k0 = min(load<i32>(quad, 12), load<i32>(quad, QUAD + 12));
  const kc = max(load<i32>(quad, 16), load<i32>(quad, QUAD + 16)) - k0;
  const offsets = d.scratch + OFFSETS + (<usize>k0 << 2);
  panel += <usize>k0 * STEP;
  if (whole) convMicro(mr, kc, panel, offsets, xA, xB, c + oA, c + oB, d.planeOut, start, bias);
  else edge(d, quad, mr, kc, panel, offsets, xA, xB, c, start, bias);
}

/** A tile with partial quads, or of an output whose pixels are not neighbours: by way of scratch. */
function edge(
  d: Direct, quad: usize, mr: i32, kc: i32, panel: usize, offsets: usize, xA: usize, xB: usize, c: usize,
  start: i32, bias: usize,
): void {
  const tile = d.scratch + TILE;
  const nA = load<i32>(quad, 8), nB = load<i32>(quad, QUAD + 8);
  const cA = c + <usize>load<u32>(quad, 4), cB = c + <usize>load<u32>(quad, QUAD + 4);
  if (start == START_C) {
    for (let i = 0; i < mr; i++) {
      const row = tile + (<usize>i << 5), at = <usize>i * d.planeOut;
      for (let l = 0; l < nA; l++) store<f32>(row + (<usize>l << 2), load<f32>(cA + at + <usize>l * d.pixelOut));
      for (let l = 0; l < nB; l++) store<f32>(row + (<usize>l << 2), load<f32>(cB + at + <usize>l * d.pixelOut), 16);
    }
  }
  convMicro(mr, kc, panel, offsets, xA, xB, tile, tile + 16, 32, start, bias);
  for (let i = 0; i < mr; i++) {
    const row = tile + (<usize>i << 5), at = <usize>i * d.planeOut;
    for (let l = 0; l < nA; l++) store<f32>(cA + at + <usize>l * d.pixelOut, load<f32>(row + (<usize>l << 2)));
    for (let l = 0; l < nB; l++) store<f32>(cB + at + <usize>l * d.pixelOut, load<f32>(row + (<usize>l << 2), 16));
  }
}

function activateBand(d: Direct, out: usize, mc: i32, rows: i32, width: i32): void {
  for (let i = 0; i < mc; i++) {
    const plane = out + <usize>i * d.planeOut;
    if (width == d.gridW) activate(plane, rows * width, d.act);
    else for (let r = 0; r < rows; r++) activate(plane + <usize>r * d.rowOut, width, d.act);
  }
}
