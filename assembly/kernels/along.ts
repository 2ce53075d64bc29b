// Elements picked along one axis, each by an index of its own, and elements added back to where such indices say.
import { FAULT_INDEX, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { allWithin, rowGrain } from './rows';

/** OP_TAKE_ALONG. Any alignment; out overlaps nothing. Shared by elements of out; indices are checked before any is used. */
export function takeAlong(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const index = operand(ins, table, 3);
  const n = word(ins, 5);
  const inner = word(ins, 6);
  const size = word(ins, 7);
  const total = word(ins, 4) * n * inner;
  const start = shareStart(total, thread, threads);
  const end = shareStart(total, thread + 1, threads);
  if (start == end) return STATUS_OK;
  if (!allWithin(index + (<usize>start << 2), end - start, 0, size)) return FAULT_INDEX;

  const outer = start / (n * inner);
  let left = (outer + 1) * n * inner - start;
  let column = start % inner;
  let x = operand(ins, table, 2) + (<usize>(outer * size * inner) << 2);
  for (let i = start; i < end; i++) {
    const at = <usize>i << 2;
    store<u32>(out + at, load<u32>(x + (<usize>(load<i32>(index + at) * inner + column) << 2)));
    if (++column == inner) column = 0;
    if (--left == 0) {
      left = n * inner;
      x += <usize>(size * inner) << 2;
    }
  }
  return STATUS_OK;
}

/**
 * OP_ADD_ALONG. Any alignment; out overlaps nothing. Shared by columns, so an element receives its terms in the order of
 * n. Every thread checks all indices before it writes.
 */
export function addAlong(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const src = operand(ins, table, 2);
  const index = operand(ins, table, 3);
  const n = word(ins, 5);
  const inner = word(ins, 6);
  const size = word(ins, 7);
  const columns = word(ins, 4) * inner;
  if (!allWithin(index, columns * n, 0, size)) return FAULT_INDEX;

  const end = shareStart(columns, thread + 1, threads, rowGrain(size));
  let i = shareStart(columns, thread, threads, rowGrain(size));
  while (i < end) {
    const o = i / inner;
    const start = i - o * inner;
    const width = min(inner - start, end - i);
    const from = <usize>(o * n * inner + start) << 2;
    addColumns(out + (<usize>(o * size * inner + start) << 2), src + from, index + from, n, size, inner, width);
    i += width;
  }
  return STATUS_OK;
}

/** `width` neighbouring columns. */
function addColumns(out: usize, src: usize, index: usize, n: i32, size: i32, inner: i32, width: i32): void {
  const rowBytes = <usize>inner << 2;
  if (width == inner) memory.fill(out, 0, <usize>size * rowBytes);
  else for (let row = 0; row < size; row++) memory.fill(out + <usize>row * rowBytes, 0, <usize>width << 2);
  for (let i = 0; i < n; i++, src += rowBytes, index += rowBytes) {
    for (let c = 0; c < width; c++) {
      const column = <usize>c << 2;
      const to = out + <usize>load<i32>(index + column) * rowBytes + column;
      store<f32>(to, load<f32>(to) + load<f32>(src + column));
    }
  }
}
