// The outputs of reductions: their first value, and the second level of those gathered by columns.
import { MICRO_SUM } from '../../abi';
import { operand, word } from '../../program';
import { storeTail } from '../../tail';
import { Gather, gatherOf, setAddress, tile } from './frame';
import { nextMicro, slotWord, tapeStart } from './instruction';
import { columns, identity } from './micro/reduce';

/** Gives the outputs of the unit the value of an empty reduction, and clears the tiles that gather columns. */
export function beginUnit(ins: usize, table: usize, frame: usize): void {
  const g = gatherOf(frame);
  let m = tapeStart(ins);
  for (let k = word(ins, 4); k > 0; k--) {
    const micro = <i32>(load<u32>(m) & 0xffff);
    if (micro >= MICRO_SUM) {
      const slot = load<i32>(m, 4);
      const out = outputs(ins, table, g, slot);
      fill(out, identity(micro), g.nOutputs);
      if (g.byColumns) fill(tile(frame, slot), identity(micro), g.width);
      // Runs go straight to their output: from the slice's first where they go round, else from number 0.
      else setAddress(frame, slot, out - (<usize>g.output << 2));
    }
    m = nextMicro(m);
  }
}

/** Adds the tiles of columns, several rows of outputs each, to the outputs, and clears them. */
export function endRows(ins: usize, table: usize, frame: usize): void {
  const g = gatherOf(frame);
  let m = tapeStart(ins);
  for (let k = word(ins, 4); k > 0; k--) {
    const micro = <i32>(load<u32>(m) & 0xffff);
    if (micro >= MICRO_SUM) {
      const slot = load<i32>(m, 4);
      const rows = g.width / g.nOutputs, at = tile(frame, slot);
      // Among themselves first, so that an output takes one addition a call.
      columns(micro, at, at + (<usize>g.nOutputs << 2), rows - 1, g.nOutputs);
      columns(micro, outputs(ins, table, g, slot), at, 1, g.nOutputs);
      fill(tile(frame, slot), identity(micro), g.width);
    }
    m = nextMicro(m);
  }
}

/** Address of the unit's outputs. */
// @ts-ignore: decorator
@inline
function outputs(ins: usize, table: usize, g: Gather, slot: i32): usize {
  return operand(ins, table, slotWord(slot) + 1) + (<usize>g.outputsAt << 2);
}

function fill(at: usize, x: f32, n: i32): void {
  const v = f32x4.splat(x);
  for (; n >= 4; n -= 4, at += 16) v128.store(at, v);
  if (n > 0) storeTail(at, v, n);
}
