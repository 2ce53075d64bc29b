// The micro-kernel of the weight gradient: two rows of dy × up to six shifted rows of x, as dot products along pixels.
//
// Both operands are read along the pixels, four a vector, so nothing is transposed. Old V8s have registers for ten
// addresses and no more: the two rows of dy share one (their quads alternate), and `columns` holds whole addresses.
import { fma, sum4 } from '../../simd';
import { loadPart, storePart } from '../../tail';

/** Columns of the widest tile: 12 accumulators, 2 of dy and 1 of x are all that fit in registers. Without a fused
 * multiply-add the product needs a register too: 12 accumulators then spill (35 GFLOP/s), 10 do not (55). */
export const DOT_COLUMNS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** Bytes of `convDot`'s result: two rows of six sums, each still spread over four lanes. */
export const SUMS_BYTES: usize = 192;

/**
 * sums[2][6] (four lanes each) = Σ over quads q of y[q][0|1] · the four floats at columns[j] + quads[q], j < nj (4, 5
 * or 6). y: [nQuads][2][4]. quads: int32 byte offsets. columns: int32 addresses, those past `count` repeat the last.
 * The lanes are added by `gatherSums`, not here: a shuffle after the loop makes old V8s spill in it, as in
 * gemm/tile.ts.
 */
export function convDot(nj: i32, nQuads: i32, y: usize, quads: usize, columns: usize, count: i32, sums: usize): void {
  if (nj == 6) dot6(nQuads, y, quads, columns, count, sums);
  else if (nj == 5) dot5(nQuads, y, quads, columns, count, sums);
  else dot4(nQuads, y, quads, columns, count, sums);
}

/** dw[0 … nj) += the sums of one row. */
export function gatherSums(dw: usize, sums: usize, nj: i32): void {
  addPart(dw, sums, min(nj, 4));
  if (nj > 4) addPart(dw + 16, sums + 64, nj - 4);
}

// @ts-ignore: decorator
@inline
function addPart(dw: usize, sums: usize, n: i32): void {
  const s = sum4(v128.load(sums), v128.load(sums, 16), v128.load(sums, 32), v128.load(sums, 48));
  storePart(dw, f32x4.add(loadPart(dw, n), s), n);
}

function dot6(nQuads: i32, y: usize, quads: usize, columns: usize, count: i32, sums: usize): void {
  dotTile(6, nQuads, y, quads, columns, count, sums);
}

function dot5(nQuads: i32, y: usize, quads: usize, columns: usize, count: i32, sums: usize): void {
  dotTile(5, nQuads, y, quads, columns, count, sums);
}

function dot4(nQuads: i32, y: usize, quads: usize, columns: usize, count: i32, sums: usize): void {
  dotTile(4, nQuads, y, quads, columns, count, sums);
}

// @ts-ignore: decorator
@inline
function column(columns: usize, j: i32, count: i32): usize {
  return <usize>load<u32>(columns + (<usize>min(j, count - 1) << 2));
}

// @ts-ignore: decorator
@inline
function dotTile(nj: i32, nQuads: i32, y: usize, quads: usize, columns: usize, count: i32, sums: usize): void {
  const x0 = column(columns, 0, count);
  const x1 = column(columns, 1, count);
  const x2 = column(columns, 2, count);
  const x3 = column(columns, 3, count);
  const x4 = column(columns, 4, count);
  const x5 = column(columns, 5, count);
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0), a4 = f32x4.splat(0), a5 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0), b4 = f32x4.splat(0), b5 = f32x4.splat(0);
  const end = y + (<usize>nQuads << 5);
  while (y < end) {
    const q = <usize>load<u32>(quads);
    const ya = v128.load(y);
    const yb = v128.load(y, 16);
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
    y += 32;
    quads += 4;
  }
  // In the order of the products above: the V8 of Node 20 and 22 moves those into the order of the stores, and spills
  // where that keeps many loads alive (28 GFLOP/s instead of 60).
  v128.store(sums, a0);
  v128.store(sums, b0, 96);
  v128.store(sums, a1, 16);
  v128.store(sums, b1, 112);
  v128.store(sums, a2, 32);
  v128.store(sums, b2, 128);
  v128.store(sums, a3, 48);
  v128.store(sums, b3, 144);
  if (nj > 4) {
    v128.store(sums, a4, 64);
    v128.store(sums, b4, 160);
  }
  if (nj > 5) {
    v128.store(sums, a5, 80);
    v128.store(sums, b5, 176);
  }
}
