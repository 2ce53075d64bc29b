// Where the parts of an OP_MAP instruction lie: see its layout in abi.ts.
import { word } from '../../program';

const SLOTS = 6;
const SLOT_WORDS = 4;

/** Number of the word that holds slot k's mode; its operand, inner and period follow. */
// @ts-ignore: decorator
@inline
export function slotWord(k: i32): i32 {
  return SLOTS + k * SLOT_WORDS;
}

/** The first micro-operation. */
// @ts-ignore: decorator
@inline
export function tapeStart(ins: usize): usize {
  return ins + (<usize>slotWord(word(ins, 3)) << 2);
}

/** The micro-operation after the one at `m`. */
// @ts-ignore: decorator
@inline
export function nextMicro(m: usize): usize {
  return m + (<usize>(load<u32>(m) >> 16) << 2) + 4;
}
