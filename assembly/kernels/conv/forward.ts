// OP_CONV: out = act(x ⋆ w + bias).
import { FAULT_OPCODE, STATUS_OK } from '../../abi';
import { operand } from '../../program';
import { knowsActivation } from '../activate';
import { Direct, TAPS, direct, share } from './direct';
import { readShape } from './shape';
import { MAX_TAPS, addColTap, addRowTap, clearTaps } from './window';

/**
 * out[N,O,OH,OW] from x[N,C,H,W], w[O,C/G,KH,KW], bias[O] or none; words as in abi.ts. Any alignment; out overlaps
 * nothing. 2·N·O·OH·OW·C/G·KH·KW FLOPs. FAULT_OPCODE for a filter whose reach does not fit in scratch.
 */
export function conv(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  const d = changetype<Direct>(scratch + 256);
  if (!knowsActivation(s.act) || <i64>s.kh * s.kw > <i64>MAX_TAPS) return FAULT_OPCODE;
  d.scratch = scratch;
  d.images = s.n;
  d.channels = s.c / s.groups;
  d.m = s.o / s.groups;
  d.h = s.h;
  d.w = s.w;
  d.planeX = <usize>(s.h * s.w) << 2;
  d.imageX = d.planeX * <usize>s.c;
  d.gridH = s.oh;
  d.gridW = s.ow;
  d.stepH = s.strideH;
  d.stepW = s.strideW;
  clearTaps(d, scratch + TAPS);
  for (let i = 0; i < s.kh; i++) addRowTap(d, i * s.dilationH - s.padH, i * s.kw);
  for (let j = 0; j < s.kw; j++) addColTap(d, j * s.dilationW - s.padW, j);
  d.channelF = <usize>(s.kh * s.kw) << 2;
  d.rowF = d.channelF * <usize>d.channels;
  d.planeOut = <usize>(s.oh * s.ow) << 2;
  d.imageOut = d.planeOut * <usize>s.o;
  d.rowOut = <usize>s.ow << 2;
  d.pixelOut = 4;
  d.act = s.act;
  share(d, thread, threads);
  for (let g = 0; g < s.groups; g++) {
    d.out = operand(ins, table, 1) + <usize>(g * d.m) * d.planeOut;
    d.x = operand(ins, table, 2) + <usize>(g * d.channels) * d.planeX;
    d.filter = operand(ins, table, 3) + <usize>(g * d.m) * d.rowF;
    d.bias = operand(ins, table, 4);
    if (d.bias) d.bias += <usize>(g * d.m) << 2;
    if (!direct(d)) return FAULT_OPCODE;
  }
  return STATUS_OK;
}
