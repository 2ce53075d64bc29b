// OP_CONV_DX: the gradient of a convolution's input.
//
// Pixel (h, w) of dx gathers dy[(h + pad − kh·dilation) / stride] over the taps where that is whole. Which taps those
// are depends on h mod stride alone; so the pixels of one residue are a convolution of dy with step 1 and with that
// residue's taps, and no product is spent on zeros.
import { STATUS_OK } from '../../abi';
import { operand } from '../../program';
import { Direct, TAPS, direct, share } from './direct';
import { plainDx } from './plain';
import { Shape, holdsGradientWindow, readShape } from './shape';
import { addColTap, addRowTap, clearTaps } from './window';

/**
 * dx[N,C,H,W] from dy[N,O,OH,OW] and w[O,C/G,KH,KW]; words as in abi.ts. Any alignment; dx overlaps nothing.
 * 2·N·O·OH·OW·C/G·KH·KW FLOPs, less what falls on padding.
 */
export function convDx(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  const d = changetype<Direct>(scratch + 256);
  const dx = operand(ins, table, 1), dy = operand(ins, table, 2), w = operand(ins, table, 3);
  if (!holdsGradientWindow(s)) {
    plainDx(s, dx, dy, w, thread, threads);
    return STATUS_OK;
  }
  d.scratch = scratch;
  d.images = s.n;
  d.channels = s.o / s.groups;
  d.m = s.c / s.groups;
  d.h = s.oh;
  d.w = s.ow;
  d.planeX = <usize>(s.oh * s.ow) << 2;
  d.imageX = d.planeX * <usize>s.o;
  d.stepH = 1;
  d.stepW = 1;
  d.rowF = <usize>(s.kh * s.kw) << 2;
  d.channelF = d.rowF * <usize>d.m;
  d.planeOut = <usize>(s.h * s.w) << 2;
  d.imageOut = d.planeOut * <usize>s.c;
  d.rowOut = <usize>(s.strideH * s.w) << 2;
  d.pixelOut = <usize>s.strideW << 2;
  d.bias = 0;
  d.act = 0;
  for (let i = 0; i < min(s.strideH, s.h); i++) {
    for (let j = 0; j < min(s.strideW, s.w); j++) {
      listTaps(d, s, i, j);
      d.gridH = (s.h - i + s.strideH - 1) / s.strideH;
      d.gridW = (s.w - j + s.strideW - 1) / s.strideW;
      share(d, thread, threads);
      for (let g = 0; g < s.groups; g++) {
        d.out = dx + <usize>(g * d.m) * d.planeOut + (<usize>(i * s.w + j) << 2);
        d.x = dy + <usize>(g * d.channels) * d.planeX;
        d.filter = w + <usize>(g * d.channels) * d.channelF;
        direct(d);
      }
    }
  }
  return STATUS_OK;
}

/** The taps that reach pixels of residue (i, j). */
function listTaps(d: Direct, s: Shape, i: i32, j: i32): void {
  clearTaps(d, d.scratch + TAPS);
  for (let kh = 0; kh < s.kh; kh++) {
    const row = i + s.padH - kh * s.dilationH;
    if (row % s.strideH == 0) addRowTap(d, row / s.strideH, kh * s.kw);
  }
  for (let kw = 0; kw < s.kw; kw++) {
    const col = j + s.padW - kw * s.dilationW;
    if (col % s.strideW == 0) addColTap(d, col / s.strideW, kw);
  }
}
