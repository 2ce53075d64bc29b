// Rows of the op table: movement that is an expression, and what picks, adds and sorts along an axis.
import type { Node } from '../src/graph/node.ts';
import { apply } from '../src/graph/node.ts';
import * as al from '../src/ops/along.ts';
import * as a from '../src/ops/arrange.ts';
import * as d from '../src/ops/diagonal.ts';
import * as e from '../src/ops/elementwise.ts';
import { gatherOp } from '../src/ops/gather.ts';
import { constant } from '../src/ops/leaf.ts';
import * as m from '../src/ops/move.ts';
import { sumOp } from '../src/ops/reduce.ts';
import * as so from '../src/ops/sort.ts';
import { broadcastShapes, type Shape, sizeOf, stridesOf } from '../src/shape.ts';
import { bools, type Case, distinct, type Row, rows, ties, whole } from './ops.row.ts';
import { EXACT, INF, INTS, NAN, SPREAD } from './ops.words.ts';

type Place = readonly number[];

/** Where each element of the result stands in the input, or the number it is, by its coordinates. */
type From = (at: Place, from: Shape, to: Shape) => Place | number;

/** The coordinates of element k. */
function placeIn(shape: Shape, k: number): number[] {
  return stridesOf(shape).map((s, i) => Math.floor(k / s) % (shape[i] as number));
}
const indexOf = (shape: Shape, at: Place) => stridesOf(shape).reduce((sum, s, i) => sum + s * (at[i] as number), 0);

/** A case that says where elements come from; each is a row, since each has an oracle of its own. */
interface Move {
  shape: Shape;
  build: (x: Node) => Node;
  from: From;
}

const moves = (name: string, ops: Row['ops'], list: readonly Move[], more: Partial<Row> = {}): Row[] =>
  list.map(({ shape, build, from }, i) => ({
    ...{
      name: `${name} ${i + 1}`,
      ops,
      build: (x) => build(x as Node),
      domains: [SPREAD],
      cases: [{ shapes: [shape] }],
    },
    ...{ tolerance: EXACT, smooth: 2 },
    oracle: ([x], node) =>
      Float64Array.from({ length: node.nElems }, (_, k) => {
        const source = from(placeIn(node.shape, k), shape, node.shape);
        return typeof source === 'number' ? source : ((x as Float64Array)[indexOf(shape, source)] as number);
      }),
    ...more,
  }));

const move = (shape: Shape, build: Move['build'], from: From): Move => ({ shape, build, from });
/** The element of the same number in row-major order. */
const inOrder: From = (at, from, to) => placeIn(from, indexOf(to, at));
const wrap = (i: number, n: number) => ((i % n) + n) % n;

const axes: Row[] = [
  ...moves(
    'squeeze',
    [m.reshapeOp],
    [
      move([1, 3, 1, 2], (x) => a.squeeze(x), inOrder),
      move(
        [1, 3, 1, 2],
        (x) => a.squeeze(x, 2),
        ([i, j, k]) => [i, j, 0, k] as Place,
      ),
      move([1, 3, 1, 2], (x) => a.squeeze(x, [0, 1, -2]), inOrder),
      move([1, 1], (x) => a.squeeze(x), inOrder),
    ],
  ),
  ...moves(
    'unsqueeze',
    [m.reshapeOp],
    [
      move(
        [3, 2],
        (x) => a.unsqueeze(x, 1),
        ([i, , k]) => [i, k] as Place,
      ),
      move(
        [3, 2],
        (x) => a.unsqueeze(x, -1),
        ([i, j]) => [i, j] as Place,
      ),
      move([], (x) => a.unsqueeze(x, 0), inOrder),
    ],
  ),
];

const parts: Row[] = [
  ...moves(
    'select',
    [m.sliceOp],
    [
      move(
        [4, 3],
        (x) => a.select(x, 0, 2),
        ([i]) => [2, i] as Place,
      ),
      move(
        [4, 3, 2],
        (x) => a.select(x, 1, -1),
        ([i, k]) => [i, 2, k] as Place,
      ),
      move(
        [5],
        (x) => a.select(x, -1, -5),
        () => [0],
      ),
    ],
  ),
  ...moves(
    'index',
    [m.sliceOp],
    [
      move(
        [4, 3, 5],
        (x) => a.index(x, [1]),
        ([i, j]) => [1, i, j] as Place,
      ),
      move(
        [4, 3, 5],
        (x) => a.index(x, [null, -1, { start: 4, step: -2 }]),
        ([i, j]) => [i, 2, 4 - 2 * (j as number)] as Place,
      ),
      move(
        [4, 3, 5],
        (x) => a.index(x, [{ start: 1 }, { step: 2 }]),
        ([i, j, k]) => [(i as number) + 1, 2 * (j as number), k] as Place,
      ),
    ],
  ),
  ...moves(
    'split',
    [m.sliceOp],
    [
      move(
        [7, 2],
        (x) => a.split(x, 3)[1] as Node,
        ([i, j]) => [(i as number) + 3, j] as Place,
      ),
      move(
        [7, 2],
        (x) => a.split(x, 3)[2] as Node,
        ([i, j]) => [(i as number) + 6, j] as Place,
      ),
      move(
        [2, 6],
        (x) => a.split(x, [1, 0, 5], 1)[2] as Node,
        ([i, j]) => [i, (j as number) + 1] as Place,
      ),
    ],
  ),
  ...moves(
    'chunk',
    [m.sliceOp],
    [
      move(
        [7, 2],
        (x) => a.chunk(x, 3)[2] as Node,
        ([i, j]) => [(i as number) + 6, j] as Place,
      ),
      move(
        [2, 5],
        (x) => a.chunk(x, 2, -1)[1] as Node,
        ([i, j]) => [i, (j as number) + 3] as Place,
      ),
    ],
  ),
];

const repeated: From = (at, from) => from.map((n, i) => (at[i + at.length - from.length] as number) % n);
const together: Row[] = [
  ...moves(
    'tile',
    [e.expandOp],
    [
      move([3], (x) => a.tile(x, [2]), repeated),
      move([2, 3], (x) => a.tile(x, [2]), repeated),
      move([2, 3], (x) => a.tile(x, [3, 1, 2]), repeated),
      move([5], (x) => a.tile(x, [7, 3]), repeated),
      move([], (x) => a.tile(x, [4]), repeated),
    ],
  ),
  ...moves(
    'repeat',
    [e.expandOp],
    [move([2, 3], (x) => a.repeat(x, [2, 3]), repeated), move([2], (x) => a.repeat(x, [2, 1, 3]), repeated)],
  ),
  {
    ...{ name: 'stack', ops: [m.concatOp], build: (...x) => a.stack(x), domains: [SPREAD, SPREAD, SPREAD] },
    ...{ tolerance: EXACT, smooth: 2 },
    cases: [[4], [2, 3], []].map((shape): Case => ({ shapes: [shape, shape, shape] })),
    oracle: (x) => Float64Array.from(x.flatMap((v) => [...v])),
  },
  {
    ...{ name: 'stack along the last axis', ops: [m.concatOp], domains: [SPREAD, SPREAD], tolerance: EXACT, smooth: 2 },
    build: (...x) => a.stack(x, -1),
    cases: [[5], [2, 3]].map((shape): Case => ({ shapes: [shape, shape] })),
    oracle: ([x, y]) =>
      Float64Array.from([...(x as Float64Array)].flatMap((v, i) => [v, (y as Float64Array)[i] as number])),
  },
];

const flipped =
  (...list: number[]): From =>
  (at, from) =>
    at.map((v, i) => (list.includes(i) ? (from[i] as number) - 1 - v : v));
const order: Row[] = [
  ...moves(
    'flip',
    [m.sliceOp],
    [
      move([7], (x) => a.flip(x), flipped(0)),
      move([2, 3, 4], (x) => a.flip(x, [0, -1]), flipped(0, 2)),
      move([2, 3, 4], (x) => a.flip(x, 1), flipped(1)),
    ],
  ),
  ...moves(
    'roll',
    [m.concatOp],
    [
      move(
        [7],
        (x) => a.roll(x, 2),
        ([i]) => [wrap((i as number) - 2, 7)],
      ),
      move(
        [2, 3],
        (x) => a.roll(x, -1),
        (at, from) => placeIn(from, wrap(indexOf(from, at) + 1, 6)),
      ),
      move(
        [4, 5],
        (x) => a.roll(x, [1, -7], [0, 1]),
        ([i, j]) => [wrap((i as number) - 1, 4), wrap((j as number) + 7, 5)],
      ),
      move(
        [4, 5],
        (x) => a.roll(x, 3, -1),
        ([i, j]) => [i as number, wrap((j as number) - 3, 5)],
      ),
    ],
  ),
];

const mirror = (i: number, n: number) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i);
const hold = (i: number, n: number) => Math.max(0, Math.min(n - 1, i));
const inside = (at: Place, from: Shape) => at.every((v, i) => v >= 0 && v < (from[i] as number));
const moved = (at: Place, before: readonly number[]) => at.map((v, i) => v - (before[i] ?? 0));
const pads: Row[] = [
  ...moves(
    'pad, constant',
    [m.embedOp],
    [
      move(
        [5],
        (x) => a.pad(x, [[1, 2]]),
        (at, from) => (inside(moved(at, [1]), from) ? moved(at, [1]) : 0),
      ),
      move(
        [2, 3],
        (x) =>
          a.pad(
            x,
            [
              [0, 1],
              [2, 0],
            ],
            { value: 2.5 },
          ),
        (at, from) => (inside(moved(at, [0, 2]), from) ? moved(at, [0, 2]) : 2.5),
      ),
      move(
        [4, 3],
        (x) => a.pad(x, [[-1, 2]], { value: 7 }),
        (at) => {
          const [i, j] = at as [number, number];
          return i < 3 ? [i + 1, j] : 7;
        },
      ),
      move(
        [6],
        (x) => a.pad(x, [[2, -3]]),
        ([i]) => ((i as number) < 2 ? 0 : [(i as number) - 2]),
      ),
    ],
    { smooth: 1 },
  ),
  ...moves(
    'pad, reflect',
    [m.concatOp],
    [
      move(
        [5],
        (x) => a.pad(x, [[4, 2]], { mode: 'reflect' }),
        ([i]) => [mirror((i as number) - 4, 5)],
      ),
      move(
        [3, 4],
        (x) =>
          a.pad(
            x,
            [
              [1, 0],
              [0, 3],
            ],
            { mode: 'reflect' },
          ),
        ([i, j]) => [mirror((i as number) - 1, 3), mirror(j as number, 4)],
      ),
      move(
        [2, 3, 4],
        (x) =>
          a.pad(
            x,
            [
              [0, 0],
              [2, 2],
              [1, 1],
            ],
            { mode: 'reflect' },
          ),
        ([i, j, k]) => [i as number, mirror((j as number) - 2, 3), mirror((k as number) - 1, 4)],
      ),
    ],
  ),
  ...moves(
    'pad, replicate',
    [m.concatOp],
    [
      move(
        [5],
        (x) => a.pad(x, [[7, 2]], { mode: 'replicate' }),
        ([i]) => [hold((i as number) - 7, 5)],
      ),
      move(
        [3, 4],
        (x) =>
          a.pad(
            x,
            [
              [1, 2],
              [3, 0],
            ],
            { mode: 'replicate' },
          ),
        ([i, j]) => [hold((i as number) - 1, 3), hold((j as number) - 3, 4)],
      ),
    ],
  ),
];

const below =
  (k: number): From =>
  (at) =>
    (at.at(-1) as number) - (at.at(-2) as number) <= k ? at : 0;
const above =
  (k: number): From =>
  (at) =>
    (at.at(-1) as number) - (at.at(-2) as number) >= k ? at : 0;
const line = (k: number, i: number) => [i - Math.min(k, 0), i + Math.max(k, 0)] as [number, number];
const triangles: Row[] = [
  ...moves(
    'tril',
    [e.whereOp],
    [
      move([4, 4], (x) => d.tril(x), below(0)),
      move([2, 3, 5], (x) => d.tril(x, 1), below(1)),
      move([5, 3], (x) => d.tril(x, -2), below(-2)),
    ],
  ),
  ...moves(
    'triu',
    [e.whereOp],
    [
      move([4, 4], (x) => d.triu(x), above(0)),
      move([2, 3, 5], (x) => d.triu(x, 2), above(2)),
      move([5, 3], (x) => d.triu(x, -1), above(-1)),
    ],
  ),
  ...moves('tril of int32', [e.whereOp], [move([4, 5], (x) => d.tril(x), below(0))], { domains: [INTS], smooth: 0 }),
  ...moves(
    'diagonal',
    [m.sliceOp],
    [
      move(
        [4, 4],
        (x) => d.diagonal(x),
        ([i]) => [i, i] as Place,
      ),
      move(
        [3, 5],
        (x) => d.diagonal(x, 1),
        ([i]) => line(1, i as number),
      ),
      move(
        [5, 3],
        (x) => d.diagonal(x, -2),
        ([i]) => line(-2, i as number),
      ),
      move(
        [3, 3],
        (x) => d.diagonal(x, 3),
        () => 0,
      ),
      move(
        [2, 3, 4, 3],
        (x) => d.diagonal(x, -1, 3, 1),
        ([p, q, i]) => {
          const [row, col] = line(-1, i as number);
          return [p, col, q, row] as Place;
        },
      ),
    ],
  ),
  ...moves(
    'diag of a vector',
    [m.embedOp],
    [
      move(
        [4],
        (x) => d.diag(x),
        ([i, j]) => (i === j ? [i as number] : 0),
      ),
      move(
        [3],
        (x) => d.diag(x, 2),
        ([i, j]) => ((j as number) - (i as number) === 2 ? [i as number] : 0),
      ),
      move(
        [3],
        (x) => d.diag(x, -1),
        ([i, j]) => ((i as number) - (j as number) === 1 ? [j as number] : 0),
      ),
    ],
  ),
  ...moves(
    'diag of a matrix',
    [m.sliceOp],
    [
      move(
        [3, 4],
        (x) => d.diag(x, 1),
        ([i]) => line(1, i as number),
      ),
    ],
  ),
  {
    ...{ name: 'trace', ops: [sumOp], build: (x) => d.trace(x as Node), domains: [SPREAD], smooth: 2 },
    cases: [{ shapes: [[4, 4]] }, { shapes: [[3, 5]] }, { shapes: [[1, 1]] }],
    tolerance: { ulp: 4, of: 12, why: 'up to four terms of at most 3 that may cancel' },
    oracle: ([x], { inputs: [node] }) => {
      const [rowCount, cols] = (node as Node).shape as [number, number];
      let sum = 0;
      for (let i = 0; i < Math.min(rowCount, cols); i++) sum += (x as Float64Array)[i * cols + i] as number;
      return Float64Array.of(sum);
    },
  },
];

// ---- indices

const INDEX = whole(0, 4);
/** Coordinates of element k of the index, the axis replaced by what stands there. */
const pointed = (index: Float64Array, shape: Shape, axis: number, k: number) =>
  placeIn(shape, k).map((v, i) => (i === axis ? (index[k] as number) : v));
const shapesOf = (node: Node) => node.inputs.map((i) => i.shape) as [Shape, Shape, Shape];

const along: Row[] = [0, 1].flatMap((axis): Row[] => [
  {
    ...{
      name: `gather along axis ${axis}`,
      ops: [al.takeAlongOp],
      domains: [SPREAD, INDEX],
      tolerance: EXACT,
      smooth: 2,
    },
    build: (x, i) => al.gather(x as Node, axis, i as Node),
    cases: (axis === 0
      ? [
          [[4], [3]],
          [
            [4, 5],
            [9, 5],
          ],
          [
            [4, 5],
            [2, 3],
          ],
          [
            [5, 2, 3],
            [4, 2, 2],
          ],
          [
            [4, 3],
            [0, 3],
          ],
        ]
      : [
          [
            [3, 4],
            [3, 7],
          ],
          [
            [3, 4],
            [2, 4],
          ],
          [
            [2, 4, 3],
            [2, 5, 3],
          ],
          [
            [2, 4, 17],
            [1, 3, 17],
          ],
          [
            [3, 5],
            [3, 0],
          ],
        ]
    ).map((shapes): Case => ({ shapes })),
    note: 'a kernel: each index is checked against the axis it points into',
    oracle: ([x, index], node) => {
      const [from, to] = shapesOf(node);
      return Float64Array.from(
        index as Float64Array,
        (_, k) => (x as Float64Array)[indexOf(from, pointed(index as Float64Array, to, axis, k))] as number,
      );
    },
  },
  {
    ...{ name: `scatterAdd along axis ${axis}`, ops: [al.addAlongOp], domains: [SPREAD, INDEX, SPREAD], smooth: 2 },
    build: (x, i, src) => al.scatterAdd(x as Node, axis, i as Node, src as Node),
    cases: (axis === 0
      ? [
          [[4], [9], [9]],
          [
            [4, 5],
            [9, 5],
            [9, 5],
          ],
          [
            [4, 5],
            [3, 2],
            [4, 5],
          ],
          [
            [5, 2, 3],
            [4, 2, 3],
            [4, 2, 3],
          ],
        ]
      : [
          [
            [3, 4],
            [3, 7],
            [3, 7],
          ],
          [
            [3, 4],
            [2, 4],
            [2, 9],
          ],
          [
            [2, 4, 17],
            [2, 5, 17],
            [2, 5, 17],
          ],
          [
            [3, 4],
            [3, 0],
            [3, 0],
          ],
        ]
    ).map((shapes): Case => ({ shapes })),
    tolerance: { ulp: 8, of: 12, why: 'a few terms of at most 3 that may cancel' },
    oracle: ([x, index, src], node) => {
      const [to, at, from] = shapesOf(node);
      const out = Float64Array.from(x as Float64Array);
      for (let k = 0; k < (index as Float64Array).length; k++) {
        (out[indexOf(to, pointed(index as Float64Array, at, axis, k))] as number) += (src as Float64Array)[
          indexOf(from, placeIn(at, k))
        ] as number;
      }
      return out;
    },
  },
]);

const picks: Row[] = [
  {
    ...{
      name: 'take',
      ops: [al.takeAlongOp],
      build: (x, i) => al.take(x as Node, i as Node),
      domains: [SPREAD, INDEX],
    },
    cases: [
      { shapes: [[4], [9]] },
      {
        shapes: [
          [2, 3],
          [2, 4],
        ],
      },
      { shapes: [[5], []] },
    ],
    ...{ tolerance: EXACT, smooth: 2 },
    oracle: ([x, index]) => Float64Array.from(index as Float64Array, (i) => (x as Float64Array)[i] as number),
  },
  {
    ...{ name: 'index by a tensor', ops: [gatherOp], domains: [SPREAD, INDEX], tolerance: EXACT, smooth: 2 },
    build: (x, i) => a.index(x as Node, [1, null, i as Node]),
    cases: [
      { shapes: [[2, 3, 4], [5]] },
      {
        shapes: [
          [3, 2, 5, 3],
          [2, 2],
        ],
      },
      { shapes: [[2, 3, 4], []] },
    ],
    oracle: ([x, index], node) => {
      const [from, at] = shapesOf(node);
      const n = sizeOf(at);
      return Float64Array.from({ length: node.nElems }, (_, k) => {
        const rest = sizeOf(from.slice(3));
        const [p, i, q] = [Math.floor(k / (n * rest)), Math.floor(k / rest) % n, k % rest];
        return (x as Float64Array)[
          indexOf(from, [1, p, (index as Float64Array)[i] as number, ...placeIn(from.slice(3), q)])
        ] as number;
      });
    },
  },
  {
    ...{ name: 'index by a tensor in front', ops: [gatherOp], domains: [SPREAD, INDEX], tolerance: EXACT, smooth: 2 },
    build: (x, i) => a.index(x as Node, [i as Node, { stop: 2 }]),
    cases: [
      {
        shapes: [
          [4, 3],
          [2, 3],
        ],
      },
    ],
    oracle: ([x, index]) =>
      Float64Array.from(
        { length: 12 },
        (_, k) => (x as Float64Array)[((index as Float64Array)[k >> 1] as number) * 3 + (k & 1)] as number,
      ),
  },
  {
    ...{ name: 'index by two tensors', ops: [gatherOp, al.takeAlongOp], domains: [SPREAD, INDEX, INDEX], smooth: 2 },
    build: (x, i, j) => a.index(x as Node, [null, i as Node, j as Node]),
    cases: [
      { shapes: [[2, 4, 5], [5], [5]] },
      { shapes: [[2, 4, 4, 2], [2, 1], [3]] },
      { shapes: [[1, 4, 6], [], [2]] },
      { shapes: [[2, 4, 4], [0], [0]] },
    ],
    tolerance: EXACT,
    oracle: ([x, i, j], node) => {
      const [from, ofI, ofJ] = shapesOf(node);
      const both = broadcastShapes('', ofI, ofJ);
      const rest = sizeOf(from.slice(3));
      const at = (index: Float64Array, shape: Shape, place: Place) =>
        index[
          indexOf(
            shape,
            place.slice(place.length - shape.length).map((p, d) => (shape[d] === 1 ? 0 : p)),
          )
        ] as number;
      return Float64Array.from({ length: node.nElems }, (_, k) => {
        const place = placeIn(both, Math.floor(k / rest) % sizeOf(both));
        const p = Math.floor(k / (rest * sizeOf(both)));
        return (x as Float64Array)[
          indexOf(from, [
            ...[p, at(i as Float64Array, ofI, place), at(j as Float64Array, ofJ, place)],
            ...placeIn(from.slice(3), k % rest),
          ])
        ] as number;
      });
    },
  },
  {
    ...{ name: 'oneHot', ops: [al.addAlongOp], build: (i) => al.oneHot(i as Node, 5), domains: [INDEX], smooth: 0 },
    cases: [[6], [2, 3], [], [0]].map((shape): Case => ({ shapes: [shape] })),
    ...{ tolerance: EXACT, note: 'no gradient: an index has none' },
    oracle: ([index], node) =>
      Float64Array.from({ length: node.nElems }, (_, k) =>
        Number((index as Float64Array)[Math.floor(k / 5)] === k % 5),
      ),
  },
  {
    ...{ name: 'maskedFill', ops: [e.whereOp], domains: [SPREAD, bools], tolerance: EXACT, smooth: 2 },
    build: (x, mask) => a.maskedFill(x as Node, mask as Node, constant(-INF)),
    cases: [
      { shapes: [[5], [5]] },
      { shapes: [[3, 4], [4]] },
      {
        shapes: [
          [2, 3, 4],
          [3, 1],
        ],
      },
    ].map((c) => ({
      ...c,
      // An infinity has no difference.
      build: (x, mask) => a.maskedFill(x as Node, mask as Node, constant(0.7)),
    })),
    edges: [
      {
        shapes: [[4], [4]],
        values: [
          [1, NAN, INF, 2],
          [0, 1, 1, 1],
        ],
      },
    ],
  },
];

// ---- sorting

/** Places in order: NaN above all, equal elements in the order they came. */
function sorted(x: readonly number[], descending: boolean): number[] {
  const above = (p: number, q: number) => (Number.isNaN(p) && !Number.isNaN(q)) || p > q;
  return x
    .map((_, i) => i)
    .sort((i, j) => {
      const [p, q] = [x[i] as number, x[j] as number];
      return (descending ? -1 : 1) * (Number(above(p, q)) - Number(above(q, p))) || i - j;
    });
}

/** For each line along an axis, what `f` makes of its elements. */
const byLines =
  (axis: number, f: (line: number[]) => number[]): NonNullable<Row['oracle']> =>
  ([x], node) => {
    const shape = (node.inputs[0] as Node).shape;
    const at = axis < 0 ? axis + shape.length : axis;
    const out = new Float64Array(node.nElems);
    const lines = shape.map((n, i) => (i === at ? 1 : n));
    for (let k = 0; k < sizeOf(lines); k++) {
      const place = placeIn(lines, k);
      const to = (i: number) => place.map((v, j) => (j === at ? i : v));
      const line = Array.from(
        { length: shape[at] as number },
        (_, i) => (x as Float64Array)[indexOf(shape, to(i))] as number,
      );
      f(line).forEach((v, i) => {
        out[indexOf(node.shape, to(i))] = v;
      });
    }
    return out;
  };

const SORT_EDGES = [
  rows([1, NAN, -INF, INF, 0, -0], [NAN, NAN, 1, 1, -1, NAN], [-0, 0, -0, 0, 1e-40, -1e-40], [2, 2, 2, 1, 1, 1]),
];
const LINES: Shape[] = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 17, 33].map((n) => [n]),
  [3, 5],
  [2, 3, 9],
  [40, 3],
  [0, 3],
  [2, 0],
];
const sorts: Row[] = [false, true].flatMap((descending): Row[] => {
  const way = descending ? ', descending' : '';
  const places = (line: number[]) => sorted(line, descending);
  const values = (line: number[]) => places(line).map((i) => line[i] as number);
  return [
    {
      ...{ name: `argsort${way}`, ops: [so.argsortOp], domains: [ties], tolerance: EXACT, smooth: 0 },
      build: (x) => so.argsort(x as Node, -1, descending),
      ...{ cases: LINES.map((shape): Case => ({ shapes: [shape] })), edges: SORT_EDGES, oracle: byLines(-1, places) },
      note: 'a kernel: no expression of n log n steps sorts; the gradient is 0',
    },
    {
      ...{ name: `argsort of int32${way}`, ops: [so.argsortOp], domains: [INTS], tolerance: EXACT, smooth: 0 },
      build: (x) => so.argsort(x as Node, 0, descending),
      cases: [[9], [5, 3], [17, 2, 2]].map((shape): Case => ({ shapes: [shape] })),
      edges: [{ shapes: [[6]], values: [[2 ** 31 - 1, -(2 ** 31), 0, -1, 1, 0]] }],
      oracle: byLines(0, places),
    },
    {
      ...{ name: `sort${way}`, ops: [so.argsortOp, al.takeAlongOp], domains: [distinct], tolerance: EXACT, smooth: 2 },
      build: (x) => so.sort(x as Node, -1, descending).values,
      ...{ cases: LINES.map((shape): Case => ({ shapes: [shape] })), edges: SORT_EDGES, oracle: byLines(-1, values) },
    },
    {
      ...{
        name: `sort along the first axis${way}`,
        ops: [so.argsortOp, al.takeAlongOp],
        domains: [distinct],
        smooth: 2,
      },
      build: (x) => so.sort(x as Node, 0, descending).values,
      cases: [[9], [5, 3], [17, 2, 2]].map((shape): Case => ({ shapes: [shape] })),
      ...{ tolerance: EXACT, oracle: byLines(0, values) },
    },
    {
      ...{
        name: `topk${descending ? '' : ', smallest'}`,
        ops: [so.argsortOp, al.takeAlongOp],
        domains: [distinct],
        smooth: 2,
      },
      build: (x) => so.topk(x as Node, 3, 1, descending).values,
      cases: [
        [2, 3],
        [4, 9],
        [2, 17, 3],
      ].map((shape): Case => ({ shapes: [shape] })),
      ...{ tolerance: EXACT, oracle: byLines(1, (line) => values(line).slice(0, 3)) },
    },
    {
      ...{ name: `topk, places${descending ? '' : ', smallest'}`, ops: [so.argsortOp], domains: [ties], smooth: 0 },
      build: (x) => so.topk(x as Node, 2, -1, descending).indices,
      cases: [[2], [4, 9], [3, 33]].map((shape): Case => ({ shapes: [shape] })),
      ...{ tolerance: EXACT, oracle: byLines(-1, (line) => places(line).slice(0, 2)) },
    },
  ];
});

/** The ops as they stand, of other dtypes. */
const others: Row[] = [
  {
    ...{ name: 'takeAlong of int32', ops: [al.takeAlongOp], domains: [INTS, INDEX], tolerance: EXACT, smooth: 0 },
    build: (x, i) => apply(al.takeAlongOp, [x as Node, i as Node], { axis: 1 }),
    cases: [
      {
        shapes: [
          [3, 4],
          [3, 9],
        ],
      },
    ],
  },
];

export const movementRows: Row[] = [
  ...[...axes, ...parts, ...together, ...order, ...pads, ...triangles],
  ...[...along, ...picks, ...sorts, ...others],
];
