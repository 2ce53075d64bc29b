// The last one to three elements of a stream, as a vector: read and written without touching what lies beyond.
// Kept as calls (see build.mjs): they run once per loop, and inlined they would swell every kernel.

/** The n elements (1 … 3) at p; zeros in the other lanes. */
export function loadTail(p: usize, n: i32): v128 {
  if (n == 1) return v128.load32_zero(p);
  const low = v128.load64_zero(p);
  return n == 2 ? low : v128.load32_lane(p, low, 2, 8);
}

/** Writes the first n lanes (1 … 3) of x to p. */
export function storeTail(p: usize, x: v128, n: i32): void {
  if (n == 1) {
    v128.store32_lane(p, x, 0);
    return;
  }
  v128.store64_lane(p, x, 0);
  if (n == 3) v128.store32_lane(p, x, 2, 8);
}
