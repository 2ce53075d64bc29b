// Seeded numbers: the same bits as `uniform` of fixtures/make.py. JavaScript, so that a bare Node can run it too.

/**
 * n numbers of mulberry32(seed) in [lo, hi), rounded to float32.
 *
 * @param {number} seed
 * @param {number} n
 * @returns {Float32Array<ArrayBuffer>}
 */
export function uniform(seed, n, lo = -1, hi = 1) {
  let a = seed;
  return Float32Array.from({ length: n }, () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return lo + (hi - lo) * (((t ^ (t >>> 14)) >>> 0) / 2 ** 32);
  });
}
