import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/create.ts';
import { loadSafetensors, loadSafetensorsMetadata, saveSafetensors } from '../../src/io/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'nabla-tensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('saveSafetensors and loadSafetensors', () => {
  test('give back shapes, dtypes and elements, and the metadata', () => {
    const path = join(folder, 'model.safetensors');
    saveSafetensors(
      path,
      {
        'conv.weight': tensor(Float32Array.of(1.5, -2, 1e-40, Number.POSITIVE_INFINITY), { shape: [2, 1, 2] }),
        steps: tensor(Int32Array.of(-7), { shape: [], dtype: 'int32' }),
        mask: tensor(Uint8Array.of(1, 0), { shape: [2], dtype: 'bool' }),
        precise: tensor(Float64Array.of(0.1, -1e-300)),
      },
      { model: 'cnn' },
    );
    const loaded = Object.entries(loadSafetensors(path)).map(([name, t]) => [name, t.dtype, t.shape, [...t.data()]]);
    expect(loaded).toEqual([
      ['precise', 'float64', [2], [0.1, -1e-300]],
      ['conv.weight', 'float32', [2, 1, 2], [1.5, -2, Math.fround(1e-40), Number.POSITIVE_INFINITY]],
      ['steps', 'int32', [], [-7]],
      ['mask', 'bool', [2], [1, 0]],
    ]);
    expect(loadSafetensorsMetadata(path)).toEqual({ model: 'cnn' });
  });

  test("read what Python's safetensors wrote", () => {
    const loaded = loadSafetensors(join(import.meta.dirname, '../fixtures/python.safetensors'));
    expect(loaded.weight?.shape).toEqual([2, 3]);
    expect(loaded.scalar?.item()).toBe(2.5);
    expect(loaded.empty?.shape).toEqual([0, 3]);
    expect([...(loaded.long?.data() ?? [])]).toEqual([7, -2147483648]);
  });

  test('name the file and the tensor in an error', () => {
    const path = join(folder, 'long.safetensors');
    const header = '{"step":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}';
    const bytes = Buffer.alloc(8 + header.length + 8);
    bytes.writeUInt32LE(header.length, 0);
    bytes.write(header, 8);
    bytes.writeBigInt64LE(2n ** 40n, 8 + header.length);
    writeFileSync(path, bytes);
    const message = `${path}: tensor "step": I64 element 1099511627776 does not fit int32`;
    expect(() => loadSafetensors(path)).toThrow(expect.objectContaining({ code: 'data', message }));
    const absent = join(folder, 'absent');
    expect(() => loadSafetensors(absent)).toThrow(
      `${absent}: cannot be read: ENOENT: no such file or directory, open '${absent}'`,
    );
  });
});
