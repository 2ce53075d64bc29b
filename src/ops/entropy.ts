// Binary cross-entropy of probabilities: a name for its expression, whose derivative is finite where that of the
// logarithms is 0/0.
import type { Node } from '../graph/node.ts';
import { composite } from './composite.ts';
import { add, applyAlike as apply, div, log, log1p, maximum, mul, neg, sub } from './elementwise.ts';
import { constant } from './leaf.ts';

/** As PyTorch's: logarithms are held at −100, and the variance in the denominator of the derivative at 1e−12. */
const LEAST_LOG = -100;
const LEAST_VARIANCE = 1e-12;

const held = (x: Node) => maximum(x, constant(LEAST_LOG));

/** −(y·log p + (1 − y)·log(1 − p)) of p and y: the derivatives are (p − y)/(p·(1 − p)) and log(1 − p) − log p. */
export const binaryEntropyOp = composite('binaryCrossEntropy', {
  f: (p, y) => -(y * Math.max(Math.log(p), LEAST_LOG) + (1 - y) * Math.max(Math.log1p(-p), LEAST_LOG)),
  expression: ([p, y]) =>
    neg(add(mul(y as Node, held(log(p as Node))), mul(sub(constant(1), y as Node), held(log1p(neg(p as Node)))))),
  vjp: ([p, y], _loss, dy, wanted) => {
    const variance = () => mul(p as Node, sub(constant(1), p as Node));
    return [
      wanted[0] ? div(mul(dy, sub(p as Node, y as Node)), maximum(variance(), constant(LEAST_VARIANCE))) : null,
      wanted[1] ? mul(dy, sub(held(log1p(neg(p as Node))), held(log(p as Node)))) : null,
    ];
  },
});
export function binaryEntropy(p: Node, target: Node): Node {
  return apply(binaryEntropyOp, [p, target]);
}
