// Views: makes a repeated row, a repeated column or a scalar readable as a plain stream over one block.
import { laid, setLaid, tile } from './frame';

/** The tile holds a period and a block of a repeated row. */
const ROW = 0x7fffffff;
/** The tile serves no other block. */
export const NOTHING = -1;

/**
 * Where elements i … i + n − 1 of the view (inner, period) of `base` stand one after another: in place where they
 * do so anyway, else in the slot's tile, which is filled once for as many blocks as it can serve.
 * `n` ≤ `block` ≤ MAP_BLOCK.
 */
export function layView(frame: usize, slot: i32, base: usize, inner: i32, period: i32, i: i32, n: i32, block: i32): usize {
  const at = tile(frame, slot);
  if (period == 1) {
    if (laid(frame, slot) != 0) fill(at, base, block);
    setLaid(frame, slot, 0);
    return at;
  }
  if (inner == 1) return layRow(frame, slot, base, period, i % period, n, block);
  const run = i / inner;
  const element = run % period;
  if (i - run * inner + n > inner) {
    layColumn(at, base, inner, period, element, inner - (i - run * inner), n);
    setLaid(frame, slot, NOTHING);
  } else if (laid(frame, slot) != element) {
    fill(at, base + (<usize>element << 2), block);
    setLaid(frame, slot, element);
  }
  return at;
}

function layRow(frame: usize, slot: i32, base: usize, period: i32, phase: i32, n: i32, block: i32): usize {
  const start = <usize>phase << 2;
  if (phase + n <= period) return base + start;
  const at = tile(frame, slot);
  const bytes = <usize>period << 2;
  if (period > block) {
    memory.copy(at, base + start, bytes - start);
    memory.copy(at + bytes - start, base, (<usize>n << 2) - (bytes - start));
    return at;
  }
  if (laid(frame, slot) != ROW) {
    memory.copy(at, base, bytes);
    const total = bytes + (<usize>block << 2);
    for (let done = bytes; done < total; done += done) memory.copy(at + done, at, min(done, total - done));
    setLaid(frame, slot, ROW);
  }
  return at + start;
}

/** Lays n elements of a repeated column; the first run has `first` left. May write three elements past n. */
function layColumn(at: usize, base: usize, inner: i32, period: i32, element: i32, first: i32, n: i32): void {
  let length = first;
  while (n > 0) {
    if (length > n) length = n;
    fill(at, base + (<usize>element << 2), length);
    at += <usize>length << 2;
    n -= length;
    length = inner;
    if (++element == period) element = 0;
  }
}

/** The float at `from`, n times (rounded up to 4: the tile has room, and the next run writes over it). */
// @ts-ignore: decorator
@inline
function fill(at: usize, from: usize, n: i32): void {
  const x = v128.load32_splat(from);
  for (const end = at + (<usize>n << 2); at < end; at += 16) v128.store(at, x);
}
