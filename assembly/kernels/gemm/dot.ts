// A·Bᵀ with few rows: dot products along k.
import { fma, sum4 } from '../../simd';
import { loadPart, loadTail } from '../../tail';
import { blendFirst } from './epilogue';
import { Blend, Problem, blendAt } from './problem';

/** Up to this many rows, A·Bᵀ is dot products along k rather than tiles of a packed Bᵀ. */
export const DOT_ROWS: i32 = 16;

/**
 * C = A[M, K]·B[N, K]ᵀ as dot products: both operands are read along k, four k a vector, and nothing is packed.
 * Partial sums: four an element, k mod 4; the last K mod 4 products go through zero-filled vectors.
 */
export function dotRows(p: Problem, m0: i32, m1: i32, n0: i32, n1: i32): void {
  const blend = blendAt(p, 0);
  if (p.m == 1 && p.n == 1) return dot1x1(p, blend);
  // Four rows of B stay in L1 while the rows of A pass.
  if (m1 - m0 > 1) for (let j = n0; j < n1; j += 4) column4(p, m0, m1, j, n1 - j, blend);
  else row(p, m0, n0, n1, blend);
}

function column4(p: Problem, m0: i32, m1: i32, j: i32, n: i32, blend: Blend): void {
  let i = m0;
  for (; i + 2 <= m1; i += 2) dot2x4(p, i, j, n, blend);
  if (i < m1) dot1x4(p, i, j, n, blend);
}

function row(p: Problem, i: i32, n0: i32, n1: i32, blend: Blend): void {
  let j = n0;
  for (; j + 8 <= n1; j += 8) dot1x8(p, i, j, blend);
  for (; j < n1; j += 4) dot1x4(p, i, j, n1 - j, blend);
}

/** Row r of B from j on; rows past the last of n repeat it. */
// @ts-ignore: decorator
@inline
function rowOfB(p: Problem, j: i32, r: i32, n: i32): usize {
  return p.b + <usize>(j + (r < n ? r : n - 1)) * p.ldb;
}

function dot2x4(p: Problem, i: i32, j: i32, n: i32, blend: Blend): void {
  let a0 = p.a + <usize>i * p.lda, a1 = a0 + p.lda;
  let b0 = rowOfB(p, j, 0, n), b1 = rowOfB(p, j, 1, n), b2 = rowOfB(p, j, 2, n), b3 = rowOfB(p, j, 3, n);
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0), c12 = f32x4.splat(0), c13 = f32x4.splat(0);
  let k = p.k;
  for (; k >= 4; k -= 4) {
    const x = v128.load(a0), y = v128.load(a1);
    let b = v128.load(b0);
    c00 = fma(x, b, c00);
    c10 = fma(y, b, c10);
    b = v128.load(b1);
    c01 = fma(x, b, c01);
    c11 = fma(y, b, c11);
    b = v128.load(b2);
    c02 = fma(x, b, c02);
    c12 = fma(y, b, c12);
    b = v128.load(b3);
    c03 = fma(x, b, c03);
    c13 = fma(y, b, c13);
    a0 += 16; a1 += 16; b0 += 16; b1 += 16; b2 += 16; b3 += 16;
  }
  if (k > 0) {
    const x = loadTail(a0, k), y = loadTail(a1, k);
    let b = loadTail(b0, k);
    c00 = fma(x, b, c00);
    c10 = fma(y, b, c10);
    b = loadTail(b1, k);
    c01 = fma(x, b, c01);
    c11 = fma(y, b, c11);
    b = loadTail(b2, k);
    c02 = fma(x, b, c02);
    c12 = fma(y, b, c12);
    b = loadTail(b3, k);
    c03 = fma(x, b, c03);
    c13 = fma(y, b, c13);
  }
  const c = p.c + <usize>i * p.ldc + (<usize>j << 2);
  blendFirst(c, sum4(c00, c01, c02, c03), n, blend);
  blendFirst(c + p.ldc, sum4(c10, c11, c12, c13), n, blend);
}

/** One row needs eight accumulators to hide the latency of the multiply-add. */
function dot1x8(p: Problem, i: i32, j: i32, blend: Blend): void {
  let a = p.a + <usize>i * p.lda;
  let b0 = p.b + <usize>j * p.ldb;
  let b1 = b0 + p.ldb, b2 = b1 + p.ldb, b3 = b2 + p.ldb, b4 = b3 + p.ldb, b5 = b4 + p.ldb, b6 = b5 + p.ldb;
  let b7 = b6 + p.ldb;
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0);
  let c4 = f32x4.splat(0), c5 = f32x4.splat(0), c6 = f32x4.splat(0), c7 = f32x4.splat(0);
  let k = p.k;
  for (; k >= 4; k -= 4) {
    const x = v128.load(a);
    c0 = fma(x, v128.load(b0), c0);
    c1 = fma(x, v128.load(b1), c1);
    c2 = fma(x, v128.load(b2), c2);
    c3 = fma(x, v128.load(b3), c3);
    c4 = fma(x, v128.load(b4), c4);
    c5 = fma(x, v128.load(b5), c5);
    c6 = fma(x, v128.load(b6), c6);
    c7 = fma(x, v128.load(b7), c7);
    a += 16; b0 += 16; b1 += 16; b2 += 16; b3 += 16; b4 += 16; b5 += 16; b6 += 16; b7 += 16;
  }
  if (k > 0) {
    const x = loadTail(a, k);
    c0 = fma(x, loadTail(b0, k), c0);
    c1 = fma(x, loadTail(b1, k), c1);
    c2 = fma(x, loadTail(b2, k), c2);
    c3 = fma(x, loadTail(b3, k), c3);
    c4 = fma(x, loadTail(b4, k), c4);
    c5 = fma(x, loadTail(b5, k), c5);
    c6 = fma(x, loadTail(b6, k), c6);
    c7 = fma(x, loadTail(b7, k), c7);
  }
  const c = p.c + <usize>i * p.ldc + (<usize>j << 2);
  blendFirst(c, sum4(c0, c1, c2, c3), 4, blend);
  blendFirst(c + 16, sum4(c4, c5, c6, c7), 4, blend);
}

function dot1x4(p: Problem, i: i32, j: i32, n: i32, blend: Blend): void {
  let a = p.a + <usize>i * p.lda;
  let b0 = rowOfB(p, j, 0, n), b1 = rowOfB(p, j, 1, n), b2 = rowOfB(p, j, 2, n), b3 = rowOfB(p, j, 3, n);
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0);
  for (let k = p.k; k > 0; k -= 4) {
    const x = loadPart(a, k);
    c0 = fma(x, loadPart(b0, k), c0);
    c1 = fma(x, loadPart(b1, k), c1);
    c2 = fma(x, loadPart(b2, k), c2);
    c3 = fma(x, loadPart(b3, k), c3);
    a += 16; b0 += 16; b1 += 16; b2 += 16; b3 += 16;
  }
  blendFirst(p.c + <usize>i * p.ldc + (<usize>j << 2), sum4(c0, c1, c2, c3), n, blend);
}

/** One element: eight runs of k side by side, 32 k a step. */
function dot1x1(p: Problem, blend: Blend): void {
  let a = p.a, b = p.b, k = p.k;
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0);
  let c4 = f32x4.splat(0), c5 = f32x4.splat(0), c6 = f32x4.splat(0), c7 = f32x4.splat(0);
  for (; k >= 32; k -= 32, a += 128, b += 128) {
    c0 = fma(v128.load(a), v128.load(b), c0);
    c1 = fma(v128.load(a, 16), v128.load(b, 16), c1);
    c2 = fma(v128.load(a, 32), v128.load(b, 32), c2);
    c3 = fma(v128.load(a, 48), v128.load(b, 48), c3);
    c4 = fma(v128.load(a, 64), v128.load(b, 64), c4);
    c5 = fma(v128.load(a, 80), v128.load(b, 80), c5);
    c6 = fma(v128.load(a, 96), v128.load(b, 96), c6);
    c7 = fma(v128.load(a, 112), v128.load(b, 112), c7);
  }
  for (; k > 0; k -= 4, a += 16, b += 16) c0 = fma(loadPart(a, k), loadPart(b, k), c0);
  const even = sum4(c0, c2, c4, c6), odd = sum4(c1, c3, c5, c7), zero = f32x4.splat(0);
  blendFirst(p.c, sum4(f32x4.add(even, odd), zero, zero, zero), 1, blend);
}
