// The last elements of a stream, as a vector: read and written without touching what lies beyond.

/** The first n elements at p (four or more: all four), then the lanes of `fill` that are above them. */
// @ts-ignore: decorator
@inline
export function loadPart(p: usize, n: i32, fill: v128 = f32x4.splat(0)): v128 {
  if (n >= 4) return v128.load(p);
  let v = fill;
  if (n & 2) {
    v = v128.load64_lane(p, v, 0);
    if (n & 1) v = v128.load32_lane(p, v, 2, 8);
  } else if (n & 1) {
    v = v128.load32_lane(p, v, 0);
  }
  return v;
}

/** Stores the low n lanes at p; four or more: all four. */
// @ts-ignore: decorator
@inline
export function storePart(p: usize, v: v128, n: i32): void {
  if (n >= 4) {
    v128.store(p, v);
  } else if (n & 2) {
    v128.store64_lane(p, v, 0);
    if (n & 1) v128.store32_lane(p, v, 2, 8);
  } else if (n & 1) {
    v128.store32_lane(p, v, 0);
  }
}

/** `loadPart` over zeros, kept as a call (see build.mjs): in the many bodies of a tape it would swell every one. */
export function loadTail(p: usize, n: i32): v128 {
  return loadPart(p, n);
}

/** `storePart`, kept as a call. */
export function storeTail(p: usize, v: v128, n: i32): void {
  storePart(p, v, n);
}
