// Interpolation to another size: a banded map along each axis, so its gradient is the transpose, exactly.
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { formatShape } from '../shape.ts';
import { band, type Taps } from './band.ts';

export type InterpolateMode = 'nearest' | 'linear' | 'bilinear';

export interface InterpolateOptions {
  /** The size of the result, of both axes or of each. */
  size?: number | readonly number[];
  /** Or by how much each axis grows: ⌊size·scaleFactor⌋. */
  scaleFactor?: number | readonly number[];
  /** 'linear' is of x [N,C,L], 'bilinear' of x [N,C,H,W]. */
  mode?: InterpolateMode;
  /** Whether the centres of the first and last pixels keep their places, instead of the image's edges. */
  alignCorners?: boolean;
}

/** Where pixel `o` of the result lies in the input, `scale` being the input's pixels to one of the result. */
type Taking = (o: number, size: number, n: number, scale: number) => Taps;

/** ⌊o·scale⌋, worked out in float32 as PyTorch does; where the size doubles, each pixel twice, whatever the factor. */
const nearest: Taking = (o, size, n, scale) => ({
  start: n === 2 * size ? o >> 1 : Math.min(Math.floor(Math.fround(o * Math.fround(scale))), size - 1),
  weights: [1],
});

function between(at: number, size: number): Taps {
  const start = Math.min(Math.floor(at), size - 1);
  const rest = start === size - 1 ? 0 : Math.min(at - start, 1);
  return { start, weights: rest === 0 ? [1] : [1 - rest, rest] };
}
const linear: Taking = (o, size, _, scale) => between(Math.max(0, scale * (o + 0.5) - 0.5), size);
const aligned: Taking = (o, size, n) => between(n > 1 ? (o * (size - 1)) / (n - 1) : 0, size);

function refuse(op: string, why: string): never {
  throw new NablaError('option', `${op}: ${why}`, { op });
}

/** Checks what does not depend on x. */
export function checkInterpolation(options: InterpolateOptions, op = 'interpolate'): void {
  const { size, scaleFactor, mode = 'nearest', alignCorners } = options;
  const fail = (why: string) => refuse(op, why);
  if (!['nearest', 'linear', 'bilinear'].includes(mode))
    fail(`mode is '${mode}'; expected 'nearest', 'linear' or 'bilinear'`);
  if ((size === undefined) === (scaleFactor === undefined)) {
    fail(`got ${size === undefined ? 'neither size nor' : 'both size and'} scaleFactor; expected one of them`);
  }
  if (mode === 'nearest' && alignCorners !== undefined) fail("alignCorners needs mode 'linear' or 'bilinear'");
  const sizes = size === undefined ? [] : [size].flat();
  if (!sizes.every((n) => Number.isInteger(n) && n > 0)) {
    fail(`size is ${JSON.stringify(size)}; expected whole numbers from 1`);
  }
  const factors = scaleFactor === undefined ? [] : [scaleFactor].flat();
  if (!factors.every((f) => Number.isFinite(f) && f > 0)) {
    fail(`scaleFactor is ${JSON.stringify(scaleFactor)}; expected numbers above 0`);
  }
}

function checkInput(x: Node, mode: InterpolateMode): void {
  const axes = x.shape.length - 2;
  const fits = mode === 'nearest' ? axes === 1 || axes === 2 : axes === (mode === 'linear' ? 1 : 2);
  const expected = { nearest: '[N, C, L] or [N, C, H, W]', linear: '[N, C, L]', bilinear: '[N, C, H, W]' }[mode];
  if (!fits || x.shape.slice(2).includes(0)) {
    const why = fits ? 'has no pixels' : `does not fit mode '${mode}'; expected ${expected}`;
    throw new NablaError('shape', `interpolate: x ${formatShape(x.shape)} ${why}`, { op: 'interpolate', x: x.shape });
  }
  floatOf('interpolate', x);
}

/** An option's number for each of `axes` axes. */
function each(name: string, value: number | readonly number[], axes: number): readonly number[] {
  const list = typeof value === 'number' ? new Array<number>(axes).fill(value) : value;
  if (list.length !== axes)
    refuse('interpolate', `${name} has ${list.length} numbers for ${axes} ${axes === 1 ? 'axis' : 'axes'}`);
  return list;
}

/** x [N,C,L] or [N,C,H,W] in another size, each pixel the nearest one or a linear mix of neighbours. */
export function interpolate(x: Node, o: InterpolateOptions): Node {
  checkInterpolation(o);
  const { size, scaleFactor, mode = 'nearest', alignCorners = false } = o;
  checkInput(x, mode);
  const axes = x.shape.length - 2;
  const factors = scaleFactor === undefined ? null : each('scaleFactor', scaleFactor, axes);
  const sizes = x.shape.slice(2).map((d, i) => (factors === null ? 0 : Math.floor(d * (factors[i] as number))));
  const wanted = factors === null ? each('size', size as number | readonly number[], axes) : sizes;
  if (wanted.includes(0)) {
    refuse('interpolate', `scaleFactor ${JSON.stringify(scaleFactor)} leaves nothing of x ${formatShape(x.shape)}`);
  }
  const take = mode === 'nearest' ? nearest : alignCorners ? aligned : linear;
  return wanted.reduceRight((y, n, i) => {
    const length = x.shape[2 + i] as number;
    // As PyTorch's, an axis that keeps its size keeps its pixels, and a factor that is given is else what they are
    // placed by, though it may not divide.
    if (n === length) return y;
    const scale = factors === null ? length / n : 1 / (factors[i] as number);
    const taps = (_: unknown, at: number) => take(at, length, n, scale);
    return band(y, 2 + i, `${mode} ${alignCorners} ${n} ${scale}`, () => Array.from({ length: n }, taps));
  }, x);
}
