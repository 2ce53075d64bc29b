// Packs operands of GEMM into the panels its micro-kernels read in order: the transposes cost nothing else.
//
//   A panel p: rows 6p … 6p+5                           B panel p: columns 8p … 8p+7
//   [k][6], 24 bytes a k; splatted [k][6][4], 96 bytes  [k][8], 32 bytes a k
//
// Strides are in bytes. Panels past the edge repeat the last row or column, or hold zeros; no tile stores those.
import { joinHigh, joinLow, zipHigh, zipLow } from '../../simd';
import { MR, NR } from './micro';

/** Bytes a k: always six floats, also where tiles have five rows. */
export const STEP_A: usize = 24;
export const STEP_SPLATTED: usize = 96;
export const STEP_B: usize = NR << 2;

/** Packs A[m, kc]: row-major with rows `lda` apart, or where `trans` k-major: stored [kc, m], k `lda` apart. */
export function packA(dst: usize, a: usize, lda: usize, trans: bool, m: i32, kc: i32): void {
  for (let i = 0; i < m; i += MR) {
    const rows = m - i < MR ? m - i : MR;
    if (trans) copyColumns6(dst, a + (<usize>i << 2), lda, rows, kc);
    else transposeRows6(dst, a + <usize>i * lda, lda, rows, kc);
    dst += <usize>kc * STEP_A;
  }
}

/** Packs A[m, kc] as `packA` does, but each element four times. */
export function packSplatted(dst: usize, a: usize, lda: usize, trans: bool, m: i32, kc: i32): void {
  const stepRow: usize = trans ? 4 : lda, stepK: usize = trans ? lda : 4;
  for (let i = 0; i < m; i += MR) {
    for (let r = 0; r < MR; r++) {
      splatRow(dst + (<usize>r << 4), a + <usize>min(i + r, m - 1) * stepRow, stepK, kc);
    }
    dst += <usize>kc * STEP_SPLATTED;
  }
}

function splatRow(dst: usize, a: usize, stepK: usize, kc: i32): void {
  for (; kc > 0; --kc) {
    v128.store(dst, v128.load32_splat(a));
    a += stepK;
    dst += STEP_SPLATTED;
  }
}

/** Packs B[kc, n]: row-major with rows `ldb` apart, or where `trans` column-major (B is stored [n, kc]). */
export function packB(dst: usize, b: usize, ldb: usize, trans: bool, n: i32, kc: i32): void {
  for (let j = 0; j < n; j += NR) {
    const columns = n - j < NR ? n - j : NR;
    if (trans) transposeRows8(dst, b + <usize>j * ldb, ldb, columns, kc);
    else copyColumns8(dst, b + (<usize>j << 2), ldb, columns, kc);
    dst += <usize>kc * STEP_B;
  }
}

function copyColumns6(dst: usize, a: usize, lda: usize, rows: i32, kc: i32): void {
  if (rows < 5) return copyColumns(dst, a, lda, rows, 6, kc);
  if (rows == 5) return copyColumns5(dst, a, lda, kc);
  for (; kc > 0; --kc) {
    v128.store(dst, v128.load(a));
    store<u64>(dst, load<u64>(a, 16), 16);
    a += lda;
    dst += STEP_A;
  }
}

function copyColumns5(dst: usize, a: usize, lda: usize, kc: i32): void {
  for (; kc > 0; --kc) {
    v128.store(dst, v128.load(a));
    store<u32>(dst, load<u32>(a, 16), 16);
    a += lda;
    dst += STEP_A;
  }
}

function copyColumns8(dst: usize, b: usize, ldb: usize, columns: i32, kc: i32): void {
  if (columns < NR) return copyColumns(dst, b, ldb, columns, NR, kc);
  for (; kc > 0; --kc) {
    v128.store(dst, v128.load(b));
    v128.store(dst, v128.load(b, 16), 16);
    b += ldb;
    dst += STEP_B;
  }
}

/** The first `columns` of `width` floats of each of kc rows, the rest zero. */
function copyColumns(dst: usize, src: usize, stride: usize, columns: i32, width: i32, kc: i32): void {
  for (; kc > 0; --kc) {
    for (let j = 0; j < width; j++) {
      store<f32>(dst + (<usize>j << 2), j < columns ? load<f32>(src + (<usize>j << 2)) : 0);
    }
    src += stride;
    dst += <usize>width << 2;
  }
}

function transposeRows6(dst: usize, a: usize, lda: usize, rows: i32, kc: i32): void {
  const last = rows - 1;
  let a0 = a;
  let a1 = a + lda * <usize>min<i32>(last, 1);
  let a2 = a + lda * <usize>min<i32>(last, 2);
  let a3 = a + lda * <usize>min<i32>(last, 3);
  let a4 = a + lda * <usize>min<i32>(last, 4);
  let a5 = a + lda * <usize>last;
  for (; kc >= 4; kc -= 4) {
    const r0 = v128.load(a0), r1 = v128.load(a1), r2 = v128.load(a2), r3 = v128.load(a3);
    const l01 = zipLow(r0, r1), h01 = zipHigh(r0, r1), l23 = zipLow(r2, r3), h23 = zipHigh(r2, r3);
    const r4 = v128.load(a4), r5 = v128.load(a5);
    const l45 = zipLow(r4, r5), h45 = zipHigh(r4, r5);
    v128.store(dst, joinLow(l01, l23));
    v128.store64_lane(dst, l45, 0, 16);
    v128.store(dst, joinHigh(l01, l23), 24);
    v128.store64_lane(dst, l45, 1, 40);
    v128.store(dst, joinLow(h01, h23), 48);
    v128.store64_lane(dst, h45, 0, 64);
    v128.store(dst, joinHigh(h01, h23), 72);
    v128.store64_lane(dst, h45, 1, 88);
    a0 += 16; a1 += 16; a2 += 16; a3 += 16; a4 += 16; a5 += 16;
    dst += 4 * STEP_A;
  }
  for (; kc > 0; --kc) {
    store<u32>(dst, load<u32>(a0));
    store<u32>(dst, load<u32>(a1), 4);
    store<u32>(dst, load<u32>(a2), 8);
    store<u32>(dst, load<u32>(a3), 12);
    store<u32>(dst, load<u32>(a4), 16);
    store<u32>(dst, load<u32>(a5), 20);
    a0 += 4; a1 += 4; a2 += 4; a3 += 4; a4 += 4; a5 += 4;
    dst += STEP_A;
  }
}

/** Eight rows as two halves of four: sixteen live vectors at once would spill. */
function transposeRows8(dst: usize, b: usize, ldb: usize, columns: i32, kc: i32): void {
  const last = columns - 1;
  transposeRows4(dst, b, ldb, last, kc);
  const second: i32 = min<i32>(last, 4);
  transposeRows4(dst + 16, b + ldb * <usize>second, ldb, last - second, kc);
}

/** Four rows (those past `last` repeat it) into the first 16 of every 32 bytes. */
function transposeRows4(dst: usize, b: usize, ldb: usize, last: i32, kc: i32): void {
  let b0 = b;
  let b1 = b + ldb * <usize>min<i32>(last, 1);
  let b2 = b + ldb * <usize>min<i32>(last, 2);
  let b3 = b + ldb * <usize>min<i32>(last, 3);
  for (; kc >= 4; kc -= 4) {
    const r0 = v128.load(b0), r1 = v128.load(b1), r2 = v128.load(b2), r3 = v128.load(b3);
    const l01 = zipLow(r0, r1), h01 = zipHigh(r0, r1), l23 = zipLow(r2, r3), h23 = zipHigh(r2, r3);
    v128.store(dst, joinLow(l01, l23));
    v128.store(dst, joinHigh(l01, l23), 32);
    v128.store(dst, joinLow(h01, h23), 64);
    v128.store(dst, joinHigh(h01, h23), 96);
    b0 += 16; b1 += 16; b2 += 16; b3 += 16;
    dst += 4 * STEP_B;
  }
  for (; kc > 0; --kc) {
    store<u32>(dst, load<u32>(b0));
    store<u32>(dst, load<u32>(b1), 4);
    store<u32>(dst, load<u32>(b2), 8);
    store<u32>(dst, load<u32>(b3), 12);
    b0 += 4; b1 += 4; b2 += 4; b3 += 4;
    dst += STEP_B;
  }
}
