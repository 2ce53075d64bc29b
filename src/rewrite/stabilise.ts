// Stability: forms that overflow or cancel, replaced by those that do not. Each rule names the input it is for.
import { apply, type Node } from '../graph/node.ts';
import * as e from '../ops/elementwise.ts';
import { binaryEntropyOp } from '../ops/entropy.ts';
import { permuteOp } from '../ops/move.ts';
import { logSoftmaxOp, softmaxOp } from '../ops/softmax.ts';
import { any, as, commutes, num, p, type Rule } from './match.ts';

commutes(e.addOp, e.mulOp);

const get = (b: Record<string, Node>, name: string) => b[name] as Node;

/** log softmax of what a softmax is taken of; the log of a mask's zeros stays −∞. */
const logOf = ({ inputs, attrs }: Node) => (attrs.causal === undefined ? apply(logSoftmaxOp, inputs) : null);

export const stabilise: Rule[] = [
  // softmax([0, −200]) is [1, 0], whose log is −∞ instead of −200.
  {
    name: 'log softmax',
    pattern: p(e.logOp, as('softmax', { op: softmaxOp })),
    build: (b) => logOf(get(b, 'softmax')),
  },
  {
    name: 'log softmax, moved axis',
    pattern: p(e.logOp, as('moved', p(permuteOp, as('softmax', { op: softmaxOp })))),
    build: (b) => {
      const log = logOf(get(b, 'softmax'));
      return log && apply(permuteOp, [log], get(b, 'moved').attrs);
    },
  },
  // sigmoid(−200) is 0, whose log is −∞ instead of −200.
  {
    name: 'log sigmoid',
    pattern: p(e.logOp, p(e.sigmoidOp, any('x'))),
    build: (b) => e.neg(e.softplus(e.neg(get(b, 'x')))),
  },
  // sigmoid(200) is 1, and log(1 − 1) is −∞ instead of −200.
  {
    name: 'log of one minus sigmoid',
    pattern: p(e.logOp, p(e.subOp, num(1), p(e.sigmoidOp, any('x')))),
    build: (b) => e.neg(e.softplus(get(b, 'x'))),
  },
  {
    name: 'log of minus sigmoid plus one',
    pattern: p(e.logOp, p(e.addOp, num(1), p(e.negOp, p(e.sigmoidOp, any('x'))))),
    build: (b) => e.neg(e.softplus(get(b, 'x'))),
  },
  // sigmoid(200) is 1: of a target of 0 the entropy is held at 100 instead of 200, and its gradient lost.
  {
    name: 'binary entropy of sigmoid',
    pattern: p(binaryEntropyOp, p(e.sigmoidOp, any('x')), any('y')),
    build: (b) => e.sub(e.softplus(get(b, 'x')), e.mul(get(b, 'y'), get(b, 'x'))),
  },
  // exp(200) is ∞, whose log is ∞ instead of 200.
  {
    name: 'log of one plus exp',
    pattern: p(e.logOp, p(e.addOp, num(1), p(e.expOp, any('x')))),
    build: (b) => e.softplus(get(b, 'x')),
  },
  {
    name: 'log1p of exp',
    pattern: p(e.log1pOp, p(e.expOp, any('x'))),
    build: (b) => e.softplus(get(b, 'x')),
  },
  // 1 + 1e−9 is 1, whose log is 0 instead of 1e−9.
  {
    name: 'log of one plus',
    pattern: p(e.logOp, p(e.addOp, num(1), any('x'))),
    build: (b) => e.log1p(get(b, 'x')),
  },
  // exp(1e−9) is 1, and 1 − 1 is 0 instead of 1e−9.
  {
    name: 'exp minus one',
    pattern: p(e.subOp, p(e.expOp, any('x')), num(1)),
    build: (b) => e.expm1(get(b, 'x')),
  },
  {
    name: 'exp plus minus one',
    pattern: p(e.addOp, p(e.expOp, any('x')), num(-1)),
    build: (b) => e.expm1(get(b, 'x')),
  },
];
