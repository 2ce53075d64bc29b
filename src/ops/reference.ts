// What the float64 references of ops share.
import { ACT_RELU } from '../../assembly/abi.ts';
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

/** The epilogue of a product: a bias for each element, then the activation that rewrites gave it. */
export function epilogueReference(y: Float64Array, node: Node, bias: (i: number) => number): Float64Array {
  return y.map((v, i) => (node.attrs.act === ACT_RELU ? Math.max(v + bias(i), 0) : v + bias(i)));
}
