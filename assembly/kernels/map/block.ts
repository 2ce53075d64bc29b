// One block of an OP_MAP: places every slot, then runs the tape over it.
import {
  FAULT_OPCODE, MICRO_PROD, MICRO_SUM, SLOT_IN, SLOT_OUT, SLOT_SCALAR, SLOT_VIEW, STATUS_OK,
} from '../../abi';
import { operand, word } from '../../program';
import { address, Gather, gatherOf, setAddress, setLaid, tile } from './frame';
import { nextMicro, slotWord, tapeStart } from './instruction';
import { columns, runs } from './micro/reduce';
import { perform } from './tape';
import { layView, NOTHING } from './view';

/** Places what no block changes: scalars and tiles. */
export function placeFixed(ins: usize, table: usize, frame: usize): void {
  const nSlots = word(ins, 3);
  for (let k = 0; k < nSlots; k++) {
    const w = slotWord(k);
    setLaid(frame, k, NOTHING);
    setAddress(frame, k, word(ins, w) == SLOT_SCALAR ? operand(ins, table, w + 1) : tile(frame, k));
  }
}

/** Places the streams and views for elements i … i + n − 1. */
function placeMoving(ins: usize, table: usize, frame: usize, i: i32, n: i32): void {
  const block = word(ins, 2), nSlots = word(ins, 3);
  for (let k = 0; k < nSlots; k++) {
    const w = slotWord(k), mode = word(ins, w);
    if (mode == SLOT_IN || mode == SLOT_OUT) {
      setAddress(frame, k, operand(ins, table, w + 1) + (<usize>i << 2));
    } else if (mode == SLOT_VIEW) {
      const base = operand(ins, table, w + 1);
      setAddress(frame, k, layView(frame, k, base, word(ins, w + 2), word(ins, w + 3), i, n, block));
    }
  }
}

/** Runs the tape over elements i … i + n − 1. */
export function runBlock(ins: usize, table: usize, frame: usize, i: i32, n: i32): i32 {
  placeMoving(ins, table, frame, i, n);
  let m = tapeStart(ins);
  for (let k = word(ins, 4); k > 0; k--) {
    const micro = <i32>(load<u32>(m) & 0xffff);
    const fault = micro < MICRO_SUM ? perform(micro, m, frame, n) : reduce(micro, m, frame, i, n);
    if (fault != STATUS_OK) return fault;
    m = nextMicro(m);
  }
  return STATUS_OK;
}

function reduce(micro: i32, m: usize, frame: usize, i: i32, n: i32): i32 {
  if (micro > MICRO_PROD) return FAULT_OPCODE;
  const g = gatherOf(frame), acc = address(m, frame, 1), x = address(m, frame, 2);
  if (g.byColumns) {
    const rows = n / g.width, done = rows * g.width;
    columns(micro, acc, x, rows, g.width);
    if (done < n) columns(micro, acc, x + (<usize>done << 2), 1, n - done);
    return STATUS_OK;
  }
  const element = i - g.from, run = element / g.inner;
  runs(micro, acc, x, n, g.inner, g.period, element - run * g.inner, (g.output + run) % g.period);
  return STATUS_OK;
}
