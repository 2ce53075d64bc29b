// OP_CONV, OP_CONV_DX and OP_CONV_DW with FLAG_F64: row by row, one element of the filter after another. A thread owns
// planes of the result, and every sum has one order.
import { ACT_NONE, FAULT_OPCODE, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { fma64 } from '../../simd';
import { knowsActivation } from '../activate';
import { readShape, Shape } from '../conv/shape';
import { activated } from './activate';

/** Columns (or rows) of the output whose tap lies inside the input: [first, end). */
// @ts-ignore: decorator
@inline
function firstInside(offset: i32, stride: i32): i32 {
  return offset >= 0 ? 0 : (stride - 1 - offset) / stride;
}
// @ts-ignore: decorator
@inline
function endInside(offset: i32, stride: i32, size: i32, outputs: i32): i32 {
  return max(0, min(outputs, firstInside(offset - size, stride)));
}

/** out[N,O,OH,OW] from x, w and bias or none; words as in abi.ts. */
export function conv64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  if (!knowsActivation(s.act)) return FAULT_OPCODE;
  const out = operand(ins, table, 1), x = operand(ins, table, 2), w = operand(ins, table, 3);
  const bias = operand(ins, table, 4);
  const cg = s.c / s.groups, og = s.o / s.groups, size = s.oh * s.ow, taps = s.kh * s.kw;
  const end = shareStart(s.n * s.o, thread + 1, threads, 1);
  for (let plane = shareStart(s.n * s.o, thread, threads, 1); plane < end; plane++) {
    const image = plane / s.o, o = plane - image * s.o;
    const y = out + (<usize>plane * size << 3);
    fill(y, bias ? load<f64>(bias + (<usize>o << 3)) : 0, size);
    for (let c = 0; c < cg; c++) {
      const channel = image * s.c + (o / og) * cg + c;
      const from = x + (<usize>channel * s.h * s.w << 3);
      spread(s, y, from, w + (<usize>(o * cg + c) * taps << 3), false);
    }
    if (s.act != ACT_NONE) {
      for (let i = y, stop = y + (<usize>size << 3); i < stop; i += 8) store<f64>(i, activated(load<f64>(i), s.act));
    }
  }
  return STATUS_OK;
}

/** dx[N,C,H,W] from dy and w. */
export function convDx64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  const dx = operand(ins, table, 1), dy = operand(ins, table, 2), w = operand(ins, table, 3);
  const cg = s.c / s.groups, og = s.o / s.groups, size = s.h * s.w, taps = s.kh * s.kw;
  const end = shareStart(s.n * s.c, thread + 1, threads, 1);
  for (let plane = shareStart(s.n * s.c, thread, threads, 1); plane < end; plane++) {
    const image = plane / s.c, c = plane - image * s.c, g = c / cg;
    const to = dx + (<usize>plane * size << 3);
    fill(to, 0, size);
    for (let o = g * og; o < (g + 1) * og; o++) {
      const from = dy + (<usize>(image * s.o + o) * s.oh * s.ow << 3);
      spread(s, from, to, w + (<usize>(o * cg + c - g * cg) * taps << 3), true);
    }
  }
  return STATUS_OK;
}

/** y += w ⋆ x of one plane each, or with `back` x += the gradient of that with respect to x, where y is dy. */
function spread(s: Shape, y: usize, x: usize, w: usize, back: bool): void {
  for (let i = 0; i < s.kh; i++) {
    const top = i * s.dilationH - s.padH;
    for (let j = 0; j < s.kw; j++, w += 8) {
      const left = j * s.dilationW - s.padW;
      const first = firstInside(left, s.strideW), n = endInside(left, s.strideW, s.w, s.ow) - first;
      if (n <= 0) continue;
      const end = endInside(top, s.strideH, s.h, s.oh);
      for (let oh = firstInside(top, s.strideH); oh < end; oh++) {
        const yAt = y + (<usize>(oh * s.ow + first) << 3);
        const xAt = x + (<usize>((oh * s.strideH + top) * s.w + first * s.strideW + left) << 3);
        const step = <usize>s.strideW << 3;
        if (back) axpy(xAt, step, yAt, 8, load<f64>(w), n);
        else axpy(yAt, 8, xAt, step, load<f64>(w), n);
      }
    }
  }
}

/** dw[O,C/G,KH,KW] from x and dy. */
export function convDw64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const s = readShape(ins, scratch);
  const dw = operand(ins, table, 1), x = operand(ins, table, 2), dy = operand(ins, table, 3);
  const cg = s.c / s.groups, og = s.o / s.groups, taps = s.kh * s.kw;
  const end = shareStart(s.o * cg, thread + 1, threads, 1);
  for (let filter = shareStart(s.o * cg, thread, threads, 1); filter < end; filter++) {
    const o = filter / cg, c = (o / og) * cg + filter - o * cg;
    for (let tap = 0; tap < taps; tap++) {
      const top = (tap / s.kw) * s.dilationH - s.padH, left = (tap % s.kw) * s.dilationW - s.padW;
      const first = firstInside(left, s.strideW), n = endInside(left, s.strideW, s.w, s.ow) - first;
      let sum: f64 = 0;
      for (let image = 0; image < s.n && n > 0; image++) {
        const from = x + (<usize>(image * s.c + c) * s.h * s.w << 3);
        const by = dy + (<usize>(image * s.o + o) * s.oh * s.ow << 3);
        const stop = endInside(top, s.strideH, s.h, s.oh);
        for (let oh = firstInside(top, s.strideH); oh < stop; oh++) {
          const xAt = from + (<usize>((oh * s.strideH + top) * s.w + first * s.strideW + left) << 3);
          sum += dot(xAt, <usize>s.strideW << 3, by + (<usize>(oh * s.ow + first) << 3), n);
        }
      }
      store<f64>(dw + (<usize>(filter * taps + tap) << 3), sum);
    }
  }
  return STATUS_OK;
}

function fill(at: usize, x: f64, n: i32): void {
  for (const end = at + (<usize>n << 3); at < end; at += 8) store<f64>(at, x);
}

/** y[n] += a·x[n]; steps in bytes. */
function axpy(y: usize, yStep: usize, x: usize, xStep: usize, a: f64, n: i32): void {
  const s = f64x2.splat(a);
  if (yStep == 8 && xStep == 8) {
    for (; n >= 2; n -= 2, y += 16, x += 16) v128.store(y, fma64(s, v128.load(x), v128.load(y)));
  }
  for (; n > 0; n--, y += yStep, x += xStep) v128.store64_lane(y, fma64(s, v128.load64_zero(x), v128.load64_zero(y)), 0);
}

/** Σ x·y over n; x's step in bytes. */
function dot(x: usize, xStep: usize, y: usize, n: i32): f64 {
  let sum = f64x2.splat(0);
  if (xStep == 8) {
    for (; n >= 2; n -= 2, y += 16, x += 16) sum = fma64(v128.load(x), v128.load(y), sum);
  }
  for (; n > 0; n--, y += 8, x += xStep) sum = fma64(v128.load64_zero(x), v128.load64_zero(y), sum);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
