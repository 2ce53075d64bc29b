// Handwritten digits drawn by the program: a data set that needs no download.
import { NablaError } from '../error.ts';
import type { Dataset } from './dataset.ts';
import { GLYPHS, type Stroke, type Style } from './glyphs.ts';
import { type PenPath, smoothCurve, stroke } from './pen.ts';
import { Rng } from './rng.ts';

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const CLASSES = GLYPHS.length;
const FAR = 1e9;

/** How much hands differ. Lengths in half-heights of a digit unless they say pixels; `± n` is uniform in [−n, n]. */
const HAND = {
  halfHeight: [7.2, 10.4], // pixels; MNIST's digits are 20 pixels high, so 10
  width: [0.72, 1.2], // times the height
  slant: [-0.22, 0.5], // x per y: most hands lean to the right
  rotation: 0.2, // ± sine of the angle: 11.5 degrees
  shift: 2.2, // ± pixels, each way
  bend: 0.12, // ± quadratic warps of the whole digit
  wander: 0.062, // standard deviation of each point the pen aims at
  tremble: 0.012, // standard deviation of a step of the pen's own shake
  thickness: [0.65, 1.75], // radius in pixels
  pressure: 0.05, // standard deviation of a step of the radius's change, relative
  edge: [0.9, 1.7], // pixels from paper to full ink
  ink: [0.75, 1], // grey of full ink
  grain: [0, 0.11], // noise on paper and ink
} as const;

/**
 * Draws handwritten digits: as many of each class as `count` allows, in random order. The same seed gives the same
 * digits on every engine, and fewer digits are the first of more.
 *
 * @param count how many, 1 or more
 * @param options.seed whole number from 0, default 0; another seed, other digits
 * @param options.stream whole number from 0, default 0: each seed has many independent sets, one to train on and one to
 * test on, say
 * @returns images [count, 1, 28, 28], grey from 0 (paper) to 1 (ink), and labels [count]
 * @throws NablaError `option` if an argument is out of range
 */
export function drawDigits(count: number, options: { seed?: number; stream?: number } = {}): Dataset {
  if (!Number.isInteger(count) || count < 1) {
    throw new NablaError('option', `drawDigits: count ${count}: expected a whole number, 1 or more`, { count });
  }
  const rng = new Rng(options.seed ?? 0, options.stream ?? 0);
  const images = new Float32Array(count * PIXELS);
  const labels = new Int32Array(count);
  const order = Int32Array.from({ length: CLASSES }, (_, digit) => digit);
  const distance = new Float32Array(PIXELS);
  for (let i = 0; i < count; i++) {
    if (i % CLASSES === 0) rng.shuffle(order);
    const digit = order[i % CLASSES] as number;
    labels[i] = digit;
    drawDigit(digit, rng, distance, images.subarray(i * PIXELS, (i + 1) * PIXELS));
  }
  return { images, labels, shape: [1, SIDE, SIDE], classes: CLASSES };
}

function drawDigit(digit: number, rng: Rng, distance: Float32Array, image: Float32Array): void {
  const radius = rng.uniform(...HAND.thickness);
  const edge = rng.uniform(...HAND.edge);
  const warp = new Warp(rng);
  distance.fill(FAR);
  for (const points of pickStyle(GLYPHS[digit] as readonly Style[], rng).strokes) {
    stroke(distance, SIDE, penPath(points, warp, radius, rng), edge);
  }
  develop(distance, edge, rng, image);
}

function pickStyle(styles: readonly Style[], rng: Rng): Style {
  let left = rng.uniform() * styles.reduce((total, style) => total + style.weight, 0);
  for (const style of styles) {
    left -= style.weight;
    if (left < 0) return style;
  }
  return styles[0] as Style;
}

/** Where one hand puts the whole digit: bend, slant, size, rotation and place, from a glyph's units to pixels. */
class Warp {
  readonly scale: number;
  #width: number;
  #slant: number;
  #sine: number;
  #cosine: number;
  #shiftX: number;
  #shiftY: number;
  #bends: readonly number[];

  constructor(rng: Rng) {
    this.scale = rng.uniform(...HAND.halfHeight);
    this.#width = rng.uniform(...HAND.width);
    this.#slant = rng.uniform(...HAND.slant);
    this.#sine = rng.uniform(-HAND.rotation, HAND.rotation);
    this.#cosine = Math.sqrt(1 - this.#sine * this.#sine);
    this.#shiftX = rng.uniform(-HAND.shift, HAND.shift) + (SIDE - 1) / 2;
    this.#shiftY = rng.uniform(-HAND.shift, HAND.shift) + (SIDE - 1) / 2;
    this.#bends = Array.from({ length: 6 }, () => rng.uniform(-HAND.bend, HAND.bend));
  }

  /** Moves a path's vertices in place. */
  apply(path: PenPath): void {
    const [a, b, c, d, e, f] = this.#bends as [number, number, number, number, number, number];
    for (let i = 0; i < path.x.length; i++) {
      const x = path.x[i] as number;
      const y = path.y[i] as number;
      const bentX = (x + a * x * x + b * x * y + c * (y * y - 0.5)) * this.#width - this.#slant * y;
      const bentY = y + d * x * x + e * x * y + f * (y * y - 0.5);
      path.x[i] = this.scale * (this.#cosine * bentX - this.#sine * bentY) + this.#shiftX;
      path.y[i] = this.scale * (this.#sine * bentX + this.#cosine * bentY) + this.#shiftY;
    }
  }
}

function penPath(points: Stroke, warp: Warp, radius: number, rng: Rng): PenPath {
  const xs: number[] = [];
  const ys: number[] = [];
  for (const [i, [x, y]] of points.entries()) {
    const before = points[i - 1];
    const isCorner = before !== undefined && before[0] === x && before[1] === y;
    xs.push(isCorner ? (xs[i - 1] as number) : x + HAND.wander * rng.bell());
    ys.push(isCorner ? (ys[i - 1] as number) : y + HAND.wander * rng.bell());
  }
  const path = smoothCurve(xs, ys);
  shake(path, rng);
  warp.apply(path);
  for (let i = 0, press = 1; i < path.x.length; i++) {
    press += 0.1 * (1 - press) + HAND.pressure * rng.bell();
    path.radius.push(Math.max(0.4, radius * press)); // thinner than 0.4 pixels the stroke would break up
  }
  return path;
}

/** The pen's own tremble: a random walk that forgets, so neighbouring vertices move together. */
function shake(path: PenPath, rng: Rng): void {
  let [dx, dy] = [0, 0];
  for (let i = 0; i < path.x.length; i++) {
    dx = 0.85 * dx + HAND.tremble * rng.bell();
    dy = 0.85 * dy + HAND.tremble * rng.bell();
    (path.x[i] as number) += dx;
    (path.y[i] as number) += dy;
  }
}

/** From distances to grey: a soft edge, the ink's grey, then grain. */
function develop(distance: Float32Array, edge: number, rng: Rng, image: Float32Array): void {
  const ink = rng.uniform(...HAND.ink);
  const grain = rng.uniform(...HAND.grain);
  for (let i = 0; i < PIXELS; i++) {
    const covered = Math.min(1, Math.max(0, 0.5 - (distance[i] as number) / edge));
    const bits = rng.uint32(); // two 16-bit uniforms, whose difference is a noise of triangular density
    const noise = grain * (((bits & 0xffff) - (bits >>> 16)) / 0x10000);
    image[i] = Math.min(1, Math.max(0, ink * covered + noise));
  }
}
