// Max-pooling with FLAG_F64, and its gradient: window by window.
import { FAULT_INDEX, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { allWithin, rowGrain } from '../rows';

const NO_MAXIMUM = -1;

/** OP_MAXPOOL: as `maxPool`, the index of a window of nothing but padding is −1. Shared by rows of the output. */
export function maxPool64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), index = operand(ins, table, 2), x = operand(ins, table, 3);
  const H = word(ins, 5), W = word(ins, 6), OH = word(ins, 15), OW = word(ins, 16);
  const rows = word(ins, 4) * OH;
  const end = shareStart(rows, thread + 1, threads, rowGrain(OW));
  for (let row = shareStart(rows, thread, threads, rowGrain(OW)); row < end; row++) {
    const plane = row / OH;
    const from = x + (<usize>plane * H * W << 3);
    const top = (row - plane * OH) * word(ins, 9) - word(ins, 11);
    for (let ow = 0; ow < OW; ow++) {
      const where = placeOf(ins, from, top, ow * word(ins, 10) - word(ins, 12));
      const at = <usize>(row * OW + ow);
      if (out) store<f64>(out + (at << 3), where == NO_MAXIMUM ? -Infinity : load<f64>(from + (<usize>where << 3)));
      if (index) store<i32>(index + (at << 2), where);
    }
  }
  return STATUS_OK;
}

/** Where in its plane the maximum of a window lies: of ties the first, and a NaN before all. */
function placeOf(ins: usize, plane: usize, top: i32, left: i32): i32 {
  const H = word(ins, 5), W = word(ins, 6), KH = word(ins, 7), KW = word(ins, 8);
  let best: f64 = 0, where = NO_MAXIMUM;
  for (let i = 0; i < KH; i++) {
    const r = top + i * word(ins, 13);
    if (r < 0 || r >= H) continue;
    for (let j = 0; j < KW; j++) {
      const c = left + j * word(ins, 14);
      if (c < 0 || c >= W) continue;
      const x = load<f64>(plane + (<usize>(r * W + c) << 3));
      if (where == NO_MAXIMUM || (!(x <= best) && best == best)) {
        best = x;
        where = r * W + c;
      }
    }
  }
  return where;
}

/** OP_MAXPOOL_GRAD. Shared by planes; indices are checked before anything is written. */
export function maxPoolGrad64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const dx = operand(ins, table, 1), dy = operand(ins, table, 2), index = operand(ins, table, 3);
  const planes = word(ins, 4), size = word(ins, 5), outputs = word(ins, 6);
  const start = shareStart(planes, thread, threads, rowGrain(size));
  const end = shareStart(planes, thread + 1, threads, rowGrain(size));
  if (!allWithin(index + (<usize>(start * outputs) << 2), (end - start) * outputs, NO_MAXIMUM, size)) return FAULT_INDEX;
  memory.fill(dx + (<usize>(start * size) << 3), 0, <usize>((end - start) * size) << 3);
  for (let plane = start; plane < end; plane++) {
    const to = dx + (<usize>(plane * size) << 3);
    for (let i = plane * outputs; i < (plane + 1) * outputs; i++) {
      const where = load<i32>(index + (<usize>i << 2));
      if (where == NO_MAXIMUM) continue;
      const at = to + (<usize>where << 3);
      store<f64>(at, load<f64>(at) + load<f64>(dy + (<usize>i << 3)));
    }
  }
  return STATUS_OK;
}

/** OP_MAXPOOL_PICK. Shared by planes; indices are checked before anything is written. */
export function maxPoolPick64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), x = operand(ins, table, 2), index = operand(ins, table, 3);
  const planes = word(ins, 4), size = word(ins, 5), outputs = word(ins, 6);
  const start = shareStart(planes, thread, threads, rowGrain(outputs));
  const end = shareStart(planes, thread + 1, threads, rowGrain(outputs));
  if (!allWithin(index + (<usize>(start * outputs) << 2), (end - start) * outputs, NO_MAXIMUM, size)) return FAULT_INDEX;
  for (let i = start * outputs; i < end * outputs; i++) {
    const where = load<i32>(index + (<usize>i << 2));
    const plane = x + (<usize>((i / outputs) * size) << 3);
    store<f64>(out + (<usize>i << 3), where == NO_MAXIMUM ? 0 : load<f64>(plane + (<usize>where << 3)));
  }
  return STATUS_OK;
}
