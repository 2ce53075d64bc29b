// OP_ARGMAX with FLAG_F64.
import { STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { rowGrain } from '../rows';

/** x [outer, size, inner] → out int32 [outer, inner]. An axis of size 0 has no extreme and writes nothing. */
export function argmax64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), x = operand(ins, table, 2);
  const size = word(ins, 4), inner = word(ins, 5), outputs = word(ins, 3) * inner;
  const sign: f64 = word(ins, 6) ? -1 : 1;
  if (size == 0) return STATUS_OK;
  const end = shareStart(outputs, thread + 1, threads, rowGrain(size));
  for (let i = shareStart(outputs, thread, threads, rowGrain(size)); i < end; i++) {
    const o = i / inner;
    let at = x + (<usize>(o * size * inner + i - o * inner) << 3);
    let best = sign * load<f64>(at), where = 0;
    for (let j = 1; j < size; j++) {
      at += <usize>inner << 3;
      const v = sign * load<f64>(at);
      if (!(v <= best) && best == best) {
        best = v;
        where = j;
      }
    }
    store<i32>(out + (<usize>i << 2), where);
  }
  return STATUS_OK;
}
