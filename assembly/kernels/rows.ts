// Runs of consecutive elements: copies, fills and sums that never touch what lies beside them, and how rows are
// shared between threads.
import { GRAIN } from '../abi';
import { loadPart, storePart } from '../tail';

/** The grain by which rows are shared: a row of GRAIN elements or more is one, shorter rows go by GRAIN. */
export function rowGrain(cols: i32): i32 {
  return cols >= GRAIN ? 1 : GRAIN;
}

// Up to here a loop of vectors beats the call that memory.copy makes of a copy whose length is not a constant.
const LONG_RUN = 64;

/** dst[n] = src[n]; the two do not overlap. */
export function copyRun(dst: usize, src: usize, n: i32): void {
  if (n > LONG_RUN) {
    memory.copy(dst, src, <usize>n << 2);
    return;
  }
  const end = dst + (<usize>(n & ~3) << 2);
  for (; dst < end; dst += 16, src += 16) v128.store(dst, v128.load(src));
  if (n & 3) storePart(dst, loadPart(src, n & 3), n & 3);
}

/** dst[n] = the four bytes at src, n times. */
export function fillRun(dst: usize, src: usize, n: i32): void {
  const v = v128.load_splat<u32>(src);
  const end = dst + (<usize>(n & ~3) << 2);
  for (; dst < end; dst += 16) v128.store(dst, v);
  storePart(dst, v, n & 3);
}

/** dst[n] += src[n]; the two do not overlap. */
export function addRun(dst: usize, src: usize, n: i32): void {
  const end = dst + (<usize>(n & ~3) << 2);
  for (; dst < end; dst += 16, src += 16) v128.store(dst, f32x4.add(v128.load(dst), v128.load(src)));
  const zero = f32x4.splat(0);
  if (n & 3) storePart(dst, f32x4.add(loadPart(dst, n & 3), loadPart(src, n & 3)), n & 3);
}

/** Whether each of the n int32 at p lies in [low, end). `low` fills the last vector: where it lies outside, all do. */
export function allWithin(p: usize, n: i32, low: i32, end: i32): bool {
  const first = i32x4.splat(low);
  const size = i32x4.splat(end - low);
  let inside = i32x4.splat(-1);
  const stop = p + (<usize>(n & ~3) << 2);
  for (; p < stop; p += 16) {
    inside = v128.and(inside, i32x4.lt_u(i32x4.sub(v128.load(p), first), size));
  }
  if (n & 3) inside = v128.and(inside, i32x4.lt_u(i32x4.sub(loadPart(p, n & 3, first), first), size));
  return i32x4.all_true(inside);
}
