// Activations that a product's epilogue applies to a finished run of its output.
import { ACT_NONE, ACT_RELU } from '../abi';

/** Whether `activate` knows this activation. */
export function knowsActivation(act: i32): bool {
  return act == ACT_NONE || act == ACT_RELU;
}

/** x = act(x) for n contiguous float32 at `p`, any alignment, any n. */
export function activate(p: usize, n: i32, act: i32): void {
  if (act == ACT_RELU) relu(p, n);
}

/** max(x, 0), NaN passing through. One read and one write of 4·n bytes. */
function relu(p: usize, n: i32): void {
  const zero = f32x4.splat(0);
  const end = p + (<usize>n << 2);
  // pmax(x, 0) is `x < 0 ? 0 : x`: one instruction on x86, and false for NaN, which therefore stays.
  for (; p + 64 <= end; p += 64) {
    v128.store(p, f32x4.pmax(v128.load(p), zero));
    v128.store(p, f32x4.pmax(v128.load(p, 16), zero), 16);
    v128.store(p, f32x4.pmax(v128.load(p, 32), zero), 32);
    v128.store(p, f32x4.pmax(v128.load(p, 48), zero), 48);
  }
  for (; p + 16 <= end; p += 16) v128.store(p, f32x4.pmax(v128.load(p), zero));
  for (; p < end; p += 4) {
    const x = load<f32>(p);
    if (x < 0) store<f32>(p, 0);
  }
}
