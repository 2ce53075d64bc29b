// A banded linear map along one axis: each element of the result is a weighted sum of neighbours. Averages of windows,
// interpolation and their gradients are such maps; so it has a kernel, and its transpose is one more.
import * as abi from '../../assembly/abi.ts';
import { allocate, type DType, floatOf } from '../dtype.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { leaf } from '../graph/state.ts';
import { Value } from '../graph/value.ts';
import { around } from './reduce.ts';

/** One element of the result: weights of the elements from `start` on. */
export interface Taps {
  start: number;
  weights: readonly number[];
}

const axisOf = (node: Node) => node.attrs.axis as number;

/**
 * x [.., size, ..] → [.., n, ..]: y[o] = Σ_k weights[o, k]·x[spans[o, 0] + k] for k < spans[o, 1]. Inputs: x, the map's
 * spans int32 [n, 2] and weights [n, K], then those of its transpose, so that the gradient only changes their places.
 */
export const bandOp: Op = {
  name: 'band',
  shape: ([x, spans], { axis }) =>
    (x as Node).shape.map((d, i) => (i === axis ? ((spans as Node).shape[0] as number) : d)),
  dtype: ([x, , weights]) => floatOf('band', x as Node, weights as Node),
  vjp: (node, dy, wanted) => {
    const [, spans, weights, spansT, weightsT] = node.inputs as [Node, Node, Node, Node, Node];
    const dx = wanted[0] ? apply(bandOp, [dy, spansT, weightsT, spans, weights], node.attrs) : null;
    return [dx, null, null, null, null];
  },
  lower: ([node], l) => {
    const [x, spans, weights] = (node as Node).inputs as [Node, Node, Node];
    const [outer, size, inner] = around(x.shape, axisOf(node as Node));
    const [n, taps] = weights.shape as readonly [number, number];
    const operands = [l.write(node as Node), l.read(x), l.read(spans), l.read(weights)];
    l.emit(abi.OP_BAND, [...operands, outer, size, n, inner, taps]);
  },
  reference: ([x, spans, weights], node) => {
    const [, size, inner] = around((node.inputs[0] as Node).shape, axisOf(node));
    const [n, taps] = (node.inputs[2] as Node).shape as readonly [number, number];
    return Float64Array.from({ length: node.nElems }, (_, i) => {
      const [row, col] = [Math.floor(i / inner), i % inner];
      const [plane, o] = [Math.floor(row / n), row % n];
      const [start, count] = (spans as Float64Array).subarray(2 * o, 2 * o + 2) as unknown as [number, number];
      let sum = 0;
      for (let k = 0; k < count; k++) {
        const weight = (weights as Float64Array)[o * taps + k] as number;
        sum += weight * ((x as Float64Array)[(plane * size + start + k) * inner + col] as number);
      }
      return sum;
    });
  },
};

// ---- tables

/** The taps of the transpose, of `size` elements. Taps of neighbours move on together, so they are neighbours again. */
function transposed(taps: readonly Taps[], size: number): Taps[] {
  const first = new Array<number>(size).fill(taps.length);
  const last = new Array<number>(size).fill(-1);
  taps.forEach(({ start, weights }, o) => {
    for (let i = start; i < start + weights.length; i++) {
      first[i] = Math.min(first[i] as number, o);
      last[i] = o;
    }
  });
  return Array.from({ length: size }, (_, i) => {
    const start = first[i] as number;
    const n = Math.max(0, (last[i] as number) - start + 1);
    const weights = Array.from({ length: n }, (_, k) => {
      const tap = taps[start + k] as Taps;
      return tap.weights[i - tap.start] ?? 0;
    });
    return { start: n === 0 ? 0 : start, weights };
  });
}

function tables(taps: readonly Taps[], dtype: DType): [spans: Node, weights: Node] {
  const width = taps.reduce((most, { weights }) => Math.max(most, weights.length), 1);
  const spans = Int32Array.from(taps.flatMap(({ start, weights }) => [start, weights.length]));
  const all = allocate(dtype, taps.length * width);
  taps.forEach(({ weights }, o) => {
    all.set(weights, o * width);
  });
  return [lasting(Value.of('int32', spans), [taps.length, 2]), lasting(Value.of(dtype, all), [taps.length, width])];
}

function lasting(value: Value, shape: readonly number[]): Node {
  value.lasting = true;
  return leaf(value, shape);
}

/** Without weights of 0 at either end: what they stand for may be ∞. */
function trimmed({ start, weights }: Taps): Taps {
  const first = weights.findIndex((w) => w !== 0);
  if (first < 0) return { start: 0, weights: [] };
  const last = weights.findLastIndex((w) => w !== 0);
  return { start: start + first, weights: weights.slice(first, last + 1) };
}

/** Tables made lately, so that a loop that is not compiled does not make them at each step. */
const recent = new Map<string, readonly Node[]>();
const MOST_RECENT = 32;
/** Longer ones are not kept. */
const LONGEST = 4096;

/** `taps` along an axis of x; `key` says with the axis' size all that they depend on. */
export function band(x: Node, axis: number, key: string, taps: () => readonly Taps[]): Node {
  const size = x.shape[axis] as number;
  const name = `${x.dtype} ${size} ${key}`;
  let made = recent.get(name);
  if (made === undefined) {
    const rows = taps().map(trimmed);
    made = [...tables(rows, x.dtype), ...tables(transposed(rows, size), x.dtype)];
    if (size + rows.length <= LONGEST) recent.set(name, made);
    if (recent.size > MOST_RECENT) recent.delete(recent.keys().next().value as string);
  }
  return apply(bandOp, [x, ...made], { axis });
}
