// What a row of the op table says, and the words it is said in: domains, shapes, edges, tolerances.
import type { DType } from '../src/dtype.ts';
import type { Node } from '../src/graph/node.ts';
import type { Op } from '../src/graph/op.ts';
import type { Shape } from '../src/shape.ts';

export type Random = () => number;

/** How an input is sampled. */
export interface Domain {
  dtype: DType;
  sample(n: number, random: Random, shape: Shape): number[];
}

/** One way to call an op; what it leaves out is the row's. */
export interface Case {
  shapes: readonly Shape[];
  build?: Build;
  domains?: readonly Domain[];
}

/** Chosen elements: where an op meets ∞, NaN, ties, −0, subnormal and huge numbers. */
export interface Edge {
  shapes: readonly Shape[];
  values: readonly (readonly number[])[];
  build?: Build;
}

export type Build = (...x: Node[]) => Node;

export interface Tolerance {
  /** Units in the last place of the result, or of `of`. */
  ulp: number;
  /**
   * 'terms': of the result for magnitudes, so of all that is added up; 'inputs': of the largest element of the first
   * input; a number: of this size, where the domain bounds what cancels; 'noise': by disturbing every node.
   */
  of?: 'terms' | 'inputs' | 'noise' | number;
  /** Absolute, for results below the normal range or that an algorithm takes from a table. */
  absolute?: number;
  why: string;
}

export interface Row {
  name: string;
  /** Ops it stands for: each is in the graph as it is built. */
  ops: readonly Op[];
  build: Build;
  domains: readonly Domain[];
  cases: readonly Case[];
  edges?: readonly Edge[];
  /** Edges where the sign of zero counts too. */
  signedZero?: boolean;
  tolerance: Tolerance;
  /** How often it is differentiated: 0, 1 or 2 times. */
  smooth: 0 | 1 | 2;
  /**
   * The result in float64 by another way than the ops' own references: for expressions, whose graph is what is tested.
   * `node` has the shapes of the result and, as inputs, of the row's inputs.
   */
  oracle?: NonNullable<Op['reference']>;
  /** Where it differs from JavaScript's own function at the edges, or is not differentiated, and why. */
  note?: string;
}

// ---- domains

const float = (sample: (random: Random) => number): Domain => ({
  dtype: 'float32',
  sample: (n, random) => Array.from({ length: n }, () => sample(random)),
});

export const between = (low: number, high: number): Domain => float((r) => low + (high - low) * r());

/** Between low and high, and at least 0.05 from every kink. */
export const away = (low: number, high: number, ...kinks: number[]): Domain =>
  float((r) => {
    for (;;) {
      const x = low + (high - low) * r();
      if (kinks.every((k) => Math.abs(x - k) > 0.05)) return x;
    }
  });

/** Multiples of a tenth, moved by `offset`: two domains of different offsets never meet. */
export const grid = (offset: number): Domain => float((r) => (Math.floor(r() * 40) - 20) / 10 + offset);

/** All different by at least 0.05, in random order. */
export const distinct: Domain = {
  dtype: 'float32',
  sample: (n, random) => {
    const x = Array.from({ length: n }, (_, i) => (i - n / 2) * 0.07 + 0.01 * random());
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [x[i], x[j]] = [x[j] as number, x[i] as number];
    }
    return x;
  },
};

/** Whole numbers from low to below high. */
export const whole = (low: number, high: number, dtype: DType = 'int32'): Domain => ({
  dtype,
  sample: (n, random) => Array.from({ length: n }, () => low + Math.floor(random() * (high - low))),
});
export const bools: Domain = whole(0, 2, 'bool');
/** Few different numbers, so that ties are common. */
export const ties: Domain = whole(-2, 2, 'float32');

/** Rows that add up to 1. */
export const probabilities: Domain = {
  dtype: 'float32',
  sample: (n, random, shape) => {
    const cols = shape.at(-1) as number;
    const x = Array.from({ length: n }, () => 0.1 + random());
    return x.map((v, i) => {
      const row = Math.floor(i / cols) * cols;
      return v / x.slice(row, row + cols).reduce((a, b) => a + b, 0);
    });
  },
};

// ---- shapes: vectors hold four elements, kernels work on two or four vectors at a time

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33];
const cases = (...shapes: Shape[][]): Case[] => shapes.map((s) => ({ shapes: s }));

/** One input: every size past two pairs of vectors, none, a scalar, more axes, past a block of 1,024. */
export const ONE: Case[] = cases(...SIZES.map((n) => [[n]]), [[]], [[0]], [[3, 0]], [[2, 3, 5]], [[1030]]);

/** Two inputs: equal, scalars, rows, columns, channels, middle axes that are no view, both stretched, none. */
export const TWO: Case[] = cases(
  ...[1, 3, 4, 5, 8, 9, 17, 33].map((n) => [[n], [n]]),
  ...[
    [[], []],
    [[7], []],
    [[], [7]],
    [[1], [6]],
    [[6], [1]],
  ],
  ...[
    [[3, 5], [5]],
    [[5], [3, 5]],
    [
      [3, 5],
      [3, 1],
    ],
    [
      [3, 1],
      [3, 5],
    ],
    [
      [4, 1],
      [1, 6],
    ],
    [
      [1, 6],
      [4, 1],
    ],
  ],
  ...[
    [
      [2, 3, 2, 2],
      [3, 1, 1],
    ],
    [
      [3, 1, 1],
      [2, 3, 2, 2],
    ],
    [
      [2, 3, 4],
      [2, 1, 4],
    ],
    [
      [2, 1, 4],
      [2, 3, 4],
    ],
  ],
  ...[
    [
      [2, 3, 1, 5],
      [3, 4, 1],
    ],
    [[1, 5], [5]],
    [[0], [0]],
    [[3, 0], [1]],
    [
      [3, 1],
      [1, 0],
    ],
    [[2, 515], [515]],
  ],
);

/** Three inputs. */
export const THREE: Case[] = cases(
  ...[1, 4, 5, 17].map((n) => [[n], [n], [n]]),
  ...[
    [[], [], []],
    [[5], [], [5]],
    [[], [5], [5]],
    [[5], [5], []],
    [[3, 5], [5], [3, 1]],
    [
      [3, 1],
      [1, 5],
      [3, 5],
    ],
  ],
  ...[
    [
      [2, 1, 4],
      [2, 3, 4],
      [3, 1],
    ],
    [[1, 5], [5], [5]],
    [[0], [0], []],
  ],
);

// ---- edges

export const ODD = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, Infinity, -Infinity, NaN],
  ...[1e-40, -1e-40, 2 ** -126, 1e-20, 3e38, -3e38, 88.8, -104, 16777216],
].map(Math.fround);
/** Fewer, for pairs and triples of them. */
export const FEW = [0, -0, 1, -1, 2.5, Infinity, -Infinity, NaN, 1e-40, 3e38].map(Math.fround);

/** Every value, with four shifts so that each falls in a vector and in a tail. */
export const each = (values: readonly number[]): Edge[] =>
  [0, 1, 2, 3].map((shift) => {
    const moved = values.map((_, i) => values[(i + shift * 5) % values.length] as number);
    return { shapes: [[values.length]], values: [moved] };
  });

/** Every combination of values, one for each of k inputs. */
export const combinations = (values: readonly number[], k: number): Edge[] => {
  const n = values.length ** k;
  const pick = (j: number) =>
    Array.from({ length: n }, (_, i) => values[Math.floor(i / values.length ** j) % values.length] as number);
  return [{ shapes: Array.from({ length: k }, () => [n]), values: Array.from({ length: k }, (_, j) => pick(j)) }];
};

/** Rows of equal length as one matrix. */
export const rows = (...list: number[][]): Edge => ({
  shapes: [[list.length, (list[0] as number[]).length]],
  values: [list.flat()],
});

// ---- float64

/** The same row with float64 where it has float32; null where it has none. */
export function inFloat64(row: Row): Row | null {
  if (row.domains.every(({ dtype }) => dtype !== 'float32')) return null;
  const precise = (domains: readonly Domain[]) =>
    domains.map((d): Domain => (d.dtype === 'float32' ? { ...d, dtype: 'float64' } : d));
  const cases = row.cases.map((c) => (c.domains ? { ...c, domains: precise(c.domains) } : c));
  return { ...row, domains: precise(row.domains), cases };
}
