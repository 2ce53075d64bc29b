// Softmax, its log, their gradients and softmax cross-entropy with FLAG_F64, by rows: relative to the row's maximum,
// so large logits neither overflow nor lose digits. A row with +∞ or NaN in it, or of −∞ alone, is NaN throughout.
import { CE_DY_ROWS, CE_PROBABILITIES, FAULT_INDEX, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { allWithin, rowGrain } from '../rows';
import { exp, log } from '../../math/double/power';

// @ts-ignore: decorator
@inline
function at(row: usize, i: i32): usize {
  return row + (<usize>i << 3);
}

/** Columns of a row that the causal mask leaves: all where there is none. */
// @ts-ignore: decorator
@inline
function visible(row: i32, cols: i32, height: i32, first: i32): i32 {
  return height == 0 ? cols : max(0, min(cols, (row % height) + first));
}

// @ts-ignore: decorator
@inline
function hideRest(row: usize, n: i32, cols: i32): void {
  if (n < cols) memory.fill(at(row, n), 0, <usize>(cols - n) << 3);
}

/** The maximum of a row; NaN is passed over: it shows in the sum of exponentials. */
function rowMax(x: usize, n: i32): f64 {
  let top: f64 = -Infinity;
  for (let i = 0; i < n; i++) {
    const v = load<f64>(at(x, i));
    if (v > top) top = v;
  }
  return top;
}

/** Σ exp(x − top); the terms go to `out` unless it is 0. */
function sumExp(out: usize, x: usize, n: i32, top: f64): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    const e = exp(load<f64>(at(x, i)) - top);
    if (out) store<f64>(at(out, i), e);
    sum += e;
  }
  return sum;
}

/** OP_SOFTMAX. out may be x. */
export function softmax64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 3), cols = word(ins, 4), wantsLog = word(ins, 5);
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  for (let row = shareStart(rows, thread, threads, rowGrain(cols)); row < end; row++) {
    const out = at(operand(ins, table, 1), row * cols), x = at(operand(ins, table, 2), row * cols);
    const n = visible(row, cols, word(ins, 6), word(ins, 7));
    const top = rowMax(x, n);
    const sum = sumExp(wantsLog ? 0 : out, x, n, top);
    const logOfSum = wantsLog ? log(sum) : 0;
    for (let i = 0; i < n; i++) {
      const y = wantsLog ? load<f64>(at(x, i)) - top - logOfSum : load<f64>(at(out, i)) / sum;
      store<f64>(at(out, i), y);
    }
    hideRest(out, n, cols);
  }
  return STATUS_OK;
}

/** OP_SOFTMAX_GRAD. dx may be dy or y. */
export function softmaxGrad64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 4), cols = word(ins, 5), ofLog = word(ins, 6);
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  for (let row = shareStart(rows, thread, threads, rowGrain(cols)); row < end; row++) {
    const dx = at(operand(ins, table, 1), row * cols);
    const y = at(operand(ins, table, 2), row * cols), dy = at(operand(ins, table, 3), row * cols);
    const n = visible(row, cols, word(ins, 7), word(ins, 8));
    let total: f64 = 0;
    for (let i = 0; i < n; i++) total += load<f64>(at(dy, i)) * (ofLog ? 1 : load<f64>(at(y, i)));
    for (let i = 0; i < n; i++) {
      const p = load<f64>(at(y, i)), g = load<f64>(at(dy, i));
      store<f64>(at(dx, i), ofLog ? g - exp(p) * total : p * (g - total));
    }
    hideRest(dx, n, cols);
  }
  return STATUS_OK;
}

/** OP_CROSS_ENTROPY. dx may be the logits. A thread checks its labels before it writes. */
export function crossEntropy64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const rows = word(ins, 6), cols = word(ins, 7), flags = word(ins, 8);
  const start = shareStart(rows, thread, threads, rowGrain(cols));
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  const loss = operand(ins, table, 1), dx = operand(ins, table, 2), x = operand(ins, table, 3);
  const target = operand(ins, table, 4), dy = operand(ins, table, 5);
  const ofLabels = (flags & CE_PROBABILITIES) == 0;
  if (ofLabels && !allWithin(target + (<usize>start << 2), end - start, 0, cols)) return FAULT_INDEX;
  for (let row = start; row < end; row++) {
    const scale = dy ? load<f64>(flags & CE_DY_ROWS ? at(dy, row) : dy) : 1;
    const to = dx ? at(dx, row * cols) : 0, from = at(x, row * cols);
    const value = ofLabels
      ? labelRow(to, from, cols, load<i32>(target + (<usize>row << 2)), scale)
      : probabilityRow(to, from, at(target, row * cols), cols, scale);
    if (loss) store<f64>(at(loss, row), value);
  }
  return STATUS_OK;
}

/** A row whose target is the class `label`. Returns its loss; writes dx unless it is 0. */
function labelRow(dx: usize, x: usize, n: i32, label: i32, dy: f64): f64 {
  const top = rowMax(x, n), atLabel = load<f64>(at(x, label)) - top;
  const sum = sumExp(dx, x, n, top);
  if (dx) {
    for (let i = 0; i < n; i++) store<f64>(at(dx, i), (load<f64>(at(dx, i)) / sum - (i == label ? 1 : 0)) * dy);
  }
  return log(sum) - atLabel;
}

/** A row whose target is the distribution t [n]. */
function probabilityRow(dx: usize, x: usize, t: usize, n: i32, dy: f64): f64 {
  const top = rowMax(x, n);
  let mass: f64 = 0, dot: f64 = 0;
  for (let i = 0; i < n; i++) {
    const p = load<f64>(at(t, i));
    mass += p;
    dot += p * (load<f64>(at(x, i)) - top);
  }
  const sum = sumExp(dx, x, n, top);
  if (dx) {
    for (let i = 0; i < n; i++) {
      store<f64>(at(dx, i), (load<f64>(at(dx, i)) / sum * mass - load<f64>(at(t, i))) * dy);
    }
  }
  return log(sum) * mass - dot;
}
