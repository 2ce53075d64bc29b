// Rows picked by index, and its gradient, rows added by index.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../shape.ts';
import { transpose } from './move.ts';

const inner = (shape: Shape) => sizeOf(shape.slice(1));

function checkIndex(op: string, index: Node): void {
  if (index.dtype === 'int32') return;
  throw new NablaError('dtype', `${op}: the index is ${index.dtype}, expected int32; make it with { dtype: 'int32' }`, {
    op,
  });
}

/** x [R, ..] at index [n] → [n, ..]. */
export const gatherOp: Op = {
  name: 'gather',
  shape: ([x, index]) => [...(index as Node).shape, ...(x as Node).shape.slice(1)],
  dtype: ([x, index]) => {
    checkIndex('gather', index as Node);
    return (x as Node).dtype;
  },
  indices: ({ inputs: [x] }) => {
    const { shape } = x as Node;
    return [{ input: 1, below: shape[0] as number, what: `gather from ${formatShape(shape)}: index` }];
  },
  vjp: (node, dy, wanted) => {
    const [x, index] = node.inputs as [Node, Node];
    return [wanted[0] ? apply(scatterAddOp, [dy, index], { shape: x.shape }) : null, null];
  },
  lower: ([node], l) => {
    const [x, index] = (node as Node).inputs as [Node, Node];
    const words = [index.nElems, inner(x.shape), x.shape[0] as number];
    l.emit(abi.OP_GATHER, [l.write(node as Node), l.read(x), l.read(index), ...words]);
  },
  reference: ([x, index], node) => {
    const width = inner((node.inputs[0] as Node).shape);
    return Float64Array.from({ length: node.nElems }, (_, i) => {
      const row = (index as Float64Array)[Math.floor(i / width)] as number;
      return (x as Float64Array)[row * width + (i % width)] as number;
    });
  },
};

/** Zeros of `shape` with row i of x added to row index[i]. */
export const scatterAddOp: Op = {
  name: 'scatterAdd',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: ([x]) => floatOf('scatterAdd', x as Node),
  indices: (node) => [{ input: 1, below: node.shape[0] as number, what: 'scatterAdd: index' }],
  vjp: (node, dy, wanted) => [wanted[0] ? apply(gatherOp, [dy, node.inputs[1] as Node]) : null, null],
  lower: ([node], l) => {
    const [x, index] = (node as Node).inputs as [Node, Node];
    const words = [index.nElems, inner((node as Node).shape), (node as Node).shape[0] as number];
    l.emit(abi.OP_SCATTER_ADD, [l.write(node as Node), l.read(x), l.read(index), ...words]);
  },
  reference: ([x, index], node) => {
    const out = new Float64Array(node.nElems);
    const width = inner(node.shape);
    (x as Float64Array).forEach((value, i) => {
      const row = (index as Float64Array)[Math.floor(i / width)] as number;
      (out[row * width + (i % width)] as number) += value;
    });
    return out;
  },
};

/** Slices of x along `axis` at the places of `index` [n], as PyTorch's indexSelect. */
export function indexSelect(x: Node, axis: number, index: Node): Node {
  if (x.shape.length === 0) throw new NablaError('shape', 'indexSelect: a scalar has no axis to select from');
  if (index.shape.length !== 1) {
    throw new NablaError('shape', `indexSelect: index ${formatShape(index.shape)} must have one axis`, {
      shape: index.shape,
    });
  }
  const at = normalizeAxis('indexSelect', axis, x.shape.length);
  return at === 0 ? apply(gatherOp, [x, index]) : transpose(apply(gatherOp, [transpose(x, 0, at), index]), 0, at);
}
