// OP_SORT with FLAG_F64: a stable merge sort of places.
import { SORT_DESCENDING, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { rowGrain } from '../rows';

// Below this many, insertion is faster than merging.
const RUN = 8;

/** x [rows, cols] → out int32 [rows, cols], which overlaps nothing. Shared by rows. */
export function sort64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const room = operand(ins, table, 3), rows = word(ins, 4), cols = word(ins, 5);
  const flip: i64 = word(ins, 6) & SORT_DESCENDING ? -1 : 0, rowBytes = <usize>cols << 3;
  const end = shareStart(rows, thread + 1, threads, rowGrain(cols));
  for (let row = shareStart(rows, thread, threads, rowGrain(cols)); row < end; row++) {
    const places = room ? room + <usize>row * rowBytes * 4 : scratch;
    const x = operand(ins, table, 2) + <usize>row * rowBytes;
    for (let i = 0; i < cols; i++) store<i32>(places + (<usize>i << 2), i);
    const sorted = sortPlaces(places, places + rowBytes, x, cols, flip);
    memory.copy(operand(ins, table, 1) + (<usize>row * rowBytes >> 1), sorted, rowBytes >> 1);
  }
  return STATUS_OK;
}

/** What element `place` is ordered by: its bits as an integer of the same order, −0 as 0 and every NaN as the largest. */
// @ts-ignore: decorator
@inline
function keyOf(x: usize, place: i32, flip: i64): i64 {
  const bits = load<i64>(x + (<usize>place << 3));
  if ((bits & i64.MAX_VALUE) > 0x7ff0000000000000) return i64.MAX_VALUE ^ flip;
  if (bits == i64.MIN_VALUE) return flip;
  return (bits ^ ((bits >> 63) & i64.MAX_VALUE)) ^ flip;
}

/** Sorts n places at a, with room for as many at b; returns where they are then. */
function sortPlaces(a: usize, b: usize, x: usize, n: i32, flip: i64): usize {
  for (let s = 0; s < n; s += RUN) insert(a + (<usize>s << 2), x, min(RUN, n - s), flip);
  for (let width = RUN; width < n; width <<= 1) {
    for (let s = 0; s < n; s += 2 * width) {
      const at = <usize>s << 2;
      merge(b + at, a + at, x, min(width, n - s), min(2 * width, n - s), flip);
    }
    const sorted = b;
    b = a;
    a = sorted;
  }
  return a;
}

function insert(places: usize, x: usize, n: i32, flip: i64): void {
  for (let i = 1; i < n; i++) {
    let p = places + (<usize>i << 2);
    const place = load<i32>(p), key = keyOf(x, place, flip);
    for (; p > places && keyOf(x, load<i32>(p - 4), flip) > key; p -= 4) store<i32>(p, load<i32>(p - 4));
    store<i32>(p, place);
  }
}

/** dst[n] = the sorted places src[0, middle) and src[middle, n) in one order. */
function merge(dst: usize, src: usize, x: usize, middle: i32, n: i32, flip: i64): void {
  let left = src, right = src + (<usize>middle << 2);
  const leftEnd = right, rightEnd = src + (<usize>n << 2);
  for (; left < leftEnd && right < rightEnd; dst += 4) {
    const p = load<i32>(left), q = load<i32>(right);
    if (keyOf(x, q, flip) < keyOf(x, p, flip)) {
      store<i32>(dst, q);
      right += 4;
    } else {
      store<i32>(dst, p);
      left += 4;
    }
  }
  memory.copy(dst, left, leftEnd - left);
  memory.copy(dst + (leftEnd - left), right, rightEnd - right);
}
