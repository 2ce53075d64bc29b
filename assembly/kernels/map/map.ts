// OP_MAP: shares the elements, or the outputs of its reductions, between threads and walks them block by block.
import { GRAIN, SLOT_REDUCE, STATUS_OK } from '../../abi';
import { shareStart, word } from '../../program';
import { placeFixed, runBlock } from './block';
import { Gather, gatherOf } from './frame';
import { slotWord } from './instruction';
import { beginUnit, endRows } from './unit';

const ENDLESS = 0x7fffffff;
/** Rows added up one after another before the sum goes to the second level: as many as a run's lanes take. */
const LEVEL_ROWS = 64;
/** Rows narrower than this are combined several at a time, as one row of whole vectors. */
const NARROW = 64;

/**
 * Runs the instruction's share of this thread. Streams are contiguous and need no alignment; an output may be the
 * memory of an input stream, never of a view or scalar. Any n ≥ 0; nothing past n is written. Sums go over two
 * levels (blocks, then their results), so their error grows with the number of blocks, not of elements.
 */
export function map(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  placeFixed(ins, table, scratch);
  const n = word(ins, 1), slot = reduceSlot(ins), g = gatherOf(scratch);
  g.inner = ENDLESS;
  g.block = word(ins, 2);
  g.byColumns = false;
  g.from = 0;
  if (slot < 0) return sweep(ins, table, scratch, shareStart(n, thread, threads), shareStart(n, thread + 1, threads));

  const inner = word(ins, slotWord(slot) + 2);
  g.period = word(ins, slotWord(slot) + 3);
  const whole = <i64>inner * g.period;
  if (whole >= n) {
    setRuns(g, inner);
    return oneRunAnOutput(ins, table, scratch, thread, threads);
  }
  const slices = word(ins, 5), repeats = <i32>((n + whole - 1) / whole);
  const step = ((repeats + slices - 1) / slices) * <i32>whole;
  if (inner > 1 || g.period == 1) setRuns(g, g.period == 1 ? ENDLESS : inner);
  else setColumns(g);
  return sliced(ins, table, scratch, slices, step, thread, threads);
}

/** The first slot that is an accumulator, or −1. */
function reduceSlot(ins: usize): i32 {
  for (let k = 0, nSlots = word(ins, 3); k < nSlots; k++) if (word(ins, slotWord(k)) == SLOT_REDUCE) return k;
  return -1;
}

function setRuns(g: Gather, inner: i32): void {
  g.inner = inner;
  if (inner > 0 && inner < g.block) g.block -= g.block % inner;
}

function setColumns(g: Gather): void {
  g.byColumns = true;
  if (g.period <= g.block) g.block -= g.block % g.period;
}

/** Each output gathers one run: the outputs are shared. */
function oneRunAnOutput(ins: usize, table: usize, frame: usize, thread: i32, threads: i32): i32 {
  const g = gatherOf(frame), n = <i64>word(ins, 1), grain = g.inner < GRAIN ? GRAIN : 1;
  const first = shareStart(g.period, thread, threads, grain), end = shareStart(g.period, thread + 1, threads, grain);
  g.from = <i32>min<i64>(n, <i64>first * g.inner);
  g.output = first;
  g.nOutputs = end - first;
  g.outputsAt = first;
  beginUnit(ins, table, frame);
  return sweep(ins, table, frame, g.from, <i32>min<i64>(n, <i64>end * g.inner));
}

/**
 * Each output gathers many runs: slices of `step` elements are shared. Rows longer than a block are also cut into
 * panels of a block's columns, so that the accumulators stay in L1.
 */
function sliced(ins: usize, table: usize, frame: usize, slices: i32, step: i32, thread: i32, threads: i32): i32 {
  const g = gatherOf(frame), n = word(ins, 1);
  const panel = g.byColumns ? min(g.period, g.block) : g.period;
  const panels = (g.period + panel - 1) / panel, units = slices * panels;
  const end = shareStart(units, thread + 1, threads, 1);
  for (let u = shareStart(units, thread, threads, 1); u < end; u++) {
    const slice = u / panels, column = (u % panels) * panel;
    const from = <i64>slice * step;
    g.output = 0;
    g.nOutputs = min(panel, g.period - column);
    g.width = g.byColumns ? tileWidth(g) : 0;
    g.from = <i32>min<i64>(n, from + column);
    g.outputsAt = slice * g.period + column;
    beginUnit(ins, table, frame);
    const to = <i32>min<i64>(n, from + step);
    const fault = g.byColumns ? sweepRows(ins, table, frame, g.from, to) : sweep(ins, table, frame, g.from, to);
    if (fault != STATUS_OK) return fault;
  }
  return STATUS_OK;
}

/** Elements a row of the tile: several short rows make one of whole vectors. */
function tileWidth(g: Gather): i32 {
  const n = g.nOutputs;
  if (n >= NARROW) return n;
  const whole = (n & 1) ? n * 4 : (n & 2) ? n * 2 : n;
  const width = ((NARROW + whole - 1) / whole) * whole;
  return width <= g.block ? width : n;
}

/** Runs the tape over [from, to), block by block. A block longer runs than it are cut at their ends. */
function sweep(ins: usize, table: usize, frame: usize, from: i32, to: i32): i32 {
  const g = gatherOf(frame);
  for (let i = from; i < to; ) {
    let n = min(g.block, to - i);
    if (g.inner > g.block) n = min(n, g.inner - (i - g.from) % g.inner);
    const fault = runBlock(ins, table, frame, i, n);
    if (fault != STATUS_OK) return fault;
    i += n;
  }
  return STATUS_OK;
}

/** Runs the tape over the unit's columns of the rows in [from, to), and gathers them over two levels. */
function sweepRows(ins: usize, table: usize, frame: usize, from: i32, to: i32): i32 {
  const g = gatherOf(frame);
  const isPanel = g.nOutputs < g.period;
  const stride = isPanel ? g.period : g.block, length = isPanel ? g.nOutputs : g.block;
  const deep = LEVEL_ROWS / max(1, length / g.width);
  let pending = 0;
  for (let i = from; i < to; i += stride) {
    const fault = runBlock(ins, table, frame, i, min(length, to - i));
    if (fault != STATUS_OK) return fault;
    if (++pending >= deep) {
      endRows(ins, table, frame);
      pending = 0;
    }
  }
  endRows(ins, table, frame);
  return STATUS_OK;
}
