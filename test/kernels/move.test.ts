import { describe, expect, test } from 'vitest';
import { OP_COPY } from '../../assembly/abi.ts';
import { BOTH, expectSame, generator, THREADS, uniform } from './data.ts';
import { Harness } from './harness.ts';

/** size, dstStride, srcStride. */
type Dim = [number, number, number];

interface Copy {
  dims: Dim[];
  dst: { length: number; offset?: number };
  src: { length: number; offset?: number };
}

/** The definition; what is not written stays NaN. */
function reference({ dims, dst, src }: Copy, x: ArrayLike<number>): Float32Array {
  const out = new Float32Array(dst.length).fill(Number.NaN);
  const walk = (k: number, to: number, from: number) => {
    const dim = dims[k];
    if (!dim) out[to] = x[from] as number;
    else for (let i = 0; i < dim[0]; i++) walk(k + 1, to + i * dim[1], from + i * dim[2]);
  };
  walk(0, dst.offset ?? 0, src.offset ?? 0);
  return out;
}

/** A contiguous destination for sizes and source strides. */
function packed(sizes: number[], strides: number[], length: number, offset = 0): Copy {
  let step = 1;
  const dims = sizes.map((size, k): Dim => [size, 0, strides[k] as number]);
  for (const dim of [...dims].reverse()) {
    dim[1] = step;
    step *= dim[0];
  }
  return { dims, dst: { length: step }, src: { length, offset } };
}

const rowMajor = (sizes: number[]) => sizes.map((_, k) => sizes.slice(k + 1).reduce((a, b) => a * b, 1));

/** A transpose of a contiguous source: axis k of the destination is axis order[k] of the source. */
function permuted(sizes: number[], order: number[]): Copy {
  const strides = rowMajor(sizes);
  const pick = (list: number[]) => order.map((k) => list[k] as number);
  return packed(
    pick(sizes),
    pick(strides),
    sizes.reduce((a, b) => a * b, 1),
  );
}

function permutations(list: number[]): number[][] {
  if (list.length < 2) return [list];
  return list.flatMap((k) => permutations(list.filter((j) => j !== k)).map((rest) => [k, ...rest]));
}

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };

function check(simd: 'baseline' | 'relaxed', copy: Copy, misalign = 0) {
  const h = harnesses[simd];
  const x = uniform(copy.src.length, copy.dst.length + 1);
  const expected = reference(copy, x);
  for (const threads of THREADS) {
    h.reset();
    const [out, src] = [h.room(copy.dst.length, 'f32', misalign), h.put(x, 'f32', misalign)];
    const words = [OP_COPY, out, src, copy.dims.length, copy.dst.offset ?? 0, copy.src.offset ?? 0];
    expect(h.run([[...words, ...copy.dims.flat()]], threads)).toBe(0);
    expectSame(h.get(out), expected, `${JSON.stringify(copy)}, ${threads} threads:`);
  }
}

describe.each(BOTH)('copy, %s', (simd) => {
  test('runs and fills of every length, rank 0 included', () => {
    check(simd, packed([], [], 1));
    for (let n = 0; n < 70; n++) {
      check(simd, packed([n], [1], n + 3, 3), 4 * (n % 4));
      check(simd, packed([n], [0], 1));
      check(simd, packed([3, n], [2, 0], 5));
      check(simd, packed([3, n], [n + 1, 1], 3 * n + 3, 1));
    }
    check(simd, packed([1000], [1], 1000));
    check(simd, packed([5, 200], [200, 1], 1000));
  });

  test('transposes of every small size', () => {
    for (let rows = 1; rows <= 18; rows++)
      for (let cols = 1; cols <= 18; cols++) check(simd, permuted([rows, cols], [1, 0]), 4 * (cols % 4));
    check(simd, permuted([67, 130], [1, 0]));
  });

  test('every order of the axes up to rank 5', () => {
    for (const sizes of [
      [3, 5, 4],
      [4, 9, 8],
      [2, 3, 4, 5],
      [4, 1, 8, 5],
      [2, 3, 2, 4, 3],
    ]) {
      for (const order of permutations(sizes.map((_, k) => k))) check(simd, permuted(sizes, order));
    }
  });

  test('rank 8', () => {
    const sizes = [2, 3, 1, 2, 2, 3, 2, 4];
    for (const order of [
      [7, 6, 5, 4, 3, 2, 1, 0],
      [0, 2, 1, 3, 5, 4, 7, 6],
      [1, 0, 2, 3, 4, 5, 6, 7],
    ])
      check(simd, permuted(sizes, order));
  });

  test('negative, zero and long strides of the source', () => {
    for (let n = 1; n <= 18; n++) {
      check(simd, packed([n], [-1], n, n - 1));
      check(simd, packed([n, 3], [-3, 1], 3 * n, 3 * (n - 1)));
      check(simd, packed([n, 5], [-5, -1], 5 * n, 5 * n - 1));
      check(simd, packed([4, n], [0, 1], n));
      check(simd, packed([n, 4, 3], [3, 0, 1], 3 * n));
      check(simd, packed([n, 5], [1, -n], 5 * n, 4 * n));
      check(simd, packed([3, n], [40, 2], 120));
    }
  });

  test('a destination with gaps: a concatenation, a stride, an offset', () => {
    for (let n = 1; n <= 18; n++) {
      check(simd, {
        dims: [
          [3, n + 4, n],
          [n, 1, 1],
        ],
        dst: { length: 3 * (n + 4), offset: 4 },
        src: { length: 3 * n },
      });
      check(simd, { dims: [[n, 2, 1]], dst: { length: 2 * n }, src: { length: n } });
      check(simd, {
        dims: [
          [n, 3, 1],
          [2, 1, 0],
        ],
        dst: { length: 3 * n },
        src: { length: n },
      });
      check(simd, {
        dims: [
          [n, 12, 1],
          [5, 1, n],
        ],
        dst: { length: 12 * n, offset: 2 },
        src: { length: 5 * n },
      });
    }
  });

  test('empty in any dimension', () => {
    for (const sizes of [[0], [0, 3], [3, 0], [2, 0, 3], [0, 1, 0]]) {
      check(simd, { ...packed(sizes, rowMajor(sizes), 1), dst: { length: 4 } });
    }
  });

  test('300 random copies', () => {
    const next = generator(11);
    const upTo = (n: number) => Math.floor(next() * n);
    for (let i = 0; i < 300; i++) {
      const sizes = Array.from({ length: upTo(5) }, () => 1 + upTo(7));
      const strides = sizes.map(() => upTo(9) - 3);
      const least = sizes.reduce((sum, n, k) => sum + Math.min(0, (n - 1) * (strides[k] as number)), 0);
      const most = sizes.reduce((sum, n, k) => sum + Math.max(0, (n - 1) * (strides[k] as number)), 0);
      check(simd, packed(sizes, strides, most - least + 1, -least));
    }
  });
});
