// Windows that slide over planes: sizes, options and their checks, shared by convolution and pooling. One axis is a
// plane of height 1.
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { reshape } from './move.ts';

/** One number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

export interface WindowOptions {
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
}

/** Those of windows over one axis. */
export interface WindowOptions1d {
  stride?: number;
  padding?: number;
  dilation?: number;
}

export function pair(op: string, name: string, value: Pair, least: number): [number, number] {
  const both: [number, number] = typeof value === 'number' ? [value, value] : [value[0], value[1]];
  if (both.every((x) => Number.isInteger(x) && x >= least)) return both;
  throw new NablaError('option', `${op}: ${name} is ${JSON.stringify(value)}; expected whole numbers from ${least}`, {
    op,
    option: name,
    value,
  });
}

/** An option of windows over one axis. */
export function single(op: string, name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new NablaError('option', `${op}: ${name} is ${JSON.stringify(value)}; expected a whole number from ${least}`, {
    op,
    option: name,
    value,
  });
}

export interface Window {
  kernel: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
  dilation: readonly [number, number];
  /** Whether a last window that is not whole counts. */
  ceilMode?: boolean;
}

function along(i: 0 | 1, size: number, w: Window): number {
  const room = size + 2 * w.padding[i] - w.dilation[i] * (w.kernel[i] - 1) - 1;
  if (!w.ceilMode) return Math.floor(room / w.stride[i]) + 1;
  const n = Math.ceil(room / w.stride[i]) + 1;
  // It must begin inside the image or the padding before it.
  return (n - 1) * w.stride[i] >= size + w.padding[i] ? n - 1 : n;
}

/** Output sizes: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1 on each axis, or ⌈…⌉ in ceil mode. */
export function outputSize(op: string, size: readonly [number, number], w: Window): [number, number] {
  const out: [number, number] = [along(0, size[0], w), along(1, size[1], w)];
  if (out[0] > 0 && out[1] > 0) return out;
  throw new NablaError(
    'shape',
    `${op}: a window of ${w.kernel[0]}×${w.kernel[1]} (dilation ${w.dilation}) does not fit an image of ` +
      `${size[0]}×${size[1]} with padding ${w.padding}`,
    { op, size, window: w },
  );
}

/** The same for one axis, the window's second. */
export function outputLength(op: string, length: number, w: Window): number {
  const out = along(1, length, w);
  if (out > 0) return out;
  throw new NablaError(
    'shape',
    `${op}: a window of ${w.kernel[1]} (dilation ${w.dilation[1]}) does not fit a length of ${length} with padding ` +
      `${w.padding[1]}`,
    { op, length, window: w },
  );
}

/** [.., L] as [.., 1, L]. */
export function toPlane(x: Node): Node {
  return reshape(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) as number]);
}

/** [.., 1, L] as [.., L]. */
export function fromPlane(x: Node): Node {
  return reshape(x, [...x.shape.slice(0, -2), x.shape.at(-1) as number]);
}
