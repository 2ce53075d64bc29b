// Micro-operations that update parameters: several vectors out at once. An output may be the memory of its input.
import { fma, nfma } from '../../../simd';
import { loadPart, storePart } from '../../../tail';
import { address } from '../frame';

/** `p', v', p, g, v, s, t`: v' = s·v + g; p' = p − t·v'. */
export function sgdMomentum(m: usize, frame: usize, n: i32): void {
  let p1 = address(m, frame, 1), v1 = address(m, frame, 2);
  let p = address(m, frame, 3), g = address(m, frame, 4), v = address(m, frame, 5);
  const s = v128.load32_splat(address(m, frame, 6)), t = v128.load32_splat(address(m, frame, 7));
  for (; n >= 8; n -= 8) {
    const v0 = fma(s, v128.load(v), v128.load(g)), w0 = fma(s, v128.load(v, 16), v128.load(g, 16));
    const p0 = nfma(t, v0, v128.load(p)), q0 = nfma(t, w0, v128.load(p, 16));
    v128.store(v1, v0);
    v128.store(v1, w0, 16);
    v128.store(p1, p0);
    v128.store(p1, q0, 16);
    p += 32;
    g += 32;
    v += 32;
    p1 += 32;
    v1 += 32;
  }
  for (; n > 0; n -= 4) {
    const v0 = fma(s, loadPart(v, n), loadPart(g, n));
    const p0 = nfma(t, v0, loadPart(p, n));
    storePart(v1, v0, n);
    storePart(p1, p0, n);
    p += 16;
    g += 16;
    v += 16;
    p1 += 16;
    v1 += 16;
  }
}

/**
 * `p', m', v', p, g, m, v, s, t, u, κ, ε`: m' = m + s·(g − m); v' = v + t·(g² − v);
 * p' = p − u·m' / (√v'·κ + ε).
 */
export function adam(op: usize, frame: usize, n: i32): void {
  const p1 = address(op, frame, 1), m1 = address(op, frame, 2), v1 = address(op, frame, 3);
  const p = address(op, frame, 4), g = address(op, frame, 5), m = address(op, frame, 6), v = address(op, frame, 7);
  const s = v128.load32_splat(address(op, frame, 8)), t = v128.load32_splat(address(op, frame, 9));
  const u = v128.load32_splat(address(op, frame, 10));
  const kappa = v128.load32_splat(address(op, frame, 11)), epsilon = v128.load32_splat(address(op, frame, 12));
  let i: usize = 0;
  for (; n >= 4; n -= 4, i += 16) adamStep(p1 + i, m1 + i, v1 + i, p + i, g + i, m + i, v + i, s, t, u, kappa, epsilon, 4);
  if (n > 0) adamStep(p1 + i, m1 + i, v1 + i, p + i, g + i, m + i, v + i, s, t, u, kappa, epsilon, n);
}

// @ts-ignore: decorator
@inline
function adamStep(
  p1: usize, m1: usize, v1: usize, p: usize, g: usize, m: usize, v: usize,
  s: v128, t: v128, u: v128, kappa: v128, epsilon: v128, n: i32,
): void {
  const g0 = loadPart(g, n), m0 = loadPart(m, n), v0 = loadPart(v, n), p0 = loadPart(p, n);
  const m2 = fma(s, f32x4.sub(g0, m0), m0);
  const v2 = fma(t, f32x4.sub(f32x4.mul(g0, g0), v0), v0);
  const step = f32x4.div(f32x4.mul(u, m2), fma(f32x4.sqrt(v2), kappa, epsilon));
  storePart(m1, m2, n);
  storePart(v1, v2, n);
  storePart(p1, f32x4.sub(p0, step), n);
}
