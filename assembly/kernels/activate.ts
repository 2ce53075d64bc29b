// Activations that a product's epilogue applies to a finished run of its output.
import { ACT_NONE, ACT_RELU, ACT_SIGMOID, ACT_TANH } from '../abi';
import { vsigmoid, vtanh } from '../math/tanh';
import { loadTail, storeTail } from '../tail';

/** Whether `activate` knows this activation. */
export function knowsActivation(act: i32): bool {
  return act >= ACT_NONE && act <= ACT_TANH;
}

/** x = act(x) for n contiguous float32 at `p`, any alignment, any n. One read and one write of 4·n bytes. */
export function activate(p: usize, n: i32, act: i32): void {
  if (act == ACT_RELU) relu(p, n);
  else if (act == ACT_SIGMOID) sigmoid(p, n);
  else if (act == ACT_TANH) tanh(p, n);
}

/** max(x, 0), NaN passing through. */
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

/** `vsigmoid`, its error and its edges; a tail goes through a vector too, so no cut of the row changes a bit. */
function sigmoid(p: usize, n: i32): void {
  for (; n >= 4; n -= 4, p += 16) v128.store(p, vsigmoid(v128.load(p)));
  if (n > 0) storeTail(p, vsigmoid(loadTail(p, n)), n);
}

/** `vtanh`, likewise. */
function tanh(p: usize, n: i32): void {
  for (; n >= 4; n -= 4, p += 16) v128.store(p, vtanh(v128.load(p)));
  if (n > 0) storeTail(p, vtanh(loadTail(p, n)), n);
}
