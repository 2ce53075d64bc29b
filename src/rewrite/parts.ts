// What rules recognise by hand, where the same thing can be written in more ways than a pattern holds.
import type { Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import * as e from '../ops/elementwise.ts';
import { constant } from '../ops/leaf.ts';
import { reshapeOp } from '../ops/move.ts';
import { keptShape, maxOp, sumOp } from '../ops/reduce.ts';
import { sameShape } from '../shape.ts';
import { opOf } from './match.ts';

export const axesOf = (node: Node) => node.attrs.axes as readonly number[];
export const first = (node: Node) => node.inputs[0] as Node;

/** A number of x's dtype. */
export const number = (value: number, x: Node) => constant(value, x.dtype);

/** The value of a constant; null of all else. */
export function constantOf(node: Node): number | null {
  return node.inputs.length === 0 && node.attrs.value !== undefined ? (node.attrs.value as number) : null;
}

/** x where the node is x², however it is written. */
export function rootOfSquare(node: Node): Node | null {
  const op = opOf(node);
  const [x, y] = node.inputs as [Node, Node];
  if (op === e.squareOp) return x;
  if (op === e.mulOp && x === y) return x;
  return op === e.powOp && constantOf(y) === 2 ? x : null;
}

/** What a node of the same elements in another shape was made of. */
export function unshaped(node: Node): Node {
  let at = node;
  while (opOf(at) === reshapeOp) at = first(at);
  return at;
}

const THROUGH = new Set<Op | null>([e.expandOp, e.detachOp, e.copyOp]);

/** What a stretched, copied or cut-off node holds. */
function held(node: Node): Node {
  let at = node;
  while (THROUGH.has(opOf(at))) at = first(at);
  return at;
}

/** x and its axes where the node is their mean, in whatever shape. */
export function meanOf(node: Node): { x: Node; axes: readonly number[] } | null {
  if (opOf(node) !== e.mulOp) return null;
  const { inputs } = node;
  const [total, scale] = constantOf(inputs[0] as Node) === null ? inputs : [inputs[1], inputs[0]];
  const sum = unshaped(total as Node);
  if (opOf(sum) !== sumOp || constantOf(scale as Node) !== sum.nElems / first(sum).nElems) return null;
  return { x: first(sum), axes: axesOf(sum) };
}

export const sameAxes = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((axis) => b.includes(axis));

/** Whether the node is the largest of x over `axes`, as softmax is shifted by it. */
export function isTopOf(node: Node, x: Node, axes: readonly number[]): boolean {
  const top = node.nElems === 1 ? unshaped(held(node)) : held(node);
  return opOf(top) === maxOp && first(top) === x && sameAxes(axesOf(top), axes);
}

const BOUNDING = new Set<Op | null>([e.whereOp, e.minimumOp, e.maximumOp]);

/** How many masks and bounds are looked through. */
const MOST_BOUNDS = 3;

/** Whether a node is cut off from derivatives, or the largest of something, within bounds or not. */
export function isLevel(node: Node, more = MOST_BOUNDS): boolean {
  if (opOf(node) === e.detachOp) return true;
  const inner = unshaped(held(node));
  if (opOf(inner) === maxOp) return true;
  return more > 0 && BOUNDING.has(opOf(inner)) && inner.inputs.some((i) => isLevel(i, more - 1));
}

/** Whether something that has no gradient was taken off x already: the shift of a softmax. */
export function isShifted(x: Node, more = MOST_BOUNDS): boolean {
  if (opOf(x) === e.whereOp) return more > 0 && x.inputs.some((i) => isShifted(i, more - 1));
  return opOf(x) === e.subOp && isLevel(x.inputs[1] as Node);
}

/** q where the node is √q, guarded at 0 or not. */
function radicand(node: Node): Node | null {
  if (opOf(node) === e.sqrtOp) return first(node);
  const inner = opOf(node) === e.whereOp ? (node.inputs[2] as Node) : node;
  if (inner === node || opOf(inner) !== e.sqrtOp || opOf(first(node)) !== e.eqOp) return null;
  return first(first(node));
}

/** x and its axes where the node is the root of the sum of squares of x. */
export function normOf(node: Node): { x: Node; axes: readonly number[] } | null {
  const q = radicand(unshaped(node));
  return q && sumOfSquares(q);
}

export function sumOfSquares(node: Node): { x: Node; axes: readonly number[] } | null {
  const sum = unshaped(node);
  if (opOf(sum) !== sumOp) return null;
  const x = rootOfSquare(first(sum));
  return x && { x, axes: axesOf(sum) };
}

/** Whether a node broadcasts over x as what a reduction over `axes` left of x does. */
export function fitsReduced(node: Node, x: Node, axes: readonly number[]): boolean {
  return node.nElems === 1 || sameShape(node.shape, keptShape(x.shape, axes));
}

/** The terms that a node adds up, each with its sign, at most `most` of them; null for more. */
export function termsOf(node: Node, most: number): { sign: 1 | -1; term: Node }[] | null {
  const found: { sign: 1 | -1; term: Node }[] = [];
  // A list and no recursion: a sum of a hundred thousand terms is given up where it is seen to have more than `most`.
  const open: { sign: 1 | -1; term: Node }[] = [{ sign: 1, term: node }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { sign, term } = at;
    const [op, [a, b]] = [opOf(term), term.inputs as [Node, Node]];
    const minus = sign === 1 ? -1 : 1;
    if (op === e.addOp || op === e.subOp)
      open.push({ sign: op === e.addOp ? sign : minus, term: b }, { sign, term: a });
    else if (op === e.negOp) open.push({ sign: minus, term: a });
    else found.push(at);
    if (found.length + open.length > most) return null;
  }
  return found;
}

/** The factors that a node multiplies, at most `most` of them; null for more. */
export function factorsOf(node: Node, most: number): Node[] | null {
  const found: Node[] = [];
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (opOf(at) === e.mulOp) open.push(at.inputs[1] as Node, at.inputs[0] as Node);
    else found.push(at);
    if (found.length + open.length > most) return null;
  }
  return found;
}
