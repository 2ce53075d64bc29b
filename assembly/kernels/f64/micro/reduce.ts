// Reductions of a block of float64: runs of elements into one output each, or rows added up column by column.
import { MICRO_PROD, MICRO_REDUCE_MAX, MICRO_REDUCE_MIN, MICRO_SUM } from '../../../abi';

/** What an empty reduction gives. */
export function identity(op: i32): f64 {
  if (op == MICRO_SUM) return 0;
  if (op == MICRO_PROD) return 1;
  return op == MICRO_REDUCE_MAX ? -Infinity : Infinity;
}

/** Chosen anew for each two elements where `op` is not a constant: only sums are worth loops of their own. */
// @ts-ignore: decorator
@inline
function combine(op: i32, a: v128, b: v128): v128 {
  if (op == MICRO_SUM) return f64x2.add(a, b);
  if (op == MICRO_REDUCE_MAX) return f64x2.max(a, b);
  if (op == MICRO_REDUCE_MIN) return f64x2.min(a, b);
  return f64x2.mul(a, b);
}

/** out = out ∘ the n ≥ 1 elements at x, gathered in four partial results. */
// @ts-ignore: decorator
@inline
function gatherRun(op: i32, out: usize, x: usize, n: i32): void {
  let total = v128.load64_zero(out);
  if (n >= 4) {
    let a = v128.load(x), b = v128.load(x, 16);
    x += 32;
    for (n -= 4; n >= 4; n -= 4, x += 32) {
      a = combine(op, a, v128.load(x));
      b = combine(op, b, v128.load(x, 16));
    }
    a = combine(op, a, b);
    total = combine(op, total, combine(op, a, v128.shuffle<f64>(a, a, 1, 0)));
  }
  for (; n > 0; n--, x += 8) total = combine(op, total, v128.load64_zero(x));
  v128.store64_lane(out, total, 0);
}

/** out[n] = out ∘ x. */
// @ts-ignore: decorator
@inline
function gatherRow(op: i32, out: usize, x: usize, n: i32): void {
  for (; n >= 2; n -= 2, out += 16, x += 16) v128.store(out, combine(op, v128.load(out), v128.load(x)));
  if (n > 0) v128.store64_lane(out, combine(op, v128.load64_zero(out), v128.load64_zero(x)), 0);
}

// @ts-ignore: decorator
@inline
function gather(op: i32, out: usize, x: usize, i: i32, n: i32, inner: i32, period: i32): void {
  if (inner == 1) {
    let phase = i % period;
    for (; n > 0; phase = 0) {
      const length = min(period - phase, n);
      gatherRow(op, out + (<usize>phase << 3), x, length);
      x += <usize>length << 3;
      n -= length;
    }
    return;
  }
  let run = i / inner, left = inner - (i - run * inner);
  run %= period;
  for (; n > 0; left = inner) {
    const length = min(left, n);
    gatherRun(op, out + (<usize>run << 3), x, length);
    x += <usize>length << 3;
    n -= length;
    if (++run == period) run = 0;
  }
}

/** Gathers n elements at x, numbers i … i + n − 1, into out[period]: element i feeds output ⌊i / inner⌋ mod period. */
export function gatherRuns(op: i32, out: usize, x: usize, i: i32, n: i32, inner: i32, period: i32): void {
  if (op == MICRO_SUM) gather(MICRO_SUM, out, x, i, n, inner, period);
  else gather(op, out, x, i, n, inner, period);
}
