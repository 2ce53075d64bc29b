// Element types: what they are called, which array holds them, and how they mix.
//
// In a kernel a float64 takes eight bytes, every other type four. A bool is 0 or 1 as a float32 there, so that a mask
// multiplies and sums without conversion.
//
// How they mix, wherever an operation takes several operands:
//   a number      takes the dtype of the tensor beside it; a fraction beside an int32 is an error
//   bool          gives way to every other type
//   equal types   stay
//   all else      is an error that names the mend: int32 with a float, float32 with float64. Nothing that a user gave
//                 is rounded, or made to look more precise than it is, unless he says so with `.to()`.
// What is made from an array keeps its precision: Float32Array gives float32, Float64Array float64, Int32Array int32.
// Plain numbers, and arrays of them, give float32, in which networks are trained; `{ dtype: 'float64' }` asks for more.
import { NablaError } from './error.ts';

const DTYPES = ['float32', 'float64', 'int32', 'bool'] as const;
export type DType = (typeof DTYPES)[number];
/** Those that derivatives go through. */
export type Float = 'float32' | 'float64';

/** How a value's elements lie in memory: bools as float32. */
export type Elements = Float32Array | Float64Array | Int32Array;

/** Bytes of an element in memory. */
export function bytesOf(dtype: DType): number {
  return dtype === 'float64' ? 8 : 4;
}

export function allocate(dtype: DType, nElems: number): Elements {
  if (dtype === 'float64') return new Float64Array(nElems);
  return dtype === 'int32' ? new Int32Array(nElems) : new Float32Array(nElems);
}

export function isFloat(dtype: DType): dtype is Float {
  return dtype === 'float32' || dtype === 'float64';
}

export function isDType(x: unknown): x is DType {
  return DTYPES.includes(x as DType);
}

/** Throws unless `x` names a dtype. */
export function checkDType(op: string, x: unknown): asserts x is DType {
  if (isDType(x)) return;
  throw new NablaError('dtype', `${op}: "${x}" is no dtype; expected 'float32', 'float64', 'int32' or 'bool'`);
}

/** The dtype of an operation on two operands, or an error. */
export function promote(op: string, a: DType, b: DType): DType {
  if (a === b) return a;
  if (a === 'bool') return b;
  if (b === 'bool') return a;
  const mend = isFloat(a) && isFloat(b) ? `.to('float64')` : `.to('${a}') or .to('${b}')`;
  throw new NablaError('dtype', `${op}: dtypes differ: ${a} and ${b}; convert one with ${mend}`, {
    op,
    dtypes: [a, b],
  });
}

/** The float dtype that all operands of an operation share, or an error. */
export function floatOf(op: string, ...operands: readonly { readonly dtype: DType }[]): Float {
  const [first = 'float32', ...others] = operands.map(({ dtype }) => {
    if (isFloat(dtype)) return dtype;
    throw new NablaError('dtype', `${op}: got ${dtype}, expected float32; convert with .to('float32')`, { op });
  });
  for (const other of others) promote(op, first, other);
  return first;
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
