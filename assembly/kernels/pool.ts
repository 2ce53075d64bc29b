// Max-pooling of planes, its gradient, and the transpose of that.
import { FAULT_INDEX, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { select } from '../simd';
import { allWithin, rowGrain } from './rows';

const NO_MAXIMUM = -1;

/**
 * OP_MAXPOOL. x [planes, H, W] → out and index [planes, OH, OW], any alignment; neither may be x. Work is shared by
 * rows of the output. Columns whose windows lie inside the plane go four at a time, the last four overlapping the
 * ones before; columns that touch the padding go one by one. A window that holds nothing but padding gives −∞ and
 * the index −1, which the gradient passes over.
 */
export function maxPool(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const index = operand(ins, table, 2);
  const x = operand(ins, table, 3);
  const planeBytes = <usize>(word(ins, 5) * word(ins, 6)) << 2;
  const OH = word(ins, 15);
  const OW = word(ins, 16);
  const rows = word(ins, 4) * OH;
  const end = shareStart(rows, thread + 1, threads, rowGrain(OW));
  for (let row = shareStart(rows, thread, threads, rowGrain(OW)); row < end; row++) {
    const plane = row / OH;
    const at = <usize>(row * OW) << 2;
    poolRow(ins, x + <usize>plane * planeBytes, row - plane * OH, out ? out + at : 0, index ? index + at : 0);
  }
  return STATUS_OK;
}

/** One row of the output, `oh`, of one plane. */
function poolRow(ins: usize, plane: usize, oh: i32, out: usize, index: usize): void {
  const H = word(ins, 5);
  const W = word(ins, 6);
  const KW = word(ins, 8);
  const strideW = word(ins, 10);
  const padW = word(ins, 12);
  const dilationH = word(ins, 13);
  const dilationW = word(ins, 14);
  const OW = word(ins, 16);
  const top = oh * word(ins, 9) - word(ins, 11);
  // Rows of the window, and columns of the output, that stay inside the plane.
  const khStart = firstInside(top, dilationH);
  const khEnd = min(word(ins, 7), firstInside(top - H, dilationH));
  const owStart = min(OW, firstInside(-padW, strideW));
  const owEnd = min(OW, firstInside(-padW + (KW - 1) * dilationW - W, strideW));

  let ow = 0;
  if (khStart < khEnd && owEnd - owStart >= 4) {
    for (; ow < owStart; ow++) poolOne(ins, plane, top, khStart, khEnd, ow, out, index);
    for (; ow < owEnd; ow += 4) {
      const first = min(ow, owEnd - 4);
      const pos = (top + khStart * dilationH) * W + first * strideW - padW;
      poolFour(plane, pos, khEnd - khStart, KW, dilationH * W, dilationW, strideW, first, out, index);
    }
    ow = owEnd;
  }
  for (; ow < OW; ow++) poolOne(ins, plane, top, khStart, khEnd, ow, out, index);
}

/** The least k ≥ 0 with start + k·step ≥ 0. */
// @ts-ignore: decorator
@inline
function firstInside(start: i32, step: i32): i32 {
  return start >= 0 ? 0 : (step - 1 - start) / step;
}

/** Four neighbouring windows of kh × kw taps, all inside the plane, whose first tap stands at `pos`. */
// @ts-ignore: decorator
@inline
function poolFour(
  plane: usize, pos: i32, kh: i32, kw: i32, stepH: i32, stepW: i32, strideW: i32, ow: i32, out: usize, index: usize,
): void {
  const lanes = i32x4.mul(i32x4.splat(strideW), i32x4(0, 1, 2, 3));
  // −∞ at the first tap's place: a tap of −∞ does not beat it, so of ties the first wins here too.
  let best = f32x4.splat(-Infinity);
  let where = i32x4.add(lanes, i32x4.splat(pos));
  for (let i = 0; i < kh; i++) {
    let at = pos;
    for (let j = 0; j < kw; j++) {
      const x = loadFour(plane + (<usize>at << 2), strideW);
      // Greater, or the first NaN.
      const wins = v128.andnot(f32x4.eq(best, best), f32x4.le(x, best));
      best = select(x, best, wins);
      where = select(i32x4.add(lanes, i32x4.splat(at)), where, wins);
      at += stepW;
    }
    pos += stepH;
  }
  if (out) v128.store(out + (<usize>ow << 2), best);
  if (index) v128.store(index + (<usize>ow << 2), where);
}

/** The elements 0, stride, 2·stride and 3·stride from p on; reads nothing outside them. */
// @ts-ignore: decorator
@inline
function loadFour(p: usize, stride: i32): v128 {
  if (stride == 1) return v128.load(p);
  if (stride == 2) return v128.shuffle<f32>(v128.load(p), v128.load(p, 12), 0, 2, 5, 7);
  const step = <usize>stride << 2;
  let v = v128.load_zero<u32>(p);
  v = v128.load_lane<u32>(p + step, v, 1);
  v = v128.load_lane<u32>(p + 2 * step, v, 2);
  return v128.load_lane<u32>(p + 3 * step, v, 3);
}

/** One window, cut to the plane. */
function poolOne(
  ins: usize, plane: usize, top: i32, khStart: i32, khEnd: i32, ow: i32, out: usize, index: usize,
): void {
  const W = word(ins, 6);
  const dilationH = word(ins, 13);
  const dilationW = word(ins, 14);
  const left = ow * word(ins, 10) - word(ins, 12);
  const kwStart = firstInside(left, dilationW);
  const kwEnd = min(word(ins, 8), firstInside(left - W, dilationW));
  let best: f32 = -Infinity;
  let where = NO_MAXIMUM;
  for (let i = khStart; i < khEnd; i++) {
    for (let j = kwStart; j < kwEnd; j++) {
      const pos = (top + i * dilationH) * W + left + j * dilationW;
      const x = load<f32>(plane + (<usize>pos << 2));
      if (where == NO_MAXIMUM || (!(x <= best) && best == best)) {
        best = x;
        where = pos;
      }
    }
  }
  if (out) store<f32>(out + (<usize>ow << 2), best);
  if (index) store<i32>(index + (<usize>ow << 2), where);
}

/**
 * OP_MAXPOOL_GRAD. dy and index [planes, OH·OW] → dx [planes, size], which may be neither. Work is shared by planes;
 * windows that overlap add up in the order of their outputs. Indices are checked before anything is written.
 */
export function maxPoolGrad(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const dx = operand(ins, table, 1);
  const dy = operand(ins, table, 2);
  const index = operand(ins, table, 3);
  const planes = word(ins, 4);
  const size = word(ins, 5);
  const outputs = word(ins, 6);
  const start = shareStart(planes, thread, threads, rowGrain(size));
  const end = shareStart(planes, thread + 1, threads, rowGrain(size));
  const offset = <usize>(start * outputs) << 2;
  if (!allWithin(index + offset, (end - start) * outputs, NO_MAXIMUM, size)) return FAULT_INDEX;

  memory.fill(dx + (<usize>(start * size) << 2), 0, <usize>((end - start) * size) << 2);
  for (let plane = start; plane < end; plane++) {
    const first = <usize>(plane * outputs) << 2;
    scatterPlane(dx + (<usize>(plane * size) << 2), dy + first, index + first, outputs);
  }
  return STATUS_OK;
}

function scatterPlane(dx: usize, dy: usize, index: usize, n: i32): void {
  const end = index + (<usize>n << 2);
  for (; index < end; index += 4, dy += 4) {
    const pos = load<i32>(index);
    if (pos == NO_MAXIMUM) continue;
    const at = dx + (<usize>pos << 2);
    store<f32>(at, load<f32>(at) + load<f32>(dy));
  }
}

/**
 * OP_MAXPOOL_PICK. x [planes, size] and index [planes, OH·OW] → out, which may be neither. Work is shared by planes.
 * Indices are checked before anything is written.
 */
export function maxPoolPick(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const x = operand(ins, table, 2);
  const index = operand(ins, table, 3);
  const planes = word(ins, 4);
  const size = word(ins, 5);
  const outputs = word(ins, 6);
  const start = shareStart(planes, thread, threads, rowGrain(outputs));
  const end = shareStart(planes, thread + 1, threads, rowGrain(outputs));
  const offset = <usize>(start * outputs) << 2;
  if (!allWithin(index + offset, (end - start) * outputs, NO_MAXIMUM, size)) return FAULT_INDEX;

  for (let plane = start; plane < end; plane++) {
    const first = <usize>(plane * outputs) << 2;
    gatherPlane(out + first, x + (<usize>(plane * size) << 2), index + first, outputs);
  }
  return STATUS_OK;
}

function gatherPlane(out: usize, x: usize, index: usize, n: i32): void {
  const end = index + (<usize>n << 2);
  for (; index < end; index += 4, out += 4) {
    const pos = load<i32>(index);
    store<f32>(out, pos == NO_MAXIMUM ? 0 : load<f32>(x + (<usize>pos << 2)));
  }
}
