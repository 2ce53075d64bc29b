// The order of each row's elements: a stable merge sort.
//
// An element becomes one 64-bit number: above, its bits made to compare like a signed integer; below, its place. All
// such numbers differ, so any sort of them is stable, and their low halves are the result.
import { SORT_DESCENDING, SORT_I32, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { rowGrain } from './rows';

const KEY_BYTES: usize = 8;
// Below this many, insertion is faster than merging.
const RUN = 8;

/** OP_SORT. x [rows, cols] → out int32 [rows, cols], which overlaps nothing; any alignment. Shared by rows. */
export function sort(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const x = operand(ins, table, 2);
  const room = operand(ins, table, 3);
  const rows = word(ins, 4);
  const cols = word(ins, 5);
  const flags = word(ins, 6);
  const rowBytes = <usize>cols << 2;
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  for (let row = shareStart(rows, thread, threads, rowGrain(cols)); row < end; row++) {
    const keys = room == 0 ? scratch : room + <usize>row * rowBytes * 4;
    makeKeys(keys, x + <usize>row * rowBytes, cols, flags);
    const sorted = sortKeys(keys, keys + <usize>cols * KEY_BYTES, cols);
    const places = out + <usize>row * rowBytes;
    for (let i = 0; i < cols; i++) store<i32>(places + (<usize>i << 2), load<i32>(sorted + <usize>i * KEY_BYTES));
  }
  return STATUS_OK;
}

function makeKeys(keys: usize, x: usize, n: i32, flags: i32): void {
  const flip = flags & SORT_DESCENDING ? -1 : 0;
  for (let i = 0; i < n; i++) {
    let bits = load<i32>(x + (<usize>i << 2));
    if (!(flags & SORT_I32)) bits = comparable(bits);
    store<i64>(keys + <usize>i * KEY_BYTES, (<i64>(bits ^ flip) << 32) | <i64>i);
  }
}

/** A float's bits as an integer of the same order: −0 as 0, and every NaN as the largest. */
// @ts-ignore: decorator
@inline
function comparable(bits: i32): i32 {
  if ((bits & i32.MAX_VALUE) > 0x7f800000) return i32.MAX_VALUE;
  if (bits == i32.MIN_VALUE) return 0;
  return bits ^ ((bits >> 31) & i32.MAX_VALUE);
}

/** Sorts n keys at a, with room for as many at b; returns where they are then. */
function sortKeys(a: usize, b: usize, n: i32): usize {
  for (let s = 0; s < n; s += RUN) insert(a + <usize>s * KEY_BYTES, min(RUN, n - s));
  for (let width = RUN; width < n; width <<= 1) {
    for (let s = 0; s < n; s += 2 * width) {
      const at = <usize>s * KEY_BYTES;
      merge(b + at, a + at, min(width, n - s), min(2 * width, n - s));
    }
    const sorted = b;
    b = a;
    a = sorted;
  }
  return a;
}

/** Sorts n keys by insertion. */
function insert(keys: usize, n: i32): void {
  for (let i = 1; i < n; i++) {
    let p = keys + <usize>i * KEY_BYTES;
    const key = load<i64>(p);
    for (; p > keys && load<i64>(p - KEY_BYTES) > key; p -= KEY_BYTES) store<i64>(p, load<i64>(p - KEY_BYTES));
    store<i64>(p, key);
  }
}

/** dst[n] = the sorted keys src[0, middle) and src[middle, n) in one order. */
function merge(dst: usize, src: usize, middle: i32, n: i32): void {
  let left = src;
  let right = src + <usize>middle * KEY_BYTES;
  const leftEnd = right;
  const rightEnd = src + <usize>n * KEY_BYTES;
  while (left < leftEnd && right < rightEnd) {
    const x = load<i64>(left);
    const y = load<i64>(right);
    const takesRight = y < x;
    store<i64>(dst, select<i64>(y, x, takesRight));
    const step = <usize>takesRight * KEY_BYTES;
    right += step;
    left += KEY_BYTES - step;
    dst += KEY_BYTES;
  }
  memory.copy(dst, left, leftEnd - left);
  memory.copy(dst + (leftEnd - left), right, rightEnd - right);
}
