// What all losses share: PyTorch's `reduction`, and the checks of their operands and options.
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import { formatShape, type Shape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

export type Reduction = 'mean' | 'sum' | 'none';
export interface LossOptions {
  reduction?: Reduction;
}

/** The losses as `reduction` asks, after a check that `options` names nothing beside it and `more`. */
export function reduce(op: string, loss: Tensor, options: LossOptions, more: readonly string[] = []): Tensor {
  checkNames(op, options, [...more, 'reduction']);
  return reduceBy(op, loss, options.reduction, () => loss.mean());
}

/** The same with a mean of the loss's own. */
export function reduceBy(op: string, loss: Tensor, reduction: Reduction = 'mean', mean: () => Tensor): Tensor {
  if (reduction === 'mean') return mean();
  if (reduction === 'sum') return loss.sum();
  if (reduction === 'none') return loss;
  throw new NablaError('option', `${op}: reduction is '${reduction}'; expected 'mean', 'sum' or 'none'`, {
    op,
    reduction,
  });
}

/** Throws unless all operands have one shape. */
export function checkSame(op: string, operands: Readonly<Record<string, Tensor>>): void {
  const list = Object.entries(operands);
  const [[, first]] = list as [[string, Tensor]];
  if (list.every(([, { shape }]) => sameShape(shape, first.shape))) return;
  const named = list.map(([name, { shape }]) => `${name} ${formatShape(shape)}`);
  throw new NablaError(
    'shape',
    `${op}: ${named.slice(0, -1).join(', ')} and ${named.at(-1)} differ; expected equal shapes (reshape or flatten one)`,
    { op, shapes: list.map(([, { shape }]) => shape) },
  );
}

/** Throws unless an optional weight stretches to `shape`. */
export function checkStretches(op: string, name: string, weight: Tensor | null | undefined, shape: Shape): void {
  if (!weight) return;
  const pad = shape.length - weight.shape.length;
  if (pad >= 0 && weight.shape.every((d, i) => d === 1 || d === shape[i + pad])) return;
  throw new NablaError(
    'shape',
    `${op}: ${name} ${formatShape(weight.shape)} does not stretch to the losses' ${formatShape(shape)}`,
    { op, shapes: [weight.shape, shape] },
  );
}

/** Throws unless an option is a number in a range. */
export function checkOption(op: string, name: string, value: number, fits: boolean, expected: string): void {
  if (fits && Number.isFinite(value)) return;
  throw new NablaError('option', `${op}: ${name} is ${value}; expected ${expected}`, { op, option: name, value });
}
