// Rows picked by index, and rows added back to where an index says.
import { FAULT_INDEX, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { addRun, allWithin, copyRun, rowGrain } from './rows';

/** OP_GATHER. Any alignment; out overlaps nothing. Shared by rows of out; indices are checked before any is used. */
export function gather(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const src = operand(ins, table, 2);
  const index = operand(ins, table, 3);
  const n = word(ins, 4);
  const inner = word(ins, 5);
  const start = shareStart(n, thread, threads, rowGrain(inner));
  const end = shareStart(n, thread + 1, threads, rowGrain(inner));
  if (!allWithin(index + (<usize>start << 2), end - start, 0, word(ins, 6))) return FAULT_INDEX;

  const rowBytes = <usize>inner << 2;
  let dst = out + <usize>start * rowBytes;
  for (let i = start; i < end; i++, dst += rowBytes) {
    copyRun(dst, src + <usize>load<i32>(index + (<usize>i << 2)) * rowBytes, inner);
  }
  return STATUS_OK;
}

// From this width on threads share columns: they stay in step however uneven the indices are.
const WIDE = 128;

/**
 * OP_SCATTER_ADD. Any alignment; out overlaps nothing. A thread owns a range of columns where rows are long, else a
 * range of rows; either way an element receives its terms in the order of n. Every thread checks all indices before
 * it writes.
 */
export function scatterAdd(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const index = operand(ins, table, 3);
  const n = word(ins, 4);
  const inner = word(ins, 5);
  const rows = word(ins, 6);
  if (!allWithin(index, n, 0, rows)) return FAULT_INDEX;

  const out = operand(ins, table, 1);
  const src = operand(ins, table, 2);
  if (inner >= WIDE) {
    const start = shareStart(inner, thread, threads);
    const end = shareStart(inner, thread + 1, threads);
    addRows(out, src, index, n, inner, 0, rows, start, end);
  } else {
    const start = shareStart(rows, thread, threads, rowGrain(inner));
    const end = shareStart(rows, thread + 1, threads, rowGrain(inner));
    addRows(out, src, index, n, inner, start, end, 0, inner);
  }
  return STATUS_OK;
}

/** The part of the scatter that falls into rows [rowStart, rowEnd) and columns [colStart, colEnd) of out. */
function addRows(
  out: usize, src: usize, index: usize, n: i32, inner: i32, rowStart: i32, rowEnd: i32, colStart: i32, colEnd: i32,
): void {
  const rowBytes = <usize>inner << 2;
  const cols = colEnd - colStart;
  const dst = out + (<usize>colStart << 2);
  for (let row = rowStart; row < rowEnd; row++) memory.fill(dst + <usize>row * rowBytes, 0, <usize>cols << 2);

  let from = src + (<usize>colStart << 2);
  for (let i = 0; i < n; i++, from += rowBytes) {
    const row = load<i32>(index + (<usize>i << 2));
    if (row >= rowStart && row < rowEnd) addRun(dst + <usize>row * rowBytes, from, cols);
  }
}
