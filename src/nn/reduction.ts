// What all losses share: PyTorch's `reduction`, and the checks of their operands and options.
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import { formatShape, type Shape, sameShape } from '../shape.ts';
import { argument, type Tensor } from '../tensor.ts';

export type Reduction = 'mean' | 'sum' | 'none';
export interface LossOptions {
  reduction?: Reduction;
}

/** The losses as `reduction` asks, after a check that `options` names nothing beside it and `more`. */
export function reduce(op: string, loss: Tensor, options: LossOptions, more: readonly string[] = []): Tensor {
  checkNames(op, options, [...more, 'reduction']);
  return reduceBy(op, loss, options.reduction);
}

/** The same with ways of the loss's own, in place of the usual ones or beside them. */
export function reduceBy(
  op: string,
  loss: Tensor,
  reduction = 'mean',
  own: Readonly<Record<string, () => Tensor>> = {},
): Tensor {
  const ways = { mean: () => loss.mean(), sum: () => loss.sum(), none: () => loss, ...own };
  if (Object.hasOwn(ways, reduction)) return ways[reduction as Reduction]();
  const names = Object.keys(ways).map((name) => `'${name}'`);
  throw new NablaError(
    'option',
    `${op}: reduction is '${reduction}'; expected ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`,
    { op, reduction },
  );
}

/** Throws unless all operands have one shape. */
export function checkSame(op: string, operands: Readonly<Record<string, Tensor>>): void {
  const list = Object.entries(operands);
  for (const [name, x] of list) argument(op, name, x);
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
