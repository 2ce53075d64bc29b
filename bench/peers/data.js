// Seeded data. A workload describes it in plain JSON, so that every side, in any language, makes the same elements.

/** What stands for an array of uniform numbers in [low, high). */
export const uniform = (seed, shape, low = -1, high = 1) => ({ seed, shape, low, high });

/** What stands for n labels, whole numbers below `classes`. */
export const labels = (seed, n, classes) => ({ seed, shape: [n], low: 0, high: classes, whole: true });

/** What stands for weights uniform in ±1/√fanIn, as layers start with. */
export const weights = (seed, shape, fanIn) => uniform(seed, shape, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));

/** What stands for n equal numbers. */
export const constant = (value, n) => ({ seed: 0, shape: [n], low: value, high: value });

/** @typedef {{ elements: Float32Array | Int32Array, shape: number[] }} NdArray row-major */

/** The same arrays and objects with an NdArray for each description in them. */
export function materialise(described) {
  if (Array.isArray(described)) return described.map(materialise);
  if ('seed' in described) return draw(described);
  return Object.fromEntries(Object.entries(described).map(([name, inner]) => [name, materialise(inner)]));
}

/** mulberry32 (Tommy Ettinger): element i depends on seed + i alone, so NumPy can draw all at once. */
function draw({ seed, shape, low, high, whole = false }) {
  const elements = new (whole ? Int32Array : Float32Array)(sizeOf(shape));
  let state = seed;
  for (let i = 0; i < elements.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    elements[i] = low + (high - low) * (((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32);
  }
  return { elements, shape };
}

export const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** A copy whose axis k is axis axes[k] of the array, for peers with another layout: [N,C,H,W] by [0,2,3,1] is NHWC. */
export function permute({ elements, shape }, axes) {
  const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
  const out = new elements.constructor(elements.length);
  let next = 0;
  const visit = (k, at) => {
    if (k === axes.length) out[next++] = elements[at];
    else for (let i = 0; i < shape[axes[k]]; i++) visit(k + 1, at + i * strides[axes[k]]);
  };
  visit(0, 0);
  return { elements: out, shape: axes.map((axis) => shape[axis]) };
}

/** Labels [n] as rows [n, classes] of one 1 each, for peers whose losses take probabilities only. */
export function oneHot({ elements, shape }, classes) {
  const rows = new Float32Array(elements.length * classes);
  elements.forEach((label, i) => {
    rows[i * classes + label] = 1;
  });
  return { elements: rows, shape: [...shape, classes] };
}

/** Up to `most` elements spread evenly over an array: what two sides compare of a large result. */
export function sample(elements, most = 256) {
  const stride = Math.max(1, Math.floor(elements.length / most));
  return Array.from({ length: Math.min(most, elements.length) }, (_, i) => elements[i * stride]);
}

/** From a step's number to its batch: made once and gone through again and again, or made anew at each step. */
export function batchSource(batches, make, isFresh = false) {
  if (isFresh) return (i) => make(batches[i % batches.length]);
  const made = batches.map(make);
  return (i) => made[i % made.length];
}
