// Rows of the op table: products of vectors, einsum, and products of stacks where one is a single matrix.
import type { Node } from '../src/graph/node.ts';
import { einsum } from '../src/ops/einsum.ts';
import * as e from '../src/ops/elementwise.ts';
import * as mm from '../src/ops/matmul.ts';
import { sliceOp } from '../src/ops/move.ts';
import * as p from '../src/ops/products.ts';
import { sumOp } from '../src/ops/reduce.ts';
import { type Shape, sizeOf, stridesOf } from '../src/shape.ts';
import type { Case, Row } from './ops.row.ts';
import { ROUNDED, SPREAD, SUMS } from './ops.words.ts';

const PRODUCT = { ...SUMS(6), why: 'products added up in float32, relative to the sum of their magnitudes' };

/** Every choice of a place for each label: operands' labels, one letter an axis; an axis of 1 stretches. */
const sumOver =
  (terms: readonly string[], output: string): NonNullable<Row['oracle']> =>
  (x, node) => {
    const sizes = new Map<string, number>();
    const shapes = node.inputs.map((i) => i.shape);
    for (const [k, term] of terms.entries()) {
      for (const [i, label] of [...term].entries()) {
        sizes.set(label, Math.max(sizes.get(label) ?? 0, shapes[k]?.[i] as number));
      }
    }
    const labels = [...sizes.keys()];
    const space = [...sizes.values()];
    const at = (term: string, shape: Shape, place: readonly number[]) =>
      stridesOf(shape).reduce(
        (s, d, i) => s + (shape[i] === 1 ? 0 : d * (place[labels.indexOf(term[i] as string)] as number)),
        0,
      );
    const out = new Float64Array(node.nElems);
    for (let k = 0; k < sizeOf(space); k++) {
      const place = stridesOf(space).map((s, i) => Math.floor(k / s) % (space[i] as number));
      const term = terms.reduce(
        (v, t, j) => v * ((x[j] as Float64Array)[at(t, shapes[j] as Shape, place)] as number),
        1,
      );
      (out[at(output, node.shape, place)] as number) += term;
    }
    return out;
  };

/** An equation; what it means with a letter for every axis of an ellipsis; shapes. */
const sums = (equation: string, meaning: string, ops: Row['ops'], ...shapes: Shape[][]): Row => {
  const [left, right] = meaning.split('->') as [string, string];
  const terms = left.split(',');
  return {
    ...{ name: `einsum ${equation}`, ops, build: (...x) => einsum(equation, x), domains: terms.map(() => SPREAD) },
    cases: shapes.map((list): Case => ({ shapes: list })),
    ...{ tolerance: { ...PRODUCT, ulp: 12 }, smooth: 2, oracle: sumOver(terms, right) },
  };
};

const { matmulOp } = mm;
const einsums: Row[] = [
  sums(
    'ij,jk->ik',
    'ij,jk->ik',
    [matmulOp],
    [
      [3, 4],
      [4, 5],
    ],
    [
      [1, 9],
      [9, 1],
    ],
    [
      [7, 5],
      [5, 33],
    ],
    [
      [0, 3],
      [3, 2],
    ],
  ),
  sums(
    'ij,jk',
    'ij,jk->ik',
    [matmulOp],
    [
      [3, 4],
      [4, 5],
    ],
  ),
  sums(
    ' ba , cb -> ca ',
    'ba,cb->ca',
    [matmulOp],
    [
      [3, 4],
      [5, 3],
    ],
  ),
  sums(
    'ij,kj->ki',
    'ij,kj->ki',
    [matmulOp],
    [
      [3, 4],
      [5, 4],
    ],
  ),
  sums(
    'ji,jk->ik',
    'ji,jk->ik',
    [matmulOp],
    [
      [5, 3],
      [5, 4],
    ],
  ),
  sums(
    'bij,bjk->bik',
    'bij,bjk->bik',
    [matmulOp],
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    [
      [3, 1, 5],
      [3, 5, 7],
    ],
  ),
  sums(
    'bij,bkj->bik',
    'bij,bkj->bik',
    [matmulOp],
    [
      [2, 3, 5],
      [2, 4, 5],
    ],
  ),
  sums(
    'bhqd,bhkd->bhqk',
    'bhqd,bhkd->bhqk',
    [matmulOp],
    [
      [2, 3, 4, 5],
      [2, 3, 7, 5],
    ],
  ),
  sums(
    'bqhd,bkhd->bhqk',
    'bqhd,bkhd->bhqk',
    [matmulOp],
    [
      [2, 4, 3, 5],
      [2, 7, 3, 5],
    ],
  ),
  sums(
    'ijk,jkl->il',
    'ijk,jkl->il',
    [matmulOp],
    [
      [2, 3, 4],
      [3, 4, 5],
    ],
  ),
  sums(
    'ikj,jkl->li',
    'ikj,jkl->li',
    [matmulOp],
    [
      [2, 4, 3],
      [3, 4, 5],
    ],
  ),
  sums('i,i->', 'i,i->', [e.mulOp, sumOp], [[7], [7]], [[1], [1]], [[0], [0]]),
  sums('i,j->ij', 'i,j->ij', [e.mulOp], [[3], [5]]),
  sums('i,j->ji', 'i,j->ji', [e.mulOp], [[3], [5]]),
  sums('i,j', 'i,j->ij', [e.mulOp], [[3], [5]]),
  sums(
    'bi,bi->b',
    'bi,bi->b',
    [e.mulOp, sumOp],
    [
      [3, 5],
      [3, 5],
    ],
  ),
  sums(
    'ij,ji->',
    'ij,ji->',
    [e.mulOp, sumOp],
    [
      [3, 5],
      [5, 3],
    ],
  ),
  sums('ij,j->i', 'ij,j->i', [matmulOp], [[3, 5], [5]]),
  sums('ij,->ij', 'ij,->ij', [e.mulOp], [[3, 5], []]),
  sums('ii', 'ii->', [sliceOp, sumOp], [[4, 4]], [[1, 1]]),
  sums('ii->i', 'ii->i', [sliceOp], [[4, 4]]),
  sums(
    'iij,jk->ik',
    'iij,jk->ik',
    [sliceOp, matmulOp],
    [
      [3, 3, 4],
      [4, 2],
    ],
  ),
  sums('iii->i', 'iii->i', [sliceOp], [[3, 3, 3]]),
  sums('ij->ji', 'ij->ji', [], [[3, 5]]),
  sums('cab', 'cab->abc', [], [[2, 3, 4]]),
  sums('ij->', 'ij->', [sumOp], [[3, 5]]),
  sums(
    'ij,kl->',
    'ij,kl->',
    [sumOp],
    [
      [2, 3],
      [4, 5],
    ],
  ),
  sums(
    'ij,kj->i',
    'ij,kj->i',
    [sumOp],
    [
      [2, 3],
      [4, 3],
    ],
  ),
  sums(
    '...ij,...jk->...ik',
    'abij,abjk->abik',
    [matmulOp],
    [
      [2, 3, 4, 5],
      [2, 3, 5, 2],
    ],
  ),
  sums(
    '...ij,jk->...ik',
    'abij,jk->abik',
    [matmulOp],
    [
      [2, 3, 4, 5],
      [5, 2],
    ],
  ),
  sums(
    'b...,b...->...',
    'bxy,bxy->xy',
    [e.mulOp],
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
    [
      [2, 1, 4],
      [2, 3, 1],
    ],
  ),
  sums(
    '...i,...i',
    'abi,bi->ab',
    [matmulOp],
    [
      [2, 3, 4],
      [3, 4],
    ],
    [
      [2, 1, 4],
      [3, 4],
    ],
  ),
  sums('i...->...i', 'iab->abi', [], [[2, 3, 4]]),
  sums('...i->i', 'abi->i', [sumOp], [[2, 3, 4]]),
  sums(
    'ij,jk,kl->il',
    'ij,jk,kl->il',
    [matmulOp],
    [
      [2, 9],
      [9, 3],
      [3, 8],
    ],
    [
      [9, 2],
      [2, 8],
      [8, 3],
    ],
  ),
  sums('i,ij,j->', 'i,ij,j->', [matmulOp], [[3], [3, 5], [5]]),
  sums(
    'ij,ik,il->jkl',
    'ij,ik,il->jkl',
    [matmulOp],
    [
      [4, 2],
      [4, 3],
      [4, 5],
    ],
  ),
  sums('a,b,c,d->dcba', 'a,b,c,d->dcba', [e.mulOp], [[2], [3], [2], [2]]),
];

/** The batch matrices of two stacks, one after another. */
const stacks: NonNullable<Row['oracle']> = ([x, y], node) => {
  const [a, b] = node.inputs.map((i) => i.shape) as [Shape, Shape];
  const [m, k, n] = [a.at(-2) as number, a.at(-1) as number, b.at(-1) as number];
  const batch = node.shape.slice(0, -2);
  const strides = stridesOf(batch);
  const first = (shape: Shape, i: number) => {
    const own = shape.slice(0, -2);
    const pad = batch.length - own.length;
    const steps = stridesOf(own);
    const places = batch.map((d, axis) => Math.floor(i / (strides[axis] as number)) % d);
    return own.reduce((s, d, axis) => s + (d === 1 ? 0 : (steps[axis] as number) * (places[axis + pad] as number)), 0);
  };
  return Float64Array.from({ length: node.nElems }, (_, i) => {
    const [stack, row, col] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n];
    const [a0, b0] = [first(a, stack) * m * k, first(b, stack) * k * n];
    let total = 0;
    for (let q = 0; q < k; q++) {
      total += ((x as Float64Array)[a0 + row * k + q] as number) * ((y as Float64Array)[b0 + q * n + col] as number);
    }
    return total;
  });
};

export const productRows: Row[] = [
  {
    ...{ name: 'dot', ops: [matmulOp], build: (a, b) => p.dot(a as Node, b as Node), domains: [SPREAD, SPREAD] },
    cases: [1, 2, 3, 4, 5, 7, 8, 9, 17, 33, 1030].map((n): Case => ({ shapes: [[n], [n]] })),
    ...{ tolerance: PRODUCT, smooth: 2, oracle: sumOver(['i', 'i'], '') },
  },
  {
    ...{ name: 'outer', ops: [e.mulOp], build: (a, b) => p.outer(a as Node, b as Node), domains: [SPREAD, SPREAD] },
    cases: [
      [1, 1],
      [3, 5],
      [4, 8],
      [17, 33],
    ].map(([m, n]): Case => ({ shapes: [[m as number], [n as number]] })),
    ...{ tolerance: ROUNDED, smooth: 2, oracle: sumOver(['i', 'j'], 'ij') },
  },
  {
    ...{ name: 'matmul of a stack and a stack of one', ops: [matmulOp], domains: [SPREAD, SPREAD], tolerance: PRODUCT },
    build: (a, b) => mm.matmul(a as Node, b as Node),
    cases: [
      [
        [1, 3, 4],
        [5, 4, 2],
      ],
      [
        [5, 3, 4],
        [1, 4, 2],
      ],
      [
        [1, 1, 3, 4],
        [5, 4, 2],
      ],
      [
        [2, 5, 3, 4],
        [1, 4, 2],
      ],
      [
        [1, 3, 4],
        [1, 4, 2],
      ],
      [
        [1, 3, 4],
        [4, 2],
      ],
      [
        [3, 4],
        [1, 4, 2],
      ],
      [
        [2, 1, 3, 4],
        [5, 4, 2],
      ],
    ].map((shapes): Case => ({ shapes })),
    ...{ smooth: 2, oracle: stacks },
  },
  {
    ...{ name: 'bilinear', ops: [matmulOp], domains: [SPREAD, SPREAD, SPREAD, SPREAD], smooth: 2 },
    build: (a, b, w, bias) => p.bilinear(a as Node, b as Node, w as Node, bias as Node),
    cases: [
      { shapes: [[3, 4], [3, 5], [2, 4, 5], [2]] },
      { shapes: [[2, 3, 4], [2, 3, 1], [5, 4, 1], [5]] },
      { shapes: [[4], [5], [3, 4, 5], [3]] },
    ],
    tolerance: { ...PRODUCT, ulp: 12 },
    oracle: (x, node) => {
      const head = 'xy'.slice(0, (node.inputs[0] as Node).shape.length - 1);
      const form = sumOver([`${head}i`, `${head}j`, 'oij'], `${head}o`)(x, node);
      return form.map((v, k) => v + ((x[3] as Float64Array)[k % (x[3] as Float64Array).length] as number));
    },
  },
  ...einsums,
];
