// Ops that only rewrites make: richer micro-operations, after differentiation. They have no gradient of their own.
import * as abi from '../../assembly/abi.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Form, Op } from '../graph/op.ts';
import { broadcastShapes } from '../shape.ts';
import { floating } from './elementwise.ts';
import { elementwiseReference } from './reference.ts';

function define(name: string, forms: readonly Form[], f: (...x: number[]) => number): Op {
  return {
    name,
    shape: (inputs) => broadcastShapes(name, ...inputs.map((i) => i.shape)),
    dtype: ([x]) => (x as Node).dtype,
    forms: floating(forms),
    reference: elementwiseReference(f),
  };
}

/** a·b + c. */
export const maddOp = define(
  'madd',
  [
    { code: abi.MICRO_AXPY, args: 'vsv' },
    { code: abi.MICRO_AXPY, args: 'vsv', order: [1, 0, 2] },
    { code: abi.MICRO_MADD, args: 'vvv' },
  ],
  (a, b, c) => a * b + c,
);
/** c − a·b. */
export const nmaddOp = define('nmadd', [{ code: abi.MICRO_NMADD, args: 'vvv' }], (a, b, c) => c - a * b);
/** dy where y > 0, else 0. */
export const reluGradOp = define('reluGrad', [{ code: abi.MICRO_RELU_GRAD, args: 'vv' }], (y, dy) => (y > 0 ? dy : 0));
/** dy·(1 − y²). */
export const tanhGradOp = define('tanhGrad', [{ code: abi.MICRO_TANH_GRAD, args: 'vv' }], (y, dy) => dy * (1 - y * y));
/** dy·y·(1 − y). */
export const sigmoidGradOp = define(
  'sigmoidGrad',
  [{ code: abi.MICRO_SIGMOID_GRAD, args: 'vv' }],
  (y, dy) => dy * y * (1 - y),
);
/** a + s·(b − a), s a scalar. */
export const lerpOp = define('lerpScalar', [{ code: abi.MICRO_LERP, args: 'vvs' }], (a, b, s) => a + s * (b - a));

export function fused(op: Op, ...inputs: Node[]): Node {
  return apply(op, inputs);
}
