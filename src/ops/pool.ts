// Max-pooling of planes. Values and places of the maxima are two ops that share one instruction.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Op } from '../graph/op.ts';
import { formatShape, type Shape } from '../shape.ts';
import { outputSize, type Pair, pair, type Window, type WindowOptions } from './window.ts';

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
      const { shape } = x as Node;
      if (shape.length !== 4) {
        throw new NablaError('shape', `maxPool2d: x is ${formatShape(shape)}, expected [N, C, H, W]`, {
          op: name,
          shape,
        });
      }
      const g = geometry(shape, attrs);
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
    return pick(x[plane + at] as number, at);
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
  vjp: () => {
    throw new NablaError('gradient', 'grad: the gradient of maxPool2d has no derivative of its own yet');
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
      (out[Math.floor(i / planeSize) * h * w + ((places as Float64Array)[i] as number)] as number) += g;
    });
    return out;
  },
};

/** The window that options describe, checked; the stride is the kernel's size by default. */
export function checkPooling(op: string, kernelSize: Pair, o: WindowOptions): Window {
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
  };
}

/** The largest of each window. Padding never wins; of equal ones the first gets the gradient. */
export function maxPool2d(x: Node, kernelSize: Pair, o: WindowOptions = {}): Node {
  return apply(maxPoolOp, [x], { ...checkPooling('maxPool2d', kernelSize, o) });
}
