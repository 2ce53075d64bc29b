// Vector math against float64: the largest error in units of the last place, over every exponent, over a dense
// region and at the edges of each function.
import { describe, expect, test } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { erf } from './erf.ts';
import { Harness } from './harness.ts';
import { micro, streamIn, streamOut, tape } from './tape.ts';

const N = 1 << 16;
const EDGES = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-45, -1e-45, 1.17e-38, -1.17e-38, 3.4028234e38, -3.4028234e38];

const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** C's pow, which differs from JavaScript's where the result is 1 beside ∞ or NaN. */
const pow = (x: number, y: number) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

interface Row {
  op: number;
  exact: (x: number) => number;
  /** Where it is sampled evenly. */
  dense: [number, number][];
  edges: number[];
  /** What assembly/math states; 0.1 of slack for samples it was not measured on. */
  ulp: number;
  /** Samples of larger magnitude are only held to [−1, 1]. */
  within?: number;
}

const rows: Record<string, Row> = {
  exp: {
    op: abi.MICRO_EXP,
    exact: Math.exp,
    dense: [[-105, 90]],
    edges: [88.7, 88.73, -87.4, -103.9, -104.1],
    ulp: 1.2,
  },
  expm1: {
    op: abi.MICRO_EXPM1,
    exact: Math.expm1,
    dense: [
      [-20, 90],
      [-1, 1],
    ],
    edges: [88.7, 88.73, -17.4, 1e-20],
    ulp: 1.7,
  },
  log: {
    op: abi.MICRO_LOG,
    exact: Math.log,
    dense: [
      [0, 4],
      [0.9, 1.1],
      [1.9, 2],
    ],
    edges: [0.99999994, 1.0000001, 1.9999999],
    ulp: 1.2,
  },
  log1p: {
    op: abi.MICRO_LOG1P,
    exact: Math.log1p,
    dense: [
      [-1, 4],
      [-0.01, 0.01],
    ],
    edges: [-0.99999994, 1e-20],
    ulp: 1.7,
  },
  sin: {
    op: abi.MICRO_SIN,
    exact: Math.sin,
    dense: [
      [-1e5, 1e5],
      [-4, 4],
    ],
    edges: [],
    ulp: 1.6,
    within: 2 ** 28,
  },
  cos: {
    op: abi.MICRO_COS,
    exact: Math.cos,
    dense: [
      [-1e5, 1e5],
      [-4, 4],
    ],
    edges: [],
    ulp: 1.6,
    within: 2 ** 28,
  },
  tanh: {
    op: abi.MICRO_TANH,
    exact: Math.tanh,
    dense: [
      [-10, 10],
      [-1, 1],
    ],
    edges: [9.05, 0.55],
    ulp: 1.6,
  },
  erf: {
    op: abi.MICRO_ERF,
    exact: erf,
    dense: [
      [-5, 5],
      [-1, 1],
    ],
    edges: [3.9, 0.927734375],
    ulp: 1.2,
  },
  sigmoid: {
    op: abi.MICRO_SIGMOID,
    exact: sigmoid,
    dense: [
      [-105, 30],
      [-4, 4],
    ],
    edges: [-88.8, -100],
    ulp: 2.4,
  },
  softplus: {
    op: abi.MICRO_SOFTPLUS,
    exact: softplus,
    dense: [
      [-105, 30],
      [-4, 4],
    ],
    edges: [-88.8, 88.8],
    ulp: 1.9,
  },
  exp2: {
    op: abi.MICRO_EXP2,
    exact: (x) => 2 ** x,
    dense: [
      [-151, 129],
      [-1, 1],
    ],
    edges: [127.99999, 128, -126, -149, -150, -151],
    ulp: 1.3,
  },
  log2: {
    op: abi.MICRO_LOG2,
    exact: Math.log2,
    dense: [
      [0, 4],
      [0.9, 1.1],
      [1.9, 2],
    ],
    edges: [0.99999994, 1.0000001, 1.9999999],
    ulp: 2,
  },
  atan: {
    op: abi.MICRO_ATAN,
    exact: Math.atan,
    dense: [
      [-10, 10],
      [-1, 1],
    ],
    edges: [0.99999994, 1.0000001],
    ulp: 1.7,
  },
};

const f64 = new Float64Array(1);
const u32 = new Uint32Array(f64.buffer);

/** The error of `got` in units of the last place of float32 at `exact`. */
function ulps(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded)) return 0;
  if (!Number.isFinite(rounded) || Number.isNaN(got)) return Infinity;
  f64[0] = exact;
  const exponent = (((u32[1] as number) >>> 20) & 0x7ff) - 1023;
  return Math.abs(got - exact) / 2 ** (Math.max(exponent, -126) - 23);
}

/** Every exponent and sign, evenly within each, by a fixed stride through the bits. */
const everywhere = () =>
  new Float32Array(Uint32Array.from({ length: N }, (_, i) => i * 65536 + ((i * 40503) & 0xffff)).buffer);

function samples(row: Row): Float32Array {
  const dense = row.dense.flatMap(([a, b]) => Array.from({ length: N }, (_, i) => a + ((b - a) * (i + 0.5)) / N));
  // For the periodic functions, the floats nearest to multiples of π/2, where their reduction is hardest.
  const multiples = row.within
    ? Array.from({ length: N }, (_, i) => Math.round(2 ** ((i * 27) / N)) * (Math.PI / 2))
    : [];
  return Float32Array.from([...EDGES, ...row.edges, ...everywhere(), ...dense, ...multiples]);
}

describe.each(['baseline', 'relaxed'] as const)('vector math, %s', (simd) => {
  const harness = new Harness(simd);

  test.each(Object.entries(rows))('%s', (_, row) => {
    harness.reset();
    const x = samples(row);
    const [a, d] = [harness.put(x), harness.room(x.length)];
    harness.run([tape(x.length, [streamIn(a), streamOut(d)], [micro(row.op, 1, 0)])]);
    const got = harness.get(d);
    let worst = { ulp: 0, x: 0 };
    for (let i = 0; i < x.length; i++) {
      const [xi, yi] = [x[i] as number, got[i] as number];
      if (row.within && Math.abs(xi) > row.within && Number.isFinite(xi)) {
        if (!(Math.abs(yi) <= 1)) throw new Error(`${xi} gives ${yi}`);
        continue;
      }
      const exact = row.exact(xi);
      // −0 is kept by the odd functions but sin, whose polynomial ends in +0.
      const ulp = yi === 0 && exact === 0 && row.op === abi.MICRO_SIN ? 0 : ulps(yi, exact);
      if (ulp > worst.ulp) worst = { ulp, x: xi };
    }
    expect(worst.ulp, `at ${worst.x}`).toBeLessThan(row.ulp + 0.1);
  });

  const special = [...EDGES, 2, -2, 3, -3, 0.5, -0.5, 16777215, -16777217, 1e30];

  /** The largest error over pairs of numbers, all pairs of special ones among them. */
  function worstOf(op: number, exact: (x: number, y: number) => number, more: [number, number][]) {
    harness.reset();
    const pairs = [...special.flatMap((x) => special.map((y) => [x, y])), ...more];
    const x = Float32Array.from(pairs, (p) => p[0] as number);
    const y = Float32Array.from(pairs, (p) => p[1] as number);
    const [a, b, d] = [harness.put(x), harness.put(y), harness.room(x.length)];
    harness.run([tape(x.length, [streamIn(a), streamIn(b), streamOut(d)], [micro(op, 2, 0, 1)])]);
    const got = harness.get(d);
    let worst = { ulp: 0, at: '' };
    for (let i = 0; i < x.length; i++) {
      const [xi, yi] = [x[i] as number, y[i] as number];
      const ulp = ulps(got[i] as number, exact(xi, yi));
      if (ulp > worst.ulp) worst = { ulp, at: `(${xi}, ${yi}) gives ${got[i]}` };
    }
    return worst;
  }
  const pairs = (of: (i: number) => [number, number]) => Array.from({ length: N }, (_, i) => of(i));
  const anywhere = everywhere();
  const any = (i: number) => anywhere[i % N] as number;

  test('pow', () => {
    const worst = worstOf(abi.MICRO_POW, pow, [
      ...pairs((i) => [any(i), ((i * 7919) % 257) / 32 - 4]),
      ...pairs((i) => [0.5 + i / N, ((i * 7919) % 4001) / 16 - 125]),
      ...pairs((i) => [-i / 64, (i % 41) - 20]),
    ]);
    expect(worst.ulp, worst.at).toBeLessThan(1);
  });

  test('atan2', () => {
    const worst = worstOf(abi.MICRO_ATAN2, Math.atan2, [
      ...pairs((i) => [any(i), any(i * 7919)]),
      ...pairs((i) => [any(i), any(i) * (((i * 7919) % 257) / 64 - 2)]),
      ...pairs((i) => [Math.sin(i), Math.cos(i)]),
    ]);
    expect(worst.ulp, worst.at).toBeLessThan(2);
  });

  test('fmod is exact', () => {
    const worst = worstOf(abi.MICRO_FMOD, (x, y) => x % y, [
      ...pairs((i) => [any(i), any(i * 7919)]),
      ...pairs((i) => [any(i), any(i) * (((i * 7919) % 257) / 64 - 2)]),
      // Quotients on either side of 2²⁹, and next to whole numbers.
      ...pairs((i) => [(1 + i / N) * 2 ** 30, 1 + ((i * 7919) % 257) / 64]),
      ...pairs((i) => [Math.fround(i * 0.1) * (1 - 2 ** -24), Math.fround(0.1)]),
    ]);
    expect(worst.ulp, worst.at).toBe(0);
  });
});
