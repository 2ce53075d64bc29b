import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeElements, encodeElements } from '../../src/io/elements.ts';
import { writeFileAtomic } from '../../src/io/files.ts';
import { decodeSafetensors, encodeSafetensors, type RawTensor } from '../../src/io/safetensorsFormat.ts';

/**
 * Written by Python's safetensors 0.8.0 (`safetensors.torch.save_file`): a tensor of every dtype, one scalar, one
 * empty.
 */
const PYTHON = join(import.meta.dirname, '../fixtures/python.safetensors');

const folder = mkdtempSync(join(tmpdir(), 'nabla-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The bytes of a file with this header, right or wrong, and this many bytes of data. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  bytes[0] = json.length & 255;
  bytes[1] = json.length >> 8;
  bytes.set(json, 8);
  return bytes;
}

function entry(begin: number, end: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { dtype: 'F32', shape: [(end - begin) / 4], data_offsets: [begin, end], ...more };
}

describe('a file written by Python', () => {
  const { tensors, metadata } = decodeSafetensors(readFileSync(PYTHON), 'python');
  const read = (name: string) => decodeElements(tensors.get(name) as RawTensor, name);

  test('gives its metadata, names and shapes', () => {
    expect(metadata).toEqual({ format: 'pt', 'made by': 'safetensors for Python' });
    expect(Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]))).toEqual({
      weight: ['F32', 2, 3],
      labels: ['I32', 3],
      long: ['I64', 2],
      double: ['F64', 2],
      half: ['F16', 5],
      brain: ['BF16', 3],
      mask: ['BOOL', 2, 2],
      bytes: ['U8', 2],
      short: ['I16', 1],
      scalar: ['F32'],
      empty: ['F32', 0, 3],
    });
  });

  test.each([
    ['weight', 'float32', Float32Array.of(1.5, -2.25, 3e-40, Number.POSITIVE_INFINITY, 0.1, -0)],
    ['double', 'float64', Float64Array.of(0.1, 1e-3)],
    ['half', 'float32', Float32Array.of(1, -65504, 2 ** -24, Number.POSITIVE_INFINITY, 0.333251953125)],
    ['brain', 'float32', Float32Array.of(1, -3.140625, 150 * 2 ** 119)],
    ['scalar', 'float32', Float32Array.of(2.5)],
    ['empty', 'float32', Float32Array.of()],
    ['labels', 'int32', Int32Array.of(0, -1, 2147483647)],
    ['long', 'int32', Int32Array.of(7, -2147483648)],
    ['short', 'int32', Int32Array.of(-32768)],
    ['bytes', 'int32', Int32Array.of(0, 255)],
    ['mask', 'bool', Uint8Array.of(1, 0, 0, 1)],
  ])('gives %s as %s', (name, dtype, data) => {
    expect(read(name)).toEqual({ dtype, data });
  });
});

test('encodeElements gives each dtype its own', () => {
  expect(encodeElements([2], { dtype: 'int32', data: Int32Array.of(1, -2) })).toEqual({
    dtype: 'I32',
    shape: [2],
    bytes: Uint8Array.of(1, 0, 0, 0, 254, 255, 255, 255),
  });
  expect(encodeElements([1], { dtype: 'float32', data: Float32Array.of(1) }).dtype).toBe('F32');
  expect(encodeElements([1], { dtype: 'bool', data: Uint8Array.of(1) }).dtype).toBe('BOOL');
});

describe('encodeSafetensors', () => {
  const weight = encodeElements([2, 1], { dtype: 'float32', data: Float32Array.of(1, -2) });
  const mask = encodeElements([3], { dtype: 'bool', data: Uint8Array.of(1, 0, 1) });
  const labels = encodeElements([], { dtype: 'int32', data: Int32Array.of(-5) });

  test('writes a padded header, wide elements first, then the data', () => {
    const bytes = encodeSafetensors(
      new Map([
        ['mask', mask],
        ['weight', weight],
      ]),
      { model: 'cnn' },
    );
    const headerBytes = new DataView(bytes.buffer).getUint32(0, true);
    expect(headerBytes % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)).trimEnd()).toBe(
      '{"__metadata__":{"model":"cnn"},"weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},' +
        '"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]}}',
    );
    expect([...bytes.subarray(8 + headerBytes)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 1, 0, 1]);
  });

  test('what it writes is read back, whatever the names', () => {
    const tensors = new Map([
      ['weight', weight],
      ['__proto__', labels],
      ['a "quoted" name', mask],
      ['7', labels],
    ]);
    const decoded = decodeSafetensors(encodeSafetensors(tensors), 'file');
    expect(decoded.metadata).toEqual({});
    expect(new Map([...decoded.tensors].sort())).toEqual(new Map([...tensors].sort()));
  });

  test('refuses a name the format keeps, and bytes that do not fit', () => {
    expect(() => encodeSafetensors(new Map([['__metadata__', mask]]))).toThrow(
      'safetensors: a tensor cannot be named __metadata__: the format keeps it',
    );
    expect(() => encodeSafetensors(new Map([['w', { ...weight, shape: [3] }]]))).toThrow(
      'safetensors: tensor "w": 8 bytes; expected 12 for F32 [3]',
    );
  });
});

describe('decodeSafetensors refuses', () => {
  const dtypes = 'BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64';
  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(3), 'holds 3 bytes; a safetensors file begins with 8 bytes of header length'],
    [
      'a header length past all bounds',
      new Uint8Array(16).fill(255),
      'header length 18446744073709551615: expected at most 100000000; this is no safetensors file',
    ],
    [
      'a header cut short',
      file({ w: entry(0, 4) }, 0).subarray(0, 30),
      'cut short: header length 54, but only 22 bytes follow; copy the file again',
    ],
    ['an empty header', file('', 4), "the header does not begin with '{'; this is no safetensors file"],
    ['another header', file('[]', 0), "the header does not begin with '{'; this is no safetensors file"],
    [
      'metadata that is no text',
      file({ __metadata__: { n: 1 } }, 0),
      '__metadata__ is {"n":1}; expected an object of strings',
    ],
    [
      'a tensor that is none',
      file({ w: [1] }, 0),
      'tensor "w": [1]; expected an object with dtype, shape and data_offsets',
    ],
    [
      'an unknown dtype',
      file({ w: entry(0, 4, { dtype: 'F31' }) }, 4),
      `tensor "w": dtype "F31"; expected one of ${dtypes}`,
    ],
    [
      'no dtype',
      file({ w: entry(0, 4, { dtype: undefined }) }, 4),
      `tensor "w": dtype undefined; expected one of ${dtypes}`,
    ],
    [
      'a negative size',
      file({ w: entry(0, 4, { shape: [-1] }) }, 4),
      'tensor "w": shape [-1]; expected an array of whole numbers from 0',
    ],
    [
      'a size that is no size',
      file({ w: entry(0, 4, { shape: ['1'] }) }, 4),
      'tensor "w": shape ["1"]; expected an array of whole numbers from 0',
    ],
    [
      'offsets turned round',
      file({ w: entry(0, 4, { data_offsets: [4, 0] }) }, 4),
      'tensor "w": data_offsets [4,0]; expected [begin, end], begin ≤ end',
    ],
    [
      'three offsets',
      file({ w: entry(0, 4, { data_offsets: [0, 2, 4] }) }, 4),
      'tensor "w": data_offsets [0,2,4]; expected [begin, end], begin ≤ end',
    ],
    [
      'a shape that does not fit its bytes',
      file({ w: entry(0, 8, { shape: [3] }) }, 8),
      'tensor "w": data_offsets [0,8] span 8 bytes; expected 12 for F32 [3]',
    ],
    [
      'sizes that overflow',
      file({ w: entry(0, 0, { shape: [2 ** 52, 2 ** 52] }) }, 0),
      'tensor "w": data_offsets [0,0] span 0 bytes; expected 8.112963841460668e+31 for F32 [4503599627370496,4503599627370496]',
    ],
    ['data cut short', file({ w: entry(0, 8) }, 7), 'cut short: tensor "w" ends at byte 8 of the data, which has 7'],
    [
      'tensors that overlap',
      file({ v: entry(0, 8), w: entry(4, 12) }, 12),
      'tensor "w" begins at byte 4, but tensor "v" ends at 8: they overlap',
    ],
    [
      'a hole between tensors',
      file({ v: entry(0, 4), w: entry(8, 12) }, 12),
      '4 bytes between tensor "v" and tensor "w" belong to no tensor',
    ],
    [
      'a hole before the first',
      file({ w: entry(4, 8) }, 8),
      '4 bytes between the header and tensor "w" belong to no tensor',
    ],
    ['bytes after the last', file({ w: entry(0, 4) }, 5), '1 bytes after tensor "w" belong to no tensor'],
    [
      'a name given twice, whose first bytes would be hidden',
      file(`{"w":${JSON.stringify(entry(0, 4))},"w":${JSON.stringify(entry(4, 8))}}`, 8),
      '4 bytes between the header and tensor "w" belong to no tensor',
    ],
  ])('%s', (_, bytes, message) => {
    const expected = { code: 'data', message: `file: ${message}` };
    expect(() => decodeSafetensors(bytes, 'file')).toThrow(expect.objectContaining(expected));
  });

  test.each([
    ['JSON that breaks off', file('{"w":', 0)],
    ['bytes that are no UTF-8', file('{"__metadata__":{"a":"?"}}', 0).fill(0xff, 30, 31)],
  ])('%s', (_, bytes) => {
    expect(() => decodeSafetensors(bytes, 'file')).toThrow(/^file: the header is no valid JSON: /);
  });
});

describe('decodeElements refuses', () => {
  const raw = (dtype: string, ...bytes: number[]): RawTensor => ({ dtype, shape: [1], bytes: Uint8Array.from(bytes) });
  test.each<[string, RawTensor, string]>([
    ['an I64 beyond int32', raw('I64', 0, 0, 0, 128, 0, 0, 0, 0), 'w: I64 element 2147483648 does not fit int32'],
    ['a U32 beyond int32', raw('U32', 255, 255, 255, 255), 'w: U32 element 4294967295 does not fit int32'],
    ['a BOOL of 2', raw('BOOL', 2), 'w: BOOL element 2; expected 0 or 1'],
    [
      'a dtype without a tensor',
      raw('F8_E4M3', 1),
      'w: dtype F8_E4M3 has no tensor; expected one of F64, F32, BF16, F16, I64, U64, I32, U32, I16, U16, I8, U8, BOOL',
    ],
  ])('%s', (_, tensor, message) => {
    expect(() => decodeElements(tensor, 'w')).toThrow(expect.objectContaining({ code: 'data', message }));
  });
});

describe('writeFileAtomic', () => {
  test('replaces a file and leaves nothing else behind', () => {
    const inner = mkdtempSync(join(folder, 'a-'));
    writeFileAtomic(join(inner, 'model'), Uint8Array.of(1));
    writeFileAtomic(join(inner, 'model'), Uint8Array.of(2, 3));
    expect([...readFileSync(join(inner, 'model'))]).toEqual([2, 3]);
    expect(readdirSync(inner)).toEqual(['model']);
  });

  test('names a path that cannot be written, and keeps what stands there', () => {
    const inner = mkdtempSync(join(folder, 'b-'));
    mkdirSync(join(inner, 'model'));
    writeFileSync(join(inner, 'model', 'old'), 'old');
    chmodSync(inner, 0o700);
    expect(() => writeFileAtomic(join(inner, 'model'), Uint8Array.of(1))).toThrow(
      expect.objectContaining({ code: 'data', message: expect.stringMatching(/\/model: cannot be written: EISDIR/) }),
    );
    expect(readdirSync(inner)).toEqual(['model']);
    expect(() => writeFileAtomic(join(inner, 'absent', 'model'), Uint8Array.of(1))).toThrow(
      expect.objectContaining({
        code: 'data',
        message: expect.stringMatching(/absent\/model: cannot be written: ENOENT/),
      }),
    );
  });
});
