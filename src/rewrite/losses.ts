// Softmax cross-entropy written by hand, found whatever its signs and sums: one instruction gives it and its gradient.
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { addAlongOp, takeAlongOp } from '../ops/along.ts';
import * as e from '../ops/elementwise.ts';
import { reshape, reshapeOp } from '../ops/move.ts';
import { sum, sumOp } from '../ops/reduce.ts';
import { crossEntropy, crossEntropyOp, logSoftmaxOp, softmaxOp } from '../ops/softmax.ts';
import { sameShape } from '../shape.ts';
import { any, as, type Bindings, commutes, either, num, p, type Rule } from './match.ts';
import { axesOf, first, sameAxes } from './parts.ts';

commutes(e.addOp, e.mulOp);

const x = any('x');
const y = any('y');

/** −crossEntropy over `axes`, the last among them, in the shape of `root`; null where target and logits differ. */
function negatedLoss(logits: Node, target: Node, root: Node): Node | null {
  const last = logits.shape.length - 1;
  const axes = axesOf(root);
  if (!axes.includes(last) || logits.nElems === 0) return null;
  const rows = crossEntropy(logits, target);
  const rest = axes.filter((axis) => axis !== last);
  return e.neg(reshape(rest.length > 0 ? sum(rows, rest) : rows, root.shape));
}

/** Elements of a function of rows that indices pick. */
const picked = (op: Op) => ({ ...p(takeAlongOp, p(op, x), y), name: 'along' });

/** `oneHot`: ones at the places that indices name; of logits in float64 also so. */
const ones = as('hot', p(addAlongOp, either(num(1), p(e.expandOp, num(1))), y));
const hot = either(ones, p(e.toFloat64Op, ones));

/** Whether what goes along an axis goes along the last. */
const isLast = (along: Node) => along.attrs.axis === along.shape.length - 1;

/** Where the indices are one for each row of scores, and point along it: they, [.., 1]. */
function columnOf({ hot, y }: Bindings, scores: Node): Node | null {
  const { shape } = y as Node;
  const fits = shape.at(-1) === 1 && sameShape(shape.slice(0, -1), scores.shape.slice(0, -1));
  return fits && (hot === undefined || (isLast(hot) && sameShape(hot.shape, scores.shape))) ? (y as Node) : null;
}

const rowOf = (column: Node) => reshape(column, column.shape.slice(0, -1));

export const losses: Rule[] = [
  {
    name: 'cross-entropy by hand',
    motive: 'of logits [0, −200] the form as written is 1·0 + 0·(−∞) = NaN; one pass gives the loss and its gradient',
    pattern: p(sumOp, p(e.mulOp, p(logSoftmaxOp, x), y)),
    build: (b, root) => {
      const [logits, target] = [b.x as Node, b.y as Node];
      return sameShape(logits.shape, target.shape) && target.dtype === logits.dtype
        ? negatedLoss(logits, target, root)
        : null;
    },
  },
  // A choice by index, by which the target is not an array of zeros and ones.
  {
    name: 'label of softmax',
    motive: 'the probability of a label is picked, not multiplied by ones and zeros and summed',
    pattern: p(sumOp, p(e.mulOp, as('softmax', p(softmaxOp, x)), hot)),
    build: (b, root) => {
      const softmax = b.softmax as Node;
      const labels = sameAxes(axesOf(root), [softmax.shape.length - 1]) ? columnOf(b, softmax) : null;
      return labels && reshape(apply(takeAlongOp, [softmax, labels], { axis: softmax.shape.length - 1 }), root.shape);
    },
  },
  {
    name: 'log of a label of softmax',
    motive: 'a label of logit −200 below the rest has probability 0 in float32, whose logarithm is −∞',
    pattern: p(e.logOp, either(picked(softmaxOp), p(reshapeOp, picked(softmaxOp)))),
    build: (b, root) => {
      const along = b.along as Node;
      if (first(along).attrs.causal !== undefined) return null;
      const log = apply(logSoftmaxOp, [b.x as Node]);
      return reshape(apply(takeAlongOp, [log, b.y as Node], along.attrs), root.shape);
    },
  },
  {
    name: 'label of log-softmax',
    motive: 'log-softmax and a label of each row, nllLoss, are cross-entropy: one pass gives the loss and its gradient',
    pattern: picked(logSoftmaxOp),
    build: (b, root) => {
      const labels = columnOf(b, b.x as Node);
      return labels && isLast(root) ? e.neg(reshape(crossEntropy(b.x as Node, rowOf(labels)), root.shape)) : null;
    },
  },
  {
    name: 'cross-entropy of one-hot labels',
    motive: 'labels are read as they are: no array of zeros and ones',
    pattern: p(crossEntropyOp, x, hot),
    build: (b) => {
      const labels = columnOf(b, b.x as Node);
      return labels && crossEntropy(b.x as Node, rowOf(labels));
    },
  },
  // Signs go outward: exact, fewer of them, and a loss is found wherever its minus stands.
  {
    name: '(−x) · y',
    motive: 'mean(−log p · y) is found as −mean(log p · y)',
    pattern: p(e.mulOp, p(e.negOp, x), y),
    build: (b, root) => ((b.x as Node).nElems === root.nElems ? e.neg(e.mul(b.x as Node, b.y as Node)) : null),
  },
  {
    name: 'sum of −x',
    motive: 'one sign for a sum instead of one for each term',
    pattern: p(sumOp, p(e.negOp, x)),
    build: (b, root) => e.neg(apply(sumOp, [b.x as Node], root.attrs)),
  },
  {
    name: 'reshape of −x',
    motive: 'a mean over what a sum left: the sign stands behind the reshape between them',
    pattern: p(reshapeOp, p(e.negOp, x)),
    build: (b, root) => e.neg(reshape(b.x as Node, root.shape)),
  },
];
