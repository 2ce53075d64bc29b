// OP_TAKE_ALONG and OP_ADD_ALONG with FLAG_F64. Indices are checked before any is used.
import { FAULT_INDEX, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { allWithin, rowGrain } from '../rows';

/** Shared by elements of out. */
export function takeAlong64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), x = operand(ins, table, 2), index = operand(ins, table, 3);
  const n = word(ins, 5), inner = word(ins, 6), size = word(ins, 7), total = word(ins, 4) * n * inner;
  const start = shareStart(total, thread, threads), end = shareStart(total, thread + 1, threads);
  if (!allWithin(index + (<usize>start << 2), end - start, 0, size)) return FAULT_INDEX;
  for (let i = start; i < end; i++) {
    const row = (i / (n * inner)) * size + load<i32>(index + (<usize>i << 2));
    store<f64>(out + (<usize>i << 3), load<f64>(x + (<usize>(row * inner + (i % inner)) << 3)));
  }
  return STATUS_OK;
}

/** Shared by columns, so an element receives its terms in the order of n. */
export function addAlong64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), src = operand(ins, table, 2), index = operand(ins, table, 3);
  const n = word(ins, 5), inner = word(ins, 6), size = word(ins, 7), columns = word(ins, 4) * inner;
  if (!allWithin(index, columns * n, 0, size)) return FAULT_INDEX;
  const end = shareStart(columns, thread + 1, threads, rowGrain(size));
  for (let i = shareStart(columns, thread, threads, rowGrain(size)); i < end; i++) {
    const o = i / inner, column = i - o * inner;
    const to = out + (<usize>(o * size * inner + column) << 3);
    for (let k = 0; k < size; k++) store<f64>(to + (<usize>(k * inner) << 3), 0);
    for (let k = 0; k < n; k++) {
      const from = <usize>((o * n + k) * inner + column);
      const at = to + (<usize>(load<i32>(index + (from << 2)) * inner) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(src + (from << 3)));
    }
  }
  return STATUS_OK;
}
