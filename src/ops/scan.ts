// Running sums and products along an axis. Both are the linear recurrence h = a·h + b, which has a kernel: an expression
// of other ops would take n² steps. Its gradient is the same recurrence backwards, so any derivative is exact and takes
// n steps, elements that are 0 included.

import * as abi from '../../assembly/abi.ts';
import type { Float } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Lowering, Op } from '../graph/op.ts';
import { normalizeAxis } from '../shape.ts';
import { cast, expand, mul, sub } from './elementwise.ts';
import { constant } from './leaf.ts';
import { pad, slice } from './move.ts';
import { around } from './reduce.ts';

interface Direction {
  axis: number;
  /** From the last element to the first. */
  reverse: boolean;
}
const direction = (attrs: Attrs) => attrs as unknown as Direction;
const turned = (attrs: Attrs) => ({ ...attrs, reverse: !direction(attrs).reverse });

function checked(name: string, x: Node): Float | 'int32' {
  if (x.dtype !== 'bool') return x.dtype;
  throw new NablaError('dtype', `${name}: got bool, expected float32 or int32; convert with .to('int32')`);
}

function emitScan(node: Node, a: Node | null, b: Node, l: Lowering): void {
  const { axis, reverse } = direction(node.attrs);
  const flags = (reverse ? abi.SCAN_REVERSE : 0) | (node.dtype === 'int32' ? abi.SCAN_I32 : 0);
  l.emit(abi.OP_SCAN, [l.write(node), a && l.read(a), l.read(b), ...around(node.shape, axis), flags]);
}

/** The recurrence in float64; whole numbers wrap around as int32 does. */
function reference(a: Float64Array | null, b: Float64Array, node: Node): Float64Array {
  const { axis, reverse } = direction(node.attrs);
  const [outer, size, inner] = around(node.shape, axis);
  const times = node.dtype === 'int32' ? Math.imul : (p: number, q: number) => p * q;
  const out = new Float64Array(node.nElems);
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < inner; c++) {
      let h = 0;
      for (let i = 0; i < size; i++) {
        const at = (o * size + (reverse ? size - 1 - i : i)) * inner + c;
        const before = i === 0 ? 0 : a === null ? h : times(a[at] as number, h);
        h = before + (b[at] as number);
        out[at] = h;
      }
    }
  }
  return out;
}

/** Σ of the elements up to each one: [.., n, ..] → the same shape. */
export const cumsumOp: Op = {
  name: 'cumsum',
  shape: ([x]) => (x as Node).shape,
  dtype: ([x]) => checked('cumsum', x as Node),
  vjp: (node, dy) => [apply(cumsumOp, [dy], turned(node.attrs))],
  lower: ([node], l) => emitScan(node as Node, null, (node as Node).inputs[0] as Node, l),
  reference: ([x], node) => reference(null, x as Float64Array, node),
};

/** h₀ = b₀, hᵢ = aᵢ·hᵢ₋₁ + bᵢ: a, b of one shape → the same. a₀ has no part, and gradient 0. */
export const recurrenceOp: Op = {
  name: 'recurrence',
  shape: ([, b]) => (b as Node).shape,
  dtype: ([, b]) => checked('recurrence', b as Node),
  vjp: (node, dy, wanted) => {
    const [a] = node.inputs as [Node, Node];
    const { axis, reverse } = direction(node.attrs);
    const on = reverse ? -1 : 1;
    const db = apply(recurrenceOp, [shifted(a, axis, -on), dy], turned(node.attrs));
    const da = () => lead(mul(drop(db, axis, on), drop(node, axis, -on)), axis, on);
    return [wanted[0] ? da() : null, db];
  },
  lower: ([node], l) => {
    const [a, b] = (node as Node).inputs as [Node, Node];
    emitScan(node as Node, a, b, l);
  },
  reference: ([a, b], node) => reference(a as Float64Array, b as Float64Array, node),
};

/** All but the first element along an axis; the last, where `on` is −1. */
function drop(x: Node, axis: number, on: number): Node {
  const range = on > 0 ? { start: 1 } : { stop: (x.shape[axis] as number) - 1 };
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? range : null)),
  );
}

/** `n` zeros before x along an axis; after it, where `on` is −1. */
function lead(x: Node, axis: number, on: number, n = 1): Node {
  const widths = x.shape.map((_, i): [number, number] => (i !== axis ? [0, 0] : on > 0 ? [n, 0] : [0, n]));
  return pad(x, widths);
}

/** Element i is x's element i − on; 0 where there is none. */
function shifted(x: Node, axis: number, on: number): Node {
  return lead(drop(x, axis, -on), axis, on);
}

/** h along an axis. */
function recurrence(a: Node, b: Node, axis: number, reverse = false): Node {
  return apply(recurrenceOp, [a, b], { axis, reverse });
}

/**
 * yᵢ = x₀ + … + xᵢ along `axis`: [.., n, ..] → the same shape. float32, added in float64; int32 wraps around; a bool
 * counts as an int32. dx = the running sum of dy from the end.
 */
export function cumsum(x: Node, axis: number): Node {
  const at = normalizeAxis('cumsum', axis, x.shape.length);
  return apply(cumsumOp, [x.dtype === 'bool' ? cast(x, 'int32') : x], { axis: at, reverse: false });
}

/**
 * yᵢ = x₀·…·xᵢ along `axis`: [.., n, ..] → the same shape. float32, multiplied in float64; int32 wraps around; a bool
 * counts as an int32. The gradient is exact where elements are 0 too, as it never divides by one.
 */
export function cumprod(x: Node, axis: number): Node {
  const at = normalizeAxis('cumprod', axis, x.shape.length);
  const numbers = x.dtype === 'bool' ? cast(x, 'int32') : x;
  const size = x.shape[at] as number;
  if (size < 2) return numbers;
  const head = slice(
    numbers,
    x.shape.map((_, i) => (i === at ? { stop: 1 } : null)),
  );
  return recurrence(numbers, lead(head, at, -1, size - 1), at);
}

/** The product of all other elements along an axis, without a division. */
export function productOfOthers(x: Node, axis: number): Node {
  const size = x.shape[axis] as number;
  const one = expand(
    constant(1, x.dtype),
    x.shape.map((d, i) => (i === axis ? 1 : d)),
  );
  if (size < 2) return expand(one, x.shape);
  const before = recurrence(shifted(x, axis, 1), lead(one, axis, -1, size - 1), axis);
  const after = recurrence(shifted(x, axis, -1), lead(one, axis, 1, size - 1), axis, true);
  return mul(before, after);
}

/** 0, 1, … n − 1 as int32, computed where it is needed. */
export function iota(n: number): Node {
  const one = constant(1, 'int32');
  return sub(cumsum(expand(one, [n]), 0), one);
}
