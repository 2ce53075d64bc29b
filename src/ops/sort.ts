// The order of elements. A kernel gives the places; values are then picked by them, which is what gives a gradient.
import * as abi from '../../assembly/abi.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { checkBoolean } from '../options.ts';
import { formatShape, normalizeAxis, sizeOf } from '../shape.ts';
import { takeAlongOp } from './along.ts';
import { slice, transpose } from './move.ts';

/** A key and its place, twice, for each element of the row at hand. */
const BYTES_AN_ELEMENT = 16;

/** Places of the last axis in ascending (or descending) order: [.., n] → int32 [.., n]. The gradient is 0. */
export const argsortOp: Op = {
  name: 'argsort',
  shape: ([x]) => (x as Node).shape,
  dtype: () => 'int32',
  vjp: () => [null],
  lower: ([node], l) => {
    const x = (node as Node).inputs[0] as Node;
    const [rows, cols] = [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number];
    const fits = cols * BYTES_AN_ELEMENT <= abi.SCRATCH_BYTES;
    const room = fits ? null : l.scratch((rows * cols * BYTES_AN_ELEMENT) / 4);
    const flags =
      ((node as Node).attrs.descending ? abi.SORT_DESCENDING : 0) | (x.dtype === 'int32' ? abi.SORT_I32 : 0);
    l.emit(abi.OP_SORT, [l.write(node as Node), l.read(x), room, rows, cols, flags]);
  },
  reference: ([x], node) => {
    const cols = node.shape.at(-1) as number;
    const way = node.attrs.descending ? -1 : 1;
    // NaN is above all.
    const compare = (p: number, q: number) =>
      Number.isNaN(p) || Number.isNaN(q)
        ? Number(Number.isNaN(p)) - Number(Number.isNaN(q))
        : Number(p > q) - Number(p < q);
    const out = new Float64Array(node.nElems);
    for (let r = 0; r < node.nElems; r += cols) {
      const row = (x as Float64Array).subarray(r, r + cols);
      const places = Array.from(row, (_, i) => i);
      places.sort((i, j) => way * compare(row[i] as number, row[j] as number));
      out.set(places, r);
    }
    return out;
  },
};

/**
 * Places of the elements of each line along `axis` in ascending order, int32 of x's shape. Equal elements keep their
 * order, ascending or not; −0 equals 0; NaN counts as the largest. The gradient is 0.
 */
export function argsort(x: Node, axis = -1, descending = false, name = 'argsort'): Node {
  checkBoolean(name, 'descending', descending);
  const at = normalizeAxis(name, axis, x.shape.length);
  return transpose(apply(argsortOp, [transpose(x, at, -1)], { descending }), at, -1);
}

const pick = (x: Node, indices: Node, axis: number) =>
  apply(takeAlongOp, [x, indices], { axis: normalizeAxis('sort', axis, x.shape.length) });

/** Each line along `axis` in order, and where its elements came from: see `argsort`. dx = dy, put back. */
export function sort(x: Node, axis = -1, descending = false): { values: Node; indices: Node } {
  const indices = argsort(x, axis, descending, 'sort');
  return { values: pick(x, indices, axis), indices };
}

/** The k largest (or smallest) of each line along `axis`, the first first, and where they were. dx = dy, put back. */
export function topk(x: Node, k: number, axis = -1, largest = true): { values: Node; indices: Node } {
  checkBoolean('topk', 'largest', largest);
  const at = normalizeAxis('topk', axis, x.shape.length);
  const size = x.shape[at] as number;
  if (!Number.isInteger(k) || k < 0 || k > size) {
    throw new NablaError(
      'option',
      `topk: k is ${k}, expected a whole number from 0 to ${size}, the size of axis ${at} of ${formatShape(x.shape)}`,
      { op: 'topk', k, shape: x.shape },
    );
  }
  const indices = slice(
    argsort(x, at, largest),
    x.shape.map((_, i) => (i === at ? { stop: k } : null)),
  );
  return { values: pick(x, indices, at), indices };
}
