// What is to be differentiated, as a user hands it over: checked, and with errors that name what has no derivative.
import { NablaError } from './error.ts';
import { differentiated, filled, isSmooth } from './grad.ts';
import { type Node, withGrad } from './graph/node.ts';
import { walk } from './graph/walk.ts';
import { copy } from './ops/elementwise.ts';
import { checkFunction, checkNames, kindOf } from './options.ts';
import { formatShape, sameShape } from './shape.ts';
import { Tensor } from './tensor.ts';
import { mapped } from './tree.ts';

// ---- tensors

export function outputNode(op: string, y: unknown): Node {
  if (!(y instanceof Tensor)) {
    throw new NablaError('gradient', `${op}: y is ${kindOf(y)}, expected a tensor`);
  }
  const { node } = y;
  if (isFloat(node)) return node;
  let maker = node;
  while (maker.op.view !== undefined && maker.inputs.length > 0) maker = maker.inputs[0] as Node;
  throw new NablaError(
    'gradient',
    `${op}: y is ${node.dtype} ${formatShape(node.shape)}, made by ${maker.op.name}; only floats have derivatives`,
    { dtype: node.dtype },
  );
}

export function inputNodes(op: string, xs: unknown): Node[] {
  if (!Array.isArray(xs)) throw new NablaError('gradient', `${op}: expected a list of tensors as in ${op}(y, [x])`);
  return xs.map((x: unknown, i) => differentiableNode(`${op}: x[${i}]`, x));
}

function differentiableNode(what: string, x: unknown): Node {
  if (!(x instanceof Tensor)) throw new NablaError('gradient', `${what} is ${kindOf(x)}, expected a tensor`);
  const { node } = x;
  if (isFloat(node)) return node;
  throw new NablaError(
    'gradient',
    `${what} is ${node.dtype} ${formatShape(node.shape)}; only floats have derivatives, convert it with .to('float32')`,
    { dtype: node.dtype },
  );
}

/** Whether a node's elements are numbers that can move. */
export const isFloat = ({ dtype }: Node) => dtype !== 'int32' && dtype !== 'bool';

/** What the gradient of y starts from: `seed`, or 1 where y is a scalar. */
export function seedNode(op: string, y: Node, seed: unknown): Node {
  return seed === undefined
    ? scalarSeed(op, y, ', or give a seed of its shape')
    : fitting(`${op}: the seed`, seed, y, 'y');
}

/** 1 of the shape of y; `mend` is what else a user could do if y is no scalar. */
export function scalarSeed(op: string, y: Node, mend = ''): Node {
  if (y.nElems === 1) return filled(y.shape, 1, y);
  throw new NablaError(
    'gradient',
    `${op}: the gradient of ${formatShape(y.shape)} is not defined; expected a scalar: reduce it first, e.g. with ` +
      `.sum() or .mean()${mend}`,
    { shape: y.shape },
  );
}

/** The node of a seed or tangent, which must be of the shape of what it belongs to. */
export function fitting(what: string, given: unknown, of: Node, name: string): Node {
  const node = differentiableNode(what, given);
  if (sameShape(node.shape, of.shape) && node.dtype === of.dtype) return node;
  throw new NablaError(
    'shape',
    `${what} is ${node.dtype} ${formatShape(node.shape)}, expected ${of.dtype} ${formatShape(of.shape)} as ${name}`,
    { shapes: [node.shape, of.shape] },
  );
}

/** Throws: no derivative leads from y to x. Names what stops it, if y depends on x at all. */
export function independent(op: string, y: Node, x: Node, i: number): never {
  const order = walk([y], (node) => node.inputs.length > 0);
  const above = new Set([x]);
  const smooth = new Set([x]);
  let stops: Node | null = null;
  for (const node of order) {
    if (!node.inputs.some((input) => above.has(input))) continue;
    above.add(node);
    const leads = differentiated(node).some((input) => smooth.has(input));
    if (leads && isSmooth(node)) smooth.add(node);
    else if (leads) stops ??= node;
  }
  const place = `x[${i}] ${formatShape(x.shape)}`;
  const why = stops === null ? '' : ` by operations that have a derivative: ${reason(stops)}`;
  throw new NablaError('gradient', `${op}: y does not depend on ${place}${why}`, { index: i });
}

function reason({ op, dtype, differentiable }: Node): string {
  if (dtype === 'int32' || dtype === 'bool') return `${op.name} gives ${dtype}`;
  return differentiable ? `${op.name} has none` : `${op.name} was computed inside noGrad`;
}

export function tangentNodes(op: string, tangents: unknown, xs: readonly Node[]): Node[] {
  if (!Array.isArray(tangents) || tangents.length !== xs.length) {
    const got = Array.isArray(tangents) ? `${tangents.length} tangents` : `${kindOf(tangents)} for tangents`;
    throw new NablaError('gradient', `${op}: got ${got}, expected a list of ${xs.length}, one for each x`);
  }
  return xs.map((x, i) => fitting(`${op}: tangent ${i}`, tangents[i], x, `x[${i}]`));
}

// ---- functions

/** Which arguments of a function are differentiated, by place: the first by default. */
export interface ArgumentOptions<N extends Places = Places> {
  argnums?: N;
}
export type Places = number | readonly number[];
/** What stands at the places: of one place that argument's, of a list a list. */
export type At<A extends readonly unknown[], N extends Places> = N extends readonly number[]
  ? { -readonly [K in keyof N]: A[N[K] & keyof A] }
  : A[N & keyof A];

export function optionsOf(op: string, options: ArgumentOptions): Places {
  checkNames(op, options, ['argnums']);
  return options.argnums ?? 0;
}

export interface Applied {
  /** The differentiated tensors, each a node of its own, in the order of `flattened`. */
  xs: Node[];
  y: Node;
  result: unknown;
}

/** fn of args, with every tensor at the places of `argnums` a new node, so no other use of it counts. */
export function applied(op: string, fn: unknown, args: readonly unknown[], argnums: Places): Applied {
  checkFunction(op, fn);
  const places = typeof argnums === 'number' ? [argnums] : argnums;
  const xs: Node[] = [];
  const own = [...args];
  for (const place of places) {
    if (!Number.isInteger(place) || place < 0 || place >= args.length) {
      throw new NablaError('option', `${op}: argnums names argument ${place} of ${args.length}`, { op, argnums });
    }
    own[place] = mapped(args[place], (x) => {
      const node = copy(differentiableNode(`${op}: argument ${place}`, x));
      xs.push(node);
      return new Tensor(node);
    });
  }
  const result: unknown = withGrad(() => fn(...own));
  if (!(result instanceof Tensor)) {
    throw new NablaError('gradient', `${op}: the function returned ${kindOf(result)}, expected a tensor`);
  }
  return { xs, y: outputNode(op, result), result };
}

/** One tensor for each of `nodes`, in the structure of the arguments at `argnums`. */
export function structured<T>(args: readonly unknown[], argnums: Places, found: readonly T[]): unknown {
  let next = 0;
  const one = (place: number) => mapped(args[place], () => found[next++]);
  return typeof argnums === 'number' ? one(argnums) : argnums.map(one);
}
