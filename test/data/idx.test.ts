import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { parseIdx, readIdx } from '../../src/data/idx.ts';

/** The bytes of an IDX file: element type, sizes, then the elements' bytes. */
function idx(type: number, shape: number[], elements: number[]): Uint8Array {
  const sizes = shape.flatMap((size) => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]);
  return Uint8Array.from([0, 0, type, shape.length, ...sizes, ...elements]);
}

const folder = mkdtempSync(join(tmpdir(), 'nabla-idx-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseIdx', () => {
  test.each([
    ['u8', 0x08, [0, 255], Uint8Array.of(0, 255)],
    ['i8', 0x09, [0x80, 0x7f], Int8Array.of(-128, 127)],
    ['i16', 0x0b, [0x80, 0, 1, 2], Int16Array.of(-32768, 258)],
    ['i32', 0x0c, [0x80, 0, 0, 0, 1, 2, 3, 4], Int32Array.of(-2147483648, 16909060)],
    ['f32', 0x0d, [0x3f, 0xc0, 0, 0, 0xff, 0x80, 0, 0], Float32Array.of(1.5, Number.NEGATIVE_INFINITY)],
    ['f64', 0x0e, [0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a, 0x40, 0, 0, 0, 0, 0, 0, 0], Float64Array.of(0.1, 2)],
  ])('reads %s, big-endian', (_, type, bytes, data) => {
    expect(parseIdx(idx(type, [2], bytes), 'file')).toEqual({ shape: [2], data });
  });

  test('reads several sizes, row-major, also from the middle of a buffer', () => {
    const bytes = idx(8, [2, 3], [1, 2, 3, 4, 5, 6]);
    const padded = new Uint8Array(bytes.length + 3);
    padded.set(bytes, 3);
    expect(parseIdx(padded.subarray(3), 'file')).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  test('unpacks gzip, which it knows by its first bytes and not by the name', () => {
    expect(parseIdx(gzipSync(idx(8, [1], [7])), 'file')).toEqual({ shape: [1], data: Uint8Array.of(7) });
  });

  test.each([
    ['no bytes', new Uint8Array(0), 'file: holds 0 bytes; an IDX file begins with 4 bytes of magic number'],
    [
      'another magic number',
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
      'file: magic number 0x89504e47: expected two zero bytes, an element type (0x08 u8, 0x09 i8, 0x0b i16, 0x0c i32, ' +
        '0x0d f32, 0x0e f64) and a rank of 1 or more; this is no IDX file',
    ],
    [
      'an unknown element type',
      idx(0x0a, [1], [1]),
      'file: magic number 0x00000a01: expected two zero bytes, an element type (0x08 u8, 0x09 i8, 0x0b i16, 0x0c i32, ' +
        '0x0d f32, 0x0e f64) and a rank of 1 or more; this is no IDX file',
    ],
    [
      'rank 0',
      idx(8, [], [1]),
      'file: magic number 0x00000800: expected two zero bytes, an element type (0x08 u8, 0x09 i8, 0x0b i16, 0x0c i32, ' +
        '0x0d f32, 0x0e f64) and a rank of 1 or more; this is no IDX file',
    ],
    [
      'a header cut short',
      idx(8, [1, 2, 3], []).subarray(0, 15),
      'file: cut short: a header of rank 3 takes 16 bytes, the file holds 15; download it again',
    ],
    [
      'elements cut short',
      idx(0x0b, [2, 2], [1, 2, 3, 4, 5, 6, 7]),
      'file: cut short: the header says [2,2] of i16, 8 bytes; 7 follow it; download it again',
    ],
    [
      'bytes left over',
      idx(8, [2], [1, 2, 3]),
      'file: bytes left over: the header says [2] of u8, 2 bytes; 3 follow it; download it again',
    ],
    [
      'sizes no memory could hold',
      idx(0x0e, [0xffffffff, 0xffffffff], [1]),
      'file: cut short: the header says [4294967295,4294967295] of f64, 147573952520956940000 bytes; 1 follow it; ' +
        'download it again',
    ],
    [
      'gzip cut short',
      gzipSync(idx(8, [1], [7])).subarray(0, 20),
      'file: begins as gzip but does not unpack: unexpected end of file; download it again',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'file')).toThrow(expect.objectContaining({ code: 'data', message }));
  });
});

describe('readIdx', () => {
  test('reads a file', () => {
    const path = join(folder, 'two');
    writeFileSync(path, idx(8, [2], [3, 4]));
    expect(readIdx(path).data).toEqual(Uint8Array.of(3, 4));
  });

  test('names a file that is not there', () => {
    const path = join(folder, 'absent');
    const message = `${path}: cannot be read: ENOENT: no such file or directory, open '${path}'`;
    expect(() => readIdx(path)).toThrow(expect.objectContaining({ code: 'data', message }));
  });
});
