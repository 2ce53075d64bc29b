// Products that packing would only slow down: few rows, few columns, small matrices.
import { fma } from '../../simd';
import { loadPart, storePart } from '../../tail';
import { blendFirst, tile } from './epilogue';
import { A_COLUMNS, A_ROWS, MR, NR } from './micro';
import { STEP_B, packB } from './pack';
import { Blend, PANELS, Problem, blendAt } from './problem';

/** Longest run of k for which the last columns of B are packed at once. */
const TAIL_K: i32 = 65536;

/** The tiles of GEMM on A and B where they lie; only the last N mod 8 columns of B are copied, to be 8 wide. */
export function unpacked(p: Problem, m0: i32, m1: i32, n0: i32, n1: i32): void {
  let k = 0;
  do {
    const kc = min(TAIL_K, p.k - k);
    const blend = blendAt(p, k);
    const a = p.transA ? p.a + <usize>k * p.lda : p.a + (<usize>k << 2);
    const b = p.b + <usize>k * p.ldb;
    let j = n0;
    for (; j + NR <= n1; j += NR) column(p, a, b + (<usize>j << 2), p.ldb, m0, m1, j, NR, kc, blend);
    if (j < n1) {
      const tail = p.scratch + PANELS;
      packB(tail, b + (<usize>j << 2), p.ldb, false, n1 - j, kc);
      column(p, a, tail, STEP_B, m0, m1, j, n1 - j, kc, blend);
    }
    k += kc;
  } while (k < p.k);
}

/** Rows [m0, m1) of the nr columns from j on. */
function column(
  p: Problem, a: usize, b: usize, stepB: usize, m0: i32, m1: i32, j: i32, nr: i32, kc: i32, blend: Blend,
): void {
  const layoutA = p.transA ? A_COLUMNS : A_ROWS;
  const stepRow: usize = p.transA ? 4 : p.lda;
  for (let i = m0; i < m1; i += MR) {
    const mr = min(MR, m1 - i);
    const c = p.c + <usize>i * p.ldc + (<usize>j << 2);
    tile(p, layoutA, mr, nr, kc, a + <usize>i * stepRow, p.lda, b, stepB, c, blend);
  }
}

/** C = A[M, 1]·B[1, N]: each row of C is B times a number, so what counts is how fast C is stored. */
export function outer(p: Problem, m0: i32, m1: i32, n0: i32, n1: i32): void {
  const stepA: usize = p.transA ? 4 : p.lda;
  const blend = blendAt(p, 0);
  const b = p.b + (<usize>n0 << 2);
  for (let i = m0; i < m1; i++) {
    const c = p.c + <usize>i * p.ldc + (<usize>n0 << 2);
    const s = f32x4.splat(load<f32>(p.a + <usize>i * stepA) * blend.alpha);
    if (blend.hasD) addScaledRow(c, c + blend.delta, f32x4.splat(blend.beta), s, b, n1 - n0);
    else scaledRow(c, s, b, n1 - n0);
  }
}

/** c[n] = s·b. */
function scaledRow(c: usize, s: v128, b: usize, n: i32): void {
  for (; n >= 16; n -= 16, b += 64, c += 64) {
    v128.store(c, f32x4.mul(s, v128.load(b)));
    v128.store(c, f32x4.mul(s, v128.load(b, 16)), 16);
    v128.store(c, f32x4.mul(s, v128.load(b, 32)), 32);
    v128.store(c, f32x4.mul(s, v128.load(b, 48)), 48);
  }
  for (; n > 0; n -= 4, b += 16, c += 16) storePart(c, f32x4.mul(s, loadPart(b, n)), n);
}

/** c[n] = β·d + s·b; d may be c. */
function addScaledRow(c: usize, d: usize, beta: v128, s: v128, b: usize, n: i32): void {
  for (; n >= 8; n -= 8, b += 32, c += 32, d += 32) {
    const c0 = fma(s, v128.load(b), f32x4.mul(beta, v128.load(d)));
    const c1 = fma(s, v128.load(b, 16), f32x4.mul(beta, v128.load(d, 16)));
    v128.store(c, c0);
    v128.store(c, c1, 16);
  }
  for (; n > 0; n -= 4, b += 16, c += 16, d += 16) {
    storePart(c, fma(s, loadPart(b, n), f32x4.mul(beta, loadPart(d, n))), n);
  }
}

/** C[1, n0 … n1) = A[1, K]·B[K, N]: B is streamed once, 32 columns at a time. */
export function rowTimesMatrix(p: Problem, n0: i32, n1: i32): void {
  const stepA: usize = p.transA ? p.lda : 4;
  const blend = blendAt(p, 0);
  let j = n0;
  for (; j + 32 <= n1; j += 32) row32(p, stepA, j, blend);
  for (; j < n1; j += 4) row4(p, stepA, j, n1 - j, blend);
}

function row32(p: Problem, stepA: usize, j: i32, blend: Blend): void {
  let a = p.a, b = p.b + (<usize>j << 2);
  const ldb = p.ldb;
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0);
  let c4 = f32x4.splat(0), c5 = f32x4.splat(0), c6 = f32x4.splat(0), c7 = f32x4.splat(0);
  for (let k = p.k; k > 0; --k) {
    const s = v128.load32_splat(a);
    c0 = fma(s, v128.load(b), c0);
    c1 = fma(s, v128.load(b, 16), c1);
    c2 = fma(s, v128.load(b, 32), c2);
    c3 = fma(s, v128.load(b, 48), c3);
    c4 = fma(s, v128.load(b, 64), c4);
    c5 = fma(s, v128.load(b, 80), c5);
    c6 = fma(s, v128.load(b, 96), c6);
    c7 = fma(s, v128.load(b, 112), c7);
    a += stepA;
    b += ldb;
  }
  const c = p.c + (<usize>j << 2);
  blendFirst(c, c0, 4, blend);
  blendFirst(c + 16, c1, 4, blend);
  blendFirst(c + 32, c2, 4, blend);
  blendFirst(c + 48, c3, 4, blend);
  blendFirst(c + 64, c4, 4, blend);
  blendFirst(c + 80, c5, 4, blend);
  blendFirst(c + 96, c6, 4, blend);
  blendFirst(c + 112, c7, 4, blend);
}

function row4(p: Problem, stepA: usize, j: i32, n: i32, blend: Blend): void {
  let a = p.a, b = p.b + (<usize>j << 2);
  let sum = f32x4.splat(0);
  if (n >= 4) {
    for (let k = p.k; k > 0; --k, a += stepA, b += p.ldb) sum = fma(v128.load32_splat(a), v128.load(b), sum);
  } else {
    for (let k = p.k; k > 0; --k, a += stepA, b += p.ldb) sum = fma(v128.load32_splat(a), loadPart(b, n), sum);
  }
  blendFirst(p.c + (<usize>j << 2), sum, n, blend);
}
