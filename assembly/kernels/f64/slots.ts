// The slots of a float64 tape: where the elements of a block stand as float64, converted where they are stored as
// float32 (or bool) or int32. Tiles are those of the float32 interpreter, for half as many elements.
import {
  SLOT_IN, SLOT_MODE, SLOT_OUT, SLOT_SCALAR, SLOT_VIEW, STORED_F32, STORED_F64, STORED_I32,
} from '../../abi';
import { operand, word } from '../../program';
import { setAddress, tile } from '../map/frame';
import { slotWord } from '../map/instruction';

/** Log₂ of the bytes of an element in memory. */
// @ts-ignore: decorator
@inline
function shiftOf(stored: i32): usize {
  return stored == STORED_F64 ? 3 : 2;
}

/** One element as a float64. */
// @ts-ignore: decorator
@inline
function read(stored: i32, at: usize): f64 {
  if (stored == STORED_F32) return <f64>load<f32>(at);
  if (stored == STORED_I32) return <f64>load<i32>(at);
  return load<f64>(at);
}

/** Places what no block changes: scalars and tiles. */
export function placeFixed(ins: usize, table: usize, frame: usize): void {
  for (let k = 0, nSlots = word(ins, 3); k < nSlots; k++) {
    const w = slotWord(k), mode = word(ins, w), stored = mode & ~SLOT_MODE;
    const at = tile(frame, k);
    setAddress(frame, k, at);
    // Twice, so that it reads as two elements of a vector.
    if ((mode & SLOT_MODE) == SLOT_SCALAR) v128.store(at, f64x2.splat(read(stored, operand(ins, table, w + 1))));
  }
}

/** Places the streams and views for elements i … i + n − 1. */
export function placeMoving(ins: usize, table: usize, frame: usize, i: i32, n: i32): void {
  for (let k = 0, nSlots = word(ins, 3); k < nSlots; k++) {
    const w = slotWord(k), mode = word(ins, w) & SLOT_MODE, stored = word(ins, w) & ~SLOT_MODE;
    if (mode != SLOT_IN && mode != SLOT_OUT && mode != SLOT_VIEW) continue;
    const at = operand(ins, table, w + 1);
    if (mode == SLOT_VIEW) {
      setAddress(frame, k, layView(tile(frame, k), at, stored, word(ins, w + 2), word(ins, w + 3), i, n));
    } else if (stored == STORED_F64) {
      setAddress(frame, k, at + (<usize>i << 3));
    } else if (mode == SLOT_IN) {
      convert(tile(frame, k), at + (<usize>i << 2), stored, n);
    }
  }
}

/** Writes the block's results that are not stored as float64 to where they belong. */
export function storeMoving(ins: usize, table: usize, frame: usize, i: i32, n: i32): void {
  for (let k = 0, nSlots = word(ins, 3); k < nSlots; k++) {
    const w = slotWord(k), stored = word(ins, w) & ~SLOT_MODE;
    if ((word(ins, w) & SLOT_MODE) != SLOT_OUT || stored == STORED_F64) continue;
    let to = operand(ins, table, w + 1) + (<usize>i << 2);
    let from = tile(frame, k);
    const end = to + (<usize>n << 2);
    if (stored == STORED_I32) for (; to < end; to += 4, from += 8) store<i32>(to, <i32>load<f64>(from));
    else for (; to < end; to += 4, from += 8) store<f32>(to, <f32>load<f64>(from));
  }
}

/** to[n] = n elements one after another. */
function convert(to: usize, from: usize, stored: i32, n: i32): void {
  if (stored == STORED_F64) {
    memory.copy(to, from, <usize>n << 3);
    return;
  }
  const end = to + (<usize>n << 3);
  if (stored == STORED_I32) for (; to < end; to += 8, from += 4) store<f64>(to, <f64>load<i32>(from));
  else for (; to < end; to += 8, from += 4) store<f64>(to, <f64>load<f32>(from));
}

/** Where elements i … i + n − 1 of the view (inner, period) of `base` stand one after another: in place, or in `at`. */
function layView(at: usize, base: usize, stored: i32, inner: i32, period: i32, i: i32, n: i32): usize {
  const shift = shiftOf(stored);
  if (inner == 1) {
    let phase = i % period;
    if (stored == STORED_F64 && phase + n <= period) return base + (<usize>phase << 3);
    for (let done = 0; done < n; phase = 0) {
      const length = min(period - phase, n - done);
      convert(at + (<usize>done << 3), base + (<usize>phase << shift), stored, length);
      done += length;
    }
    return at;
  }
  let run = i / inner, left = inner - (i - run * inner);
  run %= period;
  for (let done = 0; done < n; left = inner) {
    const end = done + min(left, n - done);
    const x = read(stored, base + (<usize>run << shift));
    for (; done < end; done++) store<f64>(at + (<usize>done << 3), x);
    if (++run == period) run = 0;
  }
  return at;
}
