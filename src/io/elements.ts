// Converts the elements of safetensors files to and from the arrays tensors are made of.
import type { Elements } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { DTYPE_BYTES, type RawTensor } from './safetensorsFormat.ts';

/** What a tensor can hold, and its array. */
export type TensorData =
  | { readonly dtype: 'float32'; readonly data: Float32Array }
  | { readonly dtype: 'float64'; readonly data: Float64Array }
  | { readonly dtype: 'int32'; readonly data: Int32Array }
  | { readonly dtype: 'bool'; readonly data: Uint8Array };

type Read = (view: DataView, offset: number) => number;

const FLOATS = new Map<string, Read>([
  ['F32', (view, at) => view.getFloat32(at, true)],
  ['BF16', (view, at) => fromBfloat16(view.getUint16(at, true))],
  ['F16', (view, at) => fromFloat16(view.getUint16(at, true))],
]);

const INTEGERS = new Map<string, Read>([
  ['I64', (view, at) => Number(view.getBigInt64(at, true))],
  ['U64', (view, at) => Number(view.getBigUint64(at, true))],
  ['I32', (view, at) => view.getInt32(at, true)],
  ['U32', (view, at) => view.getUint32(at, true)],
  ['I16', (view, at) => view.getInt16(at, true)],
  ['U16', (view, at) => view.getUint16(at, true)],
  ['I8', (view, at) => view.getInt8(at)],
  ['U8', (view, at) => view.getUint8(at)],
]);

/**
 * A file's elements as a tensor's: F16, BF16 and F32 become float32, F64 float64, integers int32, BOOL bool. `name` stands in the errors.
 *
 * @throws NablaError `data` for an integer beyond int32, a BOOL byte that is neither 0 nor 1, or a dtype that
 * has no tensor
 */
export function decodeElements(raw: RawTensor, name: string): TensorData {
  const perElement = DTYPE_BYTES.get(raw.dtype) ?? 1;
  const nElems = raw.bytes.byteLength / perElement;
  if (raw.dtype === 'F64') {
    const read: Read = (view, at) => view.getFloat64(at, true);
    return { dtype: 'float64', data: readAll(raw.bytes, perElement, new Float64Array(nElems), read) };
  }
  const float = FLOATS.get(raw.dtype);
  if (float !== undefined) {
    return { dtype: 'float32', data: readAll(raw.bytes, perElement, new Float32Array(nElems), float) };
  }
  const integer = INTEGERS.get(raw.dtype);
  if (integer !== undefined) {
    const read: Read = (view, at) => checkInt32(integer(view, at), raw.dtype, name);
    return { dtype: 'int32', data: readAll(raw.bytes, perElement, new Int32Array(nElems), read) };
  }
  if (raw.dtype !== 'BOOL') {
    const readable = ['F64', ...FLOATS.keys(), ...INTEGERS.keys(), 'BOOL'].join(', ');
    throw new NablaError('data', `${name}: dtype ${raw.dtype} has no tensor; expected one of ${readable}`);
  }
  const wrong = raw.bytes.find((byte) => byte > 1);
  if (wrong === undefined) return { dtype: 'bool', data: new Uint8Array(raw.bytes) }; // not slice(): a Buffer's is a view
  throw new NablaError('data', `${name}: BOOL element ${wrong}; expected 0 or 1`);
}

/** A tensor's elements as a file's: F32, F64, I32 or BOOL. */
export function encodeElements(shape: readonly number[], { dtype, data }: TensorData): RawTensor {
  if (dtype === 'bool') return { dtype: 'BOOL', shape, bytes: data };
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  if (dtype === 'float64') {
    for (let i = 0; i < data.length; i++) view.setFloat64(8 * i, data[i] as number, true);
    return { dtype: 'F64', shape, bytes };
  }
  if (dtype === 'int32') for (let i = 0; i < data.length; i++) view.setInt32(4 * i, data[i] as number, true);
  else for (let i = 0; i < data.length; i++) view.setFloat32(4 * i, data[i] as number, true);
  return { dtype: dtype === 'int32' ? 'I32' : 'F32', shape, bytes };
}

function readAll<T extends Elements>(bytes: Uint8Array, perElement: number, out: T, read: Read): T {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) out[i] = read(view, i * perElement);
  return out;
}

function checkInt32(value: number, dtype: string, name: string): number {
  if (value === (value | 0)) return value;
  throw new NablaError('data', `${name}: ${dtype} element ${value} does not fit int32`, { value });
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bits: number): number {
  SHARED_BITS[0] = bits << 16;
  return SHARED_FLOAT[0] as number;
}

const SHARED_BITS = new Int32Array(1);
const SHARED_FLOAT = new Float32Array(SHARED_BITS.buffer);

/** IEEE 754 binary16: 1 sign bit, 5 of exponent (bias 15), 10 of fraction; exact in float32. */
function fromFloat16(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
