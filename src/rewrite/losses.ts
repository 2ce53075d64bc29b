// Softmax cross-entropy written by hand, found whatever its signs and sums: one instruction gives it and its gradient.
import { apply, type Node } from '../graph/node.ts';
import * as e from '../ops/elementwise.ts';
import { reshape, reshapeOp } from '../ops/move.ts';
import { sum, sumOp } from '../ops/reduce.ts';
import { crossEntropy, logSoftmaxOp } from '../ops/softmax.ts';
import { sameShape } from '../shape.ts';
import { any, commutes, p, type Rule } from './match.ts';
import { axesOf } from './parts.ts';

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
