// OP_CONV: out = act(x ⋆ w + bias).
import { FAULT_OPCODE, STATUS_OK } from '../../abi';
import { operand } from '../../program';
import { knowsActivation } from '../activate';
import { Direct, TAPS, direct, share } from './direct';
import { plainForward } from './plain';
import { holdsWindow, readShape } from './shape';
import { addColTap, addRowTap, clearTaps } from './window';

/**
 * out[N,O,OH,OW] from x[N,C,H,W], w[O,C/G,KH,KW], bias[O] or none; words as in abi.ts. Any alignment; out overlaps
 * nothing. 2·N·O·OH·OW·C/G·KH·KW FLOPs.
 */
export function conv(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  const d = changetype<Direct>(scratch + 256);
  if (!knowsActivation(s.act)) return FAULT_OPCODE;
  const out = operand(ins, table, 1), x = operand(ins, table, 2), w = operand(ins, table, 3);
  const bias = operand(ins, table, 4);
  if (!holdsWindow(s)) {
    plainForward(s, out, x, w, bias, thread, threads);
    return STATUS_OK;
  }
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
    d.out = out + <usize>(g * d.m) * d.planeOut;
    d.x = x + <usize>(g * d.channels) * d.planeX;
    d.filter = w + <usize>(g * d.m) * d.rowF;
    d.bias = bias ? bias + (<usize>(g * d.m) << 2) : 0;
    direct(d);
  }
  return STATUS_OK;
}
