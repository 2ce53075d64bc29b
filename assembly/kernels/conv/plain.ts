// Convolutions whose window is too large to copy: dot products straight from the operands. Slow, and right for any
// shape. Work is cut by rows of the output, so every element is one thread's.
import { fma, sum4 } from '../../simd';
import { shareStart } from '../../program';
import { activate } from '../activate';
import { Shape } from './shape';
import { firstAtLeast } from './window';

/** out[N,O,OH,OW] = act(x ⋆ w + bias), bias 0 for none: sums along a row of the window. */
export function plainForward(s: Shape, out: usize, x: usize, w: usize, bias: usize, thread: i32, threads: i32): void {
  const c = s.c / s.groups, m = s.o / s.groups;
  const stepX = <usize>s.dilationW << 2;
  const end = shareStart(s.n * s.o * s.oh, thread + 1, threads, 1);
  for (let row = shareStart(s.n * s.o * s.oh, thread, threads, 1); row < end; row++) {
    const i = row % s.oh, o = (row / s.oh) % s.o, n = row / s.oh / s.o;
    const images = element(x, n * s.c + (o / m) * c, s.h * s.w, 0);
    const filters = element(w, o * c, s.kh * s.kw, 0);
    const start: f32 = bias ? load<f32>(bias + (<usize>o << 2)) : 0;
    const to = element(out, row, s.ow, 0);
    for (let j = 0; j < s.ow; j++) {
      const left = j * s.strideW - s.padW;
      const q0 = firstAtLeast(-left, s.dilationW), q1 = min(s.kw, firstAtLeast(s.w - left, s.dilationW));
      let sum = start;
      for (let k = 0; k < c; k++) {
        for (let r = 0; r < s.kh; r++) {
          const h = i * s.strideH - s.padH + r * s.dilationH;
          if (h < 0 || h >= s.h) continue;
          const from = element(images, k * s.h + h, s.w, left + q0 * s.dilationW);
          sum += dot(q1 - q0, from, stepX, element(filters, k * s.kh + r, s.kw, q0), 4);
        }
      }
      store<f32>(to + (<usize>j << 2), sum);
    }
    if (s.act) activate(to, s.ow, s.act);
  }
}

/** dx[N,C,H,W]: sums along the output channels. */
export function plainDx(s: Shape, dx: usize, dy: usize, w: usize, thread: i32, threads: i32): void {
  const c = s.c / s.groups, m = s.o / s.groups;
  const stepY = <usize>(s.oh * s.ow) << 2, stepW = <usize>(c * s.kh * s.kw) << 2;
  const end = shareStart(s.n * s.c * s.h, thread + 1, threads, 1);
  for (let row = shareStart(s.n * s.c * s.h, thread, threads, 1); row < end; row++) {
    const h = row % s.h, k = (row / s.h) % s.c, n = row / s.h / s.c;
    const g = k / c;
    const grads = element(dy, n * s.o + g * m, s.oh * s.ow, 0);
    const filters = element(w, g * m * c + k % c, s.kh * s.kw, 0);
    for (let j = 0; j < s.w; j++) {
      let sum: f32 = 0;
      for (let r = 0; r < s.kh; r++) {
        const top = h + s.padH - r * s.dilationH;
        if (top < 0 || top % s.strideH != 0 || top / s.strideH >= s.oh) continue;
        for (let q = 0; q < s.kw; q++) {
          const left = j + s.padW - q * s.dilationW;
          if (left < 0 || left % s.strideW != 0 || left / s.strideW >= s.ow) continue;
          const from = element(grads, top / s.strideH, s.ow, left / s.strideW);
          sum += dot(m, from, stepY, element(filters, r, s.kw, q), stepW);
        }
      }
      store<f32>(element(dx, row, s.w, j), sum);
    }
  }
}

/** dw[O,C/G,KH,KW]: sums along the rows of dy. */
export function plainDw(s: Shape, dw: usize, x: usize, dy: usize, thread: i32, threads: i32): void {
  const c = s.c / s.groups, m = s.o / s.groups;
  const stepX = <usize>s.strideW << 2;
  const end = shareStart(s.o * c * s.kh, thread + 1, threads, 1);
  for (let row = shareStart(s.o * c * s.kh, thread, threads, 1); row < end; row++) {
    const r = row % s.kh, k = (row / s.kh) % c, o = row / s.kh / c;
    for (let q = 0; q < s.kw; q++) {
      const left = q * s.dilationW - s.padW;
      const j0 = firstAtLeast(-left, s.strideW), j1 = min(s.ow, firstAtLeast(s.w - left, s.strideW));
      let sum: f32 = 0;
      for (let n = 0; n < s.n; n++) {
        const image = element(x, n * s.c + (o / m) * c + k, s.h * s.w, 0);
        const grads = element(dy, n * s.o + o, s.oh * s.ow, 0);
        for (let i = 0; i < s.oh; i++) {
          const h = i * s.strideH - s.padH + r * s.dilationH;
          if (h < 0 || h >= s.h) continue;
          sum += dot(j1 - j0, element(image, h, s.w, left + j0 * s.strideW), stepX, element(grads, i, s.ow, j0), 4);
        }
      }
      store<f32>(element(dw, row, s.kw, q), sum);
    }
  }
}

/** Address of element j of row i, rows `width` long. */
// @ts-ignore: decorator
@inline
function element(base: usize, i: i32, width: i32, j: i32): usize {
  return base + ((<usize>i * <usize>width + <usize>j) << 2);
}

/** Σ of n products of elements that lie stepA and stepB bytes apart; none where n ≤ 0. */
function dot(n: i32, a: usize, stepA: usize, b: usize, stepB: usize): f32 {
  let sum: f32 = 0;
  if (stepA == 4 && stepB == 4) {
    let even = f32x4.splat(0), odd = f32x4.splat(0);
    for (; n >= 8; n -= 8, a += 32, b += 32) {
      even = fma(v128.load(a), v128.load(b), even);
      odd = fma(v128.load(a, 16), v128.load(b, 16), odd);
    }
    const zero = f32x4.splat(0);
    sum = f32x4.extract_lane(sum4(f32x4.add(even, odd), zero, zero, zero), 0);
  }
  for (; n > 0; --n, a += stepA, b += stepB) sum += load<f32>(a) * load<f32>(b);
  return sum;
}
