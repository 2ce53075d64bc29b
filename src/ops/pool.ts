// Max-pooling of planes. Values and places of the maxima are two ops that share one instruction.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Op } from '../graph/op.ts';
import { formatShape, type Shape } from '../shape.ts';
import {
  checkFloats,
  fromPlane,
  outputLength,
  outputSize,
  type Pair,
  pair,
  single,
  toPlane,
  type Window,
  type WindowOptions,
  type WindowOptions1d,
} from './window.ts';

function geometry(shape: Shape, attrs: Attrs) {
  const [n, c, h, w] = shape as readonly [number, number, number, number];
  const window = attrs as unknown as Window;
  const [oh, ow] = outputSize('maxPool2d', [h, w], window);
  return { n, c, h, w, oh, ow, window, planes: n * c };
}

const lower: Op['lower'] = ([values, places], l) => {
  const node = (values ?? places) as Node;
  const x = node.inputs[0] as Node;
  const { planes, h, w, oh, ow, window } = geometry(x.shape, node.attrs);
  l.emit(abi.OP_MAXPOOL, [
    ...[values ? l.write(values) : null, places ? l.write(places) : null, l.read(x), planes, h, w],
    ...[...window.kernel, ...window.stride, ...window.padding, ...window.dilation, oh, ow],
  ]);
};

function output(
  name: string,
  part: number,
  rest: Pick<Op, 'dtype' | 'vjp'>,
  pick: (value: number, at: number) => number,
): Op {
  return {
    name,
    shape: ([x], attrs) => {
      checkPlanes('maxPool2d', x as Node, 2);
      const g = geometry((x as Node).shape, attrs);
      return [g.n, g.c, g.oh, g.ow];
    },
    ...rest,
    joint: { name: 'maxPool2d', part, parts: 2, inputs: 1 },
    lower: lower as NonNullable<Op['lower']>,
    reference: ([x], node) => reference(x as Float64Array, node, pick),
  };
}

function reference(x: Float64Array, node: Node, pick: (value: number, at: number) => number): Float64Array {
  const { h, w, oh, ow, window } = geometry((node.inputs[0] as Node).shape, node.attrs);
  const { kernel, stride, padding, dilation } = window;
  return Float64Array.from({ length: node.nElems }, (_, i) => {
    const plane = Math.floor(i / (oh * ow)) * h * w;
    const [top, left] = [(Math.floor(i / ow) % oh) * stride[0] - padding[0], (i % ow) * stride[1] - padding[1]];
    let at = -1;
    for (let k = 0; k < kernel[0] * kernel[1]; k++) {
      const [row, col] = [top + Math.floor(k / kernel[1]) * dilation[0], left + (k % kernel[1]) * dilation[1]];
      if (row < 0 || row >= h || col < 0 || col >= w) continue;
      const best = at < 0 ? Number.NEGATIVE_INFINITY : (x[plane + at] as number);
      const here = x[plane + row * w + col] as number;
      if (at < 0 || here > best || (Number.isNaN(here) && !Number.isNaN(best))) at = row * w + col;
    }
    return pick(at < 0 ? Number.NEGATIVE_INFINITY : (x[plane + at] as number), at);
  });
}

export const maxPoolOp: Op = output(
  'maxPool2d',
  0,
  {
    dtype: ([x]) => floatOf('maxPool2d', x as Node),
    vjp: (node, dy) => {
      const x = node.inputs[0] as Node;
      return [apply(maxPoolGradOp, [dy, apply(maxPoolPlaceOp, [x], node.attrs)], { shape: x.shape })];
    },
  },
  (value) => value,
);

/** Where in its plane the maximum of each window lies; of equal ones the first. */
export const maxPoolPlaceOp: Op = output('maxPool2dPlace', 1, { dtype: () => 'int32' }, (_, at) => at);

/** dy sent back to the places of the maxima. */
export const maxPoolGradOp: Op = {
  name: 'maxPool2dGrad',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: ([dy]) => (dy as Node).dtype,
  vjp: (node, g, wanted) => {
    const [, places] = node.inputs as [Node, Node];
    return [wanted[0] ? apply(maxPoolPickOp, [g, places]) : null, null];
  },
  lower: ([node], l) => {
    const [dy, places] = (node as Node).inputs as [Node, Node];
    const [n, c, h, w] = (node as Node).shape as readonly [number, number, number, number];
    const [, , oh, ow] = dy.shape as readonly [number, number, number, number];
    l.emit(abi.OP_MAXPOOL_GRAD, [l.write(node as Node), l.read(dy), l.read(places), n * c, h * w, oh * ow]);
  },
  reference: ([dy, places], node) => {
    const out = new Float64Array(node.nElems);
    const [, , h, w] = node.shape as readonly [number, number, number, number];
    const planeSize = (dy as Float64Array).length / ((node.shape[0] as number) * (node.shape[1] as number));
    (dy as Float64Array).forEach((g, i) => {
      const at = (places as Float64Array)[i] as number;
      if (at >= 0) (out[Math.floor(i / planeSize) * h * w + at] as number) += g;
    });
    return out;
  },
};

/** What stands in x [N,C,H,W] at the places [N,C,OH,OW] of the maxima: the transpose of maxPool2dGrad. */
export const maxPoolPickOp: Op = {
  name: 'maxPool2dPick',
  shape: ([, places]) => (places as Node).shape,
  dtype: ([x]) => (x as Node).dtype,
  vjp: (node, dy, wanted) => {
    const [x, places] = node.inputs as [Node, Node];
    return [wanted[0] ? apply(maxPoolGradOp, [dy, places], { shape: x.shape }) : null, null];
  },
  lower: ([node], l) => {
    const [x, places] = (node as Node).inputs as [Node, Node];
    const [n, c, h, w] = x.shape as readonly [number, number, number, number];
    const [, , oh, ow] = places.shape as readonly [number, number, number, number];
    l.emit(abi.OP_MAXPOOL_PICK, [l.write(node as Node), l.read(x), l.read(places), n * c, h * w, oh * ow]);
  },
  reference: ([x, places], node) => {
    const [, , h, w] = (node.inputs[0] as Node).shape as readonly [number, number, number, number];
    const [, , oh, ow] = node.shape as readonly [number, number, number, number];
    return (places as Float64Array).map((at, i) =>
      at < 0 ? 0 : ((x as Float64Array)[Math.floor(i / (oh * ow)) * h * w + at] as number),
    );
  },
};

export interface MaxPoolOptions extends WindowOptions {
  ceilMode?: boolean;
}

export interface MaxPool1dOptions extends WindowOptions1d {
  ceilMode?: boolean;
}

/** The window that options describe, checked; the stride is the kernel's size by default. */
export function checkPooling(op: string, kernelSize: Pair, o: MaxPoolOptions): Required<Window> {
  const kernel = pair(op, 'kernelSize', kernelSize, 1);
  const padding = pair(op, 'padding', o.padding ?? 0, 0);
  if (padding.some((p, i) => p * 2 > (kernel[i] as number))) {
    throw new NablaError('option', `${op}: padding ${padding} is more than half of the kernel ${kernel}`, {
      op,
      padding,
      kernel,
    });
  }
  return {
    kernel,
    stride: pair(op, 'stride', o.stride ?? kernel, 1),
    padding,
    dilation: pair(op, 'dilation', o.dilation ?? 1, 1),
    ceilMode: o.ceilMode ?? false,
  };
}

/** The same over one axis, as a window of height 1. */
export function checkPooling1d(op: string, kernelSize: number, o: MaxPool1dOptions): Required<Window> {
  const kernel = single(op, 'kernelSize', kernelSize, 1);
  const padding = single(op, 'padding', o.padding ?? 0, 0);
  if (padding * 2 > kernel) {
    throw new NablaError('option', `${op}: padding ${padding} is more than half of the kernel ${kernel}`, {
      op,
      padding,
      kernel,
    });
  }
  return {
    kernel: [1, kernel],
    stride: [1, single(op, 'stride', o.stride ?? kernel, 1)],
    padding: [0, padding],
    dilation: [1, single(op, 'dilation', o.dilation ?? 1, 1)],
    ceilMode: o.ceilMode ?? false,
  };
}

/** Throws unless x is [N, C, L], or [N, C, H, W]. */
export function checkPlanes(op: string, x: Node, axes: 1 | 2): void {
  if (x.shape.length === axes + 2) return;
  const expected = axes === 1 ? '[N, C, L]' : '[N, C, H, W]';
  throw new NablaError('shape', `${op}: x is ${formatShape(x.shape)}, expected ${expected}`, { op, shape: x.shape });
}

/** The largest of each window. Padding never wins; of equal ones the first gets the gradient. */
export function maxPool2d(x: Node, kernelSize: Pair, o: MaxPoolOptions = {}): Node {
  return apply(maxPoolOp, [x], { ...checkPooling('maxPool2d', kernelSize, o) });
}

/** The same over the last axis of x [N,C,L]. */
export function maxPool1d(x: Node, kernelSize: number, o: MaxPool1dOptions = {}): Node {
  const window = checkPooling1d('maxPool1d', kernelSize, o);
  checkPlanes('maxPool1d', x, 1);
  checkFloats('maxPool1d', x);
  outputLength('maxPool1d', x.shape[2] as number, window);
  return fromPlane(apply(maxPoolOp, [toPlane(x)], { ...window }));
}
