// The micro-kernel of a convolution: six output channels × two quads of pixels in registers over (channel, tap).
//
// It is GEMM's 6 × 8 tile, but B is never laid out: its k-th row is found at `offsets[k]` from the two quads.
import { fma } from '../../simd';

/** Output channels of the largest tile: as in GEMM, five where multiply and add are apart. */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** What accumulators start from: zero, the bias of their row, or what C holds. */
export const START_ZERO: i32 = 0;
export const START_BIAS: i32 = 1;
export const START_C: i32 = 2;

/**
 * Rows 0 … mr−1 of C, `plane` bytes apart, for the quads that C keeps at cA and cB. A: panel [kc][6]. offsets: int32
 * [kc], bytes. xA, xB: the quads' pixels in a window. Any alignment. 16·mr·kc FLOPs.
 */
export function convMicro(
  mr: i32, kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize,
  start: i32, bias: usize,
): void {
  switch (mr) {
    case 6: conv6(kc, a, offsets, xA, xB, cA, cB, plane, start, bias); break;
    case 5: conv5(kc, a, offsets, xA, xB, cA, cB, plane, start, bias); break;
    case 4: conv4(kc, a, offsets, xA, xB, cA, cB, plane, start, bias); break;
    case 3: conv3(kc, a, offsets, xA, xB, cA, cB, plane, start, bias); break;
    case 2: conv2(kc, a, offsets, xA, xB, cA, cB, plane, start, bias); break;
    default: conv1(kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
  }
}

function conv6(
  kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize, start: i32, bias: usize,
): void {
  convTile(6, kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
}

function conv5(
  kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize, start: i32, bias: usize,
): void {
  convTile(5, kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
}

function conv4(
  kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize, start: i32, bias: usize,
): void {
  convTile(4, kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
}

function conv3(
  kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize, start: i32, bias: usize,
): void {
  convTile(3, kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
}

function conv2(
  kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize, start: i32, bias: usize,
): void {
  convTile(2, kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
}

function conv1(
  kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize, start: i32, bias: usize,
): void {
  convTile(1, kc, a, offsets, xA, xB, cA, cB, plane, start, bias);
}

// @ts-ignore: decorator
@inline
function convTile(
  mr: i32, kc: i32, a: usize, offsets: usize, xA: usize, xB: usize, cA: usize, cB: usize, plane: usize,
  start: i32, bias: usize,
): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0), a4 = f32x4.splat(0), a5 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0), b4 = f32x4.splat(0), b5 = f32x4.splat(0);
  if (start == START_BIAS) {
    a0 = b0 = v128.load32_splat(bias);
    if (mr > 1) a1 = b1 = v128.load32_splat(bias, 4);
    if (mr > 2) a2 = b2 = v128.load32_splat(bias, 8);
    if (mr > 3) a3 = b3 = v128.load32_splat(bias, 12);
    if (mr > 4) a4 = b4 = v128.load32_splat(bias, 16);
    if (mr > 5) a5 = b5 = v128.load32_splat(bias, 20);
  } else if (start == START_C) {
    let pA = cA, pB = cB;
    a0 = v128.load(pA);
    b0 = v128.load(pB);
    if (mr > 1) {
      a1 = v128.load((pA += plane));
      b1 = v128.load((pB += plane));
    }
    if (mr > 2) {
      a2 = v128.load((pA += plane));
      b2 = v128.load((pB += plane));
    }
    if (mr > 3) {
      a3 = v128.load((pA += plane));
      b3 = v128.load((pB += plane));
    }
    if (mr > 4) {
      a4 = v128.load((pA += plane));
      b4 = v128.load((pB += plane));
    }
    if (mr > 5) {
      a5 = v128.load((pA += plane));
      b5 = v128.load((pB += plane));
    }
  }
  for (; kc > 0; --kc) {
    const offset = <usize>load<u32>(offsets);
    const xa = v128.load(xA + offset);
    const xb = v128.load(xB + offset);
    let w = v128.load32_splat(a);
    a0 = fma(w, xa, a0);
    b0 = fma(w, xb, b0);
    if (mr > 1) {
      w = v128.load32_splat(a, 4);
      a1 = fma(w, xa, a1);
      b1 = fma(w, xb, b1);
    }
    if (mr > 2) {
      w = v128.load32_splat(a, 8);
      a2 = fma(w, xa, a2);
      b2 = fma(w, xb, b2);
    }
    if (mr > 3) {
      w = v128.load32_splat(a, 12);
      a3 = fma(w, xa, a3);
      b3 = fma(w, xb, b3);
    }
    if (mr > 4) {
      w = v128.load32_splat(a, 16);
      a4 = fma(w, xa, a4);
      b4 = fma(w, xb, b4);
    }
    if (mr > 5) {
      w = v128.load32_splat(a, 20);
      a5 = fma(w, xa, a5);
      b5 = fma(w, xb, b5);
    }
    offsets += 4;
    a += 24;
  }
  v128.store(cA, a0);
  v128.store(cB, b0);
  if (mr > 1) {
    v128.store((cA += plane), a1);
    v128.store((cB += plane), b1);
  }
  if (mr > 2) {
    v128.store((cA += plane), a2);
    v128.store((cB += plane), b2);
  }
  if (mr > 3) {
    v128.store((cA += plane), a3);
    v128.store((cB += plane), b3);
  }
  if (mr > 4) {
    v128.store((cA += plane), a4);
    v128.store((cB += plane), b4);
  }
  if (mr > 5) {
    v128.store((cA += plane), a5);
    v128.store((cB += plane), b5);
  }
}
