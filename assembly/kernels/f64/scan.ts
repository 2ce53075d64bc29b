// OP_SCAN with FLAG_F64.
import { SCAN_REVERSE, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { rowGrain } from '../rows';

/** a, b [outer, size, inner] → out, which overlaps nothing. Shared by columns, each one after another. */
export function scan64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), a = operand(ins, table, 2), b = operand(ins, table, 3);
  const size = word(ins, 5), inner = word(ins, 6), columns = word(ins, 4) * inner;
  const reverse = (word(ins, 7) & SCAN_REVERSE) != 0, step = <usize>(reverse ? -inner : inner) << 3;
  const end = shareStart(columns, thread + 1, threads, rowGrain(size));
  for (let i = shareStart(columns, thread, threads, rowGrain(size)); i < end; i++) {
    const o = i / inner;
    let at = <usize>(o * size * inner + (reverse ? (size - 1) * inner : 0) + i - o * inner) << 3;
    let h: f64 = 0;
    for (let k = 0; k < size; k++, at += step) {
      if (k > 0 && a) h *= load<f64>(a + at);
      h += load<f64>(b + at);
      store<f64>(out + at, h);
    }
  }
  return STATUS_OK;
}
