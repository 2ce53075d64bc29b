// What the float64 references of ops share.
import { ACT_NONE, ACT_RELU, ACT_SIGMOID, ACT_TANH } from '../../assembly/abi.ts';
import type { Node } from '../graph/node.ts';
import { stridesOf } from '../shape.ts';

/** For each element of `shape`, in order, the position in a smaller array that broadcasts to it. */
export function broadcastIndex(small: readonly number[], shape: readonly number[]): Int32Array {
  let out = Int32Array.of(0);
  const strides = stridesOf(small);
  const pad = shape.length - small.length;
  shape.forEach((size, axis) => {
    const stride = axis < pad || small[axis - pad] === 1 ? 0 : (strides[axis - pad] as number);
    const next = new Int32Array(out.length * size);
    out.forEach((base, i) => {
      for (let j = 0; j < size; j++) next[i * size + j] = base + j * stride;
    });
    out = next;
  });
  return out;
}

/** The reference of an elementwise op: its formula over broadcast inputs. */
export function elementwiseReference(f: (...x: number[]) => number) {
  return (inputs: readonly Float64Array[], node: Node): Float64Array => {
    const at = node.inputs.map((input) => broadcastIndex(input.shape, node.shape));
    return Float64Array.from({ length: node.nElems }, (_, i) =>
      f(...inputs.map((x, k) => x[(at[k] as Int32Array)[i] as number] as number)),
    );
  };
}

const ACTIVATIONS: Record<number, (x: number) => number> = {
  [ACT_NONE]: (x) => x,
  [ACT_RELU]: (x) => Math.max(x, 0),
  [ACT_SIGMOID]: (x) => 1 / (1 + Math.exp(-x)),
  [ACT_TANH]: Math.tanh,
};

/** The epilogue of a product: a bias for each element, then the activation that rewrites gave it. */
export function epilogueReference(y: Float64Array, node: Node, bias: (i: number) => number): Float64Array {
  const act = ACTIVATIONS[(node.attrs.act as number | undefined) ?? ACT_NONE] as (x: number) => number;
  return y.map((v, i) => act(v + bias(i)));
}
