// Logic on bools, and questions about numbers: expressions of comparisons and choices. None has a gradient.
import { isFloat } from '../dtype.ts';
import type { Node } from '../graph/node.ts';
import { broadcastShapes } from '../shape.ts';
import { abs, cast, eq, lt, ne, where } from './elementwise.ts';
import { constant } from './leaf.ts';

/** What is not 0 is true, NaN too. */
const truth = (x: Node) => cast(x, 'bool');
const bool = (value: 0 | 1) => constant(value, 'bool');

export function logicalNot(x: Node): Node {
  return eq(x, constant(0, x.dtype));
}
export function logicalAnd(a: Node, b: Node): Node {
  broadcastShapes('logicalAnd', a.shape, b.shape);
  return where(truth(a), truth(b), bool(0));
}
export function logicalOr(a: Node, b: Node): Node {
  broadcastShapes('logicalOr', a.shape, b.shape);
  return where(truth(a), bool(1), truth(b));
}
export function logicalXor(a: Node, b: Node): Node {
  broadcastShapes('logicalXor', a.shape, b.shape);
  return ne(truth(a), truth(b));
}

/** Of whole numbers and bools all are finite. */
export function isnan(x: Node): Node {
  return ne(x, x);
}
export function isinf(x: Node): Node {
  return isFloat(x.dtype) ? eq(abs(x), constant(Number.POSITIVE_INFINITY)) : ne(x, x);
}
export function isfinite(x: Node): Node {
  return isFloat(x.dtype) ? lt(abs(x), constant(Number.POSITIVE_INFINITY)) : eq(x, x);
}
