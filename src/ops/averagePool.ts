// Average and adaptive pooling. Averages are banded maps, one an axis; adaptive maxima lay their windows out by one, so
// that all have the size that max-pooling takes.
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { band, type Taps } from './band.ts';
import { checkPlanes, checkPooling, checkPooling1d, maxPool2d } from './pool.ts';
import { mean } from './reduce.ts';
import { fromPlane, outputLength, outputSize, type Pair, single, toPlane, type Window } from './window.ts';

export interface AvgPoolOptions {
  stride?: Pair;
  padding?: Pair;
  ceilMode?: boolean;
  /** Whether the zeros of the padding are counted; by default they are. */
  countIncludePad?: boolean;
  /** What sums are divided by, instead of the size of the window. */
  divisorOverride?: number;
}

export interface AvgPool1dOptions {
  stride?: number;
  padding?: number;
  ceilMode?: boolean;
  countIncludePad?: boolean;
}

/** The windows of axis i, which is number `axis` of x, averaged or divided by `divisor`. */
function averaged(x: Node, axis: number, i: 0 | 1, n: number, w: Window, padded: boolean, divisor?: number): Node {
  const [kernel, stride, padding] = [w.kernel[i], w.stride[i], w.padding[i]];
  const size = x.shape[axis] as number;
  const taps = (_: unknown, o: number): Taps => {
    // What stands beyond the padding, as in ceil mode it may, is never counted.
    const [from, to] = [o * stride - padding, Math.min(o * stride - padding + kernel, size + padding)];
    const [start, stop] = [Math.max(from, 0), Math.min(to, size)];
    const length = Math.max(0, stop - start);
    return { start, weights: new Array(length).fill(1 / (divisor ?? (padded ? to - from : length))) };
  };
  const key = `average ${[n, kernel, stride, padding, padded, divisor]}`;
  return band(x, axis, key, () => Array.from({ length: n }, taps));
}

export function checkDivisor(op: string, divisor: number | undefined): void {
  if (divisor === undefined || (Number.isFinite(divisor) && divisor !== 0)) return;
  throw new NablaError('option', `${op}: divisorOverride is ${divisor}; expected a number other than 0`, { op });
}

/** The mean of each window of x [N,C,H,W]. */
export function avgPool2d(x: Node, kernelSize: Pair, o: AvgPoolOptions = {}): Node {
  const op = 'avgPool2d';
  const { countIncludePad = true, divisorOverride, ...rest } = o;
  const window = checkPooling(op, kernelSize, rest);
  checkDivisor(op, divisorOverride);
  checkPlanes(op, x, 2);
  floatOf(op, x);
  const [h, w] = outputSize(op, [x.shape[2] as number, x.shape[3] as number], window);
  const sums = divisorOverride === undefined ? undefined : 1;
  const columns = averaged(x, 2, 0, h, window, countIncludePad, sums);
  return averaged(columns, 3, 1, w, window, countIncludePad, divisorOverride);
}

/** The mean of each window of x [N,C,L]. */
export function avgPool1d(x: Node, kernelSize: number, o: AvgPool1dOptions = {}): Node {
  const op = 'avgPool1d';
  const { countIncludePad = true, ...rest } = o;
  const window = checkPooling1d(op, kernelSize, rest);
  checkPlanes(op, x, 1);
  floatOf(op, x);
  return averaged(x, 2, 1, outputLength(op, x.shape[2] as number, window), window, countIncludePad);
}

// ---- adaptive

/** One size for both axes or one each; null keeps that of the input. */
export type OutputSize = number | null | readonly [number | null, number | null];

export function checkOutputSize(op: string, size: OutputSize): void {
  for (const n of [size].flat()) if (n !== null) single(op, 'outputSize', n as number, 1);
}

function sizesOf(x: Node, size: OutputSize): [number, number] {
  const both = typeof size === 'number' || size === null ? [size, size] : size;
  return [(both[0] ?? x.shape[2]) as number, (both[1] ?? x.shape[3]) as number];
}

/** Window o of n over `size`: from ⌊o·size/n⌋ to before ⌈(o + 1)·size/n⌉. */
function adaptive(size: number, n: number, o: number): { start: number; length: number } {
  const start = Math.floor((o * size) / n);
  return { start, length: Math.ceil(((o + 1) * size) / n) - start };
}

function adaptiveAverage(x: Node, axis: number, n: number): Node {
  const size = x.shape[axis] as number;
  const taps = (_: unknown, o: number): Taps => {
    const { start, length } = adaptive(size, n, o);
    return { start, weights: new Array(length).fill(1 / length) };
  };
  return n === size ? x : band(x, axis, `adaptive ${n}`, () => Array.from({ length: n }, taps));
}

function check(op: string, x: Node, axes: 1 | 2, size: OutputSize): void {
  checkOutputSize(op, size);
  checkPlanes(op, x, axes);
  floatOf(op, x);
  if (x.shape.slice(2).every((d) => d > 0)) return;
  throw new NablaError('shape', `${op}: x [${x.shape}] has no pixels`, { op, shape: x.shape });
}

/** x [N,C,H,W] → [N,C,…size]: the mean of each of as many windows, which cover the image evenly. */
export function adaptiveAvgPool2d(x: Node, size: OutputSize): Node {
  check('adaptiveAvgPool2d', x, 2, size);
  const [h, w] = sizesOf(x, size);
  return h === 1 && w === 1 ? mean(x, [2, 3], true) : adaptiveAverage(adaptiveAverage(x, 2, h), 3, w);
}

/** x [N,C,L] → [N,C,size]. */
export function adaptiveAvgPool1d(x: Node, size: number): Node {
  check('adaptiveAvgPool1d', x, 1, size);
  return size === 1 ? mean(x, 2, true) : adaptiveAverage(x, 2, size);
}

/** The windows of an axis one after another, all of `length`: the last element of a shorter one stands there again. */
function laidOut(x: Node, axis: number, n: number): { x: Node; length: number } {
  const size = x.shape[axis] as number;
  if (size % n === 0) return { x, length: size / n };
  const windows = Array.from({ length: n }, (_, o) => adaptive(size, n, o));
  const length = Math.max(...windows.map((w) => w.length));
  const taps = () =>
    windows.flatMap((w) =>
      Array.from({ length }, (_, k): Taps => ({ start: w.start + Math.min(k, w.length - 1), weights: [1] })),
    );
  return { x: band(x, axis, `windows ${n}`, taps), length };
}

/** x [N,C,H,W] → [N,C,…size]: the largest of each of as many windows; of equal ones the first gets the gradient. */
export function adaptiveMaxPool2d(x: Node, size: OutputSize): Node {
  check('adaptiveMaxPool2d', x, 2, size);
  const [h, w] = sizesOf(x, size);
  const rows = laidOut(x, 2, h);
  const both = laidOut(rows.x, 3, w);
  return maxPool2d(both.x, [rows.length, both.length]);
}

/** x [N,C,L] → [N,C,size]. */
export function adaptiveMaxPool1d(x: Node, size: number): Node {
  check('adaptiveMaxPool1d', x, 1, size);
  return fromPlane(adaptiveMaxPool2d(toPlane(x), [1, size]));
}
