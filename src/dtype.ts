// Element types: what they are called and which array holds them. Every type takes four bytes in a kernel; a bool
// is 0 or 1 as a float32 there, so that a mask multiplies and sums without conversion.
import { NablaError } from './error.ts';

export type DType = 'float32' | 'int32' | 'bool';

/** How a value's elements lie in memory: bools as float32. */
export type Elements = Float32Array | Int32Array;

export const ELEMENT_BYTES = 4;

export function allocate(dtype: DType, nElems: number): Elements {
  return dtype === 'int32' ? new Int32Array(nElems) : new Float32Array(nElems);
}

export function isDType(x: unknown): x is DType {
  return x === 'float32' || x === 'int32' || x === 'bool';
}

/**
 * The dtype of an operation on several operands: equal types stay, a bool gives way to the other. Integers and
 * floats of the user's never mix silently.
 */
export function promote(op: string, a: DType, b: DType): DType {
  if (a === b) return a;
  if (a === 'bool') return b;
  if (b === 'bool') return a;
  throw new NablaError('dtype', `${op}: dtypes differ: ${a} and ${b}; convert one with .to('${a}') or .to('${b}')`, {
    op,
    dtypes: [a, b],
  });
}

/** Throws unless all of `indices` lie in 0 … below − 1; names the first that does not. */
export function checkBelow(indices: Elements, below: number, what: string): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= 0 && index < below) continue;
    throw new NablaError('index', `${what} ${index} at position ${i} is out of range 0…${below - 1}`, {
      index,
      position: i,
      below,
    });
  }
}
