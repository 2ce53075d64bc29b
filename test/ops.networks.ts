// Rows of the op table for networks: convolutions in one dimension and transposed, pooling, interpolation, norms.
import type { Node } from '../src/graph/node.ts';
import { apply } from '../src/graph/node.ts';
import * as average from '../src/ops/averagePool.ts';
import * as b from '../src/ops/band.ts';
import * as conv from '../src/ops/conv.ts';
import * as ct from '../src/ops/convTranspose.ts';
import * as e from '../src/ops/elementwise.ts';
import { interpolate } from '../src/ops/interpolate.ts';
import * as m from '../src/ops/move.ts';
import * as norm from '../src/ops/norm.ts';
import * as nz from '../src/ops/normalize.ts';
import * as pool from '../src/ops/pool.ts';
import * as r from '../src/ops/reduce.ts';
import { type Case, distinct, type Row, type Tolerance, whole } from './ops.row.ts';
import { SPREAD, SUMS } from './ops.words.ts';

type Oracle = NonNullable<Row['oracle']>;
const n = (x: Node | undefined) => x as Node;
const PRODUCT = { ...SUMS(4), why: 'products added up in float32, relative to the sum of their magnitudes' };
const MEANS = { ...SUMS(4), why: 'products with weights rounded to float32, added up over both axes' };

/** A call of an expression, with its oracle: as cases share a row's, one row a call. */
const call = (
  name: string,
  op: Row['ops'][0],
  shapes: number[][],
  build: Row['build'],
  oracle: Oracle,
  more: Partial<Row> = {},
): Row => ({
  ...{ name, ops: [op], build, domains: shapes.map(() => SPREAD), cases: [{ shapes }], oracle },
  ...{ tolerance: PRODUCT, smooth: 2 as const, ...more },
});

// ---- one element of a plane at a time: what the oracles are written in

interface Plane {
  n: number;
  c: number;
  h: number;
  w: number;
  at(n: number, c: number, h: number, w: number): number;
}

/** x [N,C,L] as height 1, or [N,C,H,W]; `outside` beyond the borders. */
function planes(x: Float64Array, shape: readonly number[], outside = 0): Plane {
  const [size, c, h, w] = (shape.length === 3 ? [shape[0], shape[1], 1, shape[2]] : shape) as number[] as [
    number,
    number,
    number,
    number,
  ];
  const inside = (i: number, j: number) => i >= 0 && i < h && j >= 0 && j < w;
  const at = (i: number, k: number, y: number, z: number) =>
    inside(y, z) ? (x[((i * c + k) * h + y) * w + z] as number) : outside;
  return { n: size, c, h, w, at };
}

/** An array of `shape` by the place of each of its elements, [N,C,L] as height 1. */
function fill(shape: readonly number[], f: (n: number, c: number, h: number, w: number) => number): Float64Array {
  const [c, h, w] = (shape.length === 3 ? [shape[1], 1, shape[2]] : shape.slice(1)) as [number, number, number];
  const out = new Float64Array(shape.reduce((a, d) => a * d, 1));
  return out.map((_, i) => f(Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, Math.floor(i / w) % h, i % w));
}

const shapeOf = (node: Node, i: number) => (node.inputs[i] as Node).shape;
const two = (p: number | readonly number[] | undefined, other: number): [number, number] =>
  typeof p === 'number' ? [p, p] : ((p ?? [other, other]) as [number, number]);

// ---- convolutions

/** Cross-correlation as its definition has it; of one axis with a kernel of height 1. */
const correlation =
  (o: conv.ConvOptions): Oracle =>
  ([x, w], node) => {
    const image = planes(x as Float64Array, shapeOf(node, 0));
    const filter = planes(w as Float64Array, shapeOf(node, 1));
    const [stride, dilation] = [two(o.stride, 1), two(o.dilation, 1)];
    const size = [filter.h, filter.w] as const;
    const before = (i: 0 | 1) =>
      o.padding === 'same'
        ? Math.floor((dilation[i] * (size[i] - 1)) / 2)
        : o.padding === 'valid'
          ? 0
          : two(o.padding, 0)[i];
    const perGroup = filter.n / (o.groups ?? 1);
    return fill(node.shape, (i, k, y, z) => {
      let sum = 0;
      for (let c = 0; c < filter.c; c++) {
        for (let a = 0; a < filter.h; a++) {
          for (let d = 0; d < filter.w; d++) {
            const [row, col] = [
              y * stride[0] + a * dilation[0] - before(0),
              z * stride[1] + d * dilation[1] - before(1),
            ];
            sum += image.at(i, Math.floor(k / perGroup) * filter.c + c, row, col) * filter.at(k, c, a, d);
          }
        }
      }
      return sum;
    });
  };

/** Each pixel of x adds its multiple of the kernel: the definition of the transposed one. */
const stamped =
  (o: ct.ConvTransposeOptions): Oracle =>
  ([x, w], node) => {
    const image = planes(x as Float64Array, shapeOf(node, 0));
    const filter = planes(w as Float64Array, shapeOf(node, 1));
    const [stride, dilation, padding] = [two(o.stride, 1), two(o.dilation, 1), two(o.padding, 0)];
    const out = new Float64Array(node.nElems);
    const [h, wide] =
      node.shape.length === 3 ? [1, node.shape[2] as number] : (node.shape.slice(2) as [number, number]);
    const channels = node.shape[1] as number;
    const perGroup = image.c / (o.groups ?? 1);
    for (let i = 0; i < image.n; i++) {
      for (let c = 0; c < image.c; c++) {
        for (let k = 0; k < filter.c; k++) {
          const channel = Math.floor(c / perGroup) * filter.c + k;
          for (let p = 0; p < image.h * image.w * filter.h * filter.w; p++) {
            const [a, d] = [Math.floor(p / filter.w) % filter.h, p % filter.w];
            const pixel = Math.floor(p / (filter.h * filter.w));
            const [y, z] = [Math.floor(pixel / image.w), pixel % image.w];
            const row = y * stride[0] + a * dilation[0] - padding[0];
            const col = z * stride[1] + d * dilation[1] - padding[1];
            if (row < 0 || row >= h || col < 0 || col >= wide) continue;
            (out[((i * channels + channel) * h + row) * wide + col] as number) +=
              image.at(i, c, y, z) * filter.at(c, k, a, d);
          }
        }
      }
    }
    return out;
  };

const flat = (o: conv.Conv1dOptions & { outputPadding?: number }) => ({
  ...{ stride: [1, o.stride ?? 1] as const, dilation: [1, o.dilation ?? 1] as const, groups: o.groups ?? 1 },
  padding: typeof o.padding === 'string' ? o.padding : ([0, o.padding ?? 0] as const),
});

const CONV1D: [number[], number[], conv.Conv1dOptions][] = [
  [[2, 3, 9], [4, 3, 3], {}],
  [[1, 2, 8], [2, 2, 4], { stride: 2, padding: 1 }],
  [[2, 4, 7], [6, 2, 3], { groups: 2, dilation: 2, padding: 2 }],
  [[1, 2, 6], [3, 2, 4], { padding: 'same' }],
  [[1, 1, 5], [1, 1, 5], { padding: 'valid' }],
];
const CONV2D: [number[], number[], conv.ConvOptions][] = [
  [[1, 2, 5, 6], [2, 2, 3, 3], { padding: 'same' }],
  [[1, 2, 5, 6], [4, 1, 2, 4], { padding: 'same', dilation: [2, 1], groups: 2 }],
  [[1, 2, 5, 6], [2, 2, 3, 2], { padding: 'valid', stride: 2 }],
];
const TRANSPOSE1D: [number[], number[], ct.ConvTranspose1dOptions][] = [
  [[2, 3, 5], [3, 2, 3], {}],
  [[1, 4, 5], [4, 2, 4], { stride: 3, padding: 1, outputPadding: 2, groups: 2 }],
  [[1, 2, 4], [2, 2, 3], { stride: 1, dilation: 3, outputPadding: 2 }],
];
const TRANSPOSE2D: [number[], number[], ct.ConvTransposeOptions][] = [
  [[1, 2, 3, 4], [2, 3, 3, 3], {}],
  [[2, 2, 3, 2], [2, 2, 2, 3], { stride: 2, padding: [0, 1] }],
  [[1, 4, 3, 3], [4, 2, 3, 3], { stride: [2, 3], padding: 1, outputPadding: [1, 2], groups: 2 }],
  [[1, 2, 3, 3], [2, 1, 2, 2], { stride: 2, dilation: [3, 1], outputPadding: [2, 1], padding: 2 }],
  [[1, 3, 5, 5], [3, 1, 4, 4], { stride: 2, padding: 1, groups: 3 }],
];
const convolving = <O>(
  of: (x: Node, w: Node, o?: O) => Node,
  op: Row['ops'][0],
  list: [number[], number[], O][],
  oracle: (o: O) => Oracle,
): Row[] =>
  list.map(([x, w, o]) =>
    call(`${of.name} ${JSON.stringify(o)} [${w}]`, op, [x, w], (a, c) => of(n(a), n(c), o), oracle(o)),
  );
const convolutions: Row[] = [
  ...convolving(conv.conv1d, conv.convOp, CONV1D, (o) => correlation(flat(o))),
  ...convolving(conv.conv2d, conv.convOp, CONV2D, correlation),
  ...convolving(ct.convTranspose1d, conv.convDxOp, TRANSPOSE1D, (o) => stamped(flat(o) as ct.ConvTransposeOptions)),
  ...convolving(ct.convTranspose2d, conv.convDxOp, TRANSPOSE2D, stamped),
];

// ---- windows

const TAPS: b.Taps[][] = [
  [
    { start: 0, weights: [1, 2] },
    { start: 1, weights: [-1, 0.5, 3] },
    { start: 3, weights: [2] },
  ],
  [
    { start: 0, weights: [0.5] },
    { start: 1, weights: [] },
    { start: 0, weights: [0.25, 0.75] },
    { start: 2, weights: [] },
    { start: 2, weights: [0, 1.5, 0] },
    { start: 4, weights: [1] },
  ],
];
const bands: Row[] = [
  {
    ...{ name: 'band', ops: [b.bandOp], domains: [SPREAD], tolerance: PRODUCT, smooth: 2 },
    build: (x) => b.band(n(x), 0, 'rows 0', () => TAPS[0] as b.Taps[]),
    cases: [
      ...[[5], [5, 1], [5, 2], [5, 3], [5, 4], [5, 7], [5, 33]].map((shape): Case => ({ shapes: [shape] })),
      ...[
        [2, 5],
        [3, 5, 4],
        [2, 5, 9],
        [0, 5],
      ].map(
        (shape): Case => ({
          shapes: [shape],
          build: (x) => b.band(n(x), 1, 'rows 1', () => TAPS[1] as b.Taps[]),
        }),
      ),
      { shapes: [[2, 3, 5]], build: (x) => b.band(n(x), 2, 'rows 1', () => TAPS[1] as b.Taps[]) },
      { shapes: [[3, 70]], build: (x) => average.avgPool1d(m.reshape(n(x), [3, 1, 70]), 9, { stride: 2 }) },
    ],
    note: 'a kernel of its own, for averages and interpolations of any window, which would be many copies else',
  },
  {
    ...{ name: 'squares of a band', ops: [b.bandOp], domains: [SPREAD], smooth: 2 },
    build: (x) => e.square(b.band(n(x), 1, 'rows 1', () => TAPS[1] as b.Taps[])),
    cases: [
      [2, 5],
      [2, 5, 3],
    ].map((shape): Case => ({ shapes: [shape] })),
    tolerance: { ulp: 4, of: 'noise', why: 'the square of a sum that may cancel' },
    note: 'the second derivative goes through the gradient, a band itself',
  },
];

interface Windows {
  /** Of output i of an axis of `size` in n: the rows it takes, and how many count. */
  rows(i: number, size: number, n: number): { from: number; to: number; count: number };
  columns: Windows['rows'];
}

const windows = (o: average.AvgPoolOptions & { kernel: [number, number] }): Windows => {
  const axis =
    (i: 0 | 1): Windows['rows'] =>
    (k, size) => {
      const padding = two(o.padding, 0)[i];
      const start = k * two(o.stride ?? o.kernel, 1)[i] - padding;
      const stop = Math.min(start + o.kernel[i], size + padding);
      const [from, to] = [Math.max(start, 0), Math.min(stop, size)];
      return { from, to, count: o.countIncludePad === false ? to - from : stop - start };
    };
  return { rows: axis(0), columns: axis(1) };
};
const adaptive: Windows['rows'] = (i, size, k) => {
  const [from, to] = [Math.floor((i * size) / k), Math.ceil(((i + 1) * size) / k)];
  return { from, to, count: to - from };
};

const all: Windows['rows'] = () => ({ from: 0, to: 1, count: 1 });

/** A weight as the table holds it, which has the precision of x. */
const heldAs = (node: Node) => (node.dtype === 'float64' ? (w: number) => w : Math.fround);

const pooled =
  (
    w: Windows,
    start: number,
    f: (acc: number, x: number) => number,
    end: (acc: number, rows: number, columns: number, held: (weight: number) => number) => number,
  ): Oracle =>
  ([x], node) => {
    const image = planes(x as Float64Array, shapeOf(node, 0));
    const [h, wide] =
      node.shape.length === 3 ? [1, node.shape[2] as number] : (node.shape.slice(2) as [number, number]);
    return fill(node.shape, (i, c, y, z) => {
      const [rows, columns] = [w.rows(y, image.h, h), w.columns(z, image.w, wide)];
      let acc = start;
      for (let row = rows.from; row < rows.to; row++) {
        for (let col = columns.from; col < columns.to; col++) acc = f(acc, image.at(i, c, row, col));
      }
      return end(acc, rows.count, columns.count, heldAs(node));
    });
  };
const meansOf = (w: Windows, divisor?: number) =>
  pooled(
    w,
    0,
    (a, x) => a + x,
    (a, rows, columns, held) => (a === 0 ? 0 : a * (divisor ? held(1 / divisor) : held(1 / rows) * held(1 / columns))),
  );
const maximaOf = (w: Windows) => pooled(w, Number.NEGATIVE_INFINITY, Math.max, (a) => a);

const AVERAGES: [number[], [number, number], average.AvgPoolOptions][] = [
  [[1, 2, 4, 6], [2, 2], {}],
  [[2, 1, 5, 7], [3, 2], { stride: [2, 1], padding: 1 }],
  [[1, 2, 5, 5], [3, 3], { padding: 1, countIncludePad: false }],
  [[1, 1, 5, 6], [2, 3], { stride: 2, ceilMode: true }],
  [[1, 1, 6, 7], [4, 4], { stride: 3, padding: 2, ceilMode: true }],
  [[1, 1, 6, 7], [4, 4], { stride: 3, padding: 2, ceilMode: true, countIncludePad: false }],
  [[1, 1, 4, 4], [2, 2], { divisorOverride: 3 }],
  [[1, 2, 3, 40], [3, 3], { stride: 1 }],
];
const line = (k: number, o: average.AvgPool1dOptions) =>
  windows({
    ...{ kernel: [1, k], stride: [1, o.stride ?? k], padding: [0, o.padding ?? 0] },
    countIncludePad: o.countIncludePad ?? true,
  });
const LINES: [number[], number, average.AvgPool1dOptions][] = [
  [[2, 3, 9], 2, {}],
  [[1, 2, 9], 4, { stride: 2, padding: 2, countIncludePad: false }],
  [[1, 1, 10], 4, { stride: 3, ceilMode: true }],
];
const ADAPTIVE: [number[], [number, number]][] = [
  [
    [1, 2, 6, 4],
    [3, 2],
  ],
  [
    [2, 1, 5, 7],
    [3, 4],
  ],
  [
    [1, 1, 3, 2],
    [5, 3],
  ],
  [
    [1, 2, 4, 5],
    [4, 2],
  ],
];
const averages: Row[] = [
  ...AVERAGES.map(([x, kernel, o]) =>
    call(
      `avgPool2d ${kernel} ${JSON.stringify(o)}`,
      b.bandOp,
      [x],
      (a) => average.avgPool2d(n(a), kernel, o),
      meansOf(windows({ ...o, kernel }), o.divisorOverride),
      { tolerance: MEANS },
    ),
  ),
  ...LINES.map(([x, k, o]) =>
    call(
      `avgPool1d ${k} ${JSON.stringify(o)}`,
      b.bandOp,
      [x],
      (a) => average.avgPool1d(n(a), k, o),
      meansOf(line(k, o)),
      { tolerance: MEANS },
    ),
  ),
  ...ADAPTIVE.map(([x, size]) =>
    call(
      `adaptiveAvgPool2d [${x}] → ${size}`,
      b.bandOp,
      [x],
      (a) => average.adaptiveAvgPool2d(n(a), size),
      meansOf({ rows: adaptive, columns: adaptive }),
      { tolerance: MEANS },
    ),
  ),
  call(
    'adaptiveAvgPool2d of all',
    r.sumOp,
    [[2, 3, 4, 5]],
    (a) => average.adaptiveAvgPool2d(n(a), 1),
    pooled(
      { rows: adaptive, columns: adaptive },
      0,
      (a, x) => a + x,
      (a, rows, columns) => a / rows / columns,
    ),
    { tolerance: MEANS },
  ),
  call(
    'adaptiveAvgPool1d',
    b.bandOp,
    [[2, 3, 7]],
    (a) => average.adaptiveAvgPool1d(n(a), 3),
    meansOf({ rows: all, columns: adaptive }),
    { tolerance: MEANS },
  ),
];

const maximum = (name: string, op: Row['ops'][0], x: number[], build: (x: Node) => Node, w: Windows): Row =>
  call(name, op, [x], (a) => build(n(a)), maximaOf(w), {
    domains: [distinct],
    tolerance: { ulp: 0, why: 'chooses elements' },
  });
const maxima: Row[] = [
  maximum('maxPool1d', pool.maxPoolOp, [2, 3, 9], (x) => pool.maxPool1d(x, 2), line(2, {})),
  maximum(
    'maxPool1d of overlapping windows',
    pool.maxPoolOp,
    [1, 2, 9],
    (x) => pool.maxPool1d(x, 3, { stride: 2, padding: 1, ceilMode: true }),
    line(3, { stride: 2, padding: 1 }),
  ),
  maximum(
    'maxPool2d in ceil mode',
    pool.maxPoolOp,
    [1, 2, 6, 7],
    (x) => pool.maxPool2d(x, [3, 2], { stride: [2, 3], ceilMode: true }),
    windows({ kernel: [3, 2], stride: [2, 3] }),
  ),
  ...ADAPTIVE.map(([x, size]) =>
    maximum(`adaptiveMaxPool2d [${x}] → ${size}`, pool.maxPoolOp, x, (a) => average.adaptiveMaxPool2d(a, size), {
      rows: adaptive,
      columns: adaptive,
    }),
  ),
  maximum('adaptiveMaxPool1d', pool.maxPoolOp, [2, 2, 8], (x) => average.adaptiveMaxPool1d(x, 5), {
    rows: all,
    columns: adaptive,
  }),
  {
    ...{ name: 'maxPool2dPick', ops: [pool.maxPoolPickOp], domains: [SPREAD, whole(-1, 4)], smooth: 2 },
    build: (x, places) => apply(pool.maxPoolPickOp, [n(x), n(places)]),
    cases: [
      [1, 1, 2, 2],
      [2, 3, 4, 5],
      [1, 2, 9, 17],
    ].map((shape): Case => ({ shapes: [shape, [...shape.slice(0, 2), 3, 5]] })),
    tolerance: { ulp: 0, why: 'moves elements' },
    note: 'the place −1 stands for a window of padding alone: 0',
  },
];

// ---- interpolation

/** Where a pixel lies in the input, and the two rows it mixes there. */
const placed = (o: Parameters<typeof interpolate>[1], axis: number, size: number, k: number) => (i: number) => {
  if (k === size) return i;
  if (k === 2 * size && (o.mode ?? 'nearest') === 'nearest') return i >> 1;
  const factor = o.scaleFactor === undefined ? k / size : ([o.scaleFactor].flat()[axis] ?? [o.scaleFactor].flat()[0]);
  if ((o.mode ?? 'nearest') === 'nearest') return Math.min(Math.floor(i / (factor as number)), size - 1);
  if (o.alignCorners) return k === 1 ? 0 : (i * (size - 1)) / (k - 1);
  return Math.min(Math.max((i + 0.5) / (factor as number) - 0.5, 0), size - 1);
};
const interpolated =
  (o: Parameters<typeof interpolate>[1]): Oracle =>
  ([x], node) => {
    const image = planes(x as Float64Array, shapeOf(node, 0));
    const [h, w] = node.shape.length === 3 ? [1, node.shape[2] as number] : (node.shape.slice(2) as [number, number]);
    const last = node.shape.length === 3 ? 0 : 1;
    const row = node.shape.length === 3 ? () => 0 : placed(o, 0, image.h, h);
    const col = placed(o, last, image.w, w);
    /** A hat of width 1 around each pixel of the input. */
    const hat = (at: number, i: number) => heldAs(node)(Math.max(0, 1 - Math.abs(at - i)));
    return fill(node.shape, (i, c, y, z) => {
      let sum = 0;
      for (let a = 0; a < image.h; a++) {
        for (let d = 0; d < image.w; d++) sum += hat(row(y), a) * hat(col(z), d) * image.at(i, c, a, d);
      }
      return sum;
    });
  };
const SIZES: [number[], Parameters<typeof interpolate>[1]][] = [
  [[1, 2, 3, 4], { scaleFactor: 2 }],
  [[2, 1, 3, 5], { size: [7, 4] }],
  [[1, 1, 9, 8], { size: [4, 3] }],
  [[1, 2, 4], { scaleFactor: 2.5 }],
  [[1, 2, 3, 4], { scaleFactor: 2, mode: 'bilinear' }],
  [[1, 2, 3, 4], { scaleFactor: 2, mode: 'bilinear', alignCorners: true }],
  [[1, 1, 3, 5], { size: [8, 9], mode: 'bilinear' }],
  [[1, 1, 9, 8], { size: [4, 3], mode: 'bilinear' }],
  [[1, 1, 9, 8], { size: [4, 1], mode: 'bilinear', alignCorners: true }],
  [[1, 1, 5, 4], { scaleFactor: [1.7, 0.6], mode: 'bilinear' }],
  [[1, 1, 9, 4], { scaleFactor: [1.1, 2], mode: 'bilinear' }],
  [[1, 1, 9, 4], { scaleFactor: [1.1, 2.1] }],
  [[2, 2, 5], { size: 9, mode: 'linear' }],
  [[2, 2, 5], { size: 9, mode: 'linear', alignCorners: true }],
];
const sizes: Row[] = SIZES.map(([x, o]) =>
  call(`interpolate [${x}] ${JSON.stringify(o)}`, b.bandOp, [x], (a) => interpolate(n(a), o), interpolated(o), {
    tolerance: MEANS,
  }),
);

// ---- normalisations

const NORM: Tolerance = {
  ulp: 16,
  of: 'noise',
  why: 'means taken off, which may cancel, then a product with 1/σ, which the rest shares',
};
/** Groups of elements that share their mean and variance; each gets its part of x normalised, then w and b of `channel`. */
const normalized =
  (group: (i: number, shape: readonly number[]) => number, centre: boolean, eps: number): Oracle =>
  ([x, w, bias], node) => {
    const { shape } = node;
    const members = new Map<number, number[]>();
    (x as Float64Array).forEach((_, i) => {
      const g = group(i, shape);
      members.set(g, [...(members.get(g) ?? []), i]);
    });
    const out = new Float64Array(node.nElems);
    const inner = shape.slice(2).reduce((a, d) => a * d, 1);
    for (const at of members.values()) {
      const mean = centre ? at.reduce((s, i) => s + (x as Float64Array)[i]!, 0) / at.length : 0;
      const variance = at.reduce((s, i) => s + ((x as Float64Array)[i]! - mean) ** 2, 0) / at.length;
      for (const i of at) {
        const channel = centre ? Math.floor(i / inner) % (shape[1] as number) : i % (w?.length ?? 1);
        out[i] =
          (((x as Float64Array)[i]! - mean) / Math.sqrt(variance + eps)) * (w?.[channel] ?? 1) + (bias?.[channel] ?? 0);
      }
    }
    return out;
  };
const channelOf = (i: number, shape: readonly number[]) =>
  Math.floor(i / shape.slice(2).reduce((a, d) => a * d, 1)) % (shape[1] as number);
const groupOf = (groups: number) => (i: number, shape: readonly number[]) =>
  Math.floor(i / (shape.slice(1).reduce((a, d) => a * d, 1) / groups));
const given = (w: Node | undefined, bias: Node | undefined) => ({ weight: w ?? null, bias: bias ?? null });
const norms: Row[] = [
  ...[
    [4, 3],
    [3, 2, 5],
    [2, 3, 2, 4],
    [2, 2, 3, 3],
  ].map((x, i) =>
    call(
      `batchNorm [${x}]`,
      e.detachOp,
      i === 3 ? [x] : [x, [x[1] as number], [x[1] as number]],
      (a, w, bias) => nz.batchNorm(n(a), given(w, bias)).y,
      normalized(channelOf, true, 1e-5),
      { tolerance: NORM },
    ),
  ),
  call(
    'batchNorm, the mean',
    e.detachOp,
    [[3, 2, 5]],
    (a) => nz.batchNorm(n(a), {}).mean,
    ([x]) =>
      Float64Array.from([0, 1], (c) =>
        (x as Float64Array).filter((_, i) => channelOf(i, [3, 2, 5]) === c).reduce((s, v) => s + v / 15, 0),
      ),
    { tolerance: NORM },
  ),
  call(
    'batchNorm by known statistics',
    e.sqrtOp,
    [[2, 3, 4], [3], [3], [3], [3]],
    (x, mean, root, w, bias) =>
      nz.batchNormBy(n(x), n(mean), e.square(n(root)), { weight: n(w), bias: n(bias), eps: 0.1 }),
    ([x, mean, root, w, bias]) =>
      (x as Float64Array).map((v, i) => {
        const c = Math.floor(i / 4) % 3;
        return ((v - mean![c]!) / Math.sqrt(root![c]! ** 2 + 0.1)) * w![c]! + bias![c]!;
      }),
    { tolerance: NORM },
  ),
  ...[1, 2, 4].map((groups) =>
    call(
      `groupNorm in ${groups}`,
      norm.layerNormOp,
      [[2, 4, 3], [4], [4]],
      (x, w, bias) => nz.groupNorm(n(x), groups, given(w, bias)),
      normalized(groupOf(groups), true, 1e-5),
      { tolerance: NORM },
    ),
  ),
  call(
    'instanceNorm',
    norm.layerNormOp,
    [[2, 3, 2, 5]],
    (x) => nz.instanceNorm(n(x), {}),
    normalized(groupOf(3), true, 1e-5),
    { tolerance: NORM },
  ),
  ...[[[3, 5], [5]], [[2, 3, 4], [4]], [[4, 9]]].map((shapes) =>
    call(
      `rmsNorm [${shapes[0]}]`,
      e.sqrtOp,
      shapes,
      (x, w) => nz.rmsNorm(n(x), n(x).shape.slice(-1), { weight: w ?? null }),
      normalized((i, shape) => Math.floor(i / (shape.at(-1) as number)), false, 2 ** -23),
      { tolerance: NORM },
    ),
  ),
];

export const networks: readonly Row[] = [...[...convolutions, ...bands, ...averages, ...maxima, ...sizes, ...norms]];
