// A banded linear map along one axis: averages of windows, interpolation, and the transposes of both.
import { SCRATCH_BYTES, STATUS_OK } from '../abi';
import { operand, shareStart, word } from '../program';
import { fma, joinHigh, joinLow, zipHigh, zipLow } from '../simd';
import { loadPart, storePart } from '../tail';
import { rowGrain } from './rows';

/**
 * OP_BAND. x [outer, size, inner] → out [outer, n, inner], any alignment; out overlaps nothing. Work is shared by rows
 * of the output, or by outer where a row is one element; each is a weighted sum of neighbouring rows of x, added up in
 * their order. 2·taps FLOPs an element.
 */
export function band(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1);
  const x = operand(ins, table, 2);
  const spans = operand(ins, table, 3);
  const weights = operand(ins, table, 4);
  const outer = word(ins, 5);
  const size = word(ins, 6);
  const n = word(ins, 7);
  const inner = word(ins, 8);
  const taps = word(ins, 9);
  if (inner == 1 && size <= SCRATCH_BYTES >> 4) {
    const start = shareStart(outer, thread, threads, rowGrain(n));
    const end = shareStart(outer, thread + 1, threads, rowGrain(n));
    bandOfPlanes(out, x, spans, weights, size, n, taps, start, end, scratch);
    return STATUS_OK;
  }
  const start = shareStart(outer * n, thread, threads, rowGrain(inner));
  const end = shareStart(outer * n, thread + 1, threads, rowGrain(inner));
  const rowBytes = <usize>inner << 2;
  for (let row = start; row < end; row++) {
    const plane = row / n;
    const o = row - plane * n;
    const span = spans + (<usize>o << 3);
    const src = x + <usize>(plane * size + load<i32>(span)) * rowBytes;
    sumRows(out + <usize>row * rowBytes, src, weights + (<usize>(o * taps) << 2), load<i32>(span, 4), inner);
  }
  return STATUS_OK;
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

/**
 * Rows of one element: four planes at a time are interleaved in scratch, [size, 4], so that one vector holds an element
 * of each. Where fewer are left the last stands in for those that are not there, and nothing of it is stored.
 */
function bandOfPlanes(
  out: usize, x: usize, spans: usize, weights: usize, size: i32, n: i32, taps: i32, start: i32, end: i32, scratch: usize,
): void {
  const planeBytes = <usize>size << 2;
  for (let plane = start; plane < end; plane += 4) {
    const left = min(end - plane, 4);
    const a = x + <usize>plane * planeBytes;
    const b = left > 1 ? a + planeBytes : a;
    const c = left > 2 ? b + planeBytes : b;
    interleave(scratch, a, b, c, left > 3 ? c + planeBytes : c, size);
    sumPlanes(out + (<usize>plane * <usize>n << 2), scratch, spans, weights, n, taps, left);
  }
}

/** dst[n, 4] = (a, b, c, d). */
function interleave(dst: usize, a: usize, b: usize, c: usize, d: usize, n: i32): void {
  for (let left = n; left > 0; left -= 4, a += 16, b += 16, c += 16, d += 16, dst += 64) {
    const va = loadPart(a, left), vb = loadPart(b, left), vc = loadPart(c, left), vd = loadPart(d, left);
    const ab = zipLow(va, vb), cd = zipLow(vc, vd);
    v128.store(dst, joinLow(ab, cd));
    if (left > 1) v128.store(dst, joinHigh(ab, cd), 16);
    const abHigh = zipHigh(va, vb), cdHigh = zipHigh(vc, vd);
    if (left > 2) v128.store(dst, joinLow(abHigh, cdHigh), 32);
    if (left > 3) v128.store(dst, joinHigh(abHigh, cdHigh), 48);
  }
}

/** The outputs of `planes` ≤ 4 planes from their elements x [size, 4], four outputs at a time. */
function sumPlanes(out: usize, x: usize, spans: usize, w: usize, n: i32, taps: i32, planes: i32): void {
  const outBytes = <usize>n << 2;
  const wBytes = <usize>taps << 2;
  for (let left = n; left > 0; left -= 4, out += 16, spans += 32, w += 4 * wBytes) {
    const p = sumTaps(x, spans, w);
    const q = left > 1 ? sumTaps(x, spans + 8, w + wBytes) : p;
    const r = left > 2 ? sumTaps(x, spans + 16, w + 2 * wBytes) : p;
    const s = left > 3 ? sumTaps(x, spans + 24, w + 3 * wBytes) : p;
    const pq = zipLow(p, q), rs = zipLow(r, s);
    storePart(out, joinLow(pq, rs), left);
    if (planes > 1) storePart(out + outBytes, joinHigh(pq, rs), left);
    const pqHigh = zipHigh(p, q), rsHigh = zipHigh(r, s);
    if (planes > 2) storePart(out + 2 * outBytes, joinLow(pqHigh, rsHigh), left);
    if (planes > 3) storePart(out + 3 * outBytes, joinHigh(pqHigh, rsHigh), left);
  }
}

/** One output of four planes. */
// @ts-ignore: decorator
@inline
function sumTaps(x: usize, span: usize, w: usize): v128 {
  let sum = f32x4.splat(0);
  let at = x + (<usize>load<i32>(span) << 4);
  for (let k = load<i32>(span, 4); k > 0; k--, w += 4, at += 16) sum = fma(v128.load_splat<u32>(w), v128.load(at), sum);
  return sum;
}
