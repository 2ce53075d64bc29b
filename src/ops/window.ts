// Windows that slide over planes: sizes, options and their checks, shared by convolution and pooling.
import { NablaError } from '../error.ts';

/** One number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

export interface WindowOptions {
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
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

export interface Window {
  kernel: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
  dilation: readonly [number, number];
}

/** Output sizes: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1 on each axis. */
export function outputSize(op: string, size: readonly [number, number], w: Window): [number, number] {
  const out = ([0, 1] as const).map((i) => {
    const reach = w.dilation[i] * (w.kernel[i] - 1) + 1;
    return Math.floor((size[i] + 2 * w.padding[i] - reach) / w.stride[i]) + 1;
  }) as [number, number];
  if (out[0] > 0 && out[1] > 0) return out;
  throw new NablaError(
    'shape',
    `${op}: a window of ${w.kernel[0]}×${w.kernel[1]} (dilation ${w.dilation}) does not fit an image of ` +
      `${size[0]}×${size[1]} with padding ${w.padding}`,
    { op, size, window: w },
  );
}
