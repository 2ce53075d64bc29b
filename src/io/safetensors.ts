// Saves and loads tensors as safetensors files, which PyTorch and the rest of the field read and write too.
import { tensor } from '../create.ts';
import type { Tensor } from '../tensor.ts';
import { decodeElements, encodeElements, type TensorData } from './elements.ts';
import { readWholeFile, writeFileAtomic } from './files.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from './safetensorsFormat.ts';

/**
 * Saves tensors by name, whole or not at all: `saveSafetensors('model.safetensors', model.stateDict())`.
 * float32 is written as F32, float64 as F64, int32 as I32, bool as BOOL.
 *
 * @param metadata free text about the file, such as `{ model: 'cnn' }`
 * @throws NablaError `data` if the file cannot be written or a tensor is named `__metadata__`
 */
export function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const raw = Object.entries(tensors).map(
    ([name, t]) => [name, encodeElements(t.shape, { dtype: t.dtype, data: t.data() } as TensorData)] as const,
  );
  writeFileAtomic(path, encodeSafetensors(new Map(raw), metadata));
}

/**
 * Loads every tensor of a file by its name: `model.loadStateDict(loadSafetensors('model.safetensors'))`.
 * F64 gives float64, narrower floats float32, integers int32, BOOL bool.
 *
 * @throws NablaError `data` if the file cannot be read, is damaged or holds what no tensor can
 */
export function loadSafetensors(path: string): Record<string, Tensor> {
  const entries = [...readFile(path).tensors].map(([name, raw]) => {
    const { dtype, data } = decodeElements(raw, `${path}: tensor ${JSON.stringify(name)}`);
    return [name, tensor(data, { shape: raw.shape, dtype })] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * The free text that a file carries about itself; empty if there is none.
 *
 * @throws NablaError as {@link loadSafetensors}
 */
export function loadSafetensorsMetadata(path: string): Readonly<Record<string, string>> {
  return readFile(path).metadata;
}

function readFile(path: string): SafetensorsFile {
  return decodeSafetensors(readWholeFile(path), path);
}
