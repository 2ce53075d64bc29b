// More elementwise functions: angles, hyperbolic functions and their inverses, powers of two, remainders, bounds. Six
// have a micro-operation, since no expression keeps their digits; the others are names for expressions.
import * as abi from '../../assembly/abi.ts';
import type { Node } from '../graph/node.ts';
import { composite, compositeOfOne } from './composite.ts';
import {
  abs,
  add,
  applyAlike as apply,
  cos,
  define,
  detach,
  div,
  eq,
  exp,
  expm1,
  gt,
  log,
  log1p,
  lt,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  round,
  sign,
  sin,
  sqrt,
  square,
  sub,
  unary,
  vv,
  where,
} from './elementwise.ts';
import { constant, scalar } from './leaf.ts';

// ---- powers

/** 1/√x: ∞ at 0, NaN below. */
export const { op: rsqrtOp, of: rsqrt } = compositeOfOne(
  'rsqrt',
  (x) => 1 / Math.sqrt(x),
  (x) => reciprocal(sqrt(x)),
  (x, y, dy) => mul(dy, mul(div(y, x), constant(-0.5))),
);
/** 2ˣ, exact at whole numbers. */
export const { op: exp2Op, of: exp2 } = unary(
  'exp2',
  abi.MICRO_EXP2,
  (x) => 2 ** x,
  (_, y, dy) => mul(dy, mul(y, constant(Math.LN2))),
);
/** log₂ x, exact at powers of two: −∞ at 0, NaN below. */
export const { op: log2Op, of: log2 } = unary('log2', abi.MICRO_LOG2, Math.log2, (x, _, dy) =>
  div(dy, mul(x, constant(Math.LN2))),
);
/** log x / log 10. */
export const { op: log10Op, of: log10 } = compositeOfOne(
  'log10',
  Math.log10,
  (x) => mul(log(x), constant(Math.LOG10E)),
  (x, _, dy) => div(dy, mul(x, constant(Math.LN10))),
);

// ---- angles

/** sin x / cos x; its derivative is 1 + y². */
export const { op: tanOp, of: tan } = compositeOfOne(
  'tan',
  Math.tan,
  (x) => div(sin(x), cos(x)),
  (_, y, dy) => mul(dy, add(square(y), constant(1))),
);
/** The arctangent, in ±π/2. */
export const { op: atanOp, of: atan } = unary('atan', abi.MICRO_ATAN, Math.atan, (x, _, dy) =>
  div(dy, add(square(x), constant(1))),
);
/**
 * The angle of the point (b, a), in ±π, with the special cases of C's atan2. Its derivatives are b/(a² + b²) and
 * −a/(a² + b²), from a and b over the larger of them, so that no square overflows; at the origin both are 0.
 */
export const atan2Op = define('atan2', {
  forms: { float32: [vv(abi.MICRO_ATAN2)] },
  f: Math.atan2,
  vjp: ([a, b], _y, dy, wanted) => {
    // The derivatives do not depend on this scale, so it is a constant to theirs.
    const larger = detach(maximum(abs(a as Node), abs(b as Node)));
    const scale = where(eq(larger, constant(0)), constant(1), larger);
    const [y, x] = [div(a as Node, scale), div(b as Node, scale)];
    const size = mul(maximum(add(square(y), square(x)), constant(0.5)), scale); // 0 at the origin, else at least 1
    return [wanted[0] ? mul(dy, div(x, size)) : null, wanted[1] ? neg(mul(dy, div(y, size))) : null];
  },
});
export function atan2(a: Node, b: Node): Node {
  return apply(atan2Op, [a, b]);
}

/** √(1 − x²) without cancellation near ±1; NaN beyond. */
const cosOfAsin = (x: Node) => sqrt(mul(sub(constant(1), x), add(x, constant(1))));

/** The arcsine, in ±π/2; NaN beyond ±1, where its derivative 1/√(1 − x²) is ∞. */
export const { op: asinOp, of: asin } = compositeOfOne(
  'asin',
  Math.asin,
  (x) => atan2(x, cosOfAsin(x)),
  (x, _, dy) => div(dy, cosOfAsin(x)),
);
/** The arccosine, in [0, π]; NaN beyond ±1, where its derivative −1/√(1 − x²) is −∞. */
export const { op: acosOp, of: acos } = compositeOfOne(
  'acos',
  Math.acos,
  (x) => atan2(cosOfAsin(x), x),
  (x, _, dy) => neg(div(dy, cosOfAsin(x))),
);

// ---- hyperbolic functions

/** Beyond it x² + 1 is x², and x² no overflow, in float64 too. */
const FAR = 2 ** 30;

/** √(x² + 1). */
const hypotOfOne = (x: Node) => {
  const a = abs(x);
  return maximum(a, sqrt(add(square(minimum(a, constant(FAR))), constant(1))));
};

/** From half of |x|, so that nothing overflows before the result does: sinh 2h = 2·sinh h·cosh h. */
export const { op: sinhOp, of: sinh } = compositeOfOne(
  'sinh',
  Math.sinh,
  (x) => {
    const u = expm1(mul(abs(x), constant(0.5)));
    const e = add(u, constant(1));
    const inverse = reciprocal(e);
    const twiceSinh = mul(u, add(inverse, constant(1)));
    const product = mul(twiceSinh, mul(add(e, inverse), constant(0.5)));
    return mul(sign(x), product);
  },
  (x, _, dy) => mul(dy, cosh(x)),
);
/** From half of |x|: ½e²ʰ + ½e⁻²ʰ. */
export const { op: coshOp, of: cosh } = compositeOfOne(
  'cosh',
  Math.cosh,
  (x) => {
    const e = exp(mul(abs(x), constant(0.5)));
    const p = mul(mul(e, constant(0.5)), e);
    return add(p, div(constant(0.25), p));
  },
  (x, _, dy) => mul(dy, sinh(x)),
);

/** log(1 + w) where x is within FAR, else log 2x, of which w is what is left when 1 is taken off. */
const logOfTwice = (x: Node, w: Node) => {
  // In float64 log 2x needs an x as far again; there the square is no overflow yet.
  const far = gt(x, constant(x.dtype === 'float64' ? FAR * FAR : FAR));
  return add(log1p(where(far, x, w)), where(far, constant(Math.LN2), constant(0)));
};

/** log(x + √(x² + 1)). */
export const { op: asinhOp, of: asinh } = compositeOfOne(
  'asinh',
  Math.asinh,
  (x) => {
    const a = abs(x);
    const w = add(a, mul(a, div(a, add(hypotOfOne(x), constant(1)))));
    return mul(sign(x), logOfTwice(a, w));
  },
  (x, _, dy) => div(dy, hypotOfOne(x)),
);
/** log(x + √(x² − 1)): NaN below 1, where its derivative is ∞. */
export const { op: acoshOp, of: acosh } = compositeOfOne(
  'acosh',
  Math.acosh,
  (x) => {
    const t = sub(x, constant(1));
    return logOfTwice(x, add(t, mul(sqrt(t), sqrt(add(x, constant(1))))));
  },
  (x, _, dy) => div(dy, mul(sqrt(sub(x, constant(1))), sqrt(add(x, constant(1))))),
);
/** ½·log((1 + x)/(1 − x)): ±∞ at ±1, NaN beyond. */
export const { op: atanhOp, of: atanh } = compositeOfOne(
  'atanh',
  Math.atanh,
  (x) => {
    const a = abs(x);
    return mul(mul(sign(x), constant(0.5)), log1p(div(add(a, a), sub(constant(1), a))));
  },
  (x, _, dy) => div(dy, mul(sub(constant(1), x), add(x, constant(1)))),
);

// ---- remainders

/** a − trunc(a/b)·b, exact, with the sign of a, as C's fmod. The gradient of b is −trunc(a/b). */
export const fmodOp = define('fmod', {
  forms: { float32: [vv(abi.MICRO_FMOD)] },
  f: (a, b) => a % b,
  vjp: ([a, b], y, dy, wanted) => [
    dy, //
    wanted[1] ? neg(mul(dy, round(div(sub(a as Node, y), b as Node)))) : null,
  ],
});
export function fmod(a: Node, b: Node): Node {
  return apply(fmodOp, [a, b]);
}
/** a − floor(a/b)·b, with the sign of b, as Python's %. The gradient of b is −floor(a/b). */
export const remainderOp = composite('remainder', {
  f: (a, b) => {
    const r = a % b;
    return r * Math.sign(b) < 0 ? r + b : r;
  },
  expression: ([a, b]) => {
    const r = fmod(a as Node, b as Node);
    return where(lt(mul(sign(r), sign(b as Node)), constant(0)), add(r, b as Node), r);
  },
  vjp: ([a, b], y, dy, wanted) => [
    dy, //
    wanted[1] ? neg(mul(dy, round(div(sub(a as Node, y), b as Node)))) : null,
  ],
});
export function remainder(a: Node, b: Node): Node {
  return apply(remainderOp, [a, b]);
}

// ---- bounds and interpolation

/** The larger of x and a bound; NaN if either is. Where x is the bound, x gets the gradient. */
export const clampMinOp = composite('clampMin', {
  f: Math.max,
  expression: ([x, bound]) => maximum(x as Node, bound as Node),
  vjp: ([x, bound], _y, dy) => bounded(lt(x as Node, bound as Node), dy),
  integers: true,
});
/** The smaller of x and a bound; as `clampMin`. */
export const clampMaxOp = composite('clampMax', {
  f: Math.min,
  expression: ([x, bound]) => minimum(x as Node, bound as Node),
  vjp: ([x, bound], _y, dy) => bounded(gt(x as Node, bound as Node), dy),
  integers: true,
});
const bounded = (beyond: Node, dy: Node) => [where(beyond, constant(0), dy), where(beyond, dy, constant(0))];

export function clampMin(x: Node, bound: Node): Node {
  return apply(clampMinOp, [x, bound]);
}
export function clampMax(x: Node, bound: Node): Node {
  return apply(clampMaxOp, [x, bound]);
}

/**
 * a + w·(b − a), from the nearer end, so that it is a at w = 0 and b at w = 1. `from` says which end that is where w is
 * known when the node is made.
 */
export const lerpOp = composite('lerp', {
  f: (a, b, w) => (w < 0.5 ? a + w * (b - a) : b - (1 - w) * (b - a)),
  expression: ([a, b, w], { from }) => {
    const step = sub(b as Node, a as Node);
    const near = () => add(a as Node, mul(w as Node, step));
    const far = () => sub(b as Node, mul(sub(constant(1), w as Node), step));
    if (from !== undefined) return from === 'a' ? near() : far();
    return where(lt(w as Node, constant(0.5)), near(), far());
  },
  vjp: ([a, b, w], _y, dy, wanted) => [
    wanted[0] ? mul(dy, sub(constant(1), w as Node)) : null,
    wanted[1] ? mul(dy, w as Node) : null,
    wanted[2] ? mul(dy, sub(b as Node, a as Node)) : null,
  ],
});
export function lerp(a: Node, b: Node, weight: Node | number): Node {
  if (typeof weight !== 'number') return apply(lerpOp, [a, b, weight]);
  return apply(lerpOp, [a, b, scalar(weight)], { from: weight < 0.5 ? 'a' : 'b' });
}
