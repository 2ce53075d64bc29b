// OP_COPY, OP_GATHER and OP_SCATTER_ADD with FLAG_F64.
import { FAULT_INDEX, GRAIN, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { allWithin, rowGrain } from '../rows';

/** A strided copy. A thread takes a range of the longest dimension. */
export function copy64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rank = word(ins, 3);
  const dst = operand(ins, table, 1) + (<usize>word(ins, 4) << 3), src = operand(ins, table, 2) + (<usize>word(ins, 5) << 3);
  if (rank == 0) {
    if (thread == 0) store<f64>(dst, load<f64>(src));
    return STATUS_OK;
  }
  let longest = 0;
  for (let k = 1; k < rank; k++) if (word(ins, 6 + 3 * k) > word(ins, 6 + 3 * longest)) longest = k;
  const n = word(ins, 6 + 3 * longest), grain = longest == rank - 1 ? GRAIN : 1;
  const start = shareStart(n, thread, threads, grain), end = shareStart(n, thread + 1, threads, grain);
  if (start < end) copyBox(ins + 24, rank, dst, src, longest, start, end);
  return STATUS_OK;
}

/** The dimensions at `dims`, of which number `cut` goes from start to end. */
function copyBox(dims: usize, rank: i32, dst: usize, src: usize, cut: i32, start: i32, end: i32): void {
  const first = cut == 0 ? start : 0, last = cut == 0 ? end : load<i32>(dims);
  const to = <usize>load<i32>(dims, 4) << 3, from = <usize>load<i32>(dims, 8) << 3;
  dst += <usize>first * to;
  src += <usize>first * from;
  if (rank > 1) {
    for (let i = first; i < last; i++, dst += to, src += from) copyBox(dims + 12, rank - 1, dst, src, cut - 1, start, end);
  } else if (to == 8 && from == 8) {
    memory.copy(dst, src, <usize>(last - first) << 3);
  } else {
    for (let i = first; i < last; i++, dst += to, src += from) store<u64>(dst, load<u64>(src));
  }
}

/** out[n, inner] = src[index[n], inner]. Indices are checked before any is used. */
export function gather64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), src = operand(ins, table, 2), index = operand(ins, table, 3);
  const n = word(ins, 4), inner = word(ins, 5), rowBytes = <usize>inner << 3;
  const start = shareStart(n, thread, threads, rowGrain(inner)), end = shareStart(n, thread + 1, threads, rowGrain(inner));
  if (!allWithin(index + (<usize>start << 2), end - start, 0, word(ins, 6))) return FAULT_INDEX;
  for (let i = start; i < end; i++) {
    const row = <usize>load<i32>(index + (<usize>i << 2));
    memory.copy(out + <usize>i * rowBytes, src + row * rowBytes, rowBytes);
  }
  return STATUS_OK;
}

/** An element receives its terms in the order of n: a thread owns a range of columns. Indices are checked first. */
export function scatterAdd64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), src = operand(ins, table, 2), index = operand(ins, table, 3);
  const n = word(ins, 4), inner = word(ins, 5), rows = word(ins, 6);
  if (!allWithin(index, n, 0, rows)) return FAULT_INDEX;
  const start = shareStart(inner, thread, threads), cols = shareStart(inner, thread + 1, threads) - start;
  const first = <usize>start << 3, rowBytes = <usize>inner << 3;
  for (let row = 0; row < rows; row++) memory.fill(out + <usize>row * rowBytes + first, 0, <usize>cols << 3);
  for (let i = 0; i < n; i++) {
    let to = out + <usize>load<i32>(index + (<usize>i << 2)) * rowBytes + first;
    let from = src + <usize>i * rowBytes + first;
    for (let c = cols; c > 0; c--, to += 8, from += 8) store<f64>(to, load<f64>(to) + load<f64>(from));
  }
  return STATUS_OK;
}
