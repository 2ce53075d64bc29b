// Convolution of a window with a packed filter: the loops that the forward pass and the input gradient share.
//
//   for each block of channels (≤ KC of k)      sums continue in C from block to block
//     for each block of output channels         its filters packed into panels [k][6]
//       for each band of rows of the grid       offsets of k and quads of pixels, the same for all images
//         for each image                        its window copied
//           for each two quads                  the B side, in L1
//             for each 6 output channels        one micro-kernel
import { shareStart } from '../../program';
import { activate } from '../activate';
import { packA } from '../gemm/pack';
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

// A thread's scratch.
const TILE: usize = 768;
export const TAPS: usize = 1024;
const OFFSETS: usize = TAPS + <usize>MAX_TAPS * 12;
const QUADS: usize = OFFSETS + <usize>MAX_TAPS * 4;
const FILTERS: usize = QUADS + <usize>MAX_QUADS * 12 + 64;
const COPY: usize = FILTERS + <usize>FILTER_BYTES + 131072;

// @ts-ignore: decorator
@unmanaged
export class Direct extends Window {
  scratch: usize;
  /** Filters: element (m, channel, tap) at filter + m·rowF + channel·channelF + 4·element(tap), in bytes. */
  filter: usize;
  rowF: usize;
  channelF: usize;
  /** The taps are the filter's own, in its own order, so a row of it is contiguous. */
  inOrder: i32;
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

/** Cuts the output between threads: by images, else by output channels where filters outweigh the image, else by rows. */
export function share(d: Direct, thread: i32, threads: i32): void {
  d.n0 = d.i0 = d.m0 = 0;
  d.n1 = d.images;
  d.i1 = d.gridH;
  d.m1 = d.m;
  const heavy = <i64>d.m * d.nTaps > <i64>d.h * d.w;
  if (d.images % threads == 0 || d.images >= 4 * threads) {
    d.n0 = shareStart(d.images, thread, threads, 1);
    d.n1 = shareStart(d.images, thread + 1, threads, 1);
  } else if (d.gridH < threads || (heavy && d.m >= 2 * MR * threads)) {
    d.m0 = shareStart(d.m, thread, threads, MR);
    d.m1 = shareStart(d.m, thread + 1, threads, MR);
  } else {
    d.i0 = shareStart(d.gridH, thread, threads, 1);
    d.i1 = shareStart(d.gridH, thread + 1, threads, 1);
  }
}

/** This thread's share of one group; false where the filter's reach is too wide for scratch. */
export function direct(d: Direct): bool {
  if (!chooseWidth(d)) return false;
  if (d.n0 >= d.n1 || d.i0 >= d.i1 || d.m0 >= d.m1) return true;
  const most = min(max(1, KC / max(1, d.nTaps)), mostChannels(d));
  const blocks = (d.channels + most - 1) / most;
  const channels = (d.channels + blocks - 1) / blocks;
  for (let j = 0; j < d.gridW; j += d.width) {
    for (let c = 0; c < d.channels; c += channels) {
      const kc = min(channels, d.channels - c) * d.nTaps;
      const rows = max(1, FILTER_BYTES / (max(1, kc) * 4 * MR)) * MR;
      for (let m = d.m0; m < d.m1; m += rows) strip(d, j, c, min(channels, d.channels - c), m, min(rows, d.m1 - m));
    }
  }
  return true;
}

/** Columns from j on, channels c … c + nc − 1, output channels m … m + mc − 1, all rows and images. */
function strip(d: Direct, j: i32, c: i32, nc: i32, m: i32, mc: i32): void {
  const width = min(d.width, d.gridW - j);
  const quadsPerRow = (width + 3) >> 2;
  const rows = chooseRows(d, nc, max(1, min(d.i1 - d.i0, MAX_QUADS / quadsPerRow)));
  const last = c + nc == d.channels;
  packFilter(d, c, nc, m, mc);
  d.planeBytes = planeBytes(d, rows);
  listOffsets(d, nc);
  for (let i = d.i0; i < d.i1; i += rows) {
    const n = min(rows, d.i1 - i);
    listQuads(d, n, width);
    for (let image = d.n0; image < d.n1; image++) {
      copyWindow(d, d.scratch + COPY, d.x + <usize>image * d.imageX, c, c + nc, i, j, n);
      const out = d.out + <usize>image * d.imageOut + <usize>m * d.planeOut + <usize>i * d.rowOut + <usize>j * d.pixelOut;
      tiles(d, out, n * quadsPerRow, nc * d.nTaps, m, mc, c == 0 ? (d.bias ? START_BIAS : START_ZERO) : START_C);
      if (last && d.act) activateBand(d, out, mc, n, width);
    }
  }
}

function packFilter(d: Direct, c: i32, nc: i32, m: i32, mc: i32): void {
  const filter = d.filter + <usize>m * d.rowF + <usize>c * d.channelF;
  let dst = d.scratch + FILTERS;
  if (d.inOrder) return packA(dst, filter, d.rowF, false, mc, nc * d.nTaps);
  for (let i = 0; i < mc; i += MR) {
    const mr = min(MR, mc - i);
    for (let k = 0; k < nc; k++) {
      const channel = filter + <usize>i * d.rowF + <usize>k * d.channelF;
      for (let t = 0; t < d.nTaps; t++) {
        let src = channel + (<usize>load<i32>(d.taps + <usize>t * 12, 8) << 2);
        for (let r = 0; r < mr; r++, src += d.rowF) store<u32>(dst + (<usize>r << 2), load<u32>(src));
        dst += MR * 4;
      }
    }
  }
}

/** offsets[k] for k = (channel, tap). */
function listOffsets(d: Direct, nc: i32): void {
  let at = d.scratch + OFFSETS;
  for (let c = 0; c < nc; c++) {
    for (let t = 0; t < d.nTaps; t++, at += 4) store<u32>(at, <u32>tapOffset(d, c, t));
  }
}

/** quads: (offset in the window, offset in the output, pixels that count); one of no pixels ends them. */
function listQuads(d: Direct, rows: i32, width: i32): void {
  let at = d.scratch + QUADS;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j += 4, at += 12) {
      store<u32>(at, <u32>pixelOffset(d, i, j));
      store<u32>(at, <u32>(<usize>i * d.rowOut + <usize>j * d.pixelOut), 4);
      store<i32>(at, min(4, width - j), 8);
    }
  }
  store<u32>(at, 0);
  store<u32>(at, 0, 4);
  store<i32>(at, 0, 8);
}

function tiles(d: Direct, out: usize, nQuads: i32, kc: i32, m: i32, mc: i32, start: i32): void {
  const x = d.scratch + COPY;
  const offsets = d.scratch + OFFSETS;
  let quad = d.scratch + QUADS;
  for (let q = 0; q < nQuads; q += 2, quad += 24) {
    const xA = x + <usize>load<u32>(quad), xB = x + <usize>load<u32>(quad, 12);
    const whole = d.pixelOut == 4 && load<i32>(quad, 8) == 4 && load<i32>(quad, 20) == 4;
    const oA = <usize>load<u32>(quad, 4), oB = <usize>load<u32>(quad, 16);
    let panel = d.scratch + FILTERS;
    for (let i = 0; i < mc; i += MR) {
      const mr = min(MR, mc - i);
      const c = out + <usize>i * d.planeOut;
      const bias = d.bias + (<usize>(m + i) << 2);
      if (whole) convMicro(mr, kc, panel, offsets, xA, xB, c + oA, c + oB, d.planeOut, start, bias);
      else edge(d, quad, mr, kc, panel, offsets, xA, xB, c, start, bias);
      panel += <usize>kc * (MR * 4);
    }
  }
}

/** A tile with partial quads, or of an output whose pixels are not neighbours: by way of scratch. */
function edge(
  d: Direct, quad: usize, mr: i32, kc: i32, panel: usize, offsets: usize, xA: usize, xB: usize, c: usize,
  start: i32, bias: usize,
): void {
  const tile = d.scratch + TILE;
  const nA = load<i32>(quad, 8), nB = load<i32>(quad, 20);
  const cA = c + <usize>load<u32>(quad, 4), cB = c + <usize>load<u32>(quad, 16);
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
