// Reads a file whole; writes one whole or not at all.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { NablaError } from '../error.ts';

/** @throws NablaError `data` naming the path and the system's reason */
export function readWholeFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new NablaError('data', `${path}: cannot be read: ${(cause as Error).message}`, { path });
  }
}

/**
 * Writes to a temporary file in the same folder, then renames it over `path`: whoever reads `path` meanwhile, or after
 * a crash, finds the old file or the new one, never a part.
 *
 * @throws NablaError `data`; the temporary file is removed and an older file at `path` stays as it was
 */
export function writeFileAtomic(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    writeAndSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new NablaError('data', `${path}: cannot be written: ${(cause as Error).message}`, { path });
  }
}

function writeAndSync(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx');
  try {
    let at = 0;
    while (at < bytes.byteLength) at += writeSync(file, bytes, at); // a write may take only a part
    fsyncSync(file); // else a crash after the rename could leave a file of zeros
  } finally {
    closeSync(file);
  }
}
