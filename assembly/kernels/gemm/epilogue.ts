// What happens to C beside the product itself: edges of tiles, bias and activation.
import { loadPart, storePart } from '../../tail';
import { activate } from '../activate';
import { A_SPLATTED, MR, NR, micro } from './micro';
import { Blend, Problem, tileOf } from './problem';

/**
 * The tile C[mr, nr] of a product: straight to its place where it is whole and nothing is blended in, else by way of
 * scratch. B must be 8 wide (nr ≤ 4: 4), whatever nr is.
 */
// @ts-ignore: decorator
@inline
export function tile(
  p: Problem, layoutA: i32, mr: i32, nr: i32, kc: i32,
  a: usize, stepA: usize, b: usize, stepB: usize, c: usize, blend: Blend,
): void {
  const whole = nr == NR && (mr == MR || layoutA != A_SPLATTED);
  if (whole && blend.plain) micro(layoutA, mr, true, kc, a, stepA, b, stepB, c, p.ldc);
  else blendedTile(p, layoutA, mr, nr, kc, a, stepA, b, stepB, c, blend);
}

function blendedTile(
  p: Problem, layoutA: i32, mr: i32, nr: i32, kc: i32,
  a: usize, stepA: usize, b: usize, stepB: usize, c: usize, blend: Blend,
): void {
  let t = tileOf(p);
  micro(layoutA, mr, nr > 4, kc, a, stepA, b, stepB, t, 32);
  for (let i = 0; i < mr; i++, t += 32, c += p.ldc) {
    blendFirst(c, v128.load(t), nr, blend);
    if (nr > 4) blendFirst(c + 16, v128.load(t, 16), nr - 4, blend);
  }
}

/** Stores the first n of four elements of a tile as `Blend` says. */
// @ts-ignore: decorator
@inline
export function blendFirst(c: usize, t: v128, n: i32, blend: Blend): void {
  t = f32x4.mul(t, f32x4.splat(blend.alpha));
  if (blend.hasD) t = f32x4.add(t, f32x4.mul(f32x4.splat(blend.beta), loadPart(c + blend.delta, n)));
  storePart(c, t, n);
}

/** Adds the bias to rows [m0, m1) × columns [n0, n1) of C and applies the activation. */
export function finish(p: Problem, m0: i32, m1: i32, n0: i32, n1: i32): void {
  if (!p.bias && !p.act) return;
  const n = n1 - n0;
  for (let i = m0; i < m1; i++) {
    const row = p.c + <usize>i * p.ldc + (<usize>n0 << 2);
    if (p.bias) {
      if (p.biasRows) addScalar(row, n, load<f32>(p.bias + (<usize>i << 2)));
      else addVector(row, n, p.bias + (<usize>n0 << 2));
    }
    if (p.act) activate(row, n, p.act);
  }
}

function addScalar(p: usize, n: i32, s: f32): void {
  const v = f32x4.splat(s);
  const end = p + (<usize>n << 2);
  for (; p + 16 <= end; p += 16) v128.store(p, f32x4.add(v128.load(p), v));
  for (; p < end; p += 4) store<f32>(p, load<f32>(p) + s);
}

function addVector(p: usize, n: i32, b: usize): void {
  const end = p + (<usize>n << 2);
  for (; p + 16 <= end; p += 16, b += 16) v128.store(p, f32x4.add(v128.load(p), v128.load(b)));
  for (; p < end; p += 4, b += 4) store<f32>(p, load<f32>(p) + load<f32>(b));
}
