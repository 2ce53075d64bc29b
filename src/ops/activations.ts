// Activations: names for expressions of a few micro-operations. Every one has its limits at ±∞ where the formula would
// say ∞·0, and NaN passes.
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { formatShape, type Shape } from '../shape.ts';
import { composite, compositeOfOne } from './composite.ts';
import {
  abs,
  add,
  applyAlike as apply,
  div,
  exp,
  expm1,
  gt,
  lt,
  maximum,
  minimum,
  mul,
  neg,
  sigmoid,
  softplus,
  square,
  sub,
  tanh,
  where,
} from './elementwise.ts';
import { constant } from './leaf.ts';
import { reshape } from './move.ts';

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const [zero, one] = [constant(0), constant(1)];
const positive = (x: Node) => gt(x, zero);
/** x where it is negative, else 0: what may be put into an exponential whose branch is not taken. */
const negativePart = (x: Node) => where(positive(x), zero, x);

/** Beyond it eˣ is 0 or ∞ in float64 too. */
const FAR = 1000;
const above = (x: Node) => maximum(x, constant(-FAR));
const between = (x: Node, low: number, high: number) => minimum(maximum(x, constant(low)), constant(high));

// ---- smooth ones

/** log σ(x) = −log(1 + e⁻ˣ); its derivative is σ(−x). */
export const { op: logSigmoidOp, of: logSigmoid } = compositeOfOne(
  'logSigmoid',
  (x) => -(Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  (x) => neg(softplus(neg(x))),
  (x, _, dy) => mul(dy, sigmoid(neg(x))),
);
/** x·σ(x), also called swish (Elfwing et al. 2017); its derivative is σ·(1 + x·(1 − σ)). */
export const { op: siluOp, of: silu } = compositeOfOne(
  'silu',
  (x) => (x < -FAR ? 0 : x * logistic(x)),
  (x) => mul(above(x), sigmoid(x)),
  (x, _, dy) => {
    const s = sigmoid(x);
    return mul(dy, mul(s, add(mul(between(x, -FAR, FAR), sub(one, s)), one)));
  },
);
/** x·t with t = tanh(log(1 + eˣ)) (Misra 2019); its derivative is t + x·(1 − t²)·σ(x). */
export const { op: mishOp, of: mish } = compositeOfOne(
  'mish',
  (x) => (x < -FAR ? 0 : x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))),
  (x) => mul(above(x), tanh(softplus(x))),
  (x, _, dy) => {
    const t = tanh(softplus(x));
    return mul(dy, add(t, mul(between(x, -FAR, FAR), mul(sub(one, square(t)), sigmoid(x)))));
  },
);
/** x/(1 + |x|); its derivative is 1/(1 + |x|)². */
export const { op: softsignOp, of: softsign } = compositeOfOne(
  'softsign',
  (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? Math.sign(x) : x / (1 + Math.abs(x))),
  (x) => {
    const z = between(x, -1e30, 1e30); // ±1 beyond
    return div(z, add(abs(z), one));
  },
  (x, _, dy) => div(div(dy, add(abs(x), one)), add(abs(x), one)),
);

// ---- lines with kinks

/** x where it is positive, else x·slope; at 0 the derivative is the slope. */
const sloped = (name: string) =>
  composite(name, {
    f: (x, slope) => (x > 0 ? x : x * slope),
    expression: ([x, slope]) => where(positive(x as Node), x as Node, mul(x as Node, slope as Node)),
    vjp: ([x, slope], _y, dy, wanted) => [
      wanted[0] ? where(positive(x as Node), dy, mul(dy, slope as Node)) : null,
      wanted[1] ? mul(dy, negativePart(x as Node)) : null,
    ],
  });
/** The slope is a number (Maas et al. 2013). */
export const leakyReluOp = sloped('leakyRelu');
/** The slope is learnt (He et al. 2015). */
export const preluOp = sloped('prelu');

export function leakyRelu(x: Node, slope: Node): Node {
  return apply(leakyReluOp, [x, slope]);
}
export function prelu(x: Node, slope: Node): Node {
  return apply(preluOp, [x, slope]);
}
/** Slopes of prelu as they broadcast to x: one for all, or one a channel, which is axis 1 or else the only axis. */
export function alongChannels(weight: Node, shape: Shape): Node {
  if (weight.nElems === 1) return reshape(weight, []);
  const axis = Math.min(1, shape.length - 1);
  if (weight.shape.length === 1 && weight.nElems === shape[axis])
    return reshape(weight, [weight.nElems, ...shape.slice(axis + 1).map(() => 1)]);
  throw new NablaError(
    'shape',
    `prelu: weight ${formatShape(weight.shape)} does not fit x ${formatShape(shape)}; expected [1]` +
      (axis < 0 ? '' : ` or [${shape[axis]}]`),
    { op: 'prelu', shapes: [weight.shape, shape] },
  );
}

/** x between two bounds; on them and beyond the derivative is 0. */
const held = (name: string) =>
  composite(name, {
    f: (x, low, high) => Math.min(Math.max(x, low), high),
    expression: ([x, low, high]) => minimum(maximum(x as Node, low as Node), high as Node),
    vjp: ([x, low, high], _y, dy) => [inside(x as Node, low as Node, high as Node, dy), null, null],
  });
const inside = (x: Node, low: Node, high: Node, dy: Node) => where(gt(x, low), where(lt(x, high), dy, zero), zero);

export const hardtanhOp = held('hardtanh');
export const relu6Op = held('relu6');

export function hardtanh(x: Node, low: Node, high: Node): Node {
  return apply(hardtanhOp, [x, low, high]);
}
/** x between 0 and 6. */
export function relu6(x: Node): Node {
  return apply(relu6Op, [x, zero, constant(6)]);
}

const [LOW, HIGH] = [constant(-3), constant(3)];
/** (x + 3)/6 between 0 and 1. */
const sixth = (x: Node) => mul(between(add(x, HIGH), 0, 6), constant(1 / 6));

/** (x + 3)/6 between 0 and 1 (Howard et al. 2019); at ±3 and beyond the derivative is 0. */
export const { op: hardsigmoidOp, of: hardsigmoid } = compositeOfOne(
  'hardsigmoid',
  (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  sixth,
  (x, _, dy) => inside(x, LOW, HIGH, mul(dy, constant(1 / 6))),
);
/** x·hardsigmoid(x): its derivative is 0 to −3, 1 from 3, and x/3 + ½ between. */
export const { op: hardswishOp, of: hardswish } = compositeOfOne(
  'hardswish',
  (x) => (x < -3 ? 0 : (x * Math.min(Math.max(x + 3, 0), 6)) / 6),
  (x) => mul(maximum(x, LOW), sixth(x)),
  (x, _, dy) => where(lt(x, HIGH), inside(x, LOW, HIGH, mul(dy, add(mul(x, constant(1 / 3)), constant(0.5)))), dy),
);

// ---- exponential below 0

/** x where it is positive, else α·(eˣ − 1) (Clevert et al. 2015); at 0 the derivative is α. */
export const eluOp = composite('elu', {
  f: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  expression: ([x, alpha]) => where(positive(x as Node), x as Node, mul(alpha as Node, expm1(negativePart(x as Node)))),
  vjp: ([x, alpha], _y, dy, wanted) => {
    const n = negativePart(x as Node);
    return [
      wanted[0] ? mul(dy, where(positive(x as Node), one, mul(alpha as Node, exp(n)))) : null,
      wanted[1] ? mul(dy, expm1(n)) : null,
    ];
  },
});
export function elu(x: Node, alpha: Node): Node {
  return apply(eluOp, [x, alpha]);
}

/** x where it is positive, else α·(e^(x/α) − 1) (Barron 2017): elu with a continuous derivative. */
export const celuOp = composite('celu', {
  f: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  expression: ([x, alpha]) =>
    where(positive(x as Node), x as Node, mul(alpha as Node, expm1(div(negativePart(x as Node), alpha as Node)))),
  vjp: ([x, alpha], _y, dy, wanted) => {
    const n = div(negativePart(x as Node), alpha as Node);
    return [wanted[0] ? mul(dy, exp(n)) : null, wanted[1] ? mul(dy, sub(expm1(n), mul(n, exp(n)))) : null];
  },
});
export function celu(x: Node, alpha: Node): Node {
  return apply(celuOp, [x, alpha]);
}

// Klambauer et al. 2017: what keeps mean 0 and variance 1 from layer to layer.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** scale·elu(x, α). */
export const { op: seluOp, of: selu } = compositeOfOne(
  'selu',
  (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  (x) => {
    const below = mul(expm1(negativePart(x)), constant(SELU_ALPHA * SELU_SCALE));
    return where(positive(x), mul(x, constant(SELU_SCALE)), below);
  },
  (x, _, dy) => {
    const below = mul(exp(negativePart(x)), constant(SELU_ALPHA * SELU_SCALE));
    return mul(dy, where(positive(x), constant(SELU_SCALE), below));
  },
);
