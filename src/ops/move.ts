// Movement: the same elements in another shape or order. Reshape is a view; the rest is one strided copy.
import * as abi from '../../assembly/abi.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Lowering, Op } from '../graph/op.ts';
import { checkNames } from '../options.ts';
import { checkShape, formatShape, normalizeAxis, type Shape, sizeOf, stridesOf } from '../shape.ts';

const dtypeOfFirst: Op['dtype'] = ([x]) => (x as Node).dtype;
const first = (node: Node) => node.inputs[0] as Node;

/** A strided copy between two arrays: offsets and strides in elements, one an axis of `size`. */
interface Stride {
  size: readonly number[];
  to: readonly number[];
  from: readonly number[];
  toOffset?: number;
  fromOffset?: number;
}

function emitCopy(l: Lowering, dst: ReturnType<Lowering['read']>, src: ReturnType<Lowering['read']>, s: Stride): void {
  const axes = s.size.flatMap((n, i) => [n, s.to[i] as number, s.from[i] as number]);
  l.emit(abi.OP_COPY, [dst, src, s.size.length, s.toOffset ?? 0, s.fromOffset ?? 0, ...axes]);
}

function referenceCopy(x: Float64Array, out: Float64Array, s: Stride): Float64Array {
  const visit = (axis: number, to: number, from: number): void => {
    if (axis === s.size.length) {
      out[to] = x[from] as number;
      return;
    }
    for (let i = 0; i < (s.size[axis] as number); i++) {
      visit(axis + 1, to + i * (s.to[axis] as number), from + i * (s.from[axis] as number));
    }
  };
  if (sizeOf(s.size) > 0) visit(0, s.toOffset ?? 0, s.fromOffset ?? 0);
  return out;
}

/** An op that reads its input through strides. */
function reading(
  name: string,
  shape: Op['shape'],
  vjp: (node: Node, dy: Node) => Node,
  stride: (node: Node) => Stride,
): Op {
  return {
    name,
    shape,
    dtype: dtypeOfFirst,
    vjp: (node, dy) => [vjp(node, dy)],
    lower: ([node], l) => emitCopy(l, l.write(node as Node), l.read(first(node as Node)), stride(node as Node)),
    reference: ([x], node) => referenceCopy(x as Float64Array, new Float64Array(node.nElems), stride(node)),
  };
}

// ---- reshape

export const reshapeOp: Op = {
  name: 'reshape',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: dtypeOfFirst,
  view: () => 0,
  vjp: (node, dy) => [reshape(dy, first(node).shape)],
  reference: ([x]) => (x as Float64Array).slice(),
};

/** The same elements in another shape; one size may be −1, to be worked out. */
export function reshape(x: Node, shape: Shape): Node {
  const known = sizeOf(shape.filter((d) => d !== -1));
  const holes = shape.filter((d) => d === -1).length;
  const to = shape.map((d) => (d === -1 ? x.nElems / known : d));
  if (holes > 1 || to.some((d) => !Number.isInteger(d) || d < 0) || sizeOf(to) !== x.nElems) {
    throw new NablaError(
      'shape',
      `reshape: ${formatShape(x.shape)} has ${x.nElems} elements, ${formatShape(shape)} ` +
        (holes > 1 ? 'leaves more than one size open' : `needs ${holes ? `a multiple of ${known}` : known}`),
      { op: 'reshape', shapes: [x.shape, shape] },
    );
  }
  if (to.length === x.shape.length && to.every((d, i) => d === x.shape[i])) return x;
  return apply(reshapeOp, [x], { shape: to });
}

// ---- permute

export const permuteOp: Op = reading(
  'permute',
  ([x], attrs) => (attrs.axes as number[]).map((a) => (x as Node).shape[a] as number),
  (node, dy) => {
    const axes = node.attrs.axes as number[];
    return permute(
      dy,
      axes.map((_, i) => axes.indexOf(i)),
    );
  },
  (node) => {
    const from = stridesOf(first(node).shape);
    const axes = node.attrs.axes as number[];
    return { size: node.shape, to: stridesOf(node.shape), from: axes.map((a) => from[a] as number) };
  },
);

/** Axes in another order: axis i of the result is axis `axes[i]` of x. */
export function permute(x: Node, axes: readonly number[]): Node {
  const list = axes.map((a) => normalizeAxis('permute', a, x.shape.length));
  if (new Set(list).size !== x.shape.length || list.length !== x.shape.length) {
    throw new NablaError(
      'shape',
      `permute: [${axes}] does not name each of the ${x.shape.length} axes of ${formatShape(x.shape)} once`,
      { op: 'permute', axes, shape: x.shape },
    );
  }
  return list.every((a, i) => a === i) ? x : apply(permuteOp, [x], { axes: list });
}

export function transpose(x: Node, a: number, b: number): Node {
  const axes = x.shape.map((_, i) => i);
  const [i, j] = [normalizeAxis('transpose', a, axes.length), normalizeAxis('transpose', b, axes.length)];
  [axes[i], axes[j]] = [j, i];
  return permute(x, axes);
}

// ---- expand, where a tape cannot read it as a view

/** A broadcast laid out in memory; passes put it where a view cannot be read. */
export const layoutOp: Op = reading(
  'layout',
  (_, attrs) => attrs.shape as Shape,
  (_, dy) => dy,
  (node) => {
    const { shape } = first(node);
    const pad = node.shape.length - shape.length;
    const from = stridesOf(shape);
    const stride = node.shape.map((_, i) => (i < pad || shape[i - pad] === 1 ? 0 : (from[i - pad] as number)));
    return { size: node.shape, to: stridesOf(node.shape), from: stride };
  },
);

// ---- slice and its inverse

export interface Range {
  start: number;
  stop: number;
  step: number;
}

const rangeShape = (attrs: Node['attrs']) => attrs.size as readonly number[];

function sliceStride(shape: Shape, attrs: Node['attrs']): { strides: number[]; offset: number } {
  const full = stridesOf(shape);
  const starts = attrs.starts as number[];
  const steps = attrs.steps as number[];
  return {
    strides: full.map((s, i) => s * (steps[i] as number)),
    offset: full.reduce((sum, s, i) => sum + s * (starts[i] as number), 0),
  };
}

export const sliceOp: Op = reading(
  'slice',
  (_, attrs) => rangeShape(attrs),
  (node, dy) => apply(embedOp, [dy], { ...node.attrs, shape: first(node).shape }),
  (node) => {
    const { strides, offset } = sliceStride(first(node).shape, node.attrs);
    return { size: node.shape, to: stridesOf(node.shape), from: strides, fromOffset: offset };
  },
);

/** Zeros of `shape` with x written where a slice would read it: the slice's gradient, and padding. */
export const embedOp: Op = {
  name: 'embed',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: dtypeOfFirst,
  vjp: (node, dy) => {
    const { starts, steps, size } = node.attrs;
    return [apply(sliceOp, [dy], { starts, steps, size } as Node['attrs'])];
  },
  lower: ([node], l) => {
    const out = l.write(node as Node);
    emitCopy(l, out, l.zero(), {
      size: (node as Node).shape,
      to: stridesOf((node as Node).shape),
      from: (node as Node).shape.map(() => 0),
    });
    emitCopy(l, out, l.read(first(node as Node)), embedStride(node as Node));
  },
  reference: ([x], node) => referenceCopy(x as Float64Array, new Float64Array(node.nElems), embedStride(node)),
};

function embedStride(node: Node): Stride {
  const { strides, offset } = sliceStride(node.shape, node.attrs);
  const from = first(node);
  return { size: from.shape, to: strides, toOffset: offset, from: stridesOf(from.shape) };
}

/** Element `start`, `start + step`, … before `stop` of each axis; negative positions count from the end. */
export function slice(x: Node, ranges: readonly (Partial<Range> | null | undefined)[]): Node {
  for (const range of ranges) checkNames('slice', range ?? undefined, ['start', 'stop', 'step']);
  const starts: number[] = [];
  const steps: number[] = [];
  const size = x.shape.map((d, i) => {
    const { start, stop, step = 1 } = ranges[i] ?? {};
    if (!Number.isInteger(step) || step === 0) {
      throw new NablaError('option', `slice: step ${step} of axis ${i}: expected a whole number other than 0`);
    }
    const clamp = (p: number) => Math.min(Math.max(p < 0 ? p + d : p, step < 0 ? -1 : 0), step < 0 ? d - 1 : d);
    const from = clamp(start ?? (step < 0 ? d - 1 : 0));
    const to = stop === undefined ? (step < 0 ? -1 : d) : clamp(stop);
    starts.push(from);
    steps.push(step);
    return Math.max(0, Math.ceil((to - from) / step));
  });
  if (ranges.length > x.shape.length) {
    throw new NablaError(
      'shape',
      `slice: ${ranges.length} ranges for ${x.shape.length} axes of ${formatShape(x.shape)}`,
    );
  }
  // An empty axis starts anywhere; 0 keeps offsets in range.
  return apply(sliceOp, [x], { starts: starts.map((s, i) => (size[i] === 0 ? 0 : s)), steps, size });
}

/** x with zeros around it: [before, after] for each axis. */
export function pad(x: Node, widths: readonly (readonly [number, number])[]): Node {
  const shape = x.shape.map((d, i) => d + (widths[i]?.[0] ?? 0) + (widths[i]?.[1] ?? 0));
  checkShape('pad', shape);
  const starts = x.shape.map((_, i) => widths[i]?.[0] ?? 0);
  return apply(embedOp, [x], { starts, steps: x.shape.map(() => 1), size: x.shape, shape });
}

// ---- concat

export const concatOp: Op = {
  name: 'concat',
  shape: (inputs, attrs) => {
    const axis = attrs.axis as number;
    const head = (inputs[0] as Node).shape;
    for (const { shape } of inputs) {
      if (shape.length !== head.length || shape.some((d, i) => i !== axis && d !== head[i])) {
        throw new NablaError(
          'shape',
          `concat: shapes ${inputs.map((n) => formatShape(n.shape)).join(' and ')} differ beside axis ${axis}`,
          { op: 'concat', shapes: inputs.map((n) => n.shape) },
        );
      }
    }
    return head.map((d, i) => (i === axis ? inputs.reduce((sum, n) => sum + (n.shape[axis] as number), 0) : d));
  },
  dtype: dtypeOfFirst,
  vjp: (node, dy) => {
    const axis = node.attrs.axis as number;
    let start = 0;
    return node.inputs.map((input) => {
      const stop = start + (input.shape[axis] as number);
      const ranges = input.shape.map((_, i) => (i === axis ? { start, stop } : {}));
      start = stop;
      return slice(dy, ranges);
    });
  },
  lower: ([node], l) => {
    const out = l.write(node as Node);
    for (const [i, s] of concatStrides(node as Node).entries())
      emitCopy(l, out, l.read((node as Node).inputs[i] as Node), s);
  },
  reference: (inputs, node) => {
    const out = new Float64Array(node.nElems);
    for (const [i, s] of concatStrides(node).entries()) referenceCopy(inputs[i] as Float64Array, out, s);
    return out;
  },
};

function concatStrides(node: Node): Stride[] {
  const axis = node.attrs.axis as number;
  const to = stridesOf(node.shape);
  let at = 0;
  return node.inputs.map(({ shape }) => {
    const toOffset = at * (to[axis] as number);
    at += shape[axis] as number;
    return { size: shape, to, toOffset, from: stridesOf(shape) };
  });
}

export function concat(nodes: readonly Node[], axis: number): Node {
  if (nodes.length === 0) throw new NablaError('shape', 'concat: got no tensors, expected at least one');
  const head = nodes[0] as Node;
  if (nodes.some((n) => n.dtype !== head.dtype)) {
    throw new NablaError('dtype', `concat: dtypes differ: ${nodes.map((n) => n.dtype).join(', ')}; convert with .to()`);
  }
  return apply(concatOp, nodes, { axis: normalizeAxis('concat', axis, head.shape.length) });
}
