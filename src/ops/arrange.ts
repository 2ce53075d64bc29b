// Movement that is an expression of slices, reshapes and concatenations: squeeze to pad.
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import { checkNames } from '../options.ts';
import {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
} from '../shape.ts';
import { checkInt, gather } from './along.ts';
import { expand, where } from './elementwise.ts';
import { gatherOp } from './gather.ts';
import { constant } from './leaf.ts';
import { concat, permute, type Range, reshape, slice, pad as zeroPad } from './move.ts';

type Axes = number | readonly number[];

/** The shape with another size on one axis. */
const withSize = (shape: Shape, axis: number, size: number): Shape => shape.map((d, i) => (i === axis ? size : d));

/** One range of one axis. */
function sliceAxis(x: Node, axis: number, range: Partial<Range>): Node {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? range : null)),
  );
}

// ---- axes

/** Without its axes of size 1: all of them, or those named, of which others stay as they are. */
export function squeeze(x: Node, axes?: Axes): Node {
  const list = normalizeAxes('squeeze', axes, x.shape.length);
  return reshape(
    x,
    x.shape.filter((d, i) => d !== 1 || !list.includes(i)),
  );
}

/** With a new axis of size 1 at place `axis` of the result. */
export function unsqueeze(x: Node, axis: number): Node {
  const at = normalizeAxis('unsqueeze', axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

// ---- parts

function place(op: string, i: number, axis: number, shape: Shape): number {
  const size = shape[axis] as number;
  if (Number.isInteger(i) && i >= -size && i < size) return i < 0 ? i + size : i;
  const expected = size === 0 ? 'it is empty' : `expected a whole number from ${-size} to ${size - 1}`;
  throw new NablaError('index', `${op}: ${i} is out of range on axis ${axis} of ${formatShape(shape)}: ${expected}`, {
    ...{ op, index: i, axis, shape },
  });
}

/** Element `i` along `axis`, which goes: [.., n, ..] → [.., ..]; a negative i counts from the end. */
export function select(x: Node, axis: number, i: number): Node {
  const at = normalizeAxis('select', axis, x.shape.length);
  const start = place('select', i, at, x.shape);
  return reshape(
    sliceAxis(x, at, { start, stop: start + 1 }),
    x.shape.filter((_, a) => a !== at),
  );
}

/** What may stand for an axis: one place, a range, all of it (null), or an int32 tensor of places. */
export type Index = number | Partial<Range> | Node | null;
const isNode = (at: Index): at is Node => typeof at === 'object' && at !== null && 'op' in at;

/**
 * One entry an axis, from the first: a number takes one place and drops the axis, a range takes part of it, null all,
 * an int32 tensor the places it names, its axes standing where the axis stood. Tensors side by side broadcast, and name
 * places of all their axes together: rows i and columns j of a matrix give the elements x[i, j].
 */
export function index(x: Node, entries: readonly Index[]): Node {
  if (entries.length > x.shape.length) {
    throw new NablaError(
      'shape',
      `index: ${entries.length} entries for ${x.shape.length} axes of ${formatShape(x.shape)}`,
      { op: 'index', shape: x.shape },
    );
  }
  const ranges = entries.map((at, axis): Partial<Range> | null => {
    if (typeof at !== 'number') return isNode(at) ? null : at;
    const start = place('index', at, axis, x.shape);
    return { start, stop: start + 1 };
  });
  const part = ranges.every((r) => r === null) ? x : slice(x, ranges);
  const rest = reshape(
    part,
    part.shape.filter((_, i) => typeof entries[i] !== 'number'),
  );
  const picks = entries.filter(isNode);
  if (picks.length === 0) return rest;
  const left = entries.filter((at) => typeof at !== 'number');
  const axis = left.findIndex(isNode);
  if (!left.slice(axis, axis + picks.length).every(isNode)) {
    throw new NablaError(
      'option',
      `index: got ${picks.length} index tensors with other entries between them; expected them side by side: permute first`,
    );
  }
  for (const at of picks) checkInt('index', at);
  const shape = broadcastShapes('index', ...picks.map((at) => at.shape));
  const [first, ...more] = picks.map((at) => (sameShape(at.shape, shape) ? at : expand(at, shape))) as [
    Node,
    ...Node[],
  ];
  return more.reduce((y, at) => pickLine(y, axis, at), pickAlong(rest, axis, first));
}

/** x [a.., i.., n, b..] at index [i..] → [a.., i.., b..]: element index[i] of the line that stands at i. */
function pickLine(x: Node, axis: number, at: Node): Node {
  const line = axis + at.shape.length;
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(line + 1)];
  const alone = reshape(at, [...before.map(() => 1), ...at.shape, 1, ...behind.map(() => 1)]);
  const taken = gather(x, line, expand(alone, withSize(x.shape, line, 1)));
  return reshape(taken, [...x.shape.slice(0, line), ...behind]);
}

/** x [a.., n, b..] at index [i..] → [a.., i.., b..]. */
function pickAlong(x: Node, axis: number, at: Node): Node {
  const axes = x.shape.map((_, i) => i);
  const before = axes.slice(0, axis);
  const front = permute(x, [axis, ...before, ...axes.slice(axis + 1)]);
  const taken = apply(gatherOp, [front, at]);
  const places = at.shape.map((_, i) => i);
  const behind = axes.slice(axis + 1).map((_, i) => places.length + axis + i);
  return permute(taken, [...before.map((i) => places.length + i), ...places, ...behind]);
}

/** Consecutive parts along `axis`: of `sizes` elements each (the last may be short), or as many as a list says. */
export function split(x: Node, sizes: number | readonly number[], axis = 0, name = 'split'): Node[] {
  const at = normalizeAxis(name, axis, x.shape.length);
  const whole = x.shape[at] as number;
  if (typeof sizes === 'number' && !(Number.isInteger(sizes) && sizes > 0)) {
    throw new NablaError('option', `${name}: a part of ${sizes} elements: expected a whole number from 1`, {
      op: name,
    });
  }
  const list =
    typeof sizes === 'number'
      ? Array.from({ length: Math.max(1, Math.ceil(whole / sizes)) }, (_, i) => Math.min(sizes, whole - i * sizes))
      : sizes;
  if (list.some((d) => !Number.isInteger(d) || d < 0) || list.reduce((a, b) => a + b, 0) !== whole) {
    throw new NablaError(
      'option',
      `${name}: [${list}] does not add up to ${whole}, the size of axis ${at} of ${formatShape(x.shape)}`,
      { op: name, shape: x.shape },
    );
  }
  let start = 0;
  return list.map((size) => {
    const part = sliceAxis(x, at, { start, stop: start + size });
    start += size;
    return part;
  });
}

/** At most `n` parts along `axis`, all of one size but the last. */
export function chunk(x: Node, n: number, axis = 0): Node[] {
  if (!Number.isInteger(n) || n < 1) {
    throw new NablaError('option', `chunk: got ${n} parts, expected a whole number from 1`, { op: 'chunk' });
  }
  const at = normalizeAxis('chunk', axis, x.shape.length);
  return split(x, Math.max(1, Math.ceil((x.shape[at] as number) / n)), at, 'chunk');
}

// ---- together

/** Tensors of one shape side by side along a new axis. */
export function stack(nodes: readonly Node[], axis = 0): Node {
  const [head, ...others] = nodes;
  if (head === undefined) throw new NablaError('shape', 'stack: got no tensors, expected at least one');
  const other = others.find(({ shape }) => formatShape(shape) !== formatShape(head.shape));
  if (other !== undefined) {
    throw new NablaError(
      'shape',
      `stack: shapes ${formatShape(head.shape)} and ${formatShape(other.shape)} differ; expected equal shapes`,
      { op: 'stack', shapes: nodes.map((n) => n.shape) },
    );
  }
  const at = normalizeAxis('stack', axis, head.shape.length + 1);
  return concat(
    nodes.map((n) => unsqueeze(n, at)),
    at,
  );
}

function checkRepeats(op: string, counts: readonly number[]): void {
  if (counts.every((n) => Number.isInteger(n) && n >= 0)) return;
  throw new NablaError('option', `${op}: [${counts}]: expected whole numbers from 0`, { op });
}

/** x put `counts[i]` times side by side along axis i, counted from the last; an axis of x without a count stays. */
export function tile(x: Node, counts: readonly number[]): Node {
  checkRepeats('tile', counts);
  const rank = Math.max(counts.length, x.shape.length);
  const times = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  const sizes = [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape];
  const apart = reshape(
    x,
    sizes.flatMap((d) => [1, d]),
  );
  const stretched = expand(
    apart,
    sizes.flatMap((d, i) => [times[i] as number, d]),
  );
  return reshape(
    stretched,
    sizes.map((d, i) => d * (times[i] as number)),
  );
}

/** `tile` with a count for each axis at least, as PyTorch's repeat. */
export function repeat(x: Node, counts: readonly number[]): Node {
  if (counts.length < x.shape.length) {
    throw new NablaError(
      'shape',
      `repeat: ${counts.length} counts for ${x.shape.length} axes of ${formatShape(x.shape)}; expected one an axis at least`,
      { op: 'repeat', shape: x.shape },
    );
  }
  checkRepeats('repeat', counts);
  return tile(x, counts);
}

// ---- order

/** In reverse along `axes`; all by default. */
export function flip(x: Node, axes?: Axes): Node {
  const list = normalizeAxes('flip', axes, x.shape.length);
  if (list.length === 0) return x;
  return slice(
    x,
    x.shape.map((_, i) => (list.includes(i) ? { step: -1 } : null)),
  );
}

/** Element i moves to i + shift along each axis, around the end; without axes, of the elements in row-major order. */
export function roll(x: Node, shifts: Axes, axes?: Axes): Node {
  const by = [shifts].flat() as number[];
  if (!by.every(Number.isInteger)) {
    throw new NablaError('option', `roll: shifts [${by}]: expected whole numbers`, { op: 'roll' });
  }
  if (axes === undefined && by.length === 1)
    return reshape(rollAxis(reshape(x, [x.nElems]), by[0] as number, 0), x.shape);
  const list = [axes ?? []].flat() as number[];
  if (list.length !== by.length) {
    throw new NablaError('option', `roll: ${by.length} shifts for ${list.length} axes; expected one an axis`);
  }
  return list.reduce((y, axis, i) => rollAxis(y, by[i] as number, normalizeAxis('roll', axis, x.shape.length)), x);
}

function rollAxis(x: Node, shift: number, axis: number): Node {
  const size = x.shape[axis] as number;
  const cut = size === 0 ? 0 : ((-shift % size) + size) % size;
  if (cut === 0) return x;
  return concat([sliceAxis(x, axis, { start: cut }), sliceAxis(x, axis, { stop: cut })], axis);
}

// ---- masks

/** `value`, a number, where the bool mask is true, else x; the mask broadcasts to x. dx is 0 where it is true. */
export function maskedFill(x: Node, mask: Node, value: Node): Node {
  const wrong = (why: string) => new NablaError('shape', `maskedFill: ${why}`, { op: 'maskedFill' });
  if (value.nElems !== 1) throw wrong(`value is ${formatShape(value.shape)}, expected a number; use where`);
  const fits =
    mask.shape.length <= x.shape.length &&
    mask.shape.every((d, i) => d === 1 || d === x.shape[i + x.shape.length - mask.shape.length]);
  if (!fits) throw wrong(`mask ${formatShape(mask.shape)} does not broadcast to x ${formatShape(x.shape)}`);
  return where(mask, reshape(value, []), x);
}

// ---- pad

export interface PadOptions {
  mode?: 'constant' | 'reflect' | 'replicate';
  /** What 'constant' puts around x: 0 by default. */
  value?: number;
}
type Widths = readonly (readonly [number, number])[];

/**
 * x with [before, after] more elements on each axis, from the first: zeros or another constant; 'reflect' mirrors it at
 * its outermost elements, 'replicate' repeats them. A negative width of 'constant' takes elements away.
 */
export function pad(x: Node, widths: Widths, options: PadOptions = {}): Node {
  checkNames('pad', options, ['mode', 'value']);
  const { mode = 'constant', value } = options;
  checkWidths(x, widths);
  if (mode === 'constant') return padConstant(x, widths, value ?? 0);
  if (mode !== 'reflect' && mode !== 'replicate') {
    throw new NablaError('option', `pad: mode is '${mode}'; expected 'constant', 'reflect' or 'replicate'`);
  }
  if (value !== undefined) throw new NablaError('option', `pad: value is ${value}, but mode '${mode}' takes none`);
  return widths.reduce<Node>((y, [before, after], axis) => {
    checkBorder(mode, [before, after], axis, x.shape);
    if (before === 0 && after === 0) return y;
    const side = mode === 'reflect' ? mirrored : repeated;
    const parts = [side(y, axis, before, true), y, side(y, axis, after, false)];
    return concat(
      parts.filter((part) => (part.shape[axis] as number) > 0 || part === y),
      axis,
    );
  }, x);
}

function checkWidths(x: Node, widths: Widths): void {
  if (widths.length > x.shape.length) {
    throw new NablaError(
      'shape',
      `pad: ${widths.length} widths for ${x.shape.length} axes of ${formatShape(x.shape)}; expected at most one an axis`,
      { op: 'pad', shape: x.shape },
    );
  }
  const wrong = widths.find((w) => !Array.isArray(w) || w.length !== 2 || !w.every(Number.isInteger));
  if (wrong === undefined) return;
  throw new NablaError('option', `pad: ${JSON.stringify(wrong)}: expected [before, after], two whole numbers`, {
    op: 'pad',
  });
}

/** Widths that a border has elements for. */
function checkBorder(mode: string, width: readonly [number, number], axis: number, shape: Shape): void {
  const size = shape[axis] as number;
  const most = mode === 'reflect' ? size - 1 : size > 0 ? Number.POSITIVE_INFINITY : 0;
  if (width.every((w) => w >= 0 && w <= Math.max(most, 0))) return;
  const expected = Number.isFinite(most) ? `from 0 to ${Math.max(most, 0)}` : 'from 0';
  throw new NablaError(
    'option',
    `pad: [${width}] on axis ${axis} of ${formatShape(shape)}: mode '${mode}' takes widths ${expected} there`,
    { op: 'pad', shape },
  );
}

/** The `width` elements next to the first (or last), in reverse. */
function mirrored(x: Node, axis: number, width: number, first: boolean): Node {
  const size = x.shape[axis] as number;
  const [start, stop] = first ? [1, width + 1] : [size - 1 - width, size - 1];
  return flip(sliceAxis(x, axis, { start, stop }), axis);
}

/** The first (or last) element, `width` times. */
function repeated(x: Node, axis: number, width: number, first: boolean): Node {
  const size = x.shape[axis] as number;
  const one = sliceAxis(x, axis, first ? { stop: 1 } : { start: size - 1 });
  return expand(one, withSize(x.shape, axis, width));
}

function padConstant(x: Node, widths: Widths, value: number): Node {
  checkShape(
    'pad',
    x.shape.map((d, i) => d + (widths[i]?.[0] ?? 0) + (widths[i]?.[1] ?? 0)),
  );
  const part = slice(
    x,
    widths.map(([before, after], i) => ({
      start: Math.max(0, -before),
      stop: Math.max((x.shape[i] as number) + Math.min(0, after), 0),
    })),
  );
  const around = widths.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  const cropped = widths.flat().some((w) => w < 0) ? part : x;
  const zeros = zeroPad(cropped, around);
  if (value === 0) return zeros;
  const inside = zeroPad(expand(constant(1, 'bool'), cropped.shape), around);
  return where(inside, zeros, constant(value, x.dtype));
}
