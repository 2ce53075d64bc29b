// How a kernel reads its instruction: words, operands' addresses, and its share of the work.
import { GRAIN, NONE } from './abi';

/** Word k of the instruction at `ins`. */
// @ts-ignore: decorator
@inline
export function word(ins: usize, k: i32): i32 {
  return load<i32>(ins + (<usize>k << 2));
}

/** Byte address of the operand named by word k, or 0 where it is absent. */
// @ts-ignore: decorator
@inline
export function operand(ins: usize, table: usize, k: i32): usize {
  const i = word(ins, k);
  return i == NONE ? 0 : <usize>load<u32>(table + (<usize>i << 2));
}

/** Where thread `thread` of `threads` starts in n units of work, cut at multiples of `grain`; its end is the next one's start. */
export function shareStart(n: i32, thread: i32, threads: i32, grain: i32 = GRAIN): i32 {
  const grains = <i64>((n + grain - 1) / grain);
  const start = <i32>((grains * thread) / threads) * grain;
  return start < n ? start : n;
}
