// Softmax, its log, and softmax cross-entropy: kernels over rows, which never take the log of a softmax.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Op } from '../graph/op.ts';
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../shape.ts';
import { cast, exp, expand, mul, neg, sub } from './elementwise.ts';
import { alike, constant } from './leaf.ts';
import { permute, reshape } from './move.ts';
import { sum } from './reduce.ts';

const rowsOf = (shape: Shape): [number, number] => [sizeOf(shape.slice(0, -1)), shape.at(-1) as number];

/** The reference of a function of rows. */
function byRows(node: Node, x: Float64Array, f: (row: Float64Array, r: number) => ArrayLike<number>): Float64Array {
  const [rows, cols] = rowsOf((node.inputs[0] as Node).shape);
  const out = new Float64Array(node.nElems);
  for (let r = 0; r < rows; r++) {
    const result = f(x.subarray(r * cols, (r + 1) * cols), r);
    out.set(result, r * result.length);
  }
  return out;
}

function logSumExp(row: Float64Array): number {
  const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0));
}

const softmaxOf = (row: Float64Array) => {
  const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const terms = row.map((v) => Math.exp(v - top));
  const sum = terms.reduce((a, b) => a + b, 0);
  return terms.map((e) => e / sum);
};

/**
 * Attribute `causal: k` of softmax and its gradient: a mask over the last two axes, as of attention over what came
 * before. Row r of each matrix is the softmax of its first r + k columns and 0 in the rest.
 */
function maskOf(x: Node, attrs: Attrs): { height: number; first: number } {
  const first = attrs.causal as number | undefined;
  return first === undefined ? { height: 0, first: 0 } : { height: x.shape.at(-2) as number, first };
}

/** Columns of row r that the mask leaves. */
function visible(x: Node, attrs: Attrs, r: number): number {
  const [, cols] = rowsOf(x.shape);
  const { height, first } = maskOf(x, attrs);
  return height === 0 ? cols : Math.max(0, Math.min(cols, (r % height) + first));
}

const maskWords = (x: Node, attrs: Attrs) => Object.values(maskOf(x, attrs));

/** A row with zeros behind it. */
function padded(row: Float64Array, length: number): Float64Array {
  const out = new Float64Array(length);
  out.set(row);
  return out;
}

/** softmax or logSoftmax over the last axis. */
function softmaxLike(name: string, log: 0 | 1): Op {
  return {
    name,
    shape: ([x]) => (x as Node).shape,
    dtype: ([x]) => floatOf(name, x as Node),
    vjp: (node, dy) => [apply(log ? logSoftmaxGradOp : softmaxGradOp, [node, dy], node.attrs)],
    lower: ([node], l) => {
      const { inputs, attrs } = node as Node;
      const [x] = inputs as [Node];
      const words = [...rowsOf(x.shape), log, ...maskWords(x, attrs)];
      l.emit(abi.OP_SOFTMAX, [l.write(node as Node), l.read(x), ...words]);
    },
    reference: ([x], node) =>
      byRows(node, x as Float64Array, (row, r) => {
        if (!log) return padded(softmaxOf(row.subarray(0, visible(node, node.attrs, r))), row.length);
        const z = logSumExp(row);
        return row.map((v) => v - z);
      }),
  };
}
export const softmaxOp: Op = softmaxLike('softmax', 0);
export const logSoftmaxOp: Op = softmaxLike('logSoftmax', 1);

/** dx from y and dy; y is 0 where a mask hides x, so the expression needs none. */
function gradLike(name: string, log: 0 | 1, expression: (y: Node, dy: Node) => Node): Op {
  return {
    name,
    shape: ([y]) => (y as Node).shape,
    dtype: (inputs) => floatOf(name, ...inputs),
    expression: (node) => expression(node.inputs[0] as Node, node.inputs[1] as Node),
    lower: ([node], l) => {
      const { inputs, attrs } = node as Node;
      const [y, dy] = inputs as [Node, Node];
      const words = [...rowsOf(y.shape), log, ...maskWords(y, attrs)];
      l.emit(abi.OP_SOFTMAX_GRAD, [l.write(node as Node), l.read(y), l.read(dy), ...words]);
    },
    reference: ([y, dy], node) =>
      byRows(node, y as Float64Array, (row, r) => {
        const g = (dy as Float64Array).subarray(r * row.length, (r + 1) * row.length);
        if (log) {
          const total = g.reduce((a, b) => a + b, 0);
          return row.map((v, i) => (g[i] as number) - Math.exp(v) * total);
        }
        const seen = row.subarray(0, visible(node, node.attrs, r));
        const dot = seen.reduce((s, v, i) => s + v * (g[i] as number), 0);
        return padded(
          seen.map((v, i) => v * ((g[i] as number) - dot)),
          row.length,
        );
      }),
  };
}
export const softmaxGradOp: Op = gradLike('softmaxGrad', 0, (y, dy) => mul(y, sub(dy, sum(mul(dy, y), -1, true))));
export const logSoftmaxGradOp: Op = gradLike('logSoftmaxGrad', 1, (y, dy) => sub(dy, mul(exp(y), sum(dy, -1, true))));

/** Applies an op of rows along any axis. */
function along(op: Op, x: Node, axis: number): Node {
  const at = normalizeAxis(op.name, axis, x.shape.length);
  const last = x.shape.length - 1;
  if (at === last) return apply(op, [x]);
  const axes = x.shape.map((_, i) => (i === at ? last : i === last ? at : i));
  return permute(apply(op, [permute(x, axes)]), axes);
}
export function softmax(x: Node, axis = -1): Node {
  return along(softmaxOp, x, axis);
}
export function logSoftmax(x: Node, axis = -1): Node {
  return along(logSoftmaxOp, x, axis);
}

/** Softmax over the last axis of matrices whose row r sees its first r + `first` columns; the others become 0. */
export function causalSoftmax(x: Node, first = 1): Node {
  return apply(softmaxOp, [x], { causal: first });
}

// ---- cross-entropy

const isLabels = (target: Node) => target.dtype === 'int32';

/** That of the logits; probabilities share it, and so does a gradient. */
const crossEntropyDType: Op['dtype'] = (inputs) => floatOf('crossEntropy', ...inputs.filter((i) => !isLabels(i)));

function checkTarget(logits: Node, target: Node): void {
  const wanted = isLabels(target) ? logits.shape.slice(0, -1) : logits.shape;
  if (logits.shape.length > 0 && wanted.length === target.shape.length && wanted.every((d, i) => d === target.shape[i]))
    return;
  const kind = isLabels(target) ? 'labels' : 'probabilities';
  throw new NablaError(
    'shape',
    `crossEntropy: ${kind} ${formatShape(target.shape)} do not fit logits ${formatShape(logits.shape)}; expected ${formatShape(wanted)}`,
    { op: 'crossEntropy', shapes: [logits.shape, target.shape] },
  );
}

const indices: Op['indices'] = ({ inputs: [logits, target] }) =>
  isLabels(target as Node)
    ? [{ input: 1, below: (logits as Node).shape.at(-1) as number, what: 'crossEntropy: label' }]
    : [];

/** Loss and gradient of rows in one instruction. Where the gradient is absent its dy is too. */
const lowerCrossEntropy: NonNullable<Op['lower']> = ([loss, grad], l) => {
  const [logits, target, dy] = ((grad ?? loss) as Node).inputs as [Node, Node, Node | undefined];
  const [rows, cols] = rowsOf(logits.shape);
  const perRow = dy !== undefined && dy.nElems === rows && rows !== 1;
  const flags = (isLabels(target) ? 0 : abi.CE_PROBABILITIES) | (perRow ? abi.CE_DY_ROWS : 0);
  l.emit(abi.OP_CROSS_ENTROPY, [
    ...[loss ? l.write(loss) : null, grad ? l.write(grad) : null, l.read(logits), l.read(target)],
    ...[dy ? l.read(dy) : null, rows, cols, flags],
  ]);
};

/** Weight of class j in row r. */
function weights(target: Float64Array, labels: boolean, r: number, cols: number): (j: number) => number {
  return labels ? (j) => (target[r] === j ? 1 : 0) : (j) => target[r * cols + j] as number;
}

/** −Σ t·log softmax(x) of each row: logits [.., K], labels int32 [..] or probabilities [.., K] → [..]. */
export const crossEntropyOp: Op = {
  name: 'crossEntropy',
  shape: ([logits, target]) => {
    checkTarget(logits as Node, target as Node);
    return (logits as Node).shape.slice(0, -1);
  },
  dtype: crossEntropyDType,
  joint: { name: 'crossEntropy', part: 0, parts: 2, inputs: 2 },
  indices,
  vjp: (node, dy, wanted) => {
    const [logits, target] = node.inputs as [Node, Node];
    const column = reshape(dy, [...dy.shape, 1]);
    return [
      wanted[0] ? apply(crossEntropyGradOp, [logits, target, dy]) : null,
      wanted[1] ? neg(mul(logSoftmax(logits), column)) : null,
    ];
  },
  lower: lowerCrossEntropy,
  reference: ([x, t], node) => {
    const labels = isLabels(node.inputs[1] as Node);
    return byRows(node, x as Float64Array, (row, r) => {
      const weight = weights(t as Float64Array, labels, r, row.length);
      const z = logSumExp(row);
      return [row.reduce((s, v, j) => s + (weight(j) === 0 ? 0 : weight(j) * (z - v)), 0)];
    });
  },
};

/** dy·(softmax(x)·Σt − t) of each row; dy is [..] or a scalar. */
export const crossEntropyGradOp: Op = {
  name: 'crossEntropyGrad',
  shape: ([logits]) => (logits as Node).shape,
  dtype: crossEntropyDType,
  joint: { name: 'crossEntropy', part: 1, parts: 2, inputs: 2 },
  indices,
  lower: lowerCrossEntropy,
  vjp: (node, g, wanted) => {
    const [logits, target, dy] = node.inputs as [Node, Node, Node];
    const scaled = mul(g, dy.shape.length === 0 ? dy : reshape(dy, [...dy.shape, 1]));
    const total = isLabels(target) ? scaled : mul(scaled, sum(target, -1, true));
    const plain = () =>
      apply(crossEntropyGradOp, [logits, target, expand(constant(1, logits.dtype), logits.shape.slice(0, -1))]);
    return [
      wanted[0] ? apply(softmaxGradOp, [softmax(logits), total]) : null,
      wanted[1] ? sub(sum(mul(scaled, softmax(logits)), -1, true), scaled) : null,
      wanted[2] ? sum(mul(g, plain()), -1) : null,
    ];
  },
  reference: ([x, t, dy], node) => {
    const labels = isLabels(node.inputs[1] as Node);
    return byRows(node, x as Float64Array, (row, r) => {
      const weight = weights(t as Float64Array, labels, r, row.length);
      const total = row.reduce((s, _, j) => s + weight(j), 0);
      const scale = (dy as Float64Array)[(dy as Float64Array).length === 1 ? 0 : r] as number;
      return softmaxOf(row).map((p, j) => scale * (p * total - weight(j)));
    });
  },
};

export function crossEntropy(logits: Node, target: Node): Node {
  return apply(crossEntropyOp, alike([logits, target.dtype === 'bool' ? cast(target, logits.dtype) : target]));
}
