// Transposed convolution: the gradient of a convolution's input, asked for by its own name. It lowers to that op, whose
// derivatives are a convolution and its weight's gradient.
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import { formatShape, type Shape } from '../shape.ts';
import { convDxOp } from './conv.ts';
import { pad } from './move.ts';
import { fromPlane, type Pair, pair, single, toPlane, type WindowOptions, type WindowOptions1d } from './window.ts';

export interface ConvTransposeOptions extends WindowOptions {
  /** Rows and columns added behind the output, since a strided convolution takes several sizes to one. */
  outputPadding?: Pair;
  groups?: number;
}

export interface ConvTranspose1dOptions extends WindowOptions1d {
  outputPadding?: number;
  groups?: number;
}

type Two = readonly [number, number];

interface Settings {
  stride: Two;
  padding: Two;
  outputPadding: Two;
  dilation: Two;
  groups: number;
}

const LAYOUTS = {
  convTranspose1d: ['[N, C, L]', '[C, O/groups, K]'],
  convTranspose2d: ['[N, C, H, W]', '[C, O/groups, KH, KW]'],
} as const;
type Name = keyof typeof LAYOUTS;

function checkShapes(op: Name, x: Shape, w: Shape, groups: number): void {
  const fail = (why: string) => {
    throw new NablaError('shape', `${op}: x ${formatShape(x)}, w ${formatShape(w)}: ${why}`, { op, shapes: [x, w] });
  };
  const rank = op === 'convTranspose1d' ? 3 : 4;
  if (x.length !== rank) fail(`x must be ${LAYOUTS[op][0]}`);
  if (w.length !== rank) fail(`w must be ${LAYOUTS[op][1]}`);
  if (x[1] !== w[0]) fail(`x has ${x[1]} channels, w expects ${w[0]}`);
  if ((x[1] as number) % groups !== 0) fail(`${x[1]} channels do not divide into ${groups} groups`);
}

/** Throws where the output's padding holds a whole step: it could be one more row of the input. */
export function checkOutputPadding(op: string, o: Pick<Settings, 'stride' | 'dilation' | 'outputPadding'>): void {
  const fits = ([0, 1] as const).every((i) => o.outputPadding[i] < Math.max(o.stride[i], o.dilation[i]));
  if (fits) return;
  const show = (both: Two) => (op.endsWith('1d') ? both[1] : both);
  throw new NablaError(
    'option',
    `${op}: outputPadding ${show(o.outputPadding)} must be smaller than stride ${show(o.stride)} or dilation ` +
      `${show(o.dilation)}`,
    { op, ...o },
  );
}

function checkSize(op: Name, size: readonly number[], x: Node): void {
  if (size.every((d) => d > 0)) return;
  const shown = (s: Shape) => (op === 'convTranspose1d' ? s.filter((_, i) => i !== s.length - 2) : s);
  throw new NablaError(
    'shape',
    `${op}: x ${formatShape(shown(x.shape))} gives an output of ${shown(size).join('×')}; pad it less`,
    { op, size },
  );
}

/** Of planes, where all is checked but the size of the output. */
function transposed(op: Name, x: Node, w: Node, o: Settings): Node {
  const { stride, padding, dilation, groups } = o;
  // A whole step of output padding is a row of zeros behind the input.
  const more = ([0, 1] as const).map((i) => Math.floor(o.outputPadding[i] / stride[i]));
  const input = more.some((n) => n > 0) ? pad(x, [[0, 0], [0, 0], ...more.map((n) => [0, n] as const)]) : x;
  const size = ([0, 1] as const).map((i) => {
    const [length, kernel] = [x.shape[2 + i] as number, w.shape[2 + i] as number];
    return (length - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel - 1) + o.outputPadding[i] + 1;
  });
  checkSize(op, size, x);
  const shape = [x.shape[0] as number, (w.shape[1] as number) * groups, ...size];
  return apply(convDxOp, [input, w], { stride, padding, dilation, groups, shape });
}

/**
 * x [N,C,H,W], w [C,O/groups,KH,KW] → [N,O,OH,OW], OH = (H − 1)·stride − 2·padding + dilation·(KH − 1) +
 * outputPadding + 1: each pixel of x adds its multiple of w to the output. Its gradient by x is conv2d(dy, w).
 */
export function convTranspose2d(x: Node, w: Node, o: ConvTransposeOptions = {}): Node {
  const op = 'convTranspose2d';
  const settings: Settings = {
    stride: pair(op, 'stride', o.stride ?? 1, 1),
    padding: pair(op, 'padding', o.padding ?? 0, 0),
    outputPadding: pair(op, 'outputPadding', o.outputPadding ?? 0, 0),
    dilation: pair(op, 'dilation', o.dilation ?? 1, 1),
    groups: single(op, 'groups', o.groups ?? 1, 1),
  };
  checkOutputPadding(op, settings);
  checkShapes(op, x.shape, w.shape, settings.groups);
  floatOf(op, x, w);
  return transposed(op, x, w, settings);
}

/** x [N,C,L], w [C,O/groups,K] → [N,O,OL]. */
export function convTranspose1d(x: Node, w: Node, o: ConvTranspose1dOptions = {}): Node {
  const op = 'convTranspose1d';
  const settings: Settings = {
    stride: [1, single(op, 'stride', o.stride ?? 1, 1)],
    padding: [0, single(op, 'padding', o.padding ?? 0, 0)],
    outputPadding: [0, single(op, 'outputPadding', o.outputPadding ?? 0, 0)],
    dilation: [1, single(op, 'dilation', o.dilation ?? 1, 1)],
    groups: single(op, 'groups', o.groups ?? 1, 1),
  };
  checkOutputPadding(op, settings);
  checkShapes(op, x.shape, w.shape, settings.groups);
  floatOf(op, x, w);
  return fromPlane(transposed(op, toPlane(x), toPlane(w), settings));
}
