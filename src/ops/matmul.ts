// Matrix products. A transpose is a flag, since packing reads either order; bias and activation are an epilogue.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf } from '../shape.ts';
import { expand } from './elementwise.ts';
import { reshape } from './move.ts';
import { epilogueReference } from './reference.ts';

/** Sizes of op(a)·op(b) over stored shapes: [.., M, K] · [.., K, N], transposed or not. */
function sizes(inputs: readonly Node[], attrs: Node['attrs']) {
  const [a, b] = inputs as [Node, Node];
  const [r0, c0] = a.shape.slice(-2) as [number, number];
  const [r1, c1] = b.shape.slice(-2) as [number, number];
  const [m, k] = attrs.transA ? [c0, r0] : [r0, c0];
  const [kb, n] = attrs.transB ? [c1, r1] : [r1, c1];
  return { m, k, kb, n, lda: c0, ldb: c1, batchA: a.shape.slice(0, -2), batchB: b.shape.slice(0, -2) };
}

const transposes = (attrs: Node['attrs']) =>
  (attrs.transA ? abi.GEMM_TRANS_A : 0) | (attrs.transB ? abi.GEMM_TRANS_B : 0);

export const matmulOp: Op = {
  name: 'matmul',
  shape: (inputs, attrs) => {
    const { m, k, kb, n, batchA, batchB } = sizes(inputs, attrs);
    if (k !== kb) throw new Error(`matmul: ${k} and ${kb}`);
    return [...(batchA.length > 0 ? batchA : batchB), m, n];
  },
  dtype: (inputs) => floatOf('matmul', ...inputs),
  vjp: (node, dy, wanted) => {
    const [a, b] = node.inputs as [Node, Node];
    const { transA, transB } = node.attrs as { transA: boolean; transB: boolean };
    const da = () => (transA ? product(b, dy, transB, true) : product(dy, b, false, !transB));
    const db = () => (transB ? product(dy, a, true, transA) : product(a, dy, !transA, false));
    return [wanted[0] ? da() : null, wanted[1] ? db() : null];
  },
  lower: ([node], l) => {
    const { inputs, attrs, shape } = node as Node;
    const [a, b, bias] = inputs as [Node, Node, Node | undefined];
    const { m, k, n, lda, ldb, batchA, batchB } = sizes(inputs, attrs);
    const rows = bias !== undefined && bias.nElems !== n;
    const flags = transposes(attrs) | (rows ? abi.GEMM_BIAS_ROWS : 0);
    const [strideA, strideB] = [batchA.length > 0 ? m * k : 0, batchB.length > 0 ? k * n : 0];
    l.emit(abi.OP_GEMM, [
      ...[l.write(node as Node), l.read(a), l.read(b), bias ? l.read(bias) : null, null],
      ...[m, n, k, lda, ldb, n, flags, sizeOf(shape.slice(0, -2)), strideA, strideB, m * n],
      ...[null, null, (attrs.act as number | undefined) ?? abi.ACT_NONE],
    ]);
  },
  reference: ([x, y, bias], node) => {
    const { m, k, n, lda, ldb, batchA, batchB } = sizes(node.inputs, node.attrs);
    const { transA, transB } = node.attrs;
    const plain = Float64Array.from({ length: node.nElems }, (_, i) => {
      const batch = Math.floor(i / (m * n));
      const [row, col] = [Math.floor(i / n) % m, i % n];
      const [a0, b0] = [batchA.length > 0 ? batch * m * k : 0, batchB.length > 0 ? batch * k * n : 0];
      let sum = 0;
      for (let q = 0; q < k; q++) {
        const a = (x as Float64Array)[a0 + (transA ? q * lda + row : row * lda + q)] as number;
        const b = (y as Float64Array)[b0 + (transB ? col * ldb + q : q * ldb + col)] as number;
        sum += a * b;
      }
      return sum;
    });
    return epilogueReference(plain, node, (i) => bias?.[bias.length === n ? i % n : Math.floor(i / n) % m] ?? 0);
  },
};

/**
 * c + s·op(a)·op(b) of one column and one row, c [M, N], s a scalar: BLAS's rank-one update, which rewrites make of a step
 * of SGD on one example. It reads and writes c once, where a product of its own would be written and read besides.
 */
export const gerOp: Op = {
  name: 'ger',
  shape: ([c]) => (c as Node).shape,
  dtype: ([c]) => (c as Node).dtype,
  over: 0,
  lower: ([node], l) => {
    const [c, s, a, b] = (node as Node).inputs as [Node, Node, Node, Node];
    const { m, k, n, lda, ldb } = sizes([a, b], (node as Node).attrs);
    const flags = transposes((node as Node).attrs);
    l.emit(abi.OP_GEMM, [
      ...[l.write(node as Node), l.read(a), l.read(b), null, l.read(c)],
      ...[m, n, k, lda, ldb, n, flags, 1, 0, 0, 0, l.read(s), null, abi.ACT_NONE],
    ]);
  },
  reference: ([c, s, a, b], node) => {
    const n = node.shape[1] as number;
    const [scale, x, y] = [(s as Float64Array)[0] as number, a as Float64Array, b as Float64Array];
    return (c as Float64Array).map((v, i) => v + scale * (x[Math.floor(i / n)] as number) * (y[i % n] as number));
  },
};

/** Whether c + s·product is a rank-one update: of one column and one row, c a matrix of its size and s a scalar. */
export function isRankOne(c: Node, s: Node, { inputs, attrs, shape, dtype }: Node): boolean {
  if (inputs.length > 2 || attrs.act !== undefined || shape.length !== 2 || !sameShape(c.shape, shape)) return false;
  return s.nElems === 1 && sizes(inputs, attrs).k === 1 && s.dtype === dtype && c.dtype === dtype;
}

/** c + s·product, a rank-one update. */
export function ger(c: Node, s: Node, { inputs, attrs }: Node): Node {
  return apply(gerOp, [c, s, ...inputs], attrs);
}

/** The sizes that a product sums over, in the shapes the user gave. */
function checkInner(a: Shape, b: Shape): void {
  const [k, kb] = [a.at(-1), b.at(b.length === 1 ? -1 : -2)];
  if (k === kb) return;
  throw new NablaError(
    'shape',
    `matmul: inner sizes differ: a ${formatShape(a)} · b ${formatShape(b)}; a's last (${k}) must equal b's ` +
      `${b.length === 1 ? 'last' : 'second-to-last'} (${kb})`,
    { op: 'matmul', shapes: [a, b] },
  );
}

/** op(a)·op(b) where the batches agree or one has none. */
export function product(a: Node, b: Node, transA = false, transB = false): Node {
  return apply(matmulOp, [a, b], { transA, transB });
}

/** The matrix product as NumPy's: vectors are rows or columns, batches broadcast. */
export function matmul(a: Node, b: Node): Node {
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new NablaError(
      'shape',
      `matmul: a ${formatShape(a.shape)} · b ${formatShape(b.shape)}: a scalar has no product; use mul`,
      {
        op: 'matmul',
        shapes: [a.shape, b.shape],
      },
    );
  }
  checkInner(a.shape, b.shape);
  if (a.shape.length === 1 && b.shape.length === 1) return reshape(matmul(reshape(a, [1, a.nElems]), b), []);
  if (a.shape.length === 1) return dropAxis(matmul(reshape(a, [1, ...a.shape]), b), -2);
  if (b.shape.length === 1) return dropAxis(matmul(a, reshape(b, [...b.shape, 1])), -1);
  // A stack of one matrix is that matrix, so it is shared and not laid out for every other.
  if (isOne(a) || isOne(b)) {
    const y = matmul(isOne(a) ? reshape(a, a.shape.slice(-2)) : a, isOne(b) ? reshape(b, b.shape.slice(-2)) : b);
    return reshape(y, [...broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2)), ...y.shape.slice(-2)]);
  }
  // A stack of matrices times one matrix is one taller matrix times it.
  if (b.shape.length === 2 && a.shape.length > 2) {
    const tall = product(reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1) as number]), b);
    return reshape(tall, [...a.shape.slice(0, -1), b.shape[1] as number]);
  }
  if (a.shape.length === 2) return product(a, b);
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  return product(stretch(a, batch), stretch(b, batch));
}

const isOne = (x: Node) => x.shape.length > 2 && sizeOf(x.shape.slice(0, -2)) === 1;

function stretch(x: Node, batch: Shape): Node {
  return sameShape(x.shape.slice(0, -2), batch) ? x : expand(x, [...batch, ...x.shape.slice(-2)]);
}

function dropAxis(x: Node, axis: number): Node {
  return reshape(
    x,
    x.shape.filter((_, i) => i !== x.shape.length + axis),
  );
}
