// The micro-kernels of GEMM: one tile of C, at most 6 × 8, in registers over a run of k.
//
//            B: kc rows of 8 (or 4) floats, `stepB` bytes apart
//          ┌────────┐
//    A     │   C    │   12 accumulators + 2 of B + 1 of A = 15 vectors; V8 keeps the sixteenth register for
//   6×kc   │  6×8   │   itself, so a larger tile would spill. Unrolling over k costs up to 25 %, so none.
//          └────────┘
//
// Every variant adds over k one by one with one accumulator an element, so an element's value does not depend on
// where tiles are cut.
import { fma } from '../../simd';

/** Rows and columns of the largest tile. */
export const MR = 6;
export const NR = 8;

/** How a tile T becomes C: C = alpha·T, or alpha·T + beta·D where D lies `delta` bytes after C. Lives in scratch. */
// @ts-ignore: decorator
@unmanaged
export class Blend {
  alpha: f32;
  beta: f32;
  hasD: i32;
  delta: usize;
}

/**
 * C[mr, 8 or 4] from A[mr, kc] and B[kc, 8 or 4]; c's rows are `ldc` bytes apart. A element (i, k) lies at
 * a + 4·i + stepA·k (k-major: a packed panel, or a transposed matrix as it is) or, with `rowMajor`, at
 * a + stepA·i + 4·k. Any alignment; C may be D, and overlaps neither A nor B. 2·mr·nr·kc FLOPs.
 */
export function micro(
  rowMajor: bool, mr: i32, wide: bool, kc: i32,
  a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  if (rowMajor) {
    if (wide) rowsWide(mr, kc, a, stepA, b, stepB, c, ldc, blend);
    else rowsNarrow(mr, kc, a, stepA, b, stepB, c, ldc, blend);
  } else {
    if (wide) panelWide(mr, kc, a, stepA, b, stepB, c, ldc, blend);
    else panelNarrow(mr, kc, a, stepA, b, stepB, c, ldc, blend);
  }
}

// @ts-ignore: decorator
@inline
function panelTile(
  mr: i32, wide: bool, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  let c00 = f32x4.splat(0), c10 = f32x4.splat(0), c20 = f32x4.splat(0), c30 = f32x4.splat(0), c40 = f32x4.splat(0), c50 = f32x4.splat(0);
  let c01 = f32x4.splat(0), c11 = f32x4.splat(0), c21 = f32x4.splat(0), c31 = f32x4.splat(0), c41 = f32x4.splat(0), c51 = f32x4.splat(0);
  for (; kc > 0; --kc) {
    const b0 = v128.load(b);
    const b1 = wide ? v128.load(b, 16) : b0;
    let s = v128.load32_splat(a);
    c00 = fma(s, b0, c00);
    if (wide) c01 = fma(s, b1, c01);
    if (mr > 1) {
      s = v128.load32_splat(a, 4);
      c10 = fma(s, b0, c10);
      if (wide) c11 = fma(s, b1, c11);
    }
    if (mr > 2) {
      s = v128.load32_splat(a, 8);
      c20 = fma(s, b0, c20);
      if (wide) c21 = fma(s, b1, c21);
    }
    if (mr > 3) {
      s = v128.load32_splat(a, 12);
      c30 = fma(s, b0, c30);
      if (wide) c31 = fma(s, b1, c31);
    }
    if (mr > 4) {
      s = v128.load32_splat(a, 16);
      c40 = fma(s, b0, c40);
      if (wide) c41 = fma(s, b1, c41);
    }
    if (mr > 5) {
      s = v128.load32_splat(a, 20);
      c50 = fma(s, b0, c50);
      if (wide) c51 = fma(s, b1, c51);
    }
    a += stepA;
    b += stepB;
  }
  const alpha = v128.load32_splat(changetype<usize>(blend));
  const beta = v128.load32_splat(changetype<usize>(blend), 4);
  const hasD = blend.hasD;
  const delta = blend.delta;
  storeRow(wide, c, c00, c01, alpha, beta, hasD, delta);
  if (mr > 1) storeRow(wide, (c += ldc), c10, c11, alpha, beta, hasD, delta);
  if (mr > 2) storeRow(wide, (c += ldc), c20, c21, alpha, beta, hasD, delta);
  if (mr > 3) storeRow(wide, (c += ldc), c30, c31, alpha, beta, hasD, delta);
  if (mr > 4) storeRow(wide, (c += ldc), c40, c41, alpha, beta, hasD, delta);
  if (mr > 5) storeRow(wide, (c += ldc), c50, c51, alpha, beta, hasD, delta);
}

// @ts-ignore: decorator
@inline
function rowsTile(
  mr: i32, wide: bool, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  let c00 = f32x4.splat(0), c10 = f32x4.splat(0), c20 = f32x4.splat(0), c30 = f32x4.splat(0), c40 = f32x4.splat(0), c50 = f32x4.splat(0);
  let c01 = f32x4.splat(0), c11 = f32x4.splat(0), c21 = f32x4.splat(0), c31 = f32x4.splat(0), c41 = f32x4.splat(0), c51 = f32x4.splat(0);
  let a1 = a + stepA, a2 = a1 + stepA, a3 = a2 + stepA, a4 = a3 + stepA, a5 = a4 + stepA;
  for (; kc > 0; --kc) {
    const b0 = v128.load(b);
    const b1 = wide ? v128.load(b, 16) : b0;
    let s = v128.load32_splat(a);
    c00 = fma(s, b0, c00);
    if (wide) c01 = fma(s, b1, c01);
    if (mr > 1) {
      s = v128.load32_splat(a1);
      c10 = fma(s, b0, c10);
      if (wide) c11 = fma(s, b1, c11);
    }
    if (mr > 2) {
      s = v128.load32_splat(a2);
      c20 = fma(s, b0, c20);
      if (wide) c21 = fma(s, b1, c21);
    }
    if (mr > 3) {
      s = v128.load32_splat(a3);
      c30 = fma(s, b0, c30);
      if (wide) c31 = fma(s, b1, c31);
    }
    if (mr > 4) {
      s = v128.load32_splat(a4);
      c40 = fma(s, b0, c40);
      if (wide) c41 = fma(s, b1, c41);
    }
    if (mr > 5) {
      s = v128.load32_splat(a5);
      c50 = fma(s, b0, c50);
      if (wide) c51 = fma(s, b1, c51);
    }
    a += 4;
    if (mr > 1) a1 += 4;
    if (mr > 2) a2 += 4;
    if (mr > 3) a3 += 4;
    if (mr > 4) a4 += 4;
    if (mr > 5) a5 += 4;
    b += stepB;
  }
  const alpha = v128.load32_splat(changetype<usize>(blend));
  const beta = v128.load32_splat(changetype<usize>(blend), 4);
  const hasD = blend.hasD;
  const delta = blend.delta;
  storeRow(wide, c, c00, c01, alpha, beta, hasD, delta);
  if (mr > 1) storeRow(wide, (c += ldc), c10, c11, alpha, beta, hasD, delta);
  if (mr > 2) storeRow(wide, (c += ldc), c20, c21, alpha, beta, hasD, delta);
  if (mr > 3) storeRow(wide, (c += ldc), c30, c31, alpha, beta, hasD, delta);
  if (mr > 4) storeRow(wide, (c += ldc), c40, c41, alpha, beta, hasD, delta);
  if (mr > 5) storeRow(wide, (c += ldc), c50, c51, alpha, beta, hasD, delta);
}

// @ts-ignore: decorator
@inline
function storeRow(
  wide: bool, c: usize, t0: v128, t1: v128, alpha: v128, beta: v128, hasD: i32, delta: usize,
): void {
  t0 = f32x4.mul(t0, alpha);
  if (wide) t1 = f32x4.mul(t1, alpha);
  if (hasD) {
    const d = c + delta;
    t0 = f32x4.add(t0, f32x4.mul(beta, v128.load(d)));
    if (wide) t1 = f32x4.add(t1, f32x4.mul(beta, v128.load(d, 16)));
  }
  v128.store(c, t0);
  if (wide) v128.store(c, t1, 16);
}

function panelWide(
  mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  switch (mr) {
    case 6: panelWide6(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 5: panelWide5(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 4: panelWide4(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 3: panelWide3(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 2: panelWide2(kc, a, stepA, b, stepB, c, ldc, blend); break;
    default: panelWide1(kc, a, stepA, b, stepB, c, ldc, blend);
  }
}

function panelWide1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(1, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelWide2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(2, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelWide3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(3, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelWide4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(4, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelWide5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(5, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelWide6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(6, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelNarrow(
  mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  switch (mr) {
    case 6: panelNarrow6(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 5: panelNarrow5(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 4: panelNarrow4(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 3: panelNarrow3(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 2: panelNarrow2(kc, a, stepA, b, stepB, c, ldc, blend); break;
    default: panelNarrow1(kc, a, stepA, b, stepB, c, ldc, blend);
  }
}

function panelNarrow1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(1, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelNarrow2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(2, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelNarrow3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(3, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelNarrow4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(4, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelNarrow5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(5, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function panelNarrow6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  panelTile(6, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsWide(
  mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  switch (mr) {
    case 6: rowsWide6(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 5: rowsWide5(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 4: rowsWide4(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 3: rowsWide3(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 2: rowsWide2(kc, a, stepA, b, stepB, c, ldc, blend); break;
    default: rowsWide1(kc, a, stepA, b, stepB, c, ldc, blend);
  }
}

function rowsWide1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(1, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsWide2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(2, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsWide3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(3, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsWide4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(4, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsWide5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(5, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsWide6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(6, true, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsNarrow(
  mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend,
): void {
  switch (mr) {
    case 6: rowsNarrow6(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 5: rowsNarrow5(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 4: rowsNarrow4(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 3: rowsNarrow3(kc, a, stepA, b, stepB, c, ldc, blend); break;
    case 2: rowsNarrow2(kc, a, stepA, b, stepB, c, ldc, blend); break;
    default: rowsNarrow1(kc, a, stepA, b, stepB, c, ldc, blend);
  }
}

function rowsNarrow1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(1, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsNarrow2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(2, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsNarrow3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(3, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsNarrow4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(4, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsNarrow5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(5, false, kc, a, stepA, b, stepB, c, ldc, blend);
}

function rowsNarrow6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize, blend: Blend): void {
  rowsTile(6, false, kc, a, stepA, b, stepB, c, ldc, blend);
}
