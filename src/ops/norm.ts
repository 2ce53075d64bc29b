// Layer normalisation: a kernel over rows for the value, and one that makes all its gradients in one pass.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Lowering, Op, Ref } from '../graph/op.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../shape.ts';
import { add, div, mul, sqrt, square, sub } from './elementwise.ts';
import { constant } from './leaf.ts';
import { reshape } from './move.ts';
import { emitRowSum, mean, sum } from './reduce.ts';

/** The last axes, which are normalised together, and what follows x among the inputs. */
interface Settings {
  shape: Shape;
  eps: number;
  weight: boolean;
  bias: boolean;
}
const settings = (attrs: Attrs) => attrs as unknown as Settings;

/** How an instruction over x takes eps: the bits of a float32, or an operand of float64. */
function epsWord(l: Lowering, x: Node, eps: number): number | Ref {
  if (x.dtype === 'float64') return l.read(constant(eps, 'float64'));
  return new Int32Array(Float32Array.of(eps).buffer)[0] as number;
}

const float: Op['dtype'] = (inputs) => floatOf('layerNorm', ...inputs);

/** Rows and columns of x as the kernel sees it. */
function rowsOf(x: Node, attrs: Attrs): [number, number] {
  const cols = sizeOf(settings(attrs).shape);
  return [sizeOf(x.shape.slice(0, x.shape.length - settings(attrs).shape.length)), cols];
}

/** Σ over rows is cut into at most SLICES parts of at least SLICE_ROWS, by however many threads. */
const SLICES = 32;
const SLICE_ROWS = 8;
const slicesOf = (rows: number) => Math.max(1, Math.min(SLICES, Math.floor(rows / SLICE_ROWS)));

/** The float64 mean and 1/σ of each row, for the references. */
function momentsOf(x: Float64Array, node: Node, attrs: Attrs): { mean: number; scale: number }[] {
  const [rows, cols] = rowsOf(node, attrs);
  return Array.from({ length: rows }, (_, r) => {
    const row = x.subarray(r * cols, (r + 1) * cols);
    const average = row.reduce((s, v) => s + v, 0) / cols;
    const variance = row.reduce((s, v) => s + (v - average) ** 2, 0) / cols;
    return { mean: average, scale: 1 / Math.sqrt(variance + settings(attrs).eps) };
  });
}

/** (x − mean)/√(variance + eps)·weight + bias over the last axes: x [.., shape], weight and bias [shape] → x's shape. */
export const layerNormOp: Op = {
  name: 'layerNorm',
  shape: ([x]) => (x as Node).shape,
  dtype: float,
  vjp: (node, dy, wanted) => {
    const { inputs, attrs } = node;
    const { weight, bias } = settings(attrs);
    const given = [inputs[0] as Node, dy, ...(weight ? [inputs[1] as Node] : [])];
    const ops = [layerNormGradOp, ...(weight ? [layerNormWeightGradOp] : []), ...(bias ? [layerNormBiasGradOp] : [])];
    return ops.map((op, i) => (wanted[i] ? apply(op, given, attrs) : null));
  },
  lower: ([node], l) => {
    const { inputs, attrs } = node as Node;
    const { weight, bias, eps } = settings(attrs);
    const x = inputs[0] as Node;
    l.emit(abi.OP_LAYER_NORM, [
      ...[l.write(node as Node), l.read(x), weight ? l.read(inputs[1] as Node) : null],
      ...[bias ? l.read(inputs.at(-1) as Node) : null, ...rowsOf(x, attrs), epsWord(l, x, eps)],
    ]);
  },
  reference: (given, node) => {
    const [x, ...rest] = given as [Float64Array, ...Float64Array[]];
    const { weight, bias } = settings(node.attrs);
    const cols = sizeOf(settings(node.attrs).shape);
    const [w, b] = [weight ? rest[0] : undefined, bias ? rest.at(-1) : undefined];
    const moments = momentsOf(x, node.inputs[0] as Node, node.attrs);
    return x.map((v, i) => {
      const { mean, scale } = moments[Math.floor(i / cols)] as (typeof moments)[number];
      return (v - mean) * scale * (w?.[i % cols] ?? 1) + (b?.[i % cols] ?? 0);
    });
  },
};

// ---- gradients

/** dx, dw and db, as many as are asked for, from one pass over x and dy; sums are left in slices, then added up. */
const lowerGrad: NonNullable<Op['lower']> = ([dx, dw, db], l) => {
  const { inputs, attrs } = (dx ?? dw ?? db) as Node;
  const [x, dy, w] = inputs as [Node, Node, Node | undefined];
  const [rows, cols] = rowsOf(x, attrs);
  const slices = slicesOf(rows);
  const parts = (node: Node | undefined) => node && (slices === 1 ? l.write(node) : l.scratch(slices * cols));
  const [dwParts, dbParts] = [parts(dw), parts(db)];
  l.emit(abi.OP_LAYER_NORM_GRAD, [
    ...[dx ? l.write(dx) : null, dwParts ?? null, dbParts ?? null, l.read(x), l.read(dy), w ? l.read(w) : null],
    ...[rows, cols, epsWord(l, x, settings(attrs).eps), slices],
  ]);
  if (slices === 1) return;
  if (dw && dwParts) emitRowSum(l, dw, dwParts, slices);
  if (db && dbParts) emitRowSum(l, db, dbParts, slices);
};

/** x̂ and 1/σ of each row, x as [rows, cols]. */
function normalized(x: Node, attrs: Attrs): { xHat: Node; scale: Node } {
  const rows = reshape(x, rowsOf(x, attrs));
  const centred = sub(rows, mean(rows, 1, true));
  const scale = div(constant(1), sqrt(add(mean(square(centred), 1, true), constant(settings(attrs).eps))));
  return { xHat: mul(centred, scale), scale };
}

/** One of the gradients, of inputs x, dy and, where there is one, the weight. */
function gradient(
  name: string,
  part: number,
  shape: Op['shape'],
  expression: (x: Node, dy: Node, w: Node | undefined, attrs: Attrs) => Node,
  reference: NonNullable<Op['reference']>,
): Op {
  return {
    ...{ name, shape, dtype: float, joint: { name: 'layerNormGrad', part, parts: 3, inputs: 3 } },
    lower: lowerGrad,
    expression: ({ inputs, attrs }) => {
      const [x, dy, w] = inputs as [Node, Node, Node | undefined];
      const cols = rowsOf(x, attrs)[1];
      return expression(x, reshape(dy, rowsOf(x, attrs)), w && reshape(w, [cols]), attrs);
    },
    reference,
  };
}

export const layerNormGradOp: Op = gradient(
  'layerNormGrad',
  0,
  ([x]) => (x as Node).shape,
  (x, dy, w, attrs) => {
    const { xHat, scale } = normalized(x, attrs);
    const g = w ? mul(dy, w) : dy;
    const along = mul(xHat, mean(mul(g, xHat), 1, true));
    return reshape(mul(sub(sub(g, mean(g, 1, true)), along), scale), x.shape);
  },
  ([x, dy, w], node) => {
    const cols = sizeOf(settings(node.attrs).shape);
    const out = new Float64Array(node.nElems);
    momentsOf(x as Float64Array, node.inputs[0] as Node, node.attrs).forEach(({ mean, scale }, r) => {
      const xHat = (x as Float64Array).subarray(r * cols, (r + 1) * cols).map((v) => (v - mean) * scale);
      const g = (dy as Float64Array).subarray(r * cols, (r + 1) * cols).map((v, j) => v * (w?.[j] ?? 1));
      const middle = g.reduce((s, v) => s + v, 0) / cols;
      const slope = g.reduce((s, v, j) => s + v * (xHat[j] as number), 0) / cols;
      out.set(
        g.map((v, j) => (v - middle - (xHat[j] as number) * slope) * scale),
        r * cols,
      );
    });
    return out;
  },
);

const ofSettings: Op['shape'] = (_, attrs) => settings(attrs).shape;

/** Σ dy·x̂ over rows. */
export const layerNormWeightGradOp: Op = gradient(
  'layerNormWeightGrad',
  1,
  ofSettings,
  (x, dy, _, attrs) => reshape(sum(mul(dy, normalized(x, attrs).xHat), 0), settings(attrs).shape),
  ([x, dy], node) => {
    const moments = momentsOf(x as Float64Array, node.inputs[0] as Node, node.attrs);
    return rowSum(node, dy as Float64Array, (i, r) => {
      const { mean, scale } = moments[r] as (typeof moments)[number];
      return ((x as Float64Array)[i] as number) * scale - mean * scale;
    });
  },
);

/** Σ dy over rows. */
export const layerNormBiasGradOp: Op = gradient(
  'layerNormBiasGrad',
  2,
  ofSettings,
  (_, dy, __, attrs) => reshape(sum(dy, 0), settings(attrs).shape),
  ([, dy], node) => rowSum(node, dy as Float64Array, () => 1),
);

/** Σ dy·f over rows, f of an element's place and row. */
function rowSum(node: Node, dy: Float64Array, f: (i: number, row: number) => number): Float64Array {
  const out = new Float64Array(node.nElems);
  dy.forEach((g, i) => {
    (out[i % node.nElems] as number) += g * f(i, Math.floor(i / node.nElems));
  });
  return out;
}

export interface LayerNormOptions {
  weight?: Node | null;
  bias?: Node | null;
  eps?: number;
}

/** Layer normalisation over the last axes, which must be `shape` (Ba et al. 2016). */
export function layerNorm(x: Node, shape: Shape, { weight, bias, eps = 1e-5 }: LayerNormOptions): Node {
  const first = x.shape.length - shape.length;
  if (shape.length === 0 || first < 0 || !sameShape(x.shape.slice(first), shape)) {
    throw new NablaError(
      'shape',
      `layerNorm: x ${formatShape(x.shape)} does not end in normalizedShape ${formatShape(shape)}`,
      { op: 'layerNorm', shapes: [x.shape, shape] },
    );
  }
  for (const [name, given] of Object.entries({ weight, bias })) {
    if (!given || sameShape(given.shape, shape)) continue;
    throw new NablaError(
      'shape',
      `layerNorm: ${name} is ${formatShape(given.shape)}, expected normalizedShape ${formatShape(shape)}`,
      { op: 'layerNorm', shape: given.shape },
    );
  }
  const inputs = [x, weight, bias].filter((i): i is Node => i != null);
  return apply(layerNormOp, inputs, { shape, eps, weight: weight != null, bias: bias != null });
}
