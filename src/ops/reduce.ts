// Reductions over axes. Sums, maxima and minima end a tape; argmax has a kernel, since it returns a place.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Lowering, Op, Ref } from '../graph/op.ts';
import { checkBoolean } from '../options.ts';
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../shape.ts';
import { cast, div, eq, expand, mul } from './elementwise.ts';
import { constant } from './leaf.ts';
import { reshape } from './move.ts';
import { broadcastIndex } from './reference.ts';

const axesOf = (attrs: Attrs) => attrs.axes as readonly number[];

/** The shape with the reduced axes kept as 1. */
export function keptShape(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((d, i) => (axes.includes(i) ? 1 : d));
}

export function define(
  name: string,
  micro: number,
  start: number,
  f: (acc: number, x: number) => number,
  vjp: Op['vjp'],
): Op {
  return {
    name,
    shape: ([x], attrs) => keptShape((x as Node).shape, axesOf(attrs)),
    dtype: ([x]) => floatOf(name, x as Node),
    reduce: micro,
    reference: ([x], node) => {
      const out = new Float64Array(node.nElems).fill(start);
      const at = broadcastIndex(node.shape, (node.inputs[0] as Node).shape);
      (x as Float64Array).forEach((value, i) => {
        out[at[i] as number] = f(out[at[i] as number] as number, value);
      });
      return out;
    },
    ...(vjp && { vjp }),
  };
}

/** All results keep reduced axes as 1; the tensor method drops them. */
export const sumOp = define(
  'sum',
  abi.MICRO_SUM,
  0,
  (a, x) => a + x,
  (node, dy) => [expand(dy, (node.inputs[0] as Node).shape)],
);

/** The extreme value; NaN wins. Equal extremes share the gradient. */
const extreme = (name: string, micro: number, start: number, f: (a: number, x: number) => number) =>
  define(name, micro, start, f, (node, dy) => {
    const x = node.inputs[0] as Node;
    // The extreme of this very x: one read earlier came from another program, which may have rounded differently.
    const hit = cast(eq(x, apply(node.op, [x], node.attrs)), x.dtype);
    const share = div(dy, apply(sumOp, [hit], node.attrs));
    return [mul(hit, share)];
  });
export const maxOp = extreme('max', abi.MICRO_REDUCE_MAX, Number.NEGATIVE_INFINITY, Math.max);
export const minOp = extreme('min', abi.MICRO_REDUCE_MIN, Number.POSITIVE_INFINITY, Math.min);

export type Axes = number | readonly number[] | undefined;

/** int32 is reduced as float64, which holds all of them and their sums exactly to 2⁵³; the result stays within int32. */
export function reduce(op: Op, x: Node, axes: Axes, keepDim: boolean, name = op.name): Node {
  if (x.dtype === 'int32') return cast(reduce(op, cast(x, 'float64'), axes, keepDim, name), 'int32');
  const list = normalizeAxes(name, axes, x.shape.length);
  return dropped(name, list.length === 0 ? x : apply(op, [x], { axes: list }), list, keepDim);
}

/** A result that kept its reduced axes as 1, without them unless `keepDim`. */
export function dropped(op: string, kept: Node, axes: readonly number[], keepDim: boolean): Node {
  checkBoolean(op, 'keepDim', keepDim);
  if (keepDim) return kept;
  return reshape(
    kept,
    kept.shape.filter((_, i) => !axes.includes(i)),
  );
}

/** Σ over `axes` (all by default). A bool counts as an int32. */
export function sum(x: Node, axes?: Axes, keepDim = false): Node {
  if (x.dtype !== 'bool') return reduce(sumOp, x, axes, keepDim);
  // float32 counts to 2²⁴.
  return cast(reduce(sumOp, cast(x, x.nElems > 2 ** 24 ? 'float64' : 'float32'), axes, keepDim), 'int32');
}

/** Σ / n. A bool gives the share of what is true. */
export function mean(x: Node, axes?: Axes, keepDim = false): Node {
  const floats = cast(x, x.dtype === 'bool' ? 'float32' : x.dtype);
  floatOf('mean', floats);
  const total = reduce(sumOp, floats, axes, keepDim, 'mean');
  return mul(total, constant(total.nElems / x.nElems));
}

export function max(x: Node, axes?: Axes, keepDim = false): Node {
  return reduce(maxOp, ofSome('max', x, axes), axes, keepDim);
}
export function min(x: Node, axes?: Axes, keepDim = false): Node {
  return reduce(minOp, ofSome('min', x, axes), axes, keepDim);
}

/** x, of which every result has elements to be the extreme of; there may be no results, as of a batch of nothing. */
function ofSome(op: string, x: Node, axes: Axes): Node {
  const list = normalizeAxes(op, axes, x.shape.length);
  const empty = list.find((axis) => x.shape[axis] === 0);
  if (empty === undefined) return x;
  const along = list.length === x.shape.length ? '' : ` along axis ${empty}`;
  throw new NablaError('shape', `${op}: an empty tensor ${formatShape(x.shape)} has no ${op}${along}`, {
    op,
    shape: x.shape,
  });
}

/** Place of the extreme along one axis: the first of equal ones; a NaN is the extreme. */
function place(name: string, minimum: number): Op {
  return {
    name,
    shape: ([x], attrs) => keptShape((x as Node).shape, axesOf(attrs)),
    dtype: ([x]) => {
      floatOf(name, x as Node);
      return 'int32';
    },
    vjp: () => [null],
    lower: ([node], l) => {
      const x = (node as Node).inputs[0] as Node;
      const [outer, size, inner] = around(x.shape, axesOf((node as Node).attrs)[0] as number);
      l.emit(abi.OP_ARGMAX, [l.write(node as Node), l.read(x), outer, size, inner, minimum]);
    },
    reference: ([x], node) => {
      const shape = (node.inputs[0] as Node).shape;
      const [outer, size, inner] = around(shape, axesOf(node.attrs)[0] as number);
      return Float64Array.from({ length: outer * inner }, (_, i) => {
        const at = (j: number) =>
          (x as Float64Array)[(Math.floor(i / inner) * size + j) * inner + (i % inner)] as number;
        let best = 0;
        for (let j = 1; j < size; j++) {
          const wins = minimum ? at(j) < at(best) : at(j) > at(best);
          if (!Number.isNaN(at(best)) && (wins || Number.isNaN(at(j)))) best = j;
        }
        return best;
      });
    },
  };
}
export const argmaxOp = place('argmax', 0);
export const argminOp = place('argmin', 1);

/** Sizes before, of and after an axis. */
export function around(shape: Shape, axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis] as number, sizeOf(shape.slice(axis + 1))];
}

function placeAlong(op: Op, x: Node, axis: number | undefined, keepDim: boolean): Node {
  ofSome(op.name, x, axis === undefined ? axis : normalizeAxis(op.name, axis, x.shape.length));
  const floats = x.dtype === 'int32' ? cast(x, 'float64') : x;
  const flat = axis === undefined ? reshape(floats, [x.nElems]) : floats;
  const list = normalizeAxes(op.name, axis ?? 0, flat.shape.length);
  return dropped(op.name, apply(op, [flat], { axes: list }), list, keepDim);
}
export function argmax(x: Node, axis?: number, keepDim = false): Node {
  return placeAlong(argmaxOp, x, axis, keepDim);
}
export function argmin(x: Node, axis?: number, keepDim = false): Node {
  return placeAlong(argminOp, x, axis, keepDim);
}

/** Writes Σ over the rows of `parts` [rows, node's elements] to `node`: what a kernel left in slices. */
export function emitRowSum(l: Lowering, node: Node, parts: Ref, rows: number): void {
  const n = rows * node.nElems;
  l.emit(abi.OP_MAP, [
    ...[n, abi.MAP_BLOCK, 2, 1, 1],
    ...[abi.SLOT_IN, { ...parts, writes: false }, 1, n],
    ...[abi.SLOT_REDUCE, l.write(node), 1, node.nElems],
    ...[abi.MICRO_SUM | (2 << 16), 1, 0],
  ]);
}
