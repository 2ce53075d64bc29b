// Stability: forms that overflow or cancel, replaced by those that do not. Each rule names the input it is for. What
// can be differentiated goes through them first, so the gradients are those of the stable forms.
import { apply, type Node } from '../graph/node.ts';
import * as e from '../ops/elementwise.ts';
import { binaryEntropyOp } from '../ops/entropy.ts';
import { permuteOp } from '../ops/move.ts';
import { sumOp } from '../ops/reduce.ts';
import { logSoftmaxOp, softmax, softmaxOp } from '../ops/softmax.ts';
import { losses } from './losses.ts';
import { any, as, type Bindings, commutes, either, num, once, opOf, type Pattern, p, type Rule } from './match.ts';
import { axesOf, isTopOf, number } from './parts.ts';
import { sums } from './sums.ts';

commutes(e.addOp, e.mulOp);

const get = (b: Bindings, name: string) => b[name] as Node;
const x = any('x');

/** −x, without a second sign. */
const minus = (x: Node) => (opOf(x) === e.negOp ? (x.inputs[0] as Node) : e.neg(x));
/** log softmax of what a softmax is taken of; the log of a mask's zeros stays −∞. */
const logOf = ({ inputs, attrs }: Node) => (attrs.causal === undefined ? apply(logSoftmaxOp, inputs) : null);

const exp = (of: Pattern) => p(e.expOp, of);
const sigmoid = p(e.sigmoidOp, x);
/** 1 − a in either form. */
const oneMinus = (a: Pattern) => either(p(e.subOp, num(1), a), p(e.addOp, num(1), p(e.negOp, a)));

const logarithms: Rule[] = [
  {
    name: 'log softmax',
    motive: 'softmax([0, −200]) is [1, 0], whose log is −∞ instead of −200',
    pattern: p(e.logOp, as('softmax', { op: softmaxOp })),
    build: (b) => logOf(get(b, 'softmax')),
  },
  {
    name: 'log softmax, moved axis',
    motive: 'the same along another axis than the last',
    pattern: p(e.logOp, as('moved', p(permuteOp, as('softmax', { op: softmaxOp })))),
    build: (b) => {
      const log = logOf(get(b, 'softmax'));
      return log && apply(permuteOp, [log], get(b, 'moved').attrs);
    },
  },
  {
    name: 'log sigmoid',
    motive: 'sigmoid(−200) is 0, whose log is −∞ instead of −200',
    pattern: p(e.logOp, sigmoid),
    build: (b) => e.neg(e.softplus(e.neg(get(b, 'x')))),
  },
  {
    name: 'log of one minus sigmoid',
    motive: 'sigmoid(200) is 1, and log(1 − 1) is −∞ instead of −200',
    pattern: p(e.logOp, p(e.subOp, num(1), sigmoid)),
    build: (b) => e.neg(e.softplus(get(b, 'x'))),
  },
  {
    name: 'log of minus sigmoid plus one',
    motive: 'the same as x.sigmoid().neg().add(1).log()',
    pattern: p(e.logOp, p(e.addOp, num(1), p(e.negOp, sigmoid))),
    build: (b) => e.neg(e.softplus(get(b, 'x'))),
  },
  {
    name: 'binary entropy of sigmoid',
    motive: 'sigmoid(200) is 1: of a target of 0 the entropy is held at 100 instead of 200, and its gradient lost',
    pattern: p(binaryEntropyOp, sigmoid, any('y')),
    build: (b) => e.sub(e.softplus(get(b, 'x')), e.mul(get(b, 'y'), get(b, 'x'))),
  },
  {
    name: 'log of one plus exp',
    motive: 'exp(200) is ∞, whose log is ∞ instead of 200',
    pattern: p(e.logOp, p(e.addOp, num(1), exp(x))),
    build: (b) => e.softplus(get(b, 'x')),
  },
  {
    name: 'log1p of exp',
    motive: 'exp(200) is ∞, whose log is ∞ instead of 200',
    pattern: p(e.log1pOp, exp(x)),
    build: (b) => e.softplus(get(b, 'x')),
  },
  {
    name: 'log of exp',
    motive: 'exp(200) is ∞, whose log is ∞ instead of 200',
    pattern: p(e.logOp, exp(x)),
    build: (b) => get(b, 'x'),
  },
  {
    name: 'log of one minus exp',
    motive: 'exp(−1e−9) is 1, and log(1 − 1) is −∞ instead of −20.7; exp(−30) is lost beside 1',
    pattern: p(e.logOp, either(oneMinus(exp(x)), p(e.negOp, p(e.expm1Op, x)))),
    build: (b) => (get(b, 'x').op === e.whereOp ? null : logOfOneMinusExp(get(b, 'x'))),
  },
  {
    name: 'log of one plus',
    motive: '1 + 1e−9 is 1, whose log is 0 instead of 1e−9',
    pattern: p(e.logOp, p(e.addOp, num(1), x)),
    build: (b) => e.log1p(get(b, 'x')),
  },
  {
    name: 'log of one minus',
    motive: '1 − 1e−9 is 1, whose log is 0 instead of −1e−9',
    pattern: p(e.logOp, p(e.subOp, num(1), x)),
    build: (b) => e.log1p(minus(get(b, 'x'))),
  },
];

/** log(1 − eˣ): near 0 by expm1, further down by log1p (Mächler 2012); each branch is kept where it has a derivative. */
function logOfOneMinusExp(x: Node): Node {
  const near = e.lt(number(-Math.LN2, x), x);
  const inside = number(-1, x);
  const above = e.log(e.neg(e.expm1(e.where(near, x, inside))));
  const below = e.log1p(e.neg(e.exp(e.where(near, inside, x))));
  return e.where(near, above, below);
}

/** The largest of all numbers is taken off by a kernel that never overflows, so it need not be before. */
function unshifted(x: Node): Node {
  if (opOf(x) !== e.subOp) return x;
  const [inner, top] = x.inputs as [Node, Node];
  return isTopOf(top, inner, [inner.shape.length - 1]) ? inner : x;
}

/** Far from 0 by the product of what is left of 1 on either side; near 0 as it is, since the slope cancels in that. */
function oneMinusSquareOfTanh(x: Node): Node {
  const near = e.neg(e.sub(e.square(e.tanh(x)), number(1, x)));
  const twice = e.mul(x, number(2, x));
  const far = e.mul(e.mul(e.sigmoid(twice), e.sigmoid(e.neg(twice))), number(4, x));
  return e.where(e.lt(e.abs(x), number(1, x)), near, far);
}

/** tanh² in each form, of a tanh that nothing else reads. */
const squareOfTanh = either(
  p(e.squareOp, once(e.tanhOp, x)),
  p(e.powOp, once(e.tanhOp, x), num(2)),
  p(e.mulOp, as('t', { ...p(e.tanhOp, x), readers: 2 }), any('t')),
);

const exponentials: Rule[] = [
  {
    name: 'exp minus one',
    motive: 'exp(1e−9) is 1, and 1 − 1 is 0 instead of 1e−9',
    pattern: p(e.subOp, exp(x), num(1)),
    build: (b) => e.expm1(get(b, 'x')),
  },
  {
    name: 'exp plus minus one',
    motive: 'the same as x.exp().add(-1)',
    pattern: p(e.addOp, exp(x), num(-1)),
    build: (b) => e.expm1(get(b, 'x')),
  },
  {
    name: 'one minus exp',
    motive: '1 − exp(1e−9) is 0 instead of −1e−9',
    pattern: p(e.subOp, num(1), exp(x)),
    build: (b) => e.neg(e.expm1(get(b, 'x'))),
  },
  {
    name: 'minus exp plus one',
    motive: 'the same as x.exp().neg().add(1)',
    pattern: p(e.addOp, num(1), p(e.negOp, exp(x))),
    build: (b) => e.neg(e.expm1(get(b, 'x'))),
  },
  {
    name: 'softmax by hand',
    motive: 'exp([0, 200]) is [1, ∞], and ∞/∞ is NaN instead of 1',
    pattern: p(e.divOp, as('exp', exp(x)), as('sum', p(sumOp, as('exp', exp(x))))),
    build: (b) => {
      const axes = axesOf(get(b, 'sum'));
      return axes.length === 1 ? softmax(get(b, 'x'), axes[0]) : null;
    },
  },
  {
    name: 'softmax of x − max x',
    motive: 'the shift that a hand-written softmax is made stable with, done by the kernel in its one pass',
    pattern: p(softmaxOp, x),
    build: (b, { attrs }) => {
      const inner = unshifted(get(b, 'x'));
      return inner === b.x || attrs.causal !== undefined ? null : apply(softmaxOp, [inner], attrs);
    },
  },
  {
    name: 'sigmoid by hand',
    motive: 'at −200 the gradient of 1/(1 + exp(−x)) is ∞·0² = NaN instead of 0',
    pattern: p(e.divOp, num(1), p(e.addOp, num(1), exp(x))),
    build: (b) => e.sigmoid(minus(get(b, 'x'))),
  },
  {
    name: 'reciprocal of one plus exp',
    motive: 'the same as x.neg().exp().add(1).reciprocal()',
    pattern: p(e.reciprocalOp, p(e.addOp, num(1), exp(x))),
    build: (b) => e.sigmoid(minus(get(b, 'x'))),
  },
  {
    name: 'exp over one plus exp',
    motive: 'exp(200)/(1 + exp(200)) is ∞/∞ = NaN instead of 1',
    pattern: p(e.divOp, as('exp', exp(x)), p(e.addOp, num(1), as('exp', exp(x)))),
    build: (b) => e.sigmoid(get(b, 'x')),
  },
  {
    name: 'tanh by hand',
    motive: '(exp(x) − exp(−x))/(exp(x) + exp(−x)) at 200 is ∞/∞ = NaN instead of 1',
    pattern: p(
      e.divOp,
      p(e.subOp, as('up', exp(x)), as('down', exp(p(e.negOp, x)))),
      p(e.addOp, as('up', exp(x)), as('down', exp(p(e.negOp, x)))),
    ),
    build: (b) => e.tanh(get(b, 'x')),
  },
  ...[p(e.subOp, num(1), squareOfTanh), p(e.addOp, num(1), p(e.negOp, squareOfTanh))].map(
    (pattern): Rule => ({
      name: '1 − tanh²',
      motive: 'tanh(20) is 1, and 1 − 1 is 0 instead of 1.7e−17; where tanh is read elsewhere too, its digits suffice',
      pattern,
      build: (b) => oneMinusSquareOfTanh(get(b, 'x')),
    }),
  ),
  {
    name: 'σ(1 − σ)',
    motive: 'sigmoid(20) is 1, and 1·(1 − 1) is 0 instead of 2.1e−9; where σ is read elsewhere too, its digits suffice',
    pattern: p(e.mulOp, as('y', { ...sigmoid, readers: 2 }), oneMinus(any('y'))),
    build: (b) => e.mul(get(b, 'y'), e.sigmoid(minus(get(b, 'x')))),
  },
];

export const stabilise: Rule[] = [...logarithms, ...exponentials, ...sums, ...losses];
