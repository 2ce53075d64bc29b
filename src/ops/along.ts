// Elements picked along one axis by indices of the same rank, and its gradient, elements added by such indices.

import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Lowering, Op } from '../graph/op.ts';
import { formatShape, normalizeAxis, type Shape, sameShape } from '../shape.ts';
import { add, expand } from './elementwise.ts';
import { constant } from './leaf.ts';
import { pad, reshape, slice } from './move.ts';
import { around } from './reduce.ts';

const axisOf = (node: Node) => node.attrs.axis as number;

/** Sizes around the axis of the indices. */
const sizesOf = (node: Node) => around((node.inputs[1] as Node).shape, axisOf(node));

function emitAlong(opcode: number, node: Node, size: number, l: Lowering): void {
  const [x, index] = node.inputs as [Node, Node];
  l.emit(opcode, [l.write(node), l.read(x), l.read(index), ...sizesOf(node), size]);
}

/** For each index, in order, the place along an axis of `size` that it names. */
function placesOf(index: Float64Array, node: Node, size: number): number[] {
  const [, n, inner] = sizesOf(node);
  return Array.from(index, (at, i) => (Math.floor(i / (n * inner)) * size + at) * inner + (i % inner));
}

/** x [.., S, ..] at index [.., n, ..] → [.., n, ..]: element i of a line is x's element index[i] of that line. */
export const takeAlongOp: Op = {
  name: 'takeAlong',
  shape: ([, index]) => (index as Node).shape,
  dtype: ([x]) => (x as Node).dtype,
  indices: (node) => {
    const { shape } = node.inputs[0] as Node;
    const what = `gather from ${formatShape(shape)} along axis ${axisOf(node)}: index`;
    return [{ input: 1, below: shape[axisOf(node)] as number, what }];
  },
  vjp: (node, dy, wanted) => {
    const [x, index] = node.inputs as [Node, Node];
    return [wanted[0] ? addAlong(dy, index, axisOf(node), x.shape[axisOf(node)] as number) : null, null];
  },
  lower: ([node], l) => {
    const { shape } = (node as Node).inputs[0] as Node;
    emitAlong(abi.OP_TAKE_ALONG, node as Node, shape[axisOf(node as Node)] as number, l);
  },
  reference: ([x, index], node) => {
    const size = (node.inputs[0] as Node).shape[axisOf(node)] as number;
    return Float64Array.from(placesOf(index as Float64Array, node, size), (at) => (x as Float64Array)[at] as number);
  },
};

/** Zeros [.., S, ..] with src [.., n, ..] added at index [.., n, ..] of each line. */
export const addAlongOp: Op = {
  name: 'addAlong',
  shape: ([src], attrs) => (src as Node).shape.map((d, i) => (i === attrs.axis ? (attrs.size as number) : d)),
  dtype: ([src]) => floatOf('scatterAdd', src as Node),
  indices: (node) => [
    { input: 1, below: node.attrs.size as number, what: `${node.attrs.of} along axis ${axisOf(node)}: index` },
  ],
  vjp: (node, dy, wanted) => [
    wanted[0] ? apply(takeAlongOp, [dy, node.inputs[1] as Node], { axis: axisOf(node) }) : null,
    null,
  ],
  lower: ([node], l) => emitAlong(abi.OP_ADD_ALONG, node as Node, (node as Node).attrs.size as number, l),
  reference: ([src, index], node) => {
    const out = new Float64Array(node.nElems);
    placesOf(index as Float64Array, node, node.attrs.size as number).forEach((at, i) => {
      (out[at] as number) += (src as Float64Array)[i] as number;
    });
    return out;
  },
};

function addAlong(src: Node, index: Node, axis: number, size: number, of = 'scatterAdd'): Node {
  return apply(addAlongOp, [src, index], { axis, size, of });
}

/** Checks an index [.., n, ..] of x's rank that reaches beyond x on no axis but `axis`. */
function checkIndex(op: string, x: Node, index: Node, axis: number): void {
  checkInt(op, index);
  const fits =
    index.shape.length === x.shape.length && index.shape.every((d, i) => i === axis || d <= (x.shape[i] as number));
  if (fits) return;
  throw new NablaError(
    'shape',
    `${op}: index ${formatShape(index.shape)} does not fit ${formatShape(x.shape)} along axis ${axis}; expected the ` +
      'same number of axes, none larger but that one',
    { op, shapes: [x.shape, index.shape] },
  );
}

export function checkInt(op: string, index: Node): void {
  if (index.dtype === 'int32') return;
  throw new NablaError('dtype', `${op}: the index is ${index.dtype}, expected int32; make it with { dtype: 'int32' }`, {
    op,
  });
}

/** The first elements of x, as many as `shape` has on each axis but one. */
function corner(x: Node, shape: Shape, axis = -1): Node {
  if (x.shape.every((d, i) => i === axis || d === shape[i])) return x;
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? null : { stop: shape[i] as number })),
  );
}

/**
 * Along `axis`, element i of the result is x's element index[i] of the same line: x [.., S, ..], index int32 [.., n, ..]
 * of the same rank, no larger on the other axes → index's shape. dx adds dy up at the indices.
 */
export function gather(x: Node, axis: number, index: Node): Node {
  const at = normalizeAxis('gather', axis, x.shape.length);
  checkIndex('gather', x, index, at);
  return apply(takeAlongOp, [corner(x, index.shape, at), index], { axis: at });
}

/**
 * x with src[i] added to element index[i] of the same line along `axis`: x [.., S, ..], index int32 [.., n, ..], src at
 * least as large as index → x's shape. dx = dy; dsrc = dy at the indices.
 */
export function scatterAdd(x: Node, axis: number, index: Node, src: Node): Node {
  const at = normalizeAxis('scatterAdd', axis, x.shape.length);
  checkIndex('scatterAdd', x, index, at);
  if (src.shape.length !== index.shape.length || src.shape.some((d, i) => d < (index.shape[i] as number))) {
    throw new NablaError(
      'shape',
      `scatterAdd: src ${formatShape(src.shape)} is smaller than index ${formatShape(index.shape)}; expected at least its size`,
      { op: 'scatterAdd', shapes: [src.shape, index.shape] },
    );
  }
  const added = addAlong(corner(src, index.shape), index, at, x.shape[at] as number);
  if (sameShape(added.shape, x.shape)) return add(x, added);
  return add(
    x,
    pad(
      added,
      x.shape.map((d, i) => [0, d - (added.shape[i] as number)]),
    ),
  );
}

/** Elements of x in row-major order at the places of `index`: x [..], index int32 [..] → index's shape. */
export function take(x: Node, index: Node): Node {
  checkInt('take', index);
  const flat = apply(takeAlongOp, [reshape(x, [x.nElems]), reshape(index, [index.nElems])], { axis: 0 });
  return reshape(flat, index.shape);
}

/**
 * Rows of zeros with a 1 at the place that the index names: index int32 [..] → float32 [.., classes]. No gradient: an
 * index has none. An index out of range is an error.
 */
export function oneHot(index: Node, classes: number): Node {
  checkInt('oneHot', index);
  if (!Number.isInteger(classes) || classes < 1) {
    throw new NablaError('option', `oneHot: classes is ${classes}, expected a whole number from 1`);
  }
  const column = [...index.shape, 1];
  return addAlong(expand(constant(1), column), reshape(index, column), index.shape.length, classes, 'oneHot');
}
