// Reads IDX files, the format of MNIST: a magic number, the sizes, then the elements, all big-endian.
// Format: https://yann.lecun.com/exdb/mnist/ ("The IDX file format"). Files are plain or gzip, told apart by content.
import { gunzipSync } from 'node:zlib';
import { NablaError } from '../error.ts';
import { readWholeFile } from '../io/files.ts';

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  /** Sizes, outermost first; `data` is row-major. */
  readonly shape: readonly number[];
  readonly data: IdxData;
}

interface ElementType {
  readonly name: string;
  readonly nBytes: number;
  readonly make: (nElems: number) => IdxData;
  readonly read: (view: DataView, offset: number) => number;
}

const ELEMENT_TYPES = new Map<number, ElementType>([
  [0x08, { name: 'u8', nBytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) }],
  [0x09, { name: 'i8', nBytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) }],
  [0x0b, { name: 'i16', nBytes: 2, make: (n) => new Int16Array(n), read: (v, at) => v.getInt16(at) }],
  [0x0c, { name: 'i32', nBytes: 4, make: (n) => new Int32Array(n), read: (v, at) => v.getInt32(at) }],
  [0x0d, { name: 'f32', nBytes: 4, make: (n) => new Float32Array(n), read: (v, at) => v.getFloat32(at) }],
  [0x0e, { name: 'f64', nBytes: 8, make: (n) => new Float64Array(n), read: (v, at) => v.getFloat64(at) }],
]);

const GZIP_MAGIC = [0x1f, 0x8b] as const;
const MAX_INFLATED_BYTES = 2 ** 31; // 40 times MNIST: a small file that claims to unpack to more is not data

/**
 * Reads one IDX file, plain or gzip.
 *
 * @throws NablaError `data` if the file cannot be read or is not a whole IDX file: wrong magic number, cut short, or
 * with bytes left over
 */
export function readIdx(path: string): IdxArray {
  return parseIdx(readWholeFile(path), path);
}

/**
 * Parses the bytes of an IDX file, plain or gzip. `name` stands in the errors.
 *
 * @throws NablaError `data`, see {@link readIdx}
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const plain = inflate(bytes, name);
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const { type, shape, headerBytes } = parseHeader(view, name);
  const nElems = shape.reduce((product, size) => product * size, 1);
  checkLength(name, plain.byteLength - headerBytes, type, shape, nElems * type.nBytes);
  const data = type.make(nElems);
  if (data instanceof Uint8Array) data.set(plain.subarray(headerBytes));
  else for (let i = 0; i < nElems; i++) data[i] = type.read(view, headerBytes + i * type.nBytes);
  return { shape, data };
}

function inflate(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw idxError(name, `begins as gzip but does not unpack: ${reason}; download it again`, { reason });
  }
}

function parseHeader(view: DataView, name: string): { type: ElementType; shape: number[]; headerBytes: number } {
  if (view.byteLength < 4) {
    throw idxError(name, `holds ${view.byteLength} bytes; an IDX file begins with 4 bytes of magic number`);
  }
  const magic = view.getUint32(0);
  const type = ELEMENT_TYPES.get(view.getUint8(2));
  const rank = view.getUint8(3);
  if (view.getUint16(0) !== 0 || type === undefined || rank === 0) {
    const codes = [...ELEMENT_TYPES].map(([code, { name }]) => `${hex(code, 2)} ${name}`).join(', ');
    throw idxError(
      name,
      `magic number ${hex(magic, 8)}: expected two zero bytes, an element type (${codes}) and a rank of 1 or more; ` +
        'this is no IDX file',
      { magic },
    );
  }
  const headerBytes = 4 + 4 * rank;
  if (view.byteLength < headerBytes) {
    throw idxError(
      name,
      `cut short: a header of rank ${rank} takes ${headerBytes} bytes, the file holds ${view.byteLength}; ` +
        'download it again',
    );
  }
  return { type, shape: Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis)), headerBytes };
}

function checkLength(name: string, found: number, type: ElementType, shape: number[], expected: number): void {
  if (found === expected) return;
  const problem = found < expected ? 'cut short' : 'bytes left over';
  throw idxError(
    name,
    `${problem}: the header says [${shape}] of ${type.name}, ${expected} bytes; ${found} follow it; download it again`,
    { found, expected },
  );
}

function idxError(name: string, message: string, fields: Record<string, unknown> = {}): NablaError {
  return new NablaError('data', `${name}: ${message}`, { file: name, ...fields });
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
