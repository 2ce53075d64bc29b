// OP_CONV and its two gradients against sums in float64.
import { describe, expect, test } from 'vitest';
import {
  ACT_NONE,
  ACT_RELU,
  ACT_SIGMOID,
  ACT_TANH,
  OP_CONV,
  OP_CONV_DW,
  OP_CONV_DX,
  STATUS_OK,
} from '../../assembly/abi.ts';
import { ACTIVATIONS } from './activations.ts';
import { Harness, NONE } from './harness.ts';

type Pair = readonly [number, number];

interface Config {
  n?: number;
  c: number;
  h: number;
  w: number;
  o: number;
  kernel: Pair;
  stride?: Pair;
  pad?: Pair;
  dilation?: Pair;
  groups?: number;
  bias?: boolean;
  act?: number;
  misalign?: number;
}

const UNIT = 2 ** -24;
const THREADS = [2, 3, 7];

function numbers(n: number, seed: number): Float32Array {
  let s = seed;
  return Float32Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) | 0;
    return s / 2 ** 31;
  });
}

function sizes(f: Config) {
  const { n = 1, c, h, w, o, kernel, stride = [1, 1], pad = [0, 0], dilation = [1, 1], groups = 1 } = f;
  const out = (size: number, i: 0 | 1) =>
    Math.floor((size + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1;
  return { n, c, h, w, o, kernel, stride, pad, dilation, groups, oh: out(h, 0), ow: out(w, 1) };
}

/** Calls visit(index of out, of x, of w) for every product of a convolution. */
function eachProduct(f: Config, visit: (y: number, x: number, w: number) => void): void {
  const s = sizes(f);
  const [cg, og] = [s.c / s.groups, s.o / s.groups];
  const [kh, kw] = s.kernel;
  for (let n = 0; n < s.n; n++)
    for (let o = 0; o < s.o; o++)
      for (let c = 0; c < cg; c++)
        for (let a = 0; a < kh; a++)
          for (let b = 0; b < kw; b++)
            for (let i = 0; i < s.oh; i++) {
              const y = i * s.stride[0] - s.pad[0] + a * s.dilation[0];
              if (y < 0 || y >= s.h) continue;
              for (let j = 0; j < s.ow; j++) {
                const x = j * s.stride[1] - s.pad[1] + b * s.dilation[1];
                if (x < 0 || x >= s.w) continue;
                const channel = Math.floor(o / og) * cg + c;
                visit(
                  ((n * s.o + o) * s.oh + i) * s.ow + j,
                  ((n * s.c + channel) * s.h + y) * s.w + x,
                  ((o * cg + c) * kh + a) * kw + b,
                );
              }
            }
}

/** A sum in float64, the sum of its terms' sizes, and how many there are. */
class Sums {
  value: Float64Array;
  size: Float64Array;
  count: Int32Array;
  constructor(n: number) {
    this.value = new Float64Array(n);
    this.size = new Float64Array(n);
    this.count = new Int32Array(n);
  }
  add(i: number, term: number): void {
    this.value[i] = (this.value[i] as number) + term;
    this.size[i] = (this.size[i] as number) + Math.abs(term);
    this.count[i] = (this.count[i] as number) + 1;
  }
}

/** n terms added in float32, in any order, err by at most (n + 1) units of Σ|term|; an activation adds its own. */
function compare(name: string, f: Config, want: Sums, got: Float32Array, act = ACT_NONE): void {
  const { of, slope, ulp } = ACTIVATIONS[act] as (typeof ACTIVATIONS)[number];
  for (let i = 0; i < got.length; i++) {
    const value = of(want.value[i] as number);
    const sum = ((want.count[i] as number) + 1) * UNIT * (want.size[i] as number);
    const tolerance = sum * slope + ulp * 2 * UNIT * Math.abs(value);
    if (!(Math.abs((got[i] as number) - value) <= tolerance)) {
      expect.fail(`${name} ${JSON.stringify(f)} at ${i}: got ${got[i]}, want ${value}, tolerance ${tolerance}`);
    }
  }
}

function check(h: Harness, f: Config, manyThreads = true): void {
  const s = sizes(f);
  const nx = s.n * s.c * s.h * s.w;
  const nw = (s.o * s.c * s.kernel[0] * s.kernel[1]) / s.groups;
  const ny = s.n * s.o * s.oh * s.ow;
  const [x, w, dy, bias] = [numbers(nx, 1), numbers(nw, 2), numbers(ny, 3), numbers(s.o, 4)];
  const [y, dx, dw] = [new Sums(ny), new Sums(nx), new Sums(nw)];
  eachProduct(f, (iy, ix, iw) => {
    y.add(iy, (x[ix] as number) * (w[iw] as number));
    dx.add(ix, (dy[iy] as number) * (w[iw] as number));
    dw.add(iw, (dy[iy] as number) * (x[ix] as number));
  });
  if (f.bias) for (let i = 0; i < ny; i++) y.add(i, bias[Math.floor(i / (s.oh * s.ow)) % s.o] as number);
  const run = (threads: number) => {
    h.reset();
    const put = (a: Float32Array) => h.put(a, 'f32', f.misalign ?? 0);
    const room = (n: number) => h.room(n, 'f32', f.misalign ?? 0);
    const [px, pw, pdy] = [put(x), put(w), put(dy)];
    const [py, pdx, pdw] = [room(ny), room(nx), room(nw)];
    const tail = [s.n, s.c, s.h, s.w, s.o, ...s.kernel, ...s.stride, ...s.pad, ...s.dilation, s.groups, s.oh, s.ow];
    const program = [
      [OP_CONV, py, px, pw, f.bias ? put(bias) : NONE, ...tail, f.act ?? ACT_NONE],
      [OP_CONV_DX, pdx, pdy, pw, NONE, ...tail, ACT_NONE],
      [OP_CONV_DW, pdw, px, pdy, NONE, ...tail, ACT_NONE],
    ];
    expect(h.run(program, threads), JSON.stringify(f)).toBe(STATUS_OK);
    return [py, pdx, pdw].map((i) => h.get(i) as Float32Array) as [Float32Array, Float32Array, Float32Array];
  };
  const first = run(1);
  compare('out', f, y, first[0], f.act);
  compare('dx', f, dx, first[1]);
  compare('dw', f, dw, first[2]);
  for (const threads of manyThreads ? THREADS : []) {
    run(threads).forEach((got, i) => {
      const same = Buffer.from(got.buffer).equals(Buffer.from((first[i] as Float32Array).buffer));
      if (!same) expect.fail(`${JSON.stringify(f)}: output ${i} of ${threads} threads differs`);
    });
  }
}

const CONFIGS: Config[] = [
  // Shapes of training: LeNet-like layers, padded 3×3, strided stems, pointwise, depthwise.
  { n: 2, c: 1, h: 28, w: 28, o: 16, kernel: [5, 5], bias: true, act: ACT_RELU },
  { n: 5, c: 16, h: 12, w: 12, o: 32, kernel: [5, 5], bias: true, act: ACT_RELU },
  { n: 1, c: 64, h: 16, w: 16, o: 20, kernel: [3, 3], pad: [1, 1], bias: true },
  { n: 1, c: 3, h: 30, w: 26, o: 13, kernel: [7, 7], stride: [2, 2], pad: [3, 3] },
  { n: 3, c: 20, h: 14, w: 14, o: 9, kernel: [1, 1], act: ACT_RELU },
  { n: 3, c: 20, h: 14, w: 14, o: 9, kernel: [1, 1], stride: [2, 2] },
  { n: 2, c: 5, h: 6, w: 7, o: 4, kernel: [1, 1], stride: [2, 1] },
  { n: 2, c: 5, h: 6, w: 7, o: 4, kernel: [1, 1], stride: [1, 2], pad: [1, 0] },
  { n: 1, c: 12, h: 9, w: 10, o: 12, kernel: [3, 3], pad: [1, 1], groups: 12, bias: true },
  { n: 2, c: 6, h: 9, w: 10, o: 12, kernel: [3, 3], pad: [1, 1], groups: 3 },
  { n: 8, c: 4, h: 7, w: 7, o: 7, kernel: [3, 3], pad: [1, 1] },
  // Few pixels, one pixel, one channel.
  { n: 3, c: 5, h: 3, w: 3, o: 4, kernel: [3, 3], bias: true },
  { n: 1, c: 1, h: 1, w: 1, o: 1, kernel: [1, 1], bias: true, act: ACT_RELU },
  { n: 4, c: 2, h: 1, w: 37, o: 3, kernel: [1, 5], pad: [0, 2] },
  { n: 4, c: 2, h: 37, w: 1, o: 3, kernel: [5, 1], pad: [2, 0] },
  // Activations over whole planes, over strips, over planes of a few pixels.
  { n: 2, c: 3, h: 7, w: 7, o: 5, kernel: [3, 3], pad: [1, 1], bias: true, act: ACT_SIGMOID },
  { n: 2, c: 3, h: 7, w: 7, o: 5, kernel: [3, 3], pad: [1, 1], bias: true, act: ACT_TANH },
  { n: 1, c: 1, h: 3, w: 1037, o: 2, kernel: [3, 4], pad: [1, 0], act: ACT_TANH },
  { n: 3, c: 2, h: 2, w: 3, o: 7, kernel: [2, 2], act: ACT_SIGMOID },
  // Unequal everything.
  { n: 2, c: 4, h: 11, w: 17, o: 6, kernel: [2, 4], stride: [3, 2], pad: [1, 3], dilation: [2, 1], groups: 2 },
  { n: 2, c: 3, h: 13, w: 9, o: 5, kernel: [4, 3], stride: [1, 3], pad: [2, 0], dilation: [1, 3], bias: true },
  { n: 1, c: 2, h: 19, w: 23, o: 2, kernel: [3, 3], stride: [2, 1], pad: [4, 5], dilation: [3, 4] },
  // Padding wider than the filter; stride wider than the filter; rows the stride never reaches.
  { n: 2, c: 3, h: 5, w: 6, o: 4, kernel: [2, 2], pad: [3, 4], bias: true },
  { n: 2, c: 3, h: 11, w: 12, o: 4, kernel: [2, 1], stride: [4, 5] },
  { n: 1, c: 2, h: 10, w: 9, o: 3, kernel: [3, 3], stride: [4, 4], misalign: 4 },
  // Past the blocks of channels, of filters, of width, of images.
  { n: 1, c: 150, h: 5, w: 6, o: 8, kernel: [3, 3], pad: [1, 1], bias: true, act: ACT_RELU },
  { n: 1, c: 3, h: 4, w: 1100, o: 4, kernel: [3, 3], pad: [1, 1], bias: true },
  { n: 1, c: 3, h: 5, w: 1037, o: 2, kernel: [3, 4], stride: [1, 2], pad: [1, 0], act: ACT_RELU },
  { n: 70, c: 2, h: 6, w: 6, o: 3, kernel: [3, 3] },
  { n: 1, c: 2, h: 33, w: 35, o: 3, kernel: [31, 29], pad: [15, 14] },
  { n: 1, c: 1, h: 300, w: 520, o: 2, kernel: [3, 3], pad: [1, 1] },
  { n: 1, c: 4, h: 2, w: 3, o: 400, kernel: [3, 3], pad: [1, 1] },
  // Windows too large to copy: by their taps, by their reach (with stride 2 that of dx is not).
  { n: 2, c: 4, h: 1, w: 4109, o: 6, kernel: [1, 4099], pad: [0, 3], groups: 2, bias: true, act: ACT_TANH },
  { n: 1, c: 2, h: 70, w: 70, o: 3, kernel: [66, 65], stride: [1, 2], pad: [2, 1], bias: true },
  { n: 1, c: 1, h: 705, w: 907, o: 2, kernel: [2, 2], dilation: [700, 900], pad: [1, 2], misalign: 4 },
  { n: 2, c: 2, h: 705, w: 907, o: 2, kernel: [2, 3], stride: [2, 2], dilation: [700, 440], bias: true, act: ACT_RELU },
];

describe.each(['baseline', 'relaxed'] as const)('conv and its gradients, %s', (simd) => {
  const h = new Harness(simd);

  test.each(CONFIGS)('%o', (f) => check(h, f));

  test('every width and every count of output channels', () => {
    for (let w = 1; w <= 18; w++)
      check(h, { c: 2, h: 4, w, o: 3, kernel: [3, 3], pad: [1, 1], bias: true }, w % 3 === 0);
    for (let o = 1; o <= 14; o++) check(h, { n: 2, c: 3, h: 5, w: 6, o, kernel: [2, 2], bias: true }, o % 3 === 0);
  });

  test('kernel, stride, padding and dilation from 1 to 3, together', () => {
    for (let k = 1; k <= 3; k++)
      for (let s = 1; s <= 3; s++)
        for (let p = 0; p <= 2; p++)
          for (let d = 1; d <= 2; d++) {
            const f: Config = {
              n: 2,
              c: 2,
              h: 8,
              w: 9,
              o: 3,
              kernel: [k, k],
              stride: [s, s],
              pad: [p, p],
              dilation: [d, d],
            };
            check(h, f, false);
          }
  });

  test('a filter of infinities and NaN past ReLU gives the same bits on any number of threads', () => {
    const [c, size, o] = [3, 7, 8];
    const x = numbers(c * size * size, 1);
    const w = numbers(o * c * 9, 2);
    w[4] = Number.POSITIVE_INFINITY;
    w[30] = Number.NaN;
    const run = (threads: number) => {
      h.reset();
      const [px, pw, py] = [h.put(x), h.put(w), h.room(o * size * size)];
      h.run(
        [[OP_CONV, py, px, pw, NONE, 1, c, size, size, o, 3, 3, 1, 1, 1, 1, 1, 1, 1, size, size, ACT_RELU]],
        threads,
      );
      return h.get(py) as Float32Array;
    };
    const first = run(1);
    expect(first.slice(size * size, 2 * size * size).every(Number.isNaN)).toBe(true);
    for (const threads of THREADS) expect(run(threads)).toEqual(first);
  });
});
