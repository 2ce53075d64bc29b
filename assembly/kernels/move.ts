// Strided copies: slices, concatenations, transposes, flips and broadcasts.
import { GRAIN, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { copyRun, fillRun } from './rows';

// A dimension in scratch memory: size, dstStride, srcStride.
const DIM_BYTES = 12;

/**
 * OP_COPY. Any alignment; dst and src do not overlap. The dimensions are first reduced to the fewest that say the
 * same. Each thread then copies a box of its own: a range of the longest dimension.
 */
export function copy(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const dims = scratch;
  const rank = reduceDims(ins, dims);
  let dst = operand(ins, table, 1) + (<usize>word(ins, 4) << 2);
  let src = operand(ins, table, 2) + (<usize>word(ins, 5) << 2);

  let longest = dims;
  for (let k = 1; k < rank; k++) {
    const dim = dims + <usize>k * DIM_BYTES;
    if (load<i32>(dim) > load<i32>(longest)) longest = dim;
  }
  const n = load<i32>(longest);
  const grain = longest == dims + <usize>(rank - 1) * DIM_BYTES ? GRAIN : 1;
  const start = shareStart(n, thread, threads, grain);
  store<i32>(longest, shareStart(n, thread + 1, threads, grain) - start);
  dst += <usize>(start * load<i32>(longest, 4)) << 2;
  src += <usize>(start * load<i32>(longest, 8)) << 2;
  copyBox(dims, rank, dst, src);
  return STATUS_OK;
}

/**
 * Writes the instruction's dimensions to `dims` without those of size 1, neighbours that step alike merged into one,
 * and the one along which src is contiguous moved next to the last, where a transpose finds it. There are at least
 * two. Returns how many.
 */
function reduceDims(ins: usize, dims: usize): i32 {
  const given = word(ins, 3);
  setDim(dims, 1, 0, 0);
  let last = dims;
  for (let k = 0; k < given; k++) {
    const size = word(ins, 6 + 3 * k);
    const dstStride = word(ins, 7 + 3 * k);
    const srcStride = word(ins, 8 + 3 * k);
    if (size == 1) continue;
    const merges = last != dims && load<i32>(last, 4) == size * dstStride && load<i32>(last, 8) == size * srcStride;
    if (merges) setDim(last, load<i32>(last) * size, dstStride, srcStride);
    else setDim((last += DIM_BYTES), size, dstStride, srcStride);
  }
  if (last == dims) setDim((last += DIM_BYTES), 1, 1, 1);
  // dims[0] is a dimension of size 1: it makes two of one, and is not needed otherwise.
  if (last > dims + DIM_BYTES) {
    memory.copy(dims, dims + DIM_BYTES, last - dims);
    last -= DIM_BYTES;
  }
  if (load<i32>(last, 8) != 1) bringContiguous(dims, last - DIM_BYTES);
  return <i32>((last - dims) / DIM_BYTES) + 1;
}

/** Swaps the dimension with a source stride of 1, if there is one before `slot`, into `slot`. */
function bringContiguous(dims: usize, slot: usize): void {
  for (let dim = dims; dim < slot; dim += DIM_BYTES) {
    if (load<i32>(dim, 8) != 1) continue;
    const size = load<i32>(dim);
    const dstStride = load<i32>(dim, 4);
    memory.copy(dim, slot, DIM_BYTES);
    setDim(slot, size, dstStride, 1);
  }
}

// @ts-ignore: decorator
@inline
function setDim(dim: usize, size: i32, dstStride: i32, srcStride: i32): void {
  store<i32>(dim, size);
  store<i32>(dim, dstStride, 4);
  store<i32>(dim, srcStride, 8);
}

function copyBox(dims: usize, rank: i32, dst: usize, src: usize): void {
  if (rank == 2) {
    copyPlane(dims, dst, src);
    return;
  }
  const n = load<i32>(dims);
  const dstStep = <usize>load<i32>(dims, 4) << 2;
  const srcStep = <usize>load<i32>(dims, 8) << 2;
  for (let i = 0; i < n; i++) {
    copyBox(dims + DIM_BYTES, rank - 1, dst, src);
    dst += dstStep;
    src += srcStep;
  }
}

/** The last two dimensions: chooses the loop that suits their strides. */
function copyPlane(dims: usize, dst: usize, src: usize): void {
  const rows = load<i32>(dims);
  const dstRow = <usize>load<i32>(dims, 4) << 2;
  const srcRow = <usize>load<i32>(dims, 8) << 2;
  const cols = load<i32>(dims, 12);
  const dstCol = <usize>load<i32>(dims, 16) << 2;
  const srcCol = <usize>load<i32>(dims, 20) << 2;
  if (dstCol == 4 && srcCol == 4) {
    for (let r = 0; r < rows; r++, dst += dstRow, src += srcRow) copyRun(dst, src, cols);
  } else if (dstCol == 4 && srcCol == 0) {
    for (let r = 0; r < rows; r++, dst += dstRow, src += srcRow) fillRun(dst, src, cols);
  } else if (dstCol == 4 && srcRow == 4) {
    transpose(dst, src, rows, cols, dstRow, srcCol);
  } else {
    copyStrided(dst, src, rows, cols, dstRow, srcRow, dstCol, srcCol);
  }
}

/** One element at a time. Steps are in bytes. */
function copyStrided(
  dst: usize, src: usize, rows: i32, cols: i32, dstRow: usize, srcRow: usize, dstCol: usize, srcCol: usize,
): void {
  for (let r = 0; r < rows; r++, dst += dstRow, src += srcRow) {
    let to = dst;
    let from = src;
    for (let c = 0; c < cols; c++, to += dstCol, from += srcCol) store<u32>(to, load<u32>(from));
  }
}

/**
 * dst[r, c] = src[c, r], both with unit steps along their own rows; steps are in bytes. Eight rows of dst at a time:
 * more streams a power of two apart would fall into the same few lines of the L1 cache.
 */
function transpose(dst: usize, src: usize, rows: i32, cols: i32, dstRow: usize, srcCol: usize): void {
  const rows4 = rows & ~3;
  const cols4 = cols & ~3;
  for (let r = 0; r < rows4; r += 8) {
    const to = dst + <usize>r * dstRow;
    const from = src + (<usize>r << 2);
    const eight = r + 4 < rows4;
    for (let c = 0; c < cols4; c += 4) {
      const toCol = to + (<usize>c << 2);
      const fromCol = from + <usize>c * srcCol;
      transposeFour(toCol, fromCol, dstRow, srcCol);
      if (eight) transposeFour(toCol + 4 * dstRow, fromCol + 16, dstRow, srcCol);
    }
  }
  const right = dst + (<usize>cols4 << 2);
  copyStrided(right, src + <usize>cols4 * srcCol, rows4, cols - cols4, dstRow, 4, 4, srcCol);
  const below = dst + <usize>rows4 * dstRow;
  copyStrided(below, src + (<usize>rows4 << 2), rows - rows4, cols, dstRow, 4, 4, srcCol);
}

/** A block of 4×4. */
// @ts-ignore: decorator
@inline
function transposeFour(dst: usize, src: usize, dstRow: usize, srcCol: usize): void {
  const a = v128.load(src);
  const b = v128.load(src + srcCol);
  const c = v128.load(src + 2 * srcCol);
  const d = v128.load(src + 3 * srcCol);
  const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(dst, v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5));
  v128.store(dst + dstRow, v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7));
  v128.store(dst + 2 * dstRow, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(dst + 3 * dstRow, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}
