// Running sums and products of float64, and elements picked or added along one axis.
import { FAULT_INDEX, SCAN_REVERSE, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { allWithin, rowGrain } from '../rows';

/** OP_SCAN: h = a·h + b along an axis, a being 1 where it is not given. Shared by columns. */
export function scan64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), a = operand(ins, table, 2), b = operand(ins, table, 3);
  const size = word(ins, 5), inner = word(ins, 6);
  const reverse = (word(ins, 7) & SCAN_REVERSE) != 0;
  const columns = word(ins, 4) * inner;
  const end = shareStart(columns, thread + 1, threads, rowGrain(size));
  for (let i = shareStart(columns, thread, threads, rowGrain(size)); i < end; i++) {
    let at = (i / inner) * size * inner + (i % inner) + (reverse ? (size - 1) * inner : 0);
    let h: f64 = 0;
    for (let k = 0; k < size; k++, at += reverse ? -inner : inner) {
      const p = <usize>at << 3;
      h = (k > 0 && a != 0 ? h * load<f64>(a + p) : h) + load<f64>(b + p);
      store<f64>(out + p, h);
    }
  }
  return STATUS_OK;
}

/** OP_TAKE_ALONG. Shared by elements of out; indices are checked before any is used. */
export function takeAlong64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), x = operand(ins, table, 2), index = operand(ins, table, 3);
  const n = word(ins, 5), inner = word(ins, 6), size = word(ins, 7);
  const total = word(ins, 4) * n * inner;
  const start = shareStart(total, thread, threads), end = shareStart(total, thread + 1, threads);
  if (start == end) return STATUS_OK;
  if (!allWithin(index + (<usize>start << 2), end - start, 0, size)) return FAULT_INDEX;
  for (let i = start; i < end; i++) {
    const row = (i / (n * inner)) * size + load<i32>(index + (<usize>i << 2));
    store<f64>(out + (<usize>i << 3), load<f64>(x + (<usize>(row * inner + (i % inner)) << 3)));
  }
  return STATUS_OK;
}

/** OP_ADD_ALONG. Shared by columns, so an element receives its terms in order. Every thread checks all indices first. */
export function addAlong64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), src = operand(ins, table, 2), index = operand(ins, table, 3);
  const n = word(ins, 5), inner = word(ins, 6), size = word(ins, 7);
  const columns = word(ins, 4) * inner;
  if (!allWithin(index, columns * n, 0, size)) return FAULT_INDEX;
  const end = shareStart(columns, thread + 1, threads, rowGrain(size));
  for (let i = shareStart(columns, thread, threads, rowGrain(size)); i < end; i++) {
    const o = i / inner, column = i % inner;
    for (let k = 0; k < size; k++) store<f64>(out + (<usize>((o * size + k) * inner + column) << 3), 0);
    for (let k = 0; k < n; k++) {
      const from = (o * n + k) * inner + column;
      const at = out + (<usize>((o * size + load<i32>(index + (<usize>from << 2))) * inner + column) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(src + (<usize>from << 3)));
    }
  }
  return STATUS_OK;
}
