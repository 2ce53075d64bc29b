// Convolution (cross-correlation) of planes and its two gradients, each the others' derivative. Images are
// [N, C, H, W], weights [O, C/groups, KH, KW]; one axis is a plane of height 1.
import * as abi from '../../assembly/abi.ts';
import { floatOf } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Attrs, Lowering, Op } from '../graph/op.ts';
import { formatShape, type Shape } from '../shape.ts';
import { pad } from './move.ts';
import { epilogueReference } from './reference.ts';
import { fromPlane, outputLength, outputSize, type Pair, pair, single, toPlane } from './window.ts';

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
    checkShapes('conv2d', (x as Node).shape, (w as Node).shape, attrs.groups as number);
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

const LAYOUTS = {
  conv1d: ['[N, C, L]', '[O, C/groups, K]'],
  conv2d: ['[N, C, H, W]', '[O, C/groups, KH, KW]'],
} as const;

function checkShapes(op: keyof typeof LAYOUTS, x: Shape, w: Shape, groups: number): void {
  const fail = (why: string) => {
    throw new NablaError('shape', `${op}: x ${formatShape(x)}, w ${formatShape(w)}: ${why}`, { op, shapes: [x, w] });
  };
  const rank = op === 'conv1d' ? 3 : 4;
  if (x.length !== rank) fail(`x must be ${LAYOUTS[op][0]}`);
  if (w.length !== rank) fail(`w must be ${LAYOUTS[op][1]}`);
  const [channels, expected] = [x[1] as number, (w[1] as number) * groups];
  if (channels !== expected) {
    const times = groups === 1 ? '' : ` × ${groups} groups`;
    fail(`x has ${channels} channels, w expects ${w[1]}${times}${groups === 1 ? '' : ` = ${expected}`}`);
  }
  if ((w[0] as number) % groups !== 0) fail(`${w[0]} output channels do not divide into ${groups} groups`);
}

/** 'same' keeps the size of the image, at stride 1; 'valid' pads nothing. */
export type Padding<P> = P | 'same' | 'valid';

export interface ConvOptions {
  stride?: Pair;
  padding?: Padding<Pair>;
  dilation?: Pair;
  groups?: number;
}

export interface Conv1dOptions {
  stride?: number;
  padding?: Padding<number>;
  dilation?: number;
  groups?: number;
}

/** Throws unless the padding is whole numbers, 'valid', or 'same' at stride 1. */
export function checkPadding(op: string, padding: Padding<Pair>, stride: readonly number[]): void {
  if (typeof padding !== 'string') {
    pair(op, 'padding', padding, 0);
  } else if (padding === 'same') {
    if (stride.every((s) => s === 1)) return;
    throw new NablaError('option', `${op}: padding 'same' needs stride 1, got ${stride}; give it in numbers`, { op });
  } else if (padding !== 'valid') {
    throw new NablaError('option', `${op}: padding is '${padding}'; expected whole numbers, 'same' or 'valid'`, { op });
  }
}

/** Zeros on both sides of each axis, and one more behind it where 'same' needs an odd number, as PyTorch's. */
function sides(padding: Padding<Pair>, kernel: readonly number[], dilation: readonly number[]) {
  if (padding === 'valid') return { both: [0, 0], behind: [0, 0] };
  if (padding !== 'same') return { both: typeof padding === 'number' ? [padding, padding] : padding, behind: [0, 0] };
  const total = kernel.map((k, i) => (dilation[i] as number) * (k - 1));
  return { both: total.map((t) => Math.floor(t / 2)), behind: total.map((t) => t % 2) };
}

/** x [N,C,H,W] ⋆ w [O,C/groups,KH,KW] → [N,O,OH,OW]. */
export function conv2d(x: Node, w: Node, o: ConvOptions = {}): Node {
  const op = 'conv2d';
  const { padding = 0 } = o;
  const groups = single(op, 'groups', o.groups ?? 1, 1);
  const stride = pair(op, 'stride', o.stride ?? 1, 1);
  const dilation = pair(op, 'dilation', o.dilation ?? 1, 1);
  checkPadding(op, padding, stride);
  checkShapes(op, x.shape, w.shape, groups);
  const { both, behind } = sides(padding, w.shape.slice(2), dilation);
  const image = behind.some((n) => n > 0) ? pad(x, [[0, 0], [0, 0], ...behind.map((n) => [0, n] as const)]) : x;
  return apply(convOp, [image, w], { stride, padding: both, dilation, groups });
}

/** x [N,C,L] ⋆ w [O,C/groups,K] → [N,O,OL]. */
export function conv1d(x: Node, w: Node, o: Conv1dOptions = {}): Node {
  const op = 'conv1d';
  const { padding = 0 } = o;
  const groups = single(op, 'groups', o.groups ?? 1, 1);
  const stride = [1, single(op, 'stride', o.stride ?? 1, 1)] as const;
  const dilation = [1, single(op, 'dilation', o.dilation ?? 1, 1)] as const;
  if (typeof padding === 'string') checkPadding(op, padding, stride.slice(1));
  else single(op, 'padding', padding, 0);
  checkShapes(op, x.shape, w.shape, groups);
  floatOf(op, x, w);
  const of = typeof padding === 'string' ? padding : ([0, padding] as const);
  const kernel = [1, w.shape[2] as number] as const;
  const [, width] = sides(of, kernel, dilation).both as readonly [number, number];
  if (padding !== 'same') {
    outputLength(op, x.shape[2] as number, { kernel, stride, padding: [0, width], dilation });
  }
  return fromPlane(conv2d(toPlane(x), toPlane(w), { stride, padding: of, dilation, groups }));
}
