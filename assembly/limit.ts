// What the processor can do at best, for a bench to compare with: multiply-adds on values in registers, and a stream
// through memory. Each in this binary's own SIMD.
import { fma } from './simd';

/**
 * `turns` · LIMIT_FLOPS floating-point operations on one thread: a = a·b + c on twelve independent accumulators, enough
 * to hide the latency of a multiply-add; with b and c they fit in sixteen registers. b and c are arguments, since V8
 * would make constants anew each turn.
 */
export function multiplyAdds(turns: i32, b: f32, c: f32): f32 {
  const vb = f32x4.splat(b), vc = f32x4.splat(c);
  let a0 = f32x4.splat(0), a1 = vb, a2 = vc, a3 = f32x4.add(a1, a2), a4 = f32x4.add(a2, a3), a5 = f32x4.add(a3, a4);
  let a6 = f32x4.add(a4, a5), a7 = f32x4.add(a5, a6), a8 = f32x4.add(a6, a7), a9 = f32x4.add(a7, a8);
  let a10 = f32x4.add(a8, a9), a11 = f32x4.add(a9, a10);
  for (; turns > 0; --turns) {
    a0 = fma(a0, vb, vc);
    a1 = fma(a1, vb, vc);
    a2 = fma(a2, vb, vc);
    a3 = fma(a3, vb, vc);
    a4 = fma(a4, vb, vc);
    a5 = fma(a5, vb, vc);
    a6 = fma(a6, vb, vc);
    a7 = fma(a7, vb, vc);
    a8 = fma(a8, vb, vc);
    a9 = fma(a9, vb, vc);
    a10 = fma(a10, vb, vc);
    a11 = fma(a11, vb, vc);
  }
  a0 = f32x4.add(f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)), f32x4.add(f32x4.add(a4, a5), f32x4.add(a6, a7)));
  return f32x4.extract_lane(f32x4.add(a0, f32x4.add(f32x4.add(a8, a9), f32x4.add(a10, a11))), 0);
}

/** Reads nBytes at src and writes them to dst, 64 at a time. */
export function stream(dst: usize, src: usize, nBytes: i32): void {
  for (; nBytes >= 64; nBytes -= 64) {
    const x0 = v128.load(src), x1 = v128.load(src, 16), x2 = v128.load(src, 32), x3 = v128.load(src, 48);
    v128.store(dst, x0);
    v128.store(dst, x1, 16);
    v128.store(dst, x2, 32);
    v128.store(dst, x3, 48);
    src += 64;
    dst += 64;
  }
}
