// OP_BAND with FLAG_F64.
import { STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { rowGrain } from '../rows';

/** x [outer, size, inner] → out [outer, n, inner], which overlaps nothing. Shared by rows of the output. */
export function band64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), x = operand(ins, table, 2);
  const spans = operand(ins, table, 3), weights = operand(ins, table, 4);
  const size = word(ins, 6), n = word(ins, 7), inner = word(ins, 8), taps = word(ins, 9), rows = word(ins, 5) * n;
  const end = shareStart(rows, thread + 1, threads, rowGrain(inner));
  for (let row = shareStart(rows, thread, threads, rowGrain(inner)); row < end; row++) {
    const plane = row / n, o = row - plane * n, span = spans + (<usize>o << 3);
    const from = x + (<usize>((plane * size + load<i32>(span)) * inner) << 3), w = weights + (<usize>(o * taps) << 3);
    for (let i = 0; i < inner; i++) {
      let sum: f64 = 0, at = from + (<usize>i << 3);
      for (let k = 0; k < load<i32>(span, 4); k++, at += <usize>inner << 3) {
        sum += load<f64>(w + (<usize>k << 3)) * load<f64>(at);
      }
      store<f64>(out + (<usize>(row * inner + i) << 3), sum);
    }
  }
  return STATUS_OK;
}
