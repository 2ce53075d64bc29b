// Softmax cross-entropy by rows: the loss and its gradient from one set of exponentials.
import { CE_DY_ROWS, CE_PROBABILITIES, FAULT_INDEX, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { fma } from '../simd';
import { loadPart, storePart } from '../tail';
import { allWithin, rowGrain } from './rows';
import { expBelow, logOf, rowMax, scaleRow, sumExp, sumLanes } from './softmax';

/**
 * OP_CROSS_ENTROPY. Any alignment; dx may be the logits, nothing else overlaps. All is taken relative to the row's
 * maximum, so large logits neither overflow nor lose digits. A thread checks its labels before it writes.
 */
export function crossEntropy(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 6);
  const cols = word(ins, 7);
  const flags = word(ins, 8);
  const start = shareStart(rows, thread, threads, rowGrain(cols));
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  const target = operand(ins, table, 4);
  const ofLabels = (flags & CE_PROBABILITIES) == 0;
  if (ofLabels && !allWithin(target + (<usize>start << 2), end - start, 0, cols)) return FAULT_INDEX;

  const loss = operand(ins, table, 1);
  const dx = operand(ins, table, 2);
  const x = operand(ins, table, 3);
  const dy = operand(ins, table, 5);
  for (let row = start; row < end; row++) {
    const r = <usize>row << 2;
    const offset = r * <usize>cols;
    const scale: f32 = dy ? load<f32>(flags & CE_DY_ROWS ? dy + r : dy) : 1;
    const dxRow = dx ? dx + offset : 0;
    const value = ofLabels
      ? labelRow(dxRow, x + offset, cols, <usize>load<u32>(target + r) << 2, scale)
      : probabilityRow(dxRow, x + offset, target + offset, cols, scale);
    if (loss) store<f32>(loss + r, value);
  }
  return STATUS_OK;
}

/** A row whose target is the element `label` bytes in. Returns its loss; writes dx unless it is 0. */
function labelRow(dx: usize, x: usize, n: i32, label: usize, dy: f32): f32 {
  const max = rowMax(x, n);
  const atLabel = load<f32>(x + label) - max;
  const sum = sumExp(dx, x, n, max);
  if (dx) {
    scaleRow(dx, n, dy / sum);
    store<f32>(dx + label, load<f32>(dx + label) - dy);
  }
  return logOf(sum) - atLabel;
}

/** A row whose target is the distribution t [n]. Returns its loss; writes dx unless it is 0. */
function probabilityRow(dx: usize, x: usize, t: usize, n: i32, dy: f32): f32 {
  const max = f32x4.splat(rowMax(x, n));
  const zero = f32x4.splat(0);
  let sum = zero; // Σ exp(x − max)
  let weight = zero; // Σ t
  let dot = zero; // Σ t·(x − max)
  const bytes = <usize>(n & ~3) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const d = f32x4.sub(v128.load(x + i), max);
    const e = expBelow(d);
    const p = v128.load(t + i);
    sum = f32x4.add(sum, e);
    weight = f32x4.add(weight, p);
    dot = fma(p, d, dot);
    if (dx) v128.store(dx + i, e);
  }
  if (n & 3) {
    // Filled with −∞ for the exponential, but with the maximum for the product: 0·−∞ is NaN.
    const d = f32x4.sub(loadPart(x + bytes, n & 3, max), max);
    const e = expBelow(f32x4.sub(loadPart(x + bytes, n & 3, f32x4.splat(-Infinity)), max));
    const p = loadPart(t + bytes, n & 3);
    sum = f32x4.add(sum, e);
    weight = f32x4.add(weight, p);
    dot = fma(p, d, dot);
    if (dx) storePart(dx + bytes, e, n & 3);
  }
  const total = sumLanes(sum);
  const mass = sumLanes(weight);
  if (dx) mixRow(dx, t, n, (mass / total) * dy, dy);
  return logOf(total) * mass - sumLanes(dot);
}

/** dx[n] = dx·factor − t·scale. */
function mixRow(dx: usize, t: usize, n: i32, factor: f32, scale: f32): void {
  const s = f32x4.splat(factor);
  const dy = f32x4.splat(scale);
  const end = dx + (<usize>(n & ~3) << 2);
  for (; dx < end; dx += 16, t += 16) {
    v128.store(dx, f32x4.sub(f32x4.mul(v128.load(dx), s), f32x4.mul(v128.load(t), dy)));
  }
  if (n & 3) {
    const part = f32x4.sub(f32x4.mul(loadPart(dx, n & 3, s), s), f32x4.mul(loadPart(t, n & 3, s), dy));
    storePart(dx, part, n & 3);
  }
}
