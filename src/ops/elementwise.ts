// Elementwise ops: one number from one number of each input, inputs broadcast. Each is a row of a table: its
// micro-operations, its formula in float64, its gradient. None has a kernel of its own: they fuse into tapes.
import * as abi from '../../assembly/abi.ts';
import { type DType, isFloat, promote } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply as applyTo, type Node } from '../graph/node.ts';
import type { Attrs, Form, Op } from '../graph/op.ts';
import { broadcastShapes, sizeOf } from '../shape.ts';
import { alike, asDouble, constant } from './leaf.ts';
import { elementwiseReference } from './reference.ts';

type Vjp = (inputs: readonly Node[], y: Node, dy: Node, wanted: readonly boolean[]) => (Node | null)[];

interface Row {
  forms: Partial<Record<DType, readonly Form[]>>;
  /** The formula. */
  f: (...x: number[]) => number;
  vjp?: Vjp;
  /** Dtype of the result; by default that of the inputs. */
  dtype?: (inputs: readonly Node[], attrs: Attrs) => DType;
}

/** A node of elementwise `op`: numbers among its inputs take the dtype of the others. */
function apply(op: Op, inputs: readonly Node[], attrs?: Attrs): Node {
  return applyTo(op, alike(inputs), attrs);
}

export { apply as applyAlike };

/** The micro-operations of float32 are those of float64 too: a tape says which of them it works in. */
export const floating = (forms: readonly Form[]) => ({ float32: forms, float64: forms });

export function define(name: string, row: Row): Op {
  const { vjp } = row;
  const { float32, ...others } = row.forms;
  return {
    name,
    shape: (inputs) =>
      inputs.length === 1 ? (inputs[0] as Node).shape : broadcastShapes(name, ...inputs.map((i) => i.shape)),
    dtype: row.dtype ?? ((inputs) => checked(name, row, inputs)),
    forms: { ...(float32 && floating(float32)), ...others },
    reference: elementwiseReference(row.f),
    ...(vjp && { vjp: (node, dy, wanted) => vjp(node.inputs, node, dy, wanted) }),
  };
}

function checked(name: string, row: Row, inputs: readonly Node[]): DType {
  let { dtype } = inputs[0] as Node;
  for (const input of inputs) dtype = promote(name, dtype, input.dtype);
  if (row.forms[dtype === 'float64' ? 'float32' : dtype] === undefined) {
    const known = Object.keys(row.forms).join(' or ');
    throw new NablaError('dtype', `${name}: got ${dtype}, expected ${known}; convert with .to('float32')`, {
      op: name,
      dtype,
    });
  }
  return dtype;
}

export const v = (code: number): Form[] => [{ code, args: 'v' }];
export const vv = (code: number): Form => ({ code, args: 'vv' });
const vs = (code: number): Form => ({ code, args: 'vs' });
const sv = (code: number): Form => ({ code, args: 'vs', order: [1, 0] });
const comparison = (): DType => 'bool';

/** A function of one number. */
export function unary(name: string, micro: number, f: (x: number) => number, dx: (x: Node, y: Node, dy: Node) => Node) {
  const op = define(name, { forms: { float32: v(micro) }, f, vjp: ([x], y, dy) => [dx(x as Node, y, dy)] });
  return { op, of: (x: Node) => apply(op, [x]) };
}

/** One with gradient zero wherever it has one. */
function step(name: string, micro: number, f: (x: number) => number) {
  const op = define(name, { forms: { float32: v(micro) }, f, vjp: () => [null] });
  return { op, of: (x: Node) => apply(op, [x]) };
}

// ---- arithmetic

export const addOp = define('add', {
  forms: {
    float32: [vs(abi.MICRO_ADD_S), sv(abi.MICRO_ADD_S), vv(abi.MICRO_ADD)],
    int32: [vv(abi.MICRO_ADD_I32)],
  },
  f: (a, b) => a + b,
  vjp: (_, _y, dy) => [dy, dy],
});
export const subOp = define('sub', {
  forms: {
    float32: [vs(abi.MICRO_SUB_S), sv(abi.MICRO_RSUB_S), vv(abi.MICRO_SUB)],
    int32: [vv(abi.MICRO_SUB_I32)],
  },
  f: (a, b) => a - b,
  vjp: (_, _y, dy, wanted) => [dy, wanted[1] ? neg(dy) : null],
});
export const mulOp = define('mul', {
  forms: {
    float32: [vs(abi.MICRO_MUL_S), sv(abi.MICRO_MUL_S), vv(abi.MICRO_MUL)],
    int32: [vv(abi.MICRO_MUL_I32)],
  },
  f: (a, b) => a * b,
  vjp: ([a, b], _y, dy, wanted) => [
    wanted[0] ? mul(dy, b as Node) : null, //
    wanted[1] ? mul(dy, a as Node) : null,
  ],
});
export const divOp = define('div', {
  forms: { float32: [vs(abi.MICRO_DIV_S), sv(abi.MICRO_RDIV_S), vv(abi.MICRO_DIV)] },
  f: (a, b) => a / b,
  vjp: ([, b], y, dy, wanted) => [
    wanted[0] ? div(dy, b as Node) : null,
    wanted[1] ? neg(mul(dy, div(y, b as Node))) : null,
  ],
});
/** a to the power b. At b = 0 the gradient with respect to a is 0, and to b it is 0 where a ≤ 0. */
export const powOp = define('pow', {
  forms: { float32: [vv(abi.MICRO_POW)] },
  f: (a, b) => (a === 1 || b === 0 ? 1 : a ** b),
  vjp: ([a, b], y, dy, wanted) => {
    const [x, e] = [a as Node, b as Node];
    const da = () => where(eq(e, constant(0)), constant(0), mul(e, pow(x, sub(e, constant(1)))));
    const db = () => where(gt(x, constant(0)), mul(y, log(x)), constant(0));
    return [wanted[0] ? mul(dy, da()) : null, wanted[1] ? mul(dy, db()) : null];
  },
});
/** The larger; NaN if either is. Of equal ones each gets half the gradient. */
export const maximumOp = define('maximum', {
  forms: {
    float32: [vs(abi.MICRO_MAX_S), sv(abi.MICRO_MAX_S), vv(abi.MICRO_MAX)],
    int32: [vv(abi.MICRO_MAX_I32)],
  },
  f: Math.max,
  vjp: ([a, b], _y, dy) => [share(gt(a as Node, b as Node), a, b, dy), share(lt(a as Node, b as Node), a, b, dy)],
});
/** The smaller; NaN if either is. Of equal ones each gets half the gradient. */
export const minimumOp = define('minimum', {
  forms: {
    float32: [vs(abi.MICRO_MIN_S), sv(abi.MICRO_MIN_S), vv(abi.MICRO_MIN)],
    int32: [vv(abi.MICRO_MIN_I32)],
  },
  f: Math.min,
  vjp: ([a, b], _y, dy) => [share(lt(a as Node, b as Node), a, b, dy), share(gt(a as Node, b as Node), a, b, dy)],
});

function share(wins: Node, a: Node | undefined, b: Node | undefined, dy: Node): Node {
  const half = where(eq(a as Node, b as Node), mul(dy, constant(0.5)), constant(0));
  return where(wins, dy, half);
}

export const negOp = define('neg', {
  forms: { float32: v(abi.MICRO_NEG), int32: v(abi.MICRO_NEG_I32) },
  f: (x) => -x,
  vjp: (_, _y, dy) => [neg(dy)],
});
/** The gradient at 0 is 0. */
export const absOp = define('abs', {
  forms: { float32: v(abi.MICRO_ABS), int32: v(abi.MICRO_ABS_I32) },
  f: Math.abs,
  vjp: ([x], _y, dy) => [mul(dy, sign(x as Node))],
});

export function add(a: Node, b: Node): Node {
  return apply(addOp, [a, b]);
}
export function sub(a: Node, b: Node): Node {
  return apply(subOp, [a, b]);
}
export function mul(a: Node, b: Node): Node {
  return apply(mulOp, [a, b]);
}
export function div(a: Node, b: Node): Node {
  return apply(divOp, [a, b]);
}
export function pow(a: Node, b: Node): Node {
  return apply(powOp, [a, b]);
}
export function maximum(a: Node, b: Node): Node {
  return apply(maximumOp, [a, b]);
}
export function minimum(a: Node, b: Node): Node {
  return apply(minimumOp, [a, b]);
}
export function neg(x: Node): Node {
  return apply(negOp, [x]);
}
export function abs(x: Node): Node {
  return apply(absOp, [x]);
}

// ---- functions of one number

export const { op: expOp, of: exp } = unary('exp', abi.MICRO_EXP, Math.exp, (_, y, dy) => mul(dy, y));
export const { op: expm1Op, of: expm1 } = unary('expm1', abi.MICRO_EXPM1, Math.expm1, (_, y, dy) =>
  mul(dy, add(y, constant(1))),
);
export const { op: logOp, of: log } = unary('log', abi.MICRO_LOG, Math.log, (x, _, dy) => div(dy, x));
export const { op: log1pOp, of: log1p } = unary('log1p', abi.MICRO_LOG1P, Math.log1p, (x, _, dy) =>
  div(dy, add(x, constant(1))),
);
export const { op: sqrtOp, of: sqrt } = unary('sqrt', abi.MICRO_SQRT, Math.sqrt, (_, y, dy) =>
  div(mul(dy, constant(0.5)), y),
);
export const { op: squareOp, of: square } = unary(
  'square',
  abi.MICRO_SQUARE,
  (x) => x * x,
  (x, _, dy) => mul(mul(dy, constant(2)), x),
);
export const { op: reciprocalOp, of: reciprocal } = unary(
  'reciprocal',
  abi.MICRO_RECIPROCAL,
  (x) => 1 / x,
  (_, y, dy) => neg(mul(dy, square(y))),
);
export const { op: sinOp, of: sin } = unary('sin', abi.MICRO_SIN, Math.sin, (x, _, dy) => mul(dy, cos(x)));
export const { op: cosOp, of: cos } = unary('cos', abi.MICRO_COS, Math.cos, (x, _, dy) => neg(mul(dy, sin(x))));
export const { op: tanhOp, of: tanh } = unary('tanh', abi.MICRO_TANH, Math.tanh, (_, y, dy) =>
  mul(dy, sub(constant(1), square(y))),
);
export const { op: erfOp, of: erf } = unary('erf', abi.MICRO_ERF, erfReference, (x, _, dy) =>
  mul(mul(dy, constant(2 / Math.sqrt(Math.PI))), exp(neg(square(x)))),
);
/** 1 / (1 + e⁻ˣ). */
export const { op: sigmoidOp, of: sigmoid } = unary(
  'sigmoid',
  abi.MICRO_SIGMOID,
  (x) => 1 / (1 + Math.exp(-x)),
  (_, y, dy) => mul(dy, mul(y, sub(constant(1), y))),
);
/** log(1 + eˣ), without overflow. */
export const { op: softplusOp, of: softplus } = unary(
  'softplus',
  abi.MICRO_SOFTPLUS,
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (x, _, dy) => mul(dy, sigmoid(x)),
);
/** max(x, 0); NaN passes. The derivative at 0 is 0, as PyTorch's (some lectures take 1). */
export const { op: reluOp, of: relu } = unary(
  'relu',
  abi.MICRO_RELU,
  (x) => Math.max(x, 0),
  (_, y, dy) => where(gt(y, constant(0)), dy, constant(0)),
);
export const { op: signOp, of: sign } = step('sign', abi.MICRO_SIGN, Math.sign);
export const { op: floorOp, of: floor } = step('floor', abi.MICRO_FLOOR, Math.floor);
export const { op: ceilOp, of: ceil } = step('ceil', abi.MICRO_CEIL, Math.ceil);
export const { op: truncOp, of: trunc } = step('trunc', abi.MICRO_TRUNC, Math.trunc);
/** To the nearest whole number, halves to the even one. */
export const { op: roundOp, of: round } = step('round', abi.MICRO_ROUND, (x) => {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
});

// ---- comparisons and choice

function compare(name: string, float: number, int: number, f: (a: number, b: number) => boolean): Op {
  const row: Row = {
    forms: { float32: [vv(float)], int32: [vv(int)], bool: [vv(float)] },
    f: (a, b) => (f(a, b) ? 1 : 0),
    vjp: () => [null, null],
  };
  return define(name, {
    ...row,
    dtype: (inputs) => {
      checked(name, row, inputs);
      return comparison();
    },
  });
}
export const eqOp = compare('eq', abi.MICRO_EQ, abi.MICRO_EQ_I32, (a, b) => a === b);
export const neOp = compare('ne', abi.MICRO_NE, abi.MICRO_NE_I32, (a, b) => a !== b);
export const ltOp = compare('lt', abi.MICRO_LT, abi.MICRO_LT_I32, (a, b) => a < b);
export const leOp = compare('le', abi.MICRO_LE, abi.MICRO_LE_I32, (a, b) => a <= b);

export function eq(a: Node, b: Node): Node {
  return apply(eqOp, [a, b]);
}
export function ne(a: Node, b: Node): Node {
  return apply(neOp, [a, b]);
}
export function lt(a: Node, b: Node): Node {
  return apply(ltOp, [a, b]);
}
export function le(a: Node, b: Node): Node {
  return apply(leOp, [a, b]);
}
export function gt(a: Node, b: Node): Node {
  return lt(b, a);
}
export function ge(a: Node, b: Node): Node {
  return le(b, a);
}

/** a where the condition holds, else b. The branch not taken gets gradient 0, whatever it holds. */
export const whereOp = define('where', {
  forms: { bool: [{ code: abi.MICRO_WHERE, args: 'vvv' }] },
  f: (c, a, b) => (c !== 0 ? a : b),
  dtype: ([c, a, b]) => {
    if ((c as Node).dtype !== 'bool') {
      throw new NablaError('dtype', `where: the condition is ${(c as Node).dtype}, expected bool; compare it first`);
    }
    return promote('where', (a as Node).dtype, (b as Node).dtype);
  },
  vjp: ([c], _y, dy, wanted) => [
    null,
    wanted[1] ? where(c as Node, dy, constant(0)) : null,
    wanted[2] ? where(c as Node, constant(0), dy) : null,
  ],
});
export function where(condition: Node, a: Node, b: Node): Node {
  return apply(whereOp, [condition, a, b]);
}

// ---- the same elements anew

const COPY = v(abi.MICRO_COPY);

/** A copy under another name: a fresh node for a value that already has one. */
export const copyOp = define('copy', {
  forms: { float32: COPY, int32: COPY, bool: COPY },
  f: (x) => x,
  vjp: (_, _y, dy) => [dy],
});
export function copy(x: Node): Node {
  return apply(copyOp, [x]);
}

/** The same numbers, cut off from the gradient. */
export const detachOp = define('detach', {
  forms: { float32: COPY, int32: COPY, bool: COPY },
  f: (x) => x,
});
export function detach(x: Node): Node {
  return apply(detachOp, [x]);
}

/** Numbers of another type: to int32 truncates, saturates and takes NaN to 0; to bool asks for ≠ 0. */
export const castOp: Op = {
  ...define('cast', {
    forms: {
      float32: v(abi.MICRO_TO_I32),
      int32: v(abi.MICRO_TO_F32),
      bool: v(abi.MICRO_TO_I32),
    },
    f: (x) => x,
    dtype: (_, attrs) => attrs.to as DType,
    vjp: (_, y, dy) => [y.dtype === 'float32' ? dy : null],
  }),
  reference: ([x], node) => {
    const a = x as Float64Array;
    return node.attrs.to === 'int32'
      ? a.map((q) => Math.min(Math.max(Number.isNaN(q) ? 0 : Math.trunc(q), -(2 ** 31)), 2 ** 31 - 1))
      : a.slice();
  },
};
export function cast(x: Node, to: DType): Node {
  if (x.dtype === to) return x;
  if (to === 'bool') return ne(x, constant(0, x.dtype));
  if (to === 'float64') return asDouble(x) ?? apply(toFloat64Op, [x]);
  if (to === 'float32' && x.dtype !== 'int32') return apply(x.dtype === 'bool' ? boolToFloatOp : toFloat32Op, [x]);
  return apply(castOp, [x], { to });
}
/** A bool already is a float in memory. */
export const boolToFloatOp: Op = define('boolToFloat', { forms: { bool: COPY }, f: (x) => x, dtype: () => 'float32' });
/** The same numbers, exactly: a tape of float64 converts what it reads. */
export const toFloat64Op: Op = define('toFloat64', {
  forms: { float32: COPY, int32: COPY, bool: COPY },
  f: (x) => x,
  dtype: () => 'float64',
  vjp: ([x], _y, dy) => [isFloat((x as Node).dtype) ? cast(dy, 'float32') : null],
});
/** Each float64 to the nearest float32. */
export const toFloat32Op: Op = define('toFloat32', {
  forms: { float32: v(abi.MICRO_TO_F32) },
  f: Math.fround,
  dtype: () => 'float32',
  vjp: (_, _y, dy) => [cast(dy, 'float64')],
});

/** Stretches axes of size 1 to `shape`, as broadcasting does. */
export const expandOp: Op = {
  name: 'expand',
  shape: (inputs, attrs) => {
    const to = attrs.shape as readonly number[];
    const out = broadcastShapes('expand', (inputs[0] as Node).shape, to);
    if (sizeOf(out) !== sizeOf(to) || out.length !== to.length) {
      throw new NablaError(
        'shape',
        `expand: [${(inputs[0] as Node).shape}] does not stretch to [${to}]; only axes of size 1 do`,
        { op: 'expand', shapes: [(inputs[0] as Node).shape, to] },
      );
    }
    return to;
  },
  dtype: (inputs) => (inputs[0] as Node).dtype,
  forms: { ...floating(COPY), int32: COPY, bool: COPY },
  reference: elementwiseReference((x) => x),
  vjp: (_, dy) => [dy],
};
export function expand(x: Node, shape: readonly number[]): Node {
  if (shape.length === x.shape.length && shape.every((d, i) => d === x.shape[i])) return x;
  return apply(expandOp, [x], { shape });
}

/** erf in float64: W. J. Cody's rational approximations are longer than needed here; a series and a continued fraction do. */
export function erfReference(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (a < 2.5) {
    // erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}
