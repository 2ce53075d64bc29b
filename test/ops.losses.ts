// Rows of the op table: losses. All are expressions of a user's operations; the formulas are written out in float64.
import type { Node } from '../src/graph/node.ts';
import * as nn from '../src/nn/index.ts';
import { takeAlongOp } from '../src/ops/along.ts';
import * as e from '../src/ops/elementwise.ts';
import { binaryEntropyOp } from '../src/ops/entropy.ts';
import * as f from '../src/ops/functions.ts';
import { gatherOp } from '../src/ops/gather.ts';
import { sumOp } from '../src/ops/reduce.ts';
import { elementwiseReference } from '../src/ops/reference.ts';
import { crossEntropyOp } from '../src/ops/softmax.ts';
import { Tensor } from '../src/tensor.ts';
import {
  between,
  type Case,
  type Domain,
  type Edge,
  grid,
  probabilities,
  type Row,
  type Tolerance,
  whole,
} from './ops.row.ts';
import { INF, SPREAD } from './ops.words.ts';

type Oracle = NonNullable<Row['oracle']>;
type Reduction = nn.Reduction;
type Loss = (x: Tensor[], reduction: Reduction) => Tensor;

const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'sum'];
const total = (x: Float64Array) => x.reduce((a, b) => a + b, 0);
const averaged = (x: Float64Array) => total(x) / x.length;

const about = (of: number, ulp = 6): Tolerance => ({
  ...{ ulp, of },
  why: 'a few roundings, relative to the largest terms that cancel or are added',
});
/** A product of every step of a sum or a mean of them. */
const NOISE: Tolerance = { ulp: 4, of: 'noise', why: 'several roundings, and a sum' };

interface Spec {
  name: string;
  ops: Row['ops'];
  loss: Loss;
  domains: readonly Domain[];
  /** Of the losses that are not reduced yet. */
  shapes: readonly number[][][];
  /** Shape of these losses, by default that of the first input. */
  losses?: (shape: readonly number[]) => readonly number[];
  oracle: Oracle;
  /** What 'mean' divides the sum by, where it is not the number of losses. */
  share?: Oracle;
  tolerance?: Tolerance;
  edges?: readonly Edge[];
  smooth?: 1 | 2;
}

/** A row for each way to reduce; edges are those of the losses alone. */
function loss({ name, ops, loss: of, losses = (s) => s, oracle, share, edges = [], ...spec }: Spec): Row[] {
  return REDUCTIONS.map((reduction): Row => {
    const reduced: Oracle = (x, node) => {
      const shape = losses((node.inputs[0] as Node).shape);
      const whole = { ...node, inputs: node.inputs, shape, nElems: shape.reduce((a, b) => a * b, 1) } as Node;
      const y = oracle(x, whole);
      if (reduction === 'none') return y;
      if (reduction === 'sum') return Float64Array.of(total(y));
      return Float64Array.of(share ? total(y) / total(share(x, whole)) : averaged(y));
    };
    return {
      name: `${name}, ${reduction}`,
      ops,
      build: (...x) =>
        of(
          x.map((node) => new Tensor(node)),
          reduction,
        ).node,
      domains: spec.domains,
      cases: spec.shapes.map((shapes): Case => ({ shapes })),
      ...(reduction === 'none' && { edges }),
      tolerance: reduction === 'none' ? (spec.tolerance ?? about(9)) : NOISE,
      smooth: spec.smooth ?? 2,
      oracle: reduced,
    };
  });
}

const PAIRS = [[1], [7], [3, 5], []].map((shape) => [shape, shape]);
/** Differences of elements of the two are never 0, ½ or 1. */
const [HERE, THERE] = [grid(0), grid(0.0371)];
const FAR: Edge = {
  shapes: [[8], [8]],
  values: [
    [INF, -INF, 3e38, 0, 1, 2, 1e20, 1e-40],
    [0, 0, 0, 0, 2, 0, -1e20, 0],
  ],
};

const regression: Row[] = [
  ...loss({
    ...{ name: 'mseLoss', ops: [e.squareOp], loss: ([x, y], reduction) => nn.mseLoss(n(x), n(y), { reduction }) },
    ...{ domains: [HERE, THERE], shapes: PAIRS, oracle: elementwiseReference((a, b) => (n(a) - n(b)) ** 2) },
  }),
  ...loss({
    ...{ name: 'l1Loss', ops: [e.absOp], loss: ([x, y], reduction) => nn.l1Loss(n(x), n(y), { reduction }) },
    ...{ domains: [HERE, THERE], shapes: PAIRS, oracle: elementwiseReference((a, b) => Math.abs(n(a) - n(b))) },
    edges: [FAR],
  }),
  ...[1, 0.5].flatMap((delta) =>
    loss({
      ...{
        name: `huberLoss, delta ${delta}`,
        ops: [f.clampMinOp, f.clampMaxOp],
        domains: [HERE, THERE],
        shapes: PAIRS,
        edges: [FAR],
      },
      loss: ([x, y], reduction) => nn.huberLoss(n(x), n(y), { reduction, delta }),
      oracle: elementwiseReference((a, b) => {
        const d = Math.abs(n(a) - n(b));
        return d <= delta ? (d * d) / 2 : delta * (d - delta / 2);
      }),
    }),
  ),
  ...[0.5, 0].flatMap((beta) =>
    loss({
      ...{ name: `smoothL1Loss, beta ${beta}`, ops: beta === 0 ? [e.absOp] : [f.clampMinOp, f.clampMaxOp] },
      ...{ domains: [HERE, THERE], shapes: PAIRS, edges: [FAR] },
      loss: ([x, y], reduction) => nn.smoothL1Loss(n(x), n(y), { reduction, beta }),
      oracle: elementwiseReference((a, b) => {
        const d = Math.abs(n(a) - n(b));
        return d < beta ? (d * d) / (2 * beta) : d - beta / 2;
      }),
    }),
  ),
];

const [INNER, UNIT] = [between(0.2, 0.8), between(0, 1)];
const entropy = (p: number, y: number) => -(y * Math.log(p) + (1 - y) * Math.log(1 - p));
const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const binary: Row[] = [
  ...loss({
    ...{ name: 'binaryCrossEntropy', ops: [binaryEntropyOp], domains: [INNER, UNIT], shapes: PAIRS },
    loss: ([p, y], reduction) => nn.binaryCrossEntropy(n(p), n(y), { reduction }),
    oracle: elementwiseReference((p, y) => {
      const held = (x: number) => Math.max(Math.log(x), -100);
      return -(n(y) * held(n(p)) + (1 - n(y)) * held(1 - n(p)));
    }),
    tolerance: about(3),
    edges: [
      {
        shapes: [[6], [6]],
        values: [
          [0, 0, 1, 1, 0, 1],
          [0, 1, 0, 1, 0.5, 0.5],
        ],
      },
    ],
  }),
  ...loss({
    ...{ name: 'binaryCrossEntropy, weight', ops: [binaryEntropyOp], domains: [INNER, UNIT, SPREAD] },
    shapes: [
      [[3, 5], [3, 5], [5]],
      [[7], [7], []],
    ],
    loss: ([p, y, weight], reduction) => nn.binaryCrossEntropy(n(p), n(y), { reduction, weight: n(weight) }),
    oracle: elementwiseReference((p, y, w) => n(w) * entropy(n(p), n(y))),
  }),
  ...loss({
    ...{ name: 'binaryCrossEntropyWithLogits', ops: [e.softplusOp], domains: [SPREAD, UNIT], shapes: PAIRS },
    loss: ([x, y], reduction) => nn.binaryCrossEntropyWithLogits(n(x), n(y), { reduction }),
    oracle: elementwiseReference((x, y) => entropy(logistic(n(x)), n(y))),
  }),
  ...loss({
    ...{ name: 'binaryCrossEntropyWithLogits, posWeight', ops: [e.softplusOp], domains: [SPREAD, UNIT, INNER] },
    shapes: [
      [[3, 5], [3, 5], [5]],
      [[7], [7], []],
    ],
    loss: ([x, y, posWeight], reduction) =>
      nn.binaryCrossEntropyWithLogits(n(x), n(y), { reduction, posWeight: n(posWeight) }),
    oracle: elementwiseReference((x, y, w) => {
      const p = logistic(n(x));
      return -(n(w) * n(y) * Math.log(p) + (1 - n(y)) * Math.log(1 - p));
    }),
  }),
  ...loss({
    ...{ name: 'binaryCrossEntropyWithLogits, weight and posWeight', ops: [e.softplusOp] },
    ...{ domains: [SPREAD, UNIT, SPREAD, INNER], shapes: [[[3, 5], [3, 5], [3, 1], [5]]] },
    loss: ([x, y, weight, posWeight], reduction) =>
      nn.binaryCrossEntropyWithLogits(n(x), n(y), { reduction, weight: n(weight), posWeight: n(posWeight) }),
    oracle: elementwiseReference((x, y, v, w) => {
      const p = logistic(n(x));
      return -n(v) * (n(w) * n(y) * Math.log(p) + (1 - n(y)) * Math.log(1 - p));
    }),
  }),
];

const divergence: Row[] = [
  ...loss({
    ...{
      name: 'klDiv',
      ops: [e.whereOp, e.logOp],
      domains: [between(-4, 0), probabilities],
      shapes: PAIRS.slice(1, 3),
    },
    loss: ([x, y], reduction) => nn.klDiv(n(x), n(y), { reduction }),
    oracle: elementwiseReference((x, y) => (y === 0 ? 0 : n(y) * (Math.log(n(y)) - n(x)))),
    edges: [
      {
        shapes: [[5], [5]],
        values: [
          [-INF, 0, -1, -INF, -200],
          [0, 0, 1, 0.5, 1e-40],
        ],
      },
    ],
  }),
  ...loss({
    ...{ name: 'klDiv, logTarget', ops: [e.whereOp, e.expOp], domains: [between(-4, 0), between(-4, 0)] },
    shapes: PAIRS,
    loss: ([x, y], reduction) => nn.klDiv(n(x), n(y), { reduction, logTarget: true }),
    oracle: elementwiseReference((x, y) => (y === -INF ? 0 : Math.exp(n(y)) * (n(y) - n(x)))),
    edges: [
      {
        shapes: [[4], [4]],
        values: [
          [-INF, 0, -1, -INF],
          [-INF, -INF, 0, -1],
        ],
      },
    ],
  }),
  {
    ...{
      name: 'klDiv, batchmean',
      ops: [sumOp],
      domains: [between(-4, 0), INNER],
      cases: [
        {
          shapes: [
            [3, 5],
            [3, 5],
          ],
        },
      ],
    },
    build: (x, y) => nn.klDiv(new Tensor(n(x)), new Tensor(n(y)), { reduction: 'batchmean' }).node,
    ...{ tolerance: NOISE, smooth: 2 },
    oracle: ([x, y]) => Float64Array.of(total(n(y).map((p, i) => p * (Math.log(p) - (n(x)[i] as number)))) / 3),
  },
];

// ---- classes

const K = 4;
/** The loss of each row, of labels or probabilities, and what it counts for in a mean. */
function classes(
  ofRow: (x: Float64Array, row: number) => { loss: number; share: number },
): Record<'oracle' | 'share', Oracle> {
  const rows = (x: Float64Array) =>
    Array.from({ length: x.length / K }, (_, r) => ofRow(x.subarray(r * K, r * K + K), r));
  return {
    oracle: ([x]) => Float64Array.from(rows(n(x)), (row) => row.loss),
    share: ([x]) => Float64Array.from(rows(n(x)), (row) => row.share),
  };
}
/** −log softmax(x). */
function surprise(x: Float64Array): number[] {
  const sum = total(x.map(Math.exp));
  return Array.from(x, (v) => Math.log(sum) - v);
}

const rowsOf = (shape: readonly number[]) => shape.slice(0, -1);
const LABELLED = [
  [[7, K], [7]],
  [
    [2, 3, K],
    [2, 3],
  ],
  [[K], []],
];
const WITH_WEIGHTS = LABELLED.map((shapes) => [...shapes, [K]]);
/** A single row that is ignored leaves a mean of nothing. */
const countable = (shapes: number[][][], ignoreIndex?: number) =>
  ignoreIndex === undefined ? shapes : shapes.slice(0, 2);
const LABELS = whole(0, K);
const WEIGHTS = between(0.3, 2);
const KNOWN = { losses: rowsOf, tolerance: about(9, 8) };

interface Options {
  weight?: boolean;
  ignoreIndex?: number;
  labelSmoothing?: number;
}

/** Cross-entropy of labels, as its definition has it. */
const ofLabels = ({ weight, ignoreIndex, labelSmoothing = 0 }: Options): Record<'oracle' | 'share', Oracle> => {
  const by =
    (part: 'oracle' | 'share'): Oracle =>
    (x, node) => {
      const w = weight ? n(x[2]) : new Float64Array(K).fill(1);
      return classes((row, r) => {
        const label = n(x[1])[r] as number;
        if (label === ignoreIndex) return { loss: 0, share: 0 };
        const costs = surprise(row).map((s, k) => s * (w[k] as number));
        const hard = costs[label] as number;
        const even = costs.reduce((a, b) => a + b, 0) / K;
        return { loss: (1 - labelSmoothing) * hard + labelSmoothing * even, share: w[label] as number };
      })[part](x, node);
    };
  return { oracle: by('oracle'), share: by('share') };
};
const crossEntropy = (name: string, options: Options, ops: Row['ops'] = [crossEntropyOp]) =>
  loss({
    ...{ name: `crossEntropy, ${name}`, ops, domains: [SPREAD, LABELS, WEIGHTS].slice(0, options.weight ? 3 : 2) },
    shapes: countable(options.weight ? WITH_WEIGHTS : LABELLED, options.ignoreIndex),
    loss: ([x, y, w], reduction) =>
      nn.crossEntropy(n(x), n(y), { ...options, reduction, weight: options.weight ? n(w) : null }),
    ...ofLabels(options),
    ...KNOWN,
  });
const soft = (name: string, options: Options) =>
  loss({
    ...{ name: `crossEntropy of probabilities, ${name}`, ops: [crossEntropyOp] },
    domains: [SPREAD, probabilities, WEIGHTS].slice(0, options.weight ? 3 : 2),
    shapes: [[[5, K], [5, K], ...(options.weight ? [[K]] : [])]],
    loss: ([x, y, w], reduction) =>
      nn.crossEntropy(n(x), n(y), { ...options, reduction, weight: options.weight ? n(w) : null }),
    oracle: (x, node) =>
      classes((row, r) => {
        const { labelSmoothing = 0 } = options;
        const p = Array.from(n(x[1]).subarray(r * K, r * K + K), (v) => v * (1 - labelSmoothing) + labelSmoothing / K);
        const cost = (s: number, k: number) => s * (p[k] as number) * (options.weight ? (n(x[2])[k] as number) : 1);
        return {
          loss: surprise(row)
            .map(cost)
            .reduce((a, b) => a + b, 0),
          share: 1,
        };
      }).oracle(x, node),
    ...KNOWN,
  });

function negativeLogLikelihood({ ignoreIndex }: { ignoreIndex?: number }): Row[] {
  const by =
    (part: 'oracle' | 'share'): Oracle =>
    (x, node) =>
      classes((row, r) => {
        const label = n(x[1])[r] as number;
        const share = label === ignoreIndex ? 0 : (n(x[2])[label] as number);
        return { loss: -share * (row[label] as number), share };
      })[part](x, node);
  return loss({
    ...{ name: `nllLoss, ignoreIndex ${ignoreIndex}`, ops: [takeAlongOp, gatherOp] },
    ...{ domains: [between(-4, 0), LABELS, WEIGHTS], shapes: countable(WITH_WEIGHTS, ignoreIndex) },
    loss: ([x, y, weight], reduction) =>
      nn.nllLoss(n(x), n(y), { reduction, weight: n(weight), ignoreIndex: ignoreIndex ?? null }),
    ...{ oracle: by('oracle'), share: by('share') },
    ...KNOWN,
  });
}

const ofClasses: Row[] = [
  ...crossEntropy('plain', {}),
  ...crossEntropy('weight', { weight: true }, [crossEntropyOp, gatherOp]),
  ...crossEntropy('ignoreIndex', { ignoreIndex: 1 }, [crossEntropyOp, e.whereOp]),
  ...crossEntropy('labelSmoothing', { labelSmoothing: 0.1 }),
  ...crossEntropy('all', { weight: true, ignoreIndex: 2, labelSmoothing: 0.3 }, [crossEntropyOp, e.whereOp]),
  ...soft('weight', { weight: true }),
  ...soft('labelSmoothing', { labelSmoothing: 0.2 }),
  ...soft('both', { weight: true, labelSmoothing: 0.2 }),
  ...negativeLogLikelihood({}),
  ...negativeLogLikelihood({ ignoreIndex: 3 }),
];

// ---- margins

const SIGNS: Domain = {
  dtype: 'int32',
  sample: (count, random) => Array.from({ length: count }, () => (random() < 0.5 ? -1 : 1)),
};
const D = 5;
const TRIPLES = [
  [
    [7, D],
    [7, D],
    [7, D],
  ],
  [[D], [D], [D]],
];
const rowLoss =
  (of: (rows: Float64Array[], r: number, x: readonly Float64Array[]) => number, vectors: number): Oracle =>
  (x, node) => {
    const rows = (node.inputs[0] as Node).shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const row = (k: number, r: number) => n(x[k]).subarray(r * D, r * D + D);
    return Float64Array.from({ length: rows }, (_, r) =>
      of(
        Array.from({ length: vectors }, (_, k) => row(k, r)),
        r,
        x,
      ),
    );
  };
const dot = (a: Float64Array, b: Float64Array) => a.reduce((s, v, i) => s + v * (b[i] as number), 0);
const distance = (a: Float64Array, b: Float64Array, p: number) => {
  const d = a.map((v, i) => Math.abs(v - (b[i] as number) + 1e-6));
  return p === INF ? d.reduce((x, y) => Math.max(x, y)) : total(d.map((v) => v ** p)) ** (1 / p);
};

const margins: Row[] = [
  ...loss({
    ...{ name: 'hingeLoss', ops: [f.clampMinOp], domains: [THERE, SIGNS], shapes: PAIRS },
    loss: ([x, y], reduction) => nn.hingeLoss(n(x), n(y), { reduction }),
    oracle: elementwiseReference((x, y) => Math.max(0, 1 - n(y) * n(x))),
  }),
  ...loss({
    ...{ name: 'hingeEmbeddingLoss', ops: [f.clampMinOp, e.whereOp], domains: [THERE, SIGNS], shapes: PAIRS },
    loss: ([x, y], reduction) => nn.hingeEmbeddingLoss(n(x), n(y), { reduction, margin: 0.5 }),
    oracle: elementwiseReference((x, y) => (y === 1 ? n(x) : Math.max(0, 0.5 - n(x)))),
    edges: [
      {
        shapes: [[4], [4]],
        values: [
          [INF, INF, -INF, -INF],
          [1, -1, 1, -1],
        ],
      },
    ],
  }),
  ...loss({
    ...{ name: 'marginRankingLoss', ops: [f.clampMinOp], domains: [HERE, THERE, SIGNS] },
    shapes: PAIRS.map(([shape]) => [n(shape), n(shape), n(shape)]),
    loss: ([a, b, y], reduction) => nn.marginRankingLoss(n(a), n(b), n(y), { reduction, margin: 0.5 }),
    oracle: elementwiseReference((a, b, y) => Math.max(0, 0.5 - n(y) * (n(a) - n(b)))),
  }),
  // The second derivative once left two tapes that waited for each other.
  ...loss({
    ...{
      name: 'cosineEmbeddingLoss',
      ops: [f.clampMinOp, e.whereOp],
      domains: [SPREAD, SPREAD, SIGNS],
      losses: rowsOf,
    },
    shapes: [
      [[7, D], [7, D], [7]],
      [[D], [D], []],
    ],
    loss: ([a, b, y], reduction) => nn.cosineEmbeddingLoss(n(a), n(b), n(y), { reduction, margin: 0.1 }),
    oracle: rowLoss(([a, b], r, x) => {
      const cos = dot(n(a), n(b)) / Math.sqrt(dot(n(a), n(a)) * dot(n(b), n(b)));
      return n(x[2])[r] === 1 ? 1 - cos : Math.max(0, cos - 0.1);
    }, 2),
    tolerance: NOISE,
  }),
  ...([[2], [1], [3], [INF], [2, true]] as [number, boolean?][]).flatMap(([p, swap = false]) =>
    loss({
      name: `tripletMarginLoss, p ${p}${swap ? ', swap' : ''}`,
      ...{ ops: [f.clampMinOp], domains: [SPREAD, SPREAD, SPREAD], shapes: TRIPLES, losses: rowsOf },
      loss: ([a, b, c], reduction) => nn.tripletMarginLoss(n(a), n(b), n(c), { reduction, p, swap, margin: 1.5 }),
      oracle: rowLoss(([a, b, c]) => {
        const apart = Math.min(distance(n(a), n(c), p), swap ? distance(n(b), n(c), p) : INF);
        return Math.max(0, distance(n(a), n(b), p) - apart + 1.5);
      }, 3),
      ...{ tolerance: NOISE, smooth: p === INF ? 1 : 2 },
    }),
  ),
];

function n<T>(x: T | undefined): T {
  return x as T;
}

export const lossRows: readonly Row[] = [...[...regression, ...binary, ...divergence, ...ofClasses, ...margins]];
