// The micro-kernel of the weight gradient: two rows of dy × up to six shifted rows of x, as dot products along pixels.
//
// Both operands are read along the pixels, four a vector, so nothing is packed or transposed.
import { fma, sum4 } from '../../simd';

/** Columns of the widest tile: 12 accumulators, 2 of dy and 1 of x are all that fit in registers. Without a fused
 * multiply-add the product needs a register too: 12 accumulators then spill (35 GFLOP/s), 10 do not (55). */
export const DOT_COLUMNS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/**
 * tile[2][8] = Σ over quads q of y0|y1[4q … 4q+3] · x[offsets[j] + quads[q] …], j < nj (4, 5 or 6).
 * y0, y1: contiguous. quads: int32 byte offsets. offsets: int32 [nj], entries past `count` repeat the last.
 */
export function convDot(
  nj: i32, nQuads: i32, y0: usize, y1: usize, x: usize, quads: usize, offsets: usize, count: i32, tile: usize,
): void {
  if (nj == 6) dot6(nQuads, y0, y1, x, quads, offsets, count, tile);
  else if (nj == 5) dot5(nQuads, y0, y1, x, quads, offsets, count, tile);
  else dot4(nQuads, y0, y1, x, quads, offsets, count, tile);
}

// @ts-ignore: decorator
@inline
function column(x: usize, offsets: usize, j: i32, count: i32): usize {
  return x + <usize>load<u32>(offsets + (<usize>min(j, count - 1) << 2));
}

function dot6(
  nQuads: i32, y0: usize, y1: usize, x: usize, quads: usize, offsets: usize, count: i32, tile: usize,
): void {
  dotTile(6, nQuads, y0, y1, x, quads, offsets, count, tile);
}

function dot5(
  nQuads: i32, y0: usize, y1: usize, x: usize, quads: usize, offsets: usize, count: i32, tile: usize,
): void {
  dotTile(5, nQuads, y0, y1, x, quads, offsets, count, tile);
}

function dot4(
  nQuads: i32, y0: usize, y1: usize, x: usize, quads: usize, offsets: usize, count: i32, tile: usize,
): void {
  dotTile(4, nQuads, y0, y1, x, quads, offsets, count, tile);
}

// @ts-ignore: decorator
@inline
function dotTile(
  nj: i32, nQuads: i32, y0: usize, y1: usize, x: usize, quads: usize, offsets: usize, count: i32, tile: usize,
): void {
  const x0 = column(x, offsets, 0, count);
  const x1 = column(x, offsets, 1, count);
  const x2 = column(x, offsets, 2, count);
  const x3 = column(x, offsets, 3, count);
  const x4 = column(x, offsets, 4, count);
  const x5 = column(x, offsets, 5, count);
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0), a4 = f32x4.splat(0), a5 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0), b4 = f32x4.splat(0), b5 = f32x4.splat(0);
  for (; nQuads > 0; --nQuads) {
    const q = <usize>load<u32>(quads);
    const ya = v128.load(y0);
    const yb = v128.load(y1);
    let v = v128.load(x0 + q);
    a0 = fma(ya, v, a0);
    b0 = fma(yb, v, b0);
    v = v128.load(x1 + q);
    a1 = fma(ya, v, a1);
    b1 = fma(yb, v, b1);
    v = v128.load(x2 + q);
    a2 = fma(ya, v, a2);
    b2 = fma(yb, v, b2);
    v = v128.load(x3 + q);
    a3 = fma(ya, v, a3);
    b3 = fma(yb, v, b3);
    if (nj > 4) {
      v = v128.load(x4 + q);
      a4 = fma(ya, v, a4);
      b4 = fma(yb, v, b4);
    }
    if (nj > 5) {
      v = v128.load(x5 + q);
      a5 = fma(ya, v, a5);
      b5 = fma(yb, v, b5);
    }
    y0 += 16;
    y1 += 16;
    quads += 4;
  }
  v128.store(tile, sum4(a0, a1, a2, a3));
  v128.store(tile, sum4(b0, b1, b2, b3), 32);
  if (nj > 4) {
    v128.store(tile, sum4(a4, a5, a4, a5), 16);
    v128.store(tile, sum4(b4, b5, b4, b5), 48);
  }
}
