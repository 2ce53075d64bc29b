// Types of random.js.
/** n numbers of mulberry32(seed) in [lo, hi), rounded to float32. */
export function uniform(seed: number, n: number, lo?: number, hi?: number): Float32Array<ArrayBuffer>;
