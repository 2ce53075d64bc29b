// OP_MAP with FLAG_F64: the same tapes over float64. It shares work and cuts reductions as the float32 one does.
import {
  GRAIN, MAP_BLOCK, MICRO_PROD, MICRO_SUM, FAULT_OPCODE, SLOT_MODE, SLOT_REDUCE, STATUS_OK,
} from '../../abi';
import { operand, shareStart, word } from '../../program';
import { address } from '../map/frame';
import { nextMicro, slotWord, tapeStart } from '../map/instruction';
import { gatherRuns, identity } from './micro/reduce';
import { perform } from './micro/tape';
import { placeFixed, placeMoving, storeMoving } from './slots';

/** Elements a block: as many bytes as one of float32. */
const BLOCK: i32 = MAP_BLOCK / 2;

/** Runs the instruction's share of this thread: see `map`. Which elements a sum adds up first depends on n alone. */
export function map64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  placeFixed(ins, table, scratch);
  const n = word(ins, 1), slot = reduceSlot(ins);
  if (slot < 0) {
    const end = shareStart(n, thread + 1, threads);
    return sweep(ins, table, scratch, shareStart(n, thread, threads), end, 0, 0, 0);
  }
  const inner = word(ins, slotWord(slot) + 2), period = word(ins, slotWord(slot) + 3);
  const whole = <i64>inner * period;
  if (whole >= n) {
    // Each output gathers one run: the outputs are shared.
    const grain = inner < GRAIN ? GRAIN : 1;
    const first = shareStart(period, thread, threads, grain), end = shareStart(period, thread + 1, threads, grain);
    clear(ins, table, first, end);
    const from = <i32>min<i64>(n, <i64>first * inner), to = <i32>min<i64>(n, <i64>end * inner);
    return sweep(ins, table, scratch, from, to, inner, period, 0);
  }
  const slices = word(ins, 5), repeats = <i32>((n + whole - 1) / whole);
  const step = <i64>((repeats + slices - 1) / slices) * whole;
  const end = shareStart(slices, thread + 1, threads, 1);
  for (let s = shareStart(slices, thread, threads, 1); s < end; s++) {
    clear(ins, table, s * period, (s + 1) * period);
    const from = <i32>min<i64>(n, s * step), to = <i32>min<i64>(n, (s + 1) * step);
    const fault = sweep(ins, table, scratch, from, to, inner, period, s * period);
    if (fault != STATUS_OK) return fault;
  }
  return STATUS_OK;
}

/** The first slot that is an accumulator, or −1. */
function reduceSlot(ins: usize): i32 {
  for (let k = 0, nSlots = word(ins, 3); k < nSlots; k++) {
    if ((word(ins, slotWord(k)) & SLOT_MODE) == SLOT_REDUCE) return k;
  }
  return -1;
}

/** Gives outputs [first, end) of every reduction the value of an empty one. */
function clear(ins: usize, table: usize, first: i32, end: i32): void {
  let m = tapeStart(ins);
  for (let k = word(ins, 4); k > 0; k--) {
    const micro = <i32>(load<u32>(m) & 0xffff);
    if (micro >= MICRO_SUM) {
      const out = operand(ins, table, slotWord(load<i32>(m, 4)) + 1);
      for (let i = first; i < end; i++) store<f64>(out + (<usize>i << 3), identity(micro));
    }
    m = nextMicro(m);
  }
}

/**
 * Runs the tape over [from, to), block by block. Reductions gather into outputs from number `outputsAt` on; blocks end
 * where their runs end, or lie within one.
 */
function sweep(ins: usize, table: usize, frame: usize, from: i32, to: i32, inner: i32, period: i32, outputsAt: i32): i32 {
  const block = inner > 1 && inner <= BLOCK ? BLOCK - (BLOCK % inner) : BLOCK;
  for (let i = from; i < to; ) {
    let n = min(block, to - i);
    if (inner > block) n = min(n, inner - (i - from) % inner);
    placeMoving(ins, table, frame, i, n);
    let m = tapeStart(ins);
    for (let k = word(ins, 4); k > 0; k--) {
      const micro = <i32>(load<u32>(m) & 0xffff);
      if (micro < MICRO_SUM) {
        const fault = perform(micro, m, frame, n);
        if (fault != STATUS_OK) return fault;
      } else {
        if (micro > MICRO_PROD) return FAULT_OPCODE;
        const out = operand(ins, table, slotWord(load<i32>(m, 4)) + 1) + (<usize>outputsAt << 3);
        gatherRuns(micro, out, address(m, frame, 2), i, n, inner, period);
      }
      m = nextMicro(m);
    }
    storeMoving(ins, table, frame, i, n);
    i += n;
  }
  return STATUS_OK;
}
