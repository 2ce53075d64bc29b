// Two-dimensional convolution (cross-correlation) and its two gradients, each the others' derivative. Images are
// [N, C, H, W], weights [O, C/groups, KH, KW].
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Lowering, Op } from '../graph/op.ts';
import { formatShape, type Shape } from '../shape.ts';
import { epilogueReference } from './reference.ts';
import { outputSize, type Pair, pair, type WindowOptions } from './window.ts';

type Four = readonly [number, number, number, number];

/** Every size of a convolution, from the shapes of image and weight. */
function geometry(x: Shape, w: Shape, attrs: Attrs) {
  const [n, c, h, wide] = x as Four;
  const [o, , kh, kw] = w as Four;
  const { stride, padding, dilation, groups } = attrs as { [k: string]: [number, number] } & { groups: number };
  const window = { kernel: [kh, kw], stride, padding, dilation } as never;
  const [oh, ow] = outputSize('conv2d', [h, wide], window);
  return { n, c, h, w: wide, o, kh, kw, stride, padding, dilation, groups, oh, ow } as {
    [k in 'n' | 'c' | 'h' | 'w' | 'o' | 'kh' | 'kw' | 'groups' | 'oh' | 'ow']: number;
  } & { [k in 'stride' | 'padding' | 'dilation']: readonly [number, number] };
}

type Geometry = ReturnType<typeof geometry>;

function emit(l: Lowering, opcode: number, operands: Parameters<Lowering['emit']>[1], g: Geometry, act?: number): void {
  l.emit(opcode, [
    ...operands,
    ...[g.n, g.c, g.h, g.w, g.o, g.kh, g.kw, ...g.stride, ...g.padding, ...g.dilation, g.groups, g.oh, g.ow],
    act ?? abi.ACT_NONE,
  ]);
}

/** Calls `f` with (position in x, in w, in y) for every product of the convolution. */
function products(g: Geometry, f: (x: number, w: number, y: number) => void): void {
  const [cg, og] = [g.c / g.groups, g.o / g.groups];
  for (let n = 0; n < g.n; n++) {
    for (let o = 0; o < g.o; o++) {
      for (let i = 0; i < g.oh * g.ow; i++) {
        const [top, left] = [
          Math.floor(i / g.ow) * g.stride[0] - g.padding[0],
          (i % g.ow) * g.stride[1] - g.padding[1],
        ];
        for (let k = 0; k < cg * g.kh * g.kw; k++) {
          const c = Math.floor(o / og) * cg + Math.floor(k / (g.kh * g.kw));
          const y = top + (Math.floor(k / g.kw) % g.kh) * g.dilation[0];
          const x = left + (k % g.kw) * g.dilation[1];
          if (y < 0 || y >= g.h || x < 0 || x >= g.w) continue;
          f(((n * g.c + c) * g.h + y) * g.w + x, o * cg * g.kh * g.kw + k, (n * g.o + o) * g.oh * g.ow + i);
        }
      }
    }
  }
}

const float: Op['dtype'] = (inputs) => floatOf('conv2d', ...inputs);

export const convOp: Op = {
  name: 'conv2d',
  shape: ([x, w], attrs) => {
    checkShapes((x as Node).shape, (w as Node).shape, attrs.groups as number);
    const g = geometry((x as Node).shape, (w as Node).shape, attrs);
    return [g.n, g.o, g.oh, g.ow];
  },
  dtype: float,
  vjp: (node, dy, wanted) => {
    const [x, w] = node.inputs as [Node, Node];
    return [
      wanted[0] ? apply(convDxOp, [dy, w], { ...node.attrs, shape: x.shape }) : null,
      wanted[1] ? apply(convDwOp, [x, dy], { ...node.attrs, shape: w.shape }) : null,
    ];
  },
  lower: ([node], l) => {
    const [x, w, bias] = (node as Node).inputs as [Node, Node, Node | undefined];
    const g = geometry(x.shape, w.shape, (node as Node).attrs);
    const operands = [l.write(node as Node), l.read(x), l.read(w), bias ? l.read(bias) : null];
    emit(l, abi.OP_CONV, operands, g, (node as Node).attrs.act as number | undefined);
  },
  reference: ([x, w, bias], node) => {
    const out = new Float64Array(node.nElems);
    const [a, b] = node.inputs as [Node, Node];
    const g = geometry(a.shape, b.shape, node.attrs);
    products(g, (i, j, k) => {
      (out[k] as number) += ((x as Float64Array)[i] as number) * ((w as Float64Array)[j] as number);
    });
    return epilogueReference(out, node, (i) => bias?.[Math.floor(i / (g.oh * g.ow)) % g.o] ?? 0);
  },
};

/** The options without the shape that a gradient carries. */
function options({ stride, padding, dilation, groups }: Attrs): Attrs {
  return { stride, padding, dilation, groups } as Attrs;
}

/** dx from dy and w; `shape` is that of x. */
export const convDxOp: Op = {
  name: 'conv2dDx',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: float,
  vjp: (node, g, wanted) => {
    const [dy, w] = node.inputs as [Node, Node];
    return [
      wanted[0] ? apply(convOp, [g, w], options(node.attrs)) : null,
      wanted[1] ? apply(convDwOp, [g, dy], { ...node.attrs, shape: w.shape }) : null,
    ];
  },
  lower: ([node], l) => {
    const [dy, w] = (node as Node).inputs as [Node, Node];
    const g = geometry((node as Node).shape, w.shape, (node as Node).attrs);
    emit(l, abi.OP_CONV_DX, [l.write(node as Node), l.read(dy), l.read(w), null], g);
  },
  reference: ([dy, w], node) => {
    const out = new Float64Array(node.nElems);
    products(geometry(node.shape, (node.inputs[1] as Node).shape, node.attrs), (i, j, k) => {
      (out[i] as number) += ((dy as Float64Array)[k] as number) * ((w as Float64Array)[j] as number);
    });
    return out;
  },
};

/** dw from x and dy; `shape` is that of w. */
export const convDwOp: Op = {
  name: 'conv2dDw',
  shape: (_, attrs) => attrs.shape as Shape,
  dtype: float,
  vjp: (node, g, wanted) => {
    const [x, dy] = node.inputs as [Node, Node];
    return [
      wanted[0] ? apply(convDxOp, [dy, g], { ...node.attrs, shape: x.shape }) : null,
      wanted[1] ? apply(convOp, [x, g], options(node.attrs)) : null,
    ];
  },
  lower: ([node], l) => {
    const [x, dy] = (node as Node).inputs as [Node, Node];
    const g = geometry(x.shape, (node as Node).shape, (node as Node).attrs);
    emit(l, abi.OP_CONV_DW, [l.write(node as Node), l.read(x), l.read(dy), null], g);
  },
  reference: ([x, dy], node) => {
    const out = new Float64Array(node.nElems);
    products(geometry((node.inputs[0] as Node).shape, node.shape, node.attrs), (i, j, k) => {
      (out[j] as number) += ((x as Float64Array)[i] as number) * ((dy as Float64Array)[k] as number);
    });
    return out;
  },
};

function checkShapes(x: Shape, w: Shape, groups: number): void {
  const fail = (why: string) => {
    throw new NablaError('shape', `conv2d: x ${formatShape(x)}, w ${formatShape(w)}: ${why}`, {
      op: 'conv2d',
      shapes: [x, w],
    });
  };
  if (x.length !== 4) fail('x must be [N, C, H, W]');
  if (w.length !== 4) fail('w must be [O, C/groups, KH, KW]');
  const [channels, expected] = [x[1] as number, (w[1] as number) * groups];
  if (channels !== expected) {
    const times = groups === 1 ? '' : ` × ${groups} groups`;
    fail(`x has ${channels} channels, w expects ${w[1]}${times}${groups === 1 ? '' : ` = ${expected}`}`);
  }
  if ((w[0] as number) % groups !== 0) fail(`${w[0]} output channels do not divide into ${groups} groups`);
}

export interface ConvOptions extends WindowOptions {
  groups?: number;
}

/** x [N,C,H,W] ⋆ w [O,C/groups,KH,KW] → [N,O,OH,OW]. */
export function conv2d(x: Node, w: Node, o: ConvOptions = {}): Node {
  const groups = pair('conv2d', 'groups', (o.groups ?? 1) as Pair, 1)[0];
  return apply(convOp, [x, w], {
    stride: pair('conv2d', 'stride', o.stride ?? 1, 1),
    padding: pair('conv2d', 'padding', o.padding ?? 0, 0),
    dilation: pair('conv2d', 'dilation', o.dilation ?? 1, 1),
    groups,
  });
}
