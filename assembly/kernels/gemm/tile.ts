// The bodies of GEMM's micro-kernels; mr and wide are constants where they are inlined, so a copy keeps its own rows.
//
// They store their sums as they are and no more: where anything else follows the loop, the V8 of Node 20 and 22 runs
// out of registers there and spills inside the loop as well (30 GFLOP/s instead of 60).
import { fma } from '../../simd';

/** A k-major: element (i, k) at a + size·i + stepA·k, size being 4, or 16 where `splatted`: four copies. */
// @ts-ignore: decorator
@inline
export function panelTile(
  mr: i32, wide: bool, splatted: bool, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize,
): void {
  let c00 = f32x4.splat(0), c10 = f32x4.splat(0), c20 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c40 = f32x4.splat(0), c50 = f32x4.splat(0);
  let c01 = f32x4.splat(0), c11 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c31 = f32x4.splat(0), c41 = f32x4.splat(0), c51 = f32x4.splat(0);
  for (; kc > 0; --kc) {
    const b0 = v128.load(b);
    const b1 = wide ? v128.load(b, 16) : b0;
    let s = splatted ? v128.load(a) : v128.load32_splat(a);
    c00 = fma(s, b0, c00);
    if (wide) c01 = fma(s, b1, c01);
    if (mr > 1) {
      s = splatted ? v128.load(a, 16) : v128.load32_splat(a, 4);
      c10 = fma(s, b0, c10);
      if (wide) c11 = fma(s, b1, c11);
    }
    if (mr > 2) {
      s = splatted ? v128.load(a, 32) : v128.load32_splat(a, 8);
      c20 = fma(s, b0, c20);
      if (wide) c21 = fma(s, b1, c21);
    }
    if (mr > 3) {
      s = splatted ? v128.load(a, 48) : v128.load32_splat(a, 12);
      c30 = fma(s, b0, c30);
      if (wide) c31 = fma(s, b1, c31);
    }
    if (mr > 4) {
      s = splatted ? v128.load(a, 64) : v128.load32_splat(a, 16);
      c40 = fma(s, b0, c40);
      if (wide) c41 = fma(s, b1, c41);
    }
    if (mr > 5) {
      s = splatted ? v128.load(a, 80) : v128.load32_splat(a, 20);
      c50 = fma(s, b0, c50);
      if (wide) c51 = fma(s, b1, c51);
    }
    a += stepA;
    b += stepB;
  }
  storeRow(wide, c, c00, c01);
  if (mr > 1) storeRow(wide, c + ldc, c10, c11);
  if (mr > 2) storeRow(wide, c + 2 * ldc, c20, c21);
  if (mr > 3) storeRow(wide, c + 3 * ldc, c30, c31);
  if (mr > 4) storeRow(wide, c + 4 * ldc, c40, c41);
  if (mr > 5) storeRow(wide, c + 5 * ldc, c50, c51);
}

/** A row-major: element (i, k) at a + stepA·i + 4·k, read through a pointer a row. */
// @ts-ignore: decorator
@inline
export function rowsTile(
  mr: i32, wide: bool, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize,
): void {
  let c00 = f32x4.splat(0), c10 = f32x4.splat(0), c20 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c40 = f32x4.splat(0), c50 = f32x4.splat(0);
  let c01 = f32x4.splat(0), c11 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c31 = f32x4.splat(0), c41 = f32x4.splat(0), c51 = f32x4.splat(0);
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
  storeRow(wide, c, c00, c01);
  if (mr > 1) storeRow(wide, c + ldc, c10, c11);
  if (mr > 2) storeRow(wide, c + 2 * ldc, c20, c21);
  if (mr > 3) storeRow(wide, c + 3 * ldc, c30, c31);
  if (mr > 4) storeRow(wide, c + 4 * ldc, c40, c41);
  if (mr > 5) storeRow(wide, c + 5 * ldc, c50, c51);
}

// @ts-ignore: decorator
@inline
function storeRow(wide: bool, c: usize, t0: v128, t1: v128): void {
  v128.store(c, t0);
  if (wide) v128.store(c, t1, 16);
}
