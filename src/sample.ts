// Drawing at random: whole numbers, coins, categories, orders. All are made of the uniform numbers of `rand`, so they
// repeat by `manualSeed`, whatever the threads; none has a gradient.

import { key } from './create.ts';
import { type Float, floatOf } from './dtype.ts';
import { NablaError } from './error.ts';
import type { Node } from './graph/node.ts';
import { take } from './ops/along.ts';
import * as e from './ops/elementwise.ts';
import { constant } from './ops/leaf.ts';
import { reshape, slice } from './ops/move.ts';
import { uniform } from './ops/random.ts';
import { sum } from './ops/reduce.ts';
import { cumsum } from './ops/scan.ts';
import { argsort, topk } from './ops/sort.ts';
import { checkNames } from './options.ts';
import { checkShape, formatShape, type Shape } from './shape.ts';
import { make, type Tensor } from './tensor.ts';

const draw = (shape: Shape, dtype: Float = 'float32'): Node => uniform(shape, key(), dtype);

/** A uniform number has so many values. */
const VALUES = 2 ** 24;

/** Whole numbers from `low` to below `high`, each as likely: int32 of `shape`. */
export function randint(low: number, high: number, shape: Shape): Tensor {
  checkShape('randint', shape);
  const span = high - low;
  if (![low, high].every(Number.isSafeInteger) || span < 1 || span > VALUES || low < -(2 ** 31) || high > 2 ** 31) {
    throw new NablaError(
      'option',
      `randint: from ${low} to ${high}; expected whole numbers of int32, at least one and at most ${VALUES} of them`,
      { op: 'randint', low, high },
    );
  }
  const steps = e.cast(e.mul(draw(shape), constant(span)), 'int32');
  return make(e.add(steps, constant(low, 'int32')));
}

/** 1 with the probability that stands there, else 0: floats [..] in [0, 1] → the same shape and dtype. */
export function bernoulli(probability: Tensor): Tensor {
  const p = probability.node;
  const dtype = floatOf('bernoulli', p);
  return make(e.cast(e.lt(draw(p.shape, dtype), p), dtype));
}

/**
 * `n` categories drawn from each row of weights, which need not add up to 1: float32 [.., K] → int32 [.., n]. Without
 * replacement no category comes twice, and one of weight 0 only where no others are left.
 */
export function multinomial(weights: Tensor, n: number, options: { replacement?: boolean } = {}): Tensor {
  checkNames('multinomial', options, ['replacement']);
  const w = weights.node;
  floatOf('multinomial', w);
  const { replacement = false } = options;
  const categories = w.shape.at(-1) ?? 0;
  if (categories === 0) {
    throw new NablaError('shape', `multinomial: weights are ${formatShape(w.shape)}, expected [.., K] with K from 1`);
  }
  if (!Number.isInteger(n) || n < 0 || (!replacement && n > categories)) {
    const most = replacement ? '' : ` to ${categories}, the number of categories (or { replacement: true })`;
    throw new NablaError('option', `multinomial: n is ${n}, expected a whole number from 0${most}`);
  }
  return make(replacement ? withReplacement(w, n) : withoutReplacement(w, n));
}

/** How many running sums of the weights a random share of their total reaches. */
function withReplacement(w: Node, n: number): Node {
  const rows = w.shape.slice(0, -1);
  const categories = w.shape.at(-1) as number;
  const sums = cumsum(w, -1);
  const total = slice(sums, [...rows.map(() => null), { start: categories - 1 }]);
  const share = e.mul(draw([...rows, n], floatOf('multinomial', w)), total);
  const passed = e.le(reshape(sums, [...rows, 1, categories]), reshape(share, [...rows, n, 1]));
  return sum(passed, -1);
}

/** The first arrivals, where category k arrives after an exponential time of rate wₖ (Efraimidis and Spirakis 2006). */
function withoutReplacement(w: Node, n: number): Node {
  const time = e.neg(e.log1p(e.neg(draw(w.shape, floatOf('multinomial', w)))));
  return topk(e.div(time, w), n, -1, false).indices;
}

/** 0 … n − 1 in random order, each order as likely: int32 [n]. */
export function permutation(n: number): Tensor {
  if (!Number.isInteger(n) || n < 0) {
    throw new NablaError('option', `permutation: n is ${n}, expected a whole number from 0`);
  }
  // Of 2²⁴ values some come twice: a second key decides between them.
  const second = argsort(draw([n]));
  return make(take(second, argsort(take(draw([n]), second))));
}
