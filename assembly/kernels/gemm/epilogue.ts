// What happens to C beside the product itself: edges of tiles, bias and activation.
import { loadPart, storePart } from '../../tail';
import { activate } from '../activate';
import { micro } from './micro';
import { Problem, plainOf, tileOf } from './problem';
import { Blend } from './tile';

/** A tile of nr < 8 columns, computed into scratch and blended into C float by float. B must be 8 (nr ≤ 4: 4) wide. */
export function microEdge(
  p: Problem, rowMajor: bool, mr: i32, nr: i32, kc: i32,
  a: usize, stepA: usize, b: usize, stepB: usize, c: usize, blend: Blend,
): void {
  const tile = tileOf(p);
  micro(rowMajor, mr, nr > 4, kc, a, stepA, b, stepB, tile, 32, plainOf(p));
  const alpha = blend.alpha;
  const beta = blend.beta;
  for (let i = 0; i < mr; i++) {
    for (let j = 0; j < nr; j++) {
      const at = c + <usize>i * p.ldc + (<usize>j << 2);
      const t = load<f32>(tile + ((<usize>i * 8 + j) << 2)) * alpha;
      store<f32>(at, blend.hasD ? t + beta * load<f32>(at + blend.delta) : t);
    }
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
