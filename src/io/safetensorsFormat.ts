// The safetensors format on plain bytes: 8 bytes of header length, a JSON header, then the tensors' elements.
// It knows no tensor. Format: https://huggingface.co/docs/safetensors (README, "Format").
import { NablaError } from '../error.ts';

/** One tensor as the file has it: little-endian elements, row-major. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface SafetensorsFile {
  /** By name, in the file's order. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
  /** Free text about the file; empty if there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Bytes of one element. The format's types narrower than a byte are left out: no tensor here can hold them. */
export const DTYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ['BOOL', 1],
  ['U8', 1],
  ['I8', 1],
  ['F8_E5M2', 1],
  ['F8_E4M3', 1],
  ['I16', 2],
  ['U16', 2],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['U32', 4],
  ['F32', 4],
  ['I64', 8],
  ['U64', 8],
  ['F64', 8],
]);

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000; // the reference implementation's bound
const METADATA = '__metadata__';
const OPEN_BRACE = 0x7b;

/**
 * The bytes of a file. Wide elements come first, so that every tensor starts at a multiple of its element's size;
 * the header is padded with spaces to a multiple of 8.
 *
 * @throws NablaError `data` for a name the format keeps for itself, or bytes that do not fit shape and dtype
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, RawTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(([a, x], [b, y]) => elementBytes(y) - elementBytes(x) || (a < b ? -1 : 1));
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let offset = 0;
  for (const [name, raw] of sorted) {
    checkWritable(name, raw);
    const end = offset + raw.bytes.byteLength;
    entries.push([name, { dtype: raw.dtype, shape: raw.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(json, LENGTH_BYTES);
  file.fill(0x20, LENGTH_BYTES + json.length, LENGTH_BYTES + headerBytes);
  let at = LENGTH_BYTES + headerBytes;
  for (const [, { bytes }] of sorted) {
    file.set(bytes, at);
    at += bytes.byteLength;
  }
  return file;
}

/**
 * Parses the bytes of a file; nothing of it is believed before it is checked. `name` stands in the errors. The tensors'
 * bytes are views of `file`.
 *
 * @throws NablaError `data` for a header that is no valid one, an unknown dtype, offsets that leave the file,
 * overlap or leave holes, or sizes that do not fit
 */
export function decodeSafetensors(file: Uint8Array, name: string): SafetensorsFile {
  const headerBytes = readHeaderLength(file, name);
  const header = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes), name);
  const data = file.subarray(LENGTH_BYTES + headerBytes);
  const metadata = readMetadata(header.get(METADATA), name);
  header.delete(METADATA);
  const entries = [...header].map(([key, value]) => readEntry(key, value, name));
  checkLayout(entries, data.byteLength, name);
  const tensors = new Map(
    entries.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, bytes: data.subarray(begin, end) }]),
  );
  return { tensors, metadata };
}

function readHeaderLength(file: Uint8Array, name: string): number {
  if (file.byteLength < LENGTH_BYTES) {
    throw fileError(name, `holds ${file.byteLength} bytes; a safetensors file begins with 8 bytes of header length`);
  }
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw fileError(name, `header length ${length}: expected at most ${MAX_HEADER_BYTES}; this is no safetensors file`);
  }
  const room = file.byteLength - LENGTH_BYTES;
  if (length > room) {
    throw fileError(name, `cut short: header length ${length}, but only ${room} bytes follow; copy the file again`);
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array, name: string): Map<string, unknown> {
  if (bytes[0] !== OPEN_BRACE) {
    throw fileError(name, "the header does not begin with '{'; this is no safetensors file");
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return new Map(Object.entries(JSON.parse(text)));
  } catch (cause) {
    throw fileError(name, `the header is no valid JSON: ${(cause as Error).message}`);
  }
}

function readMetadata(value: unknown, name: string): Record<string, string> {
  if (value === undefined) return {};
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
    return value as Record<string, string>;
  }
  throw fileError(name, `${METADATA} is ${JSON.stringify(value)}; expected an object of strings`);
}

function readEntry(key: string, value: unknown, name: string): Entry {
  const wrong = (found: string, expected: string) =>
    fileError(name, `tensor ${JSON.stringify(key)}: ${found}; expected ${expected}`, { tensor: key });
  if (!isObject(value)) throw wrong(JSON.stringify(value), 'an object with dtype, shape and data_offsets');
  const { dtype, shape, data_offsets: offsets } = value;
  const perElement = typeof dtype === 'string' ? DTYPE_BYTES.get(dtype) : undefined;
  if (perElement === undefined) {
    throw wrong(`dtype ${JSON.stringify(dtype)}`, `one of ${[...DTYPE_BYTES.keys()].join(', ')}`);
  }
  if (!isSizes(shape)) throw wrong(`shape ${JSON.stringify(shape)}`, 'an array of whole numbers from 0');
  const [begin, end] = isSizes(offsets) && offsets.length === 2 ? (offsets as [number, number]) : [1, 0];
  if (begin > end) throw wrong(`data_offsets ${JSON.stringify(offsets)}`, '[begin, end], begin ≤ end');
  const nBytes = product(shape) * perElement;
  if (end - begin !== nBytes) {
    throw wrong(`data_offsets [${begin},${end}] span ${end - begin} bytes`, `${nBytes} for ${dtype} [${shape}]`);
  }
  return { name: key, dtype: dtype as string, shape, begin, end };
}

/** The tensors must tile the data: so no two share bytes, and no bytes hide between them. */
function checkLayout(entries: readonly Entry[], dataBytes: number, file: string): void {
  let at = 0;
  let before = 'the header';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const tensor = `tensor ${JSON.stringify(name)}`;
    if (end > dataBytes) {
      throw fileError(file, `cut short: ${tensor} ends at byte ${end} of the data, which has ${dataBytes}`, { name });
    }
    if (begin < at)
      throw fileError(file, `${tensor} begins at byte ${begin}, but ${before} ends at ${at}: they overlap`);
    if (begin > at) throw fileError(file, `${begin - at} bytes between ${before} and ${tensor} belong to no tensor`);
    at = end;
    before = tensor;
  }
  if (at < dataBytes) throw fileError(file, `${dataBytes - at} bytes after ${before} belong to no tensor`);
}

function checkWritable(name: string, raw: RawTensor): void {
  if (name === METADATA) throw fileError('safetensors', `a tensor cannot be named ${METADATA}: the format keeps it`);
  const expected = product(raw.shape) * elementBytes(raw);
  if (raw.bytes.byteLength === expected) return;
  throw fileError(
    'safetensors',
    `tensor ${JSON.stringify(name)}: ${raw.bytes.byteLength} bytes; expected ${expected} for ${raw.dtype} [${raw.shape}]`,
    { tensor: name },
  );
}

function elementBytes(raw: RawTensor): number {
  return DTYPE_BYTES.get(raw.dtype) ?? Number.NaN;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function fileError(file: string, message: string, fields: Record<string, unknown> = {}): NablaError {
  return new NablaError('data', `${file}: ${message}`, { file, ...fields });
}
