// The Gaussian error linear unit in both its forms, with derivatives that share its dear part.
import * as abi from '../../assembly/abi.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { add, erfReference, exp, floating, mul, sigmoid, square, sub, unary, v } from './elementwise.ts';
import { constant } from './leaf.ts';

/** x·Φ(x) or its derivative, in the form that the micro-operations compute; both are one where a tape needs both. */
function define(
  name: string,
  part: 0 | 1,
  [micro, both]: [number, number],
  f: (x: number) => number,
  dx: (x: Node) => Node,
): Op {
  const single = unary(name, micro, f, (x, _, dy) => mul(dy, dx(x))).op;
  const forms = floating([...v(micro), { code: both, args: 'v', joint: true }]);
  return { ...single, forms, joint: { name: name.replace('Slope', ''), part, parts: 2, inputs: 1 } };
}
const ERF_FORM = abi.MICRO_GELU_BOTH;
const TANH_FORM = abi.MICRO_GELU_TANH_BOTH;
const normal = (x: number) => 0.5 * (1 + erfReference(x * Math.SQRT1_2));
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
/** 2u of the tanh form, 2√(2/π)·(x + 0.044715·x³), and its derivative. */
const TWICE = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * TWICE;
const logistic = (x: number) => 1 / (1 + Math.exp(-x * (TWICE + CUBIC * x * x)));

/** x·Φ(x), the Gaussian error linear unit (Hendrycks and Gimpel 2016). */
export const geluOp: Op = define(
  'gelu',
  0,
  [abi.MICRO_GELU, ERF_FORM],
  (x) => x * normal(x),
  (x) => apply(geluSlopeOp, [x]),
);
/** Φ(x) + x·φ(x); its own derivative is φ(x)·(2 − x²). */
export const geluSlopeOp: Op = define(
  'geluSlope',
  1,
  [abi.MICRO_GELU_SLOPE, ERF_FORM],
  (x) => normal(x) + x * density(x),
  (x) => {
    const phi = mul(exp(mul(square(x), constant(-0.5))), constant(density(0)));
    return mul(phi, sub(constant(2), square(x)));
  },
);
/** x·σ(2u), which is ½x·(1 + tanh u): the form that most transformers use. */
export const geluTanhOp: Op = define(
  'geluTanh',
  0,
  [abi.MICRO_GELU_TANH, TANH_FORM],
  (x) => x * logistic(x),
  (x) => apply(geluTanhSlopeOp, [x]),
);
/** σ + x·σ·(1 − σ)·2u'; its derivative with s = σ·(1 − σ) is s·(2·2u' + x·(2u'' + (1 − 2σ)·(2u')²)). */
export const geluTanhSlopeOp: Op = define(
  'geluTanhSlope',
  1,
  [abi.MICRO_GELU_TANH_SLOPE, TANH_FORM],
  (x) => logistic(x) + x * logistic(x) * logistic(-x) * (TWICE + 3 * CUBIC * x * x),
  (x) => {
    const sq = square(x);
    const s = sigmoid(mul(x, add(mul(sq, constant(CUBIC)), constant(TWICE))));
    const slope = add(mul(sq, constant(3 * CUBIC)), constant(TWICE));
    const bend = mul(x, constant(6 * CUBIC));
    const tilt = mul(sub(constant(1), mul(s, constant(2))), square(slope));
    return mul(mul(s, sub(constant(1), s)), add(mul(slope, constant(2)), mul(x, add(bend, tilt))));
  },
);
/** The Gaussian error linear unit; `tanh` approximates Φ by ½(1 + tanh u). */
export function gelu(x: Node, approximate: 'none' | 'tanh'): Node {
  return apply(approximate === 'tanh' ? geluTanhOp : geluOp, [x]);
}
