// Normalisations beside that of layers: of batches, of groups of channels, by the root of the mean square. They are
// expressions; channels are axis 1.
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../shape.ts';
import { add, detach, div, lt, mul, sqrt, square, sub, where } from './elementwise.ts';
import { constant } from './leaf.ts';
import { reshape } from './move.ts';
import { layerNorm } from './norm.ts';
import { mean } from './reduce.ts';

export interface ChannelOptions {
  weight?: Node | null;
  bias?: Node | null;
  eps?: number;
}

/** Numbers of channels, as they broadcast over x. */
function channels(of: Node, x: Node): Node {
  return reshape(of, [of.nElems, ...x.shape.slice(2).map(() => 1)]);
}

/** Throws unless x is [N, C, ..] and each of `given` [C]. */
function checkChannels(op: string, x: Node, given: Record<string, Node | null | undefined>): void {
  if (x.shape.length < 2) {
    throw new NablaError('shape', `${op}: x is ${formatShape(x.shape)}, expected [N, C, ..]`, { op, shape: x.shape });
  }
  const expected = x.shape.slice(1, 2);
  for (const [name, node] of Object.entries(given)) {
    if (!node || sameShape(node.shape, expected)) continue;
    throw new NablaError(
      'shape',
      `${op}: ${name} is ${formatShape(node.shape)}, expected ${formatShape(expected)}, one a channel of x ` +
        formatShape(x.shape),
      { op, shapes: [node.shape, x.shape] },
    );
  }
  floatOf(op, x, ...Object.values(given).filter((node): node is Node => node != null));
}

const inverseRoot = (variance: Node, eps: number) => div(constant(1), sqrt(add(variance, constant(eps))));

/** centred·weight/√(variance + eps) + bias, each number a channel. */
function scaled(centred: Node, variance: Node, { weight, bias, eps = 1e-5 }: ChannelOptions): Node {
  const root = inverseRoot(variance, eps);
  const scale = weight ? mul(root, channels(weight, centred)) : root;
  const y = mul(centred, scale);
  return bias ? add(y, channels(bias, centred)) : y;
}

/**
 * (x − mean)·weight/√(variance + eps) + bias with the mean and variance of each channel of this batch (Ioffe and
 * Szegedy 2015), and these, [C]; the variance divides by n.
 */
export function batchNorm(x: Node, o: ChannelOptions): { y: Node; mean: Node; variance: Node } {
  checkChannels('batchNorm', x, { weight: o.weight, bias: o.bias });
  const n = x.nElems / Math.max(1, x.shape[1] as number);
  if (n < 2) {
    throw new NablaError(
      'shape',
      `batchNorm: x ${formatShape(x.shape)} has ${n} ${n === 1 ? 'value' : 'values'} a channel; training needs at ` +
        'least 2: use a larger batch, or eval()',
      { op: 'batchNorm', shape: x.shape },
    );
  }
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const first = mean(x, axes, true);
  // What rounding left of the differences' mean corrects mean and variance, so that a batch far from 0 loses no
  // digits. As a function of x it is 0, and so are its derivatives.
  const rough = sub(x, first);
  const rest = detach(mean(rough, axes, true));
  const power = sub(mean(square(rough), axes, true), square(rest));
  const variance = where(lt(power, constant(0)), constant(0), power);
  const shape = x.shape.slice(1, 2);
  return {
    y: scaled(sub(rough, rest), variance, o),
    mean: reshape(add(first, rest), shape),
    variance: reshape(variance, shape),
  };
}

/** The same with a mean and variance [C] known from before. */
export function batchNormBy(x: Node, mean: Node, variance: Node, o: ChannelOptions): Node {
  checkChannels('batchNorm', x, { runningMean: mean, runningVar: variance, weight: o.weight, bias: o.bias });
  return scaled(sub(x, channels(mean, x)), channels(variance, x), o);
}

/** Layer normalisation of each group of channels (Wu and He 2018), then a weight and a bias [C] for each channel. */
export function groupNorm(x: Node, groups: number, o: ChannelOptions, op = 'groupNorm'): Node {
  checkChannels(op, x, { weight: o.weight, bias: o.bias });
  const [n, c] = x.shape as readonly [number, number];
  if (!(Number.isInteger(groups) && groups > 0 && c % groups === 0)) {
    throw new NablaError('option', `${op}: ${c} channels do not divide into ${groups} groups`, { op, groups });
  }
  const width = (c / groups) * sizeOf(x.shape.slice(2));
  const rows = layerNorm(reshape(x, [n, groups, width]), [width], { eps: o.eps ?? 1e-5 });
  const y = reshape(rows, x.shape);
  const weighed = o.weight ? mul(y, channels(o.weight, x)) : y;
  return o.bias ? add(weighed, channels(o.bias, x)) : weighed;
}

/** Each channel of each image by itself (Ulyanov et al. 2016). */
export function instanceNorm(x: Node, o: ChannelOptions): Node {
  const op = 'instanceNorm';
  checkChannels(op, x, { weight: o.weight, bias: o.bias });
  if (x.shape.length < 3 || sizeOf(x.shape.slice(2)) < 2) {
    throw new NablaError(
      'shape',
      `${op}: x is ${formatShape(x.shape)}, expected [N, C, L] or [N, C, H, W] with more than one value a channel`,
      { op, shape: x.shape },
    );
  }
  return groupNorm(x, x.shape[1] as number, o, op);
}

/** The default eps of rmsNorm, as PyTorch's: the distance from 1 to the next float32. */
const FLOAT_EPS = 2 ** -23;

/** x·weight/√(mean(x²) + eps) over the last axes, which must be `shape` (Zhang and Sennrich 2019). */
export function rmsNorm(x: Node, shape: Shape, { weight, eps = FLOAT_EPS }: Omit<ChannelOptions, 'bias'>): Node {
  const op = 'rmsNorm';
  const first = x.shape.length - shape.length;
  if (shape.length === 0 || first < 0 || !sameShape(x.shape.slice(first), shape)) {
    throw new NablaError(
      'shape',
      `${op}: x ${formatShape(x.shape)} does not end in normalizedShape ${formatShape(shape)}`,
      { op, shapes: [x.shape, shape] },
    );
  }
  if (weight && !sameShape(weight.shape, shape)) {
    throw new NablaError(
      'shape',
      `${op}: weight is ${formatShape(weight.shape)}, expected normalizedShape ${formatShape(shape)}`,
      { op, shape: weight.shape },
    );
  }
  floatOf(op, x, ...(weight ? [weight] : []));
  const rows = reshape(x, [sizeOf(x.shape.slice(0, first)), sizeOf(shape)]);
  const y = reshape(mul(rows, inverseRoot(mean(square(rows), 1, true), eps)), x.shape);
  return weight ? mul(y, weight) : y;
}
