// A banded linear map along one axis: averages of windows, interpolation, and the transposes of both.
import { STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { fma } from '../simd';
import { loadPart, storePart } from '../tail';
import { rowGrain } from './rows';

/**
 * OP_BAND. x [outer, size, inner] → out [outer, n, inner], any alignment; out overlaps nothing. Work is shared by rows
 * of the output, each a weighted sum of neighbouring rows of x, added up in their order. 2·taps FLOPs an element.
 */
export function band(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const x = operand(ins, table, 2);
  const spans = operand(ins, table, 3);
  const weights = operand(ins, table, 4);
  const size = word(ins, 6);
  const n = word(ins, 7);
  const inner = word(ins, 8);
  const taps = word(ins, 9);
  const rows = word(ins, 5) * n;
  const start = shareStart(rows, thread, threads, rowGrain(inner));
  const end = shareStart(rows, thread + 1, threads, rowGrain(inner));
  const rowBytes = <usize>inner << 2;
  for (let row = start; row < end; row++) {
    const plane = row / n;
    const o = row - plane * n;
    const span = spans + (<usize>o << 3);
    const src = x + <usize>(plane * size + load<i32>(span)) * rowBytes;
    const w = weights + (<usize>(o * taps) << 2);
    const dst = out + <usize>row * rowBytes;
    if (inner == 1) store<f32>(dst, sumTaps(src, w, load<i32>(span, 4)));
    else sumRows(dst, src, w, load<i32>(span, 4), inner);
  }
  return STATUS_OK;
}

/** Σ w·x over n neighbours. */
// @ts-ignore: decorator
@inline
function sumTaps(x: usize, w: usize, n: i32): f32 {
  let sum: f32 = 0;
  const end = w + (<usize>n << 2);
  for (; w < end; w += 4, x += 4) sum += load<f32>(w) * load<f32>(x);
  return sum;
}

/** dst[inner] = Σ w·(row of x) over n rows. */
function sumRows(dst: usize, x: usize, w: usize, n: i32, inner: i32): void {
  const rowBytes = <usize>inner << 2;
  const end = w + (<usize>n << 2);
  let left = inner;
  for (; left >= 4; left -= 4, dst += 16, x += 16) {
    let sum = f32x4.splat(0);
    for (let k = w, at = x; k < end; k += 4, at += rowBytes) sum = fma(v128.load_splat<u32>(k), v128.load(at), sum);
    v128.store(dst, sum);
  }
  if (left == 0) return;
  let sum = f32x4.splat(0);
  for (let k = w, at = x; k < end; k += 4, at += rowBytes) sum = fma(v128.load_splat<u32>(k), loadPart(at, left), sum);
  storePart(dst, sum, left);
}
