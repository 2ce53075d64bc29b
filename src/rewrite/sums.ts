// Stability of sums: of exponentials, of squares, of differences of squares. Each rule names the input it is for.
import type { Float } from '../dtype.ts';
import { apply, type Node } from '../graph/node.ts';
import * as e from '../ops/elementwise.ts';
import { reshape } from '../ops/move.ts';
import { maxOp, mean, sumOp } from '../ops/reduce.ts';
import { sameShape } from '../shape.ts';
import { any, type Bindings, opOf, p, type Rule } from './match.ts';
import {
  axesOf,
  constantOf,
  factorsOf,
  first,
  fitsReduced,
  isLevel,
  isShifted,
  meanOf,
  normOf,
  number,
  rootOfSquare,
  sameAxes,
  sumOfSquares,
  termsOf,
  unshaped,
} from './parts.ts';

/** Powers of two that bound what a float can be divided by. */
const SMALLEST = { float32: 2 ** -126, float64: 2 ** -1022 };
const LARGEST = { float32: 2 ** 127, float64: 2 ** 1023 };

/** max |x| over `axes`, held within what can be divided by: a scale that cancels, so it has no gradient. */
function scaleOf(x: Node, axes: readonly number[]): Node {
  const top = apply(maxOp, [e.abs(x)], { axes });
  const [least, most] = [SMALLEST, LARGEST].map((bound) => number(bound[x.dtype as Float], x)) as [Node, Node];
  return e.detach(e.minimum(e.maximum(top, least), most));
}

/** log Σ eˣ over `axes`, kept as 1. A largest that is ±∞ is no shift: x − ∞ would be NaN. */
function logSumExp(x: Node, axes: readonly number[]): Node {
  const top = apply(maxOp, [x], { axes });
  const finite = e.lt(e.abs(top), number(Number.POSITIVE_INFINITY, x));
  const shift = e.detach(e.where(finite, top, number(0, x)));
  return e.add(e.log(apply(sumOp, [e.exp(e.sub(x, shift))], { axes })), shift);
}

/** √q where q ≠ 0, and 0 with gradient 0 where q is 0. */
function rootFromZero(q: Node): Node {
  const zero = e.eq(q, number(0, q));
  return e.where(zero, number(0, q), e.sqrt(e.where(zero, number(1, q), q)));
}

/** mean(x²) − mean(x)², as the mean of (x − mean x)². */
function variance(_: Bindings, root: Node): Node | null {
  const [a, b] = root.inputs as [Node, Node];
  const average = rootOfSquare(unshaped(b));
  const [of, squares] = [average && meanOf(unshaped(average)), meanOf(unshaped(a))];
  const x = squares && rootOfSquare(squares.x);
  if (!of || !squares || x !== of.x || !sameAxes(of.axes, squares.axes) || !sameShape(a.shape, b.shape)) return null;
  return reshape(mean(e.square(e.sub(x, mean(x, of.axes, true))), of.axes, true), root.shape);
}

/** a² − 2ab + b² in any order, as (a − b)². */
function squareOfDifference(_: Bindings, root: Node): Node | null {
  const terms = termsOf(root, 3);
  if (terms?.length !== 3) return null;
  const squares = terms.filter((t) => t.sign === 1).map((t) => rootOfSquare(t.term));
  const product = terms.find((t) => t.sign === -1);
  const [a, b] = squares;
  if (squares.length !== 2 || !a || !b || a === b || product === undefined) return null;
  const factors = factorsOf(product.term, 3);
  const others = factors?.filter((f) => constantOf(f) !== 2);
  if (factors?.length !== 3 || others?.length !== 2 || !others.includes(a) || !others.includes(b)) return null;
  const result = e.square(e.sub(a, b));
  return sameShape(result.shape, root.shape) ? result : null;
}

const x = any('x');
const squareOf = (op: typeof e.addOp): Rule => ({
  name: 'a² − 2ab + b²',
  motive: 'of 10000 and 10001 it is 0 or 8 in float32 instead of 1',
  pattern: { op },
  build: squareOfDifference,
});

export const sums: Rule[] = [
  {
    name: 'log of sum of exp',
    motive: 'exp(200) is ∞, whose log is ∞ instead of 200; exp(−200) is 0, whose log is −∞',
    pattern: p(e.logOp, any('sum')),
    build: (b, root) => {
      const sum = unshaped(b.sum as Node);
      if (opOf(sum) !== sumOp || opOf(first(sum)) !== e.expOp) return null;
      const of = first(first(sum));
      if (of.nElems === 0 || isShifted(of)) return null;
      return reshape(logSumExp(of, axesOf(sum)), root.shape);
    },
  },
  {
    name: 'mean of squares minus square of mean',
    motive: 'of 10000, 10001, 10002 it is 0 or 8 in float32, or negative, instead of 0.667',
    pattern: { op: e.subOp },
    build: variance,
  },
  squareOf(e.addOp),
  squareOf(e.subOp),
  {
    name: 'root of a square',
    motive: '√(x²) at 0: the gradient is 0/0 = NaN instead of 0; at 1e−25 the square is 0, at 1e25 it is ∞',
    pattern: p(e.sqrtOp, x),
    build: (b) => {
      const inner = rootOfSquare(b.x as Node);
      return inner && e.abs(inner);
    },
  },
  {
    name: 'x / ‖x‖',
    motive: '1e−25 squared is 0, so the norm is 0 and x/‖x‖ is ∞ instead of 1; 1e25 gives 0',
    pattern: p(e.divOp, x, any('norm')),
    build: (b, root) => {
      const [x, norm] = [b.x as Node, b.norm as Node];
      const found = normOf(norm);
      if (found === null || found.x !== x || x.nElems === 0 || !sameShape(x.shape, root.shape)) return null;
      if (!fitsReduced(norm, x, found.axes) || isScaled(x)) return null;
      const { axes } = found;
      const unit = e.div(x, scaleOf(x, axes));
      return e.div(unit, e.sqrt(apply(sumOp, [e.square(unit)], { axes })));
    },
  },
  {
    name: 'norm at 0',
    motive: '√Σx² at 0: the gradient is 0/0 = NaN instead of 0',
    forDerivatives: true,
    pattern: p(e.sqrtOp, x),
    build: (b) => (sumOfSquares(b.x as Node) ? rootFromZero(b.x as Node) : null),
  },
];

/** Whether x was divided by a scale already. */
const isScaled = (x: Node) => opOf(x) === e.divOp && isLevel(x.inputs[1] as Node);
