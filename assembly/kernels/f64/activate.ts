// Activations that the epilogue of a float64 product applies.
import { ACT_RELU, ACT_SIGMOID, ACT_TANH } from '../../abi';
import { sigmoid } from '../../math/double/normal';

/** act(x); NaN passes through. */
export function activated(x: f64, act: i32): f64 {
  if (act == ACT_RELU) return x < 0 ? 0 : x;
  if (act == ACT_SIGMOID) return sigmoid(x);
  return act == ACT_TANH ? NativeMath.tanh(x) : x;
}
