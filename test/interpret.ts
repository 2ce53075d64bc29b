// The oracle of the op tests: any graph in float64, exact or with the errors of float32 imitated.
import { evaluator, type Values } from '../src/graph/evaluate.ts';
import type { Node } from '../src/graph/node.ts';
import { walk } from '../src/graph/walk.ts';

export type { Values };
/** A number in [−1, 1) for each rounding to imitate. */
export type Noise = () => number;

const EPSILON = 2 ** -24;
/** Nodes' results are disturbed by this many roundings: what the kernels' functions err by (≤ 2.5 ulp), or a little more. */
const ROUNDINGS = 4;

/**
 * A function that evaluates `roots` again and again for other elements of `leaves`. With noise, each float32 result
 * is off by about what float32 arithmetic errs by: how far the roots move is how far a kernel may be off.
 */
export function interpreter(roots: readonly Node[], leaves: readonly Node[] = []) {
  const evaluate = evaluator(roots, leaves);
  return (values: Values, noise?: Noise): Float64Array[] =>
    evaluate(values, noise && ((node, y, inputs) => disturbed(node, y, inputs, noise)));
}

/** The elements of `roots` in float64. */
export function interpret(roots: readonly Node[], values: Values = new Map()): Float64Array[] {
  return interpreter(roots, [...values.keys()])(values);
}

/** All nodes that `roots` are computed from. */
export function nodesOf(roots: readonly Node[]): Node[] {
  return walk(roots, (node) => node.inputs.length > 0);
}

function disturbed(node: Node, y: Float64Array, inputs: readonly Float64Array[], noise: Noise): Float64Array {
  if (node.dtype !== 'float32') return y;
  if (node.op.forms === undefined) {
    if (isChosen(y, inputs)) return y;
    const scale = scaleOf(node, inputs);
    return y.map((v, i) => rounded(v, Math.max(Math.abs(v), scale[i] as number), noise));
  }
  // What float32 holds exactly was not rounded, so that equal elements stay equal.
  return y.map((v) => (Math.fround(v) === v ? v : rounded(v, Math.abs(v), noise)));
}

function rounded(v: number, size: number, noise: Noise): number {
  return Number.isFinite(size) ? Math.fround(v + noise() * ROUNDINGS * EPSILON * size) : v;
}

/** Whether a result consists of elements of its inputs, judged by eight of them: an extreme, a copy. */
function isChosen(y: Float64Array, inputs: readonly Float64Array[]): boolean {
  const stride = Math.max(1, Math.floor(y.length / 8));
  for (let i = 0; i < y.length; i += stride) {
    if (y[i] !== 0 && !inputs.some((x) => x.includes(y[i] as number))) return false;
  }
  return true;
}

/** The size of the terms that a result adds up, which may cancel: its formula over magnitudes, or its largest input. */
export function scaleOf(node: Node, inputs: readonly Float64Array[]): Float64Array {
  const magnitudes = inputs.map((x, k) => (node.inputs[k]?.dtype === 'float32' ? x.map(Math.abs) : x));
  const terms = node.op.reference?.(magnitudes, node) as Float64Array;
  if (node.op.reduce !== undefined) return terms;
  const largest = Math.max(0, ...inputs.map((x, k) => (node.inputs[k]?.dtype === 'float32' ? largestOf(x) : 0)));
  return terms.map((t) => Math.max(Math.abs(t), largest));
}

export function largestOf(x: Float64Array): number {
  let top = 0;
  for (const v of x) if (Math.abs(v) > top && Number.isFinite(v)) top = Math.abs(v);
  return top;
}
