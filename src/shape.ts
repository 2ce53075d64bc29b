// Shapes: sizes, axes, broadcasting and the views a kernel can read without laying data out.
import { NablaError } from './error.ts';
import { kindOf } from './options.ts';

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] as number;
  }
  return strides;
}

/** An axis counted from the front; negative ones count from the end. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (typeof axis !== 'number') {
    throw new NablaError('option', `${op}: axis is ${kindOf(axis)}, expected a whole number`, { op });
  }
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    const range = rank === 0 ? 'a scalar has no axes' : `expected an integer from ${-rank} to ${rank - 1}`;
    throw new NablaError('shape', `${op}: axis ${axis} is out of range: ${range}`, { op, axis, rank });
  }
  return a;
}

/** Sorted, distinct axes; undefined means all. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  if (typeof axes !== 'number' && !Array.isArray(axes)) {
    throw new NablaError('option', `${op}: axes are ${kindOf(axes)}, expected a number, a list of numbers or nothing`, {
      op,
    });
  }
  const list = (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(op, a, rank));
  const sorted = [...new Set(list)].sort((a, b) => a - b);
  if (sorted.length !== list.length) {
    throw new NablaError('shape', `${op}: axes [${[axes].flat()}] name an axis twice`, { op, axes });
  }
  return sorted;
}

/** NumPy's rule: aligned at the right, an axis of 1 stretches. */
export function broadcastShapes(op: string, ...shapes: Shape[]): Shape {
  const first = shapes[0] as Shape;
  let same = true;
  for (const shape of shapes) same &&= sameShape(shape, first);
  if (same) return first;
  const rank = Math.max(...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    shape.forEach((d, i) => {
      const at = i + rank - shape.length;
      if (d === 1 || d === out[at]) return;
      if (out[at] !== 1) {
        const list = shapes.map(formatShape).join(' and ');
        throw new NablaError(
          'shape',
          `${op}: shapes ${list} do not broadcast: axis ${at - rank} has ${out[at]} and ${d}; sizes must be equal or 1`,
          { op, shapes },
        );
      }
      out[at] = d;
    });
  }
  return out;
}

/** A read of a smaller array in step with a larger one: element ⌊i / inner⌋ mod period at position i. */
export interface View {
  inner: number;
  period: number;
}

/** How `small` broadcasts to `large` as a view, or null where its stretched axes enclose no single run. */
export function viewOf(small: Shape, large: Shape): View | null {
  const pad = large.length - small.length;
  let first = -1;
  let last = -1;
  for (let i = 0; i < large.length; i++) {
    if (large[i] === 1 || i < pad || small[i - pad] === 1) continue;
    if (first < 0) first = i;
    last = i;
  }
  if (first < 0) return { inner: Math.max(1, sizeOf(large)), period: 1 };
  for (let i = first; i <= last; i++) if (large[i] !== 1 && small[i - pad] !== large[i]) return null;
  return { inner: sizeOf(large.slice(last + 1)), period: sizeOf(large.slice(first, last + 1)) };
}

/** The axes over which `small`, broadcast to `large`, repeats: those a gradient must be summed over. */
export function broadcastAxes(small: Shape, large: Shape): number[] {
  const pad = large.length - small.length;
  const axes: number[] = [];
  for (let i = 0; i < large.length; i++) if (i < pad || (small[i - pad] === 1 && large[i] !== 1)) axes.push(i);
  return axes;
}

/** Checks that something is a shape: whole numbers from 0. */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new NablaError('shape', `${op}: got ${String(shape)}; expected a shape like [2, 3]`, { op });
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) {
      throw new NablaError(
        'shape',
        `${op}: ${formatShape(shape)} is no shape: expected whole numbers from 0, got ${d}`,
        {
          op,
          shape,
        },
      );
    }
  }
}
