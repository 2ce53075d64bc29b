// Arithmetic that leaves every element as it is, or a cheaper way to the same one.
import { isFloat } from '../dtype.ts';
import type { Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import * as e from '../ops/elementwise.ts';
import { sameShape } from '../shape.ts';
import { any, as, commutes, num, type Pattern, p, type Rule } from './match.ts';
import { constantOf, first, number } from './parts.ts';

commutes(e.addOp, e.mulOp);

const x = any('x');
const y = any('y');
const to = (
  name: string,
  motive: string,
  pattern: Pattern & { op: Op },
  build: (x: Node, y: Node) => Node | null,
): Rule => ({
  name,
  motive,
  pattern,
  build: (b) => build(b.x as Node, b.y as Node),
});

/** `node` where its result has the shape of the match: a neutral element that does not stretch the other operand. */
const neutral = (name: string, motive: string, pattern: Pattern & { op: Op }): Rule => ({
  name,
  motive,
  pattern,
  build: (b, root) => (sameShape((b.x as Node).shape, root.shape) ? (b.x as Node) : null),
});

/** What stands for another node, for the sake of a derivative, or of a name. */
export const transparent: readonly Rule[] = [
  to('copy of x', 'x.clone(): a program has its own results anyway', p(e.copyOp, x), (a) => a),
  to('detached x', 'x.detach(): nothing to a program whose gradients are made', p(e.detachOp, x), (a) => a),
];

const neutralElements: Rule[] = [
  neutral('x + 0', 'the first term of a sum built in a loop', p(e.addOp, x, num(0))),
  neutral('x − 0', 'a shift that is switched off', p(e.subOp, x, num(0))),
  neutral('x · 1', 'the adjoint that every gradient starts from', p(e.mulOp, x, num(1))),
  neutral('x / 1', 'a temperature of 1', p(e.divOp, x, num(1))),
  neutral('x ^ 1', 'the gradient of x²: 2·x^(2 − 1)', p(e.powOp, x, num(1))),
  {
    name: 'x ^ 0',
    motive: 'the gradient of x¹: 1·x^(1 − 1), which is 1 for every x, NaN too',
    pattern: p(e.powOp, x, num(0)),
    build: (_, root) => e.expand(number(1, root), root.shape),
  },
  ...transparent,
  ...[e.maximumOp, e.minimumOp].map((op) => to('max(x, x)', 'a clamp to itself', p(op, x, x), (a) => a)),
  {
    name: 'where(c, x, x)',
    motive: 'both branches of a mask became equal',
    pattern: p(e.whereOp, any('c'), x, x),
    build: (b, root) => (sameShape((b.x as Node).shape, root.shape) ? (b.x as Node) : null),
  },
];

const signs: Rule[] = [
  to('x · −1', 'a sign written as a factor', p(e.mulOp, x, num(-1)), (a) => e.neg(a)),
  to('−(−x)', 'the gradient of −f, negated', p(e.negOp, p(e.negOp, x)), (a) => a),
  to('x + (−y)', 'the gradient of a difference', p(e.addOp, x, p(e.negOp, y)), (a, b) => e.sub(a, b)),
  to('x − (−y)', 'w − (−g): a step uphill', p(e.subOp, x, p(e.negOp, y)), (a, b) => e.add(a, b)),
  ...[e.squareOp, e.absOp].flatMap((op) =>
    [e.negOp, e.absOp].map((sign) =>
      to('x² or |x| of −x or |x|', '(−x)², |−x|, |x|²', p(op, p(sign, x)), (a) =>
        op === e.absOp ? e.abs(a) : e.square(a),
      ),
    ),
  ),
  to('relu of relu', 'two layers that both end in one', p(e.reluOp, as('y', p(e.reluOp, x))), (_, b) => b),
];

const powers: Rule[] = [
  to('x · x', 'one operand instead of two', p(e.mulOp, x, x), (a) => (isFloat(a.dtype) ? e.square(a) : null)),
  to('x ^ 2', 'a product instead of a logarithm and an exponential', p(e.powOp, x, num(2)), (a) => e.square(a)),
  to('x ^ 3', 'two products', p(e.powOp, x, num(3)), (a) => e.mul(e.square(a), a)),
  to('x ^ 4', 'two products', p(e.powOp, x, num(4)), (a) => e.square(e.square(a))),
  to('x ^ −1', 'a division', p(e.powOp, x, num(-1)), (a) => e.reciprocal(a)),
  to('x ^ −2', 'a product and a division', p(e.powOp, x, num(-2)), (a) => e.reciprocal(e.square(a))),
  to('1 / x', 'one operand instead of two', p(e.divOp, num(1), x), (a) => e.reciprocal(a)),
  {
    name: 'x / c',
    motive:
      'x / 2: a product takes a third of the time of a division; for other constants than powers of 2 rounded twice',
    reassociates: true,
    pattern: p(e.divOp, x, y),
    build: (b) => {
      const c = constantOf(b.y as Node);
      if (c === null || !isPlain(c)) return null;
      return e.mul(b.x as Node, number(1 / c, b.x as Node));
    },
  },
];

/** A constant whose reciprocal is one too: neither 0 nor ∞ nor near them. */
const isPlain = (c: number) => Math.abs(c) >= 2 ** -126 && Math.abs(c) <= 2 ** 126;

/** A chain of factors overflows with its product and not before, if no factor is undone by a later one. */
const sameOverflow = (first: number, second: number) =>
  isPlain(first) && isPlain(second) && isPlain(first * second) && (Math.abs(first) <= 1 || Math.abs(second) >= 1);

const factors: Rule[] = [
  {
    name: '(x · c₁) · c₂',
    motive: 'the gradient of a mean of squares, (dy·(1/n))·2: one factor instead of two',
    reassociates: true,
    pattern: p(e.mulOp, as('inner', { op: e.mulOp }), y),
    build: (b) => {
      const [inner, outer] = [b.inner as Node, constantOf(b.y as Node)];
      const [left, right] = inner.inputs as [Node, Node];
      const [of, factor] = constantOf(left) === null ? [left, constantOf(right)] : [right, constantOf(left)];
      if (outer === null || factor === null || !sameOverflow(factor, outer)) return null;
      return e.mul(of, number(factor * outer, of));
    },
  },
  ...[e.addOp, e.subOp].map(
    (op): Rule => ({
      name: 'a·c + b·c',
      motive: '2·a + 2·b, as adjoints of squares add up: one factor instead of two',
      reassociates: true,
      pattern: p(op, p(e.mulOp, x, as('c', {})), p(e.mulOp, y, as('c', {}))),
      build: (b, root) => {
        const c = constantOf(b.c as Node);
        // A factor below 1 may be what keeps the terms finite.
        if (c === null || Math.abs(c) < 1 || !isPlain(c)) return null;
        const [l, r] = [b.x as Node, b.y as Node];
        const sum = op === e.addOp ? e.add(l, r) : e.sub(l, r);
        return sameShape(sum.shape, root.shape) ? e.mul(sum, b.c as Node) : null;
      },
    }),
  ),
];

const COMPARISONS: [Op, (a: number, b: number) => boolean][] = [
  [e.eqOp, (a, b) => a === b],
  [e.neOp, (a, b) => a !== b],
  [e.ltOp, (a, b) => a < b],
  [e.leOp, (a, b) => a <= b],
];

/** What is known of a choice when the program is built. */
const choices: Rule[] = COMPARISONS.map(([op, holds]) => ({
  name: 'where of constants',
  motive: 'the gradient of xⁿ asks whether n is 0',
  pattern: p(e.whereOp, as('condition', { op }), x, y),
  build: (b, root) => {
    const [l, r] = (b.condition as Node).inputs.map(constantOf) as [number | null, number | null];
    if (l === null || r === null || (b.condition as Node).nElems !== 1) return null;
    const taken = (holds(l, r) ? b.x : b.y) as Node;
    return sameShape(first(root).shape, []) ? e.expand(taken, root.shape) : null;
  },
}));

export const arithmetic: Rule[] = [...neutralElements, ...signs, ...powers, ...factors, ...choices];
