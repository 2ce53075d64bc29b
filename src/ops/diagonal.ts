// Triangles and diagonals of matrices: a diagonal is a slice of the flat matrix, one row and one element a step.
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import { formatShape, normalizeAxis, sizeOf } from '../shape.ts';
import { add, ge, le, where } from './elementwise.ts';
import { constant } from './leaf.ts';
import { embedOp, permute, reshape, slice } from './move.ts';
import { sum } from './reduce.ts';
import { iota } from './scan.ts';

function checkMatrix(op: string, x: Node): [number, number] {
  if (x.shape.length >= 2) return x.shape.slice(-2) as [number, number];
  throw new NablaError('shape', `${op}: x is ${formatShape(x.shape)}, expected a matrix or a stack of them`, {
    op,
    shape: x.shape,
  });
}

function checkOffset(op: string, k: number): void {
  if (Number.isInteger(k)) return;
  throw new NablaError('option', `${op}: the diagonal is ${k}, expected a whole number`, { op });
}

/** x where `holds(column, row + k)`, else 0. */
function triangle(op: string, x: Node, k: number, holds: (column: Node, edge: Node) => Node): Node {
  const [rows, cols] = checkMatrix(op, x);
  checkOffset(op, k);
  const edge = add(reshape(iota(rows), [rows, 1]), constant(k, 'int32'));
  return where(holds(iota(cols), edge), x, constant(0, x.dtype));
}

/** The elements on and below diagonal k of each matrix, zeros above: [.., m, n] → the same. dx is dy's triangle. */
export function tril(x: Node, k = 0): Node {
  return triangle('tril', x, k, le);
}

/** The elements on and above diagonal k of each matrix, zeros below. */
export function triu(x: Node, k = 0): Node {
  return triangle('triu', x, k, ge);
}

/**
 * Diagonal `offset` of the matrices of two axes: [.., m, .., n, ..] → [.., d], the diagonal as the last axis. A positive
 * offset lies above the main one; one outside the matrix has no elements.
 */
export function diagonal(x: Node, offset = 0, axis1 = 0, axis2 = 1): Node {
  const rank = x.shape.length;
  const [a, b] = [normalizeAxis('diagonal', axis1, rank), normalizeAxis('diagonal', axis2, rank)];
  if (a === b) throw new NablaError('shape', `diagonal: axes ${axis1} and ${axis2} are one; expected two`);
  checkOffset('diagonal', offset);
  const rest = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const [rows, cols] = [x.shape[a] as number, x.shape[b] as number];
  const length = Math.max(0, offset < 0 ? Math.min(rows + offset, cols) : Math.min(rows, cols - offset));
  const shape = rest.map((i) => x.shape[i] as number);
  const flat = reshape(permute(x, [...rest, a, b]), [sizeOf(shape), rows * cols]);
  const start = offset < 0 ? -offset * cols : offset;
  const range = length === 0 ? { stop: 0 } : { start, stop: start + (length - 1) * (cols + 1) + 1, step: cols + 1 };
  return reshape(slice(flat, [null, range]), [...shape, length]);
}

/** Of a matrix, its diagonal k; of a vector, the square matrix with it on diagonal k. */
export function diag(x: Node, k = 0): Node {
  checkOffset('diag', k);
  if (x.shape.length === 2) return diagonal(x, k);
  if (x.shape.length !== 1) {
    throw new NablaError('shape', `diag: x is ${formatShape(x.shape)}, expected a vector or a matrix; see diagonal`, {
      shape: x.shape,
    });
  }
  const size = x.nElems + Math.abs(k);
  const starts = [k < 0 ? -k * size : k];
  const flat = apply(embedOp, [x], { starts, steps: [size + 1], size: x.shape, shape: [size * size] });
  return reshape(flat, [size, size]);
}

/** The sum of the main diagonal of a matrix. */
export function trace(x: Node): Node {
  if (x.shape.length === 2) return sum(diagonal(x));
  throw new NablaError('shape', `trace: x is ${formatShape(x.shape)}, expected a matrix`, { shape: x.shape });
}
