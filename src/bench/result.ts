// What a run of a suite found: the JSON that `--save` and `--json` write, and what must agree before two are compared.
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { NablaError } from '../error.ts';
import type { Counters } from '../run/counters.ts';
import type { Limits } from '../run/limits.ts';

export type { Counters, Limits };

/** Raised when the meaning of anything in a saved result changes. */
const FORMAT = 1;

export interface Measured {
  name: string;
  /** What a call does so many of. */
  items?: number;
  unit?: string;
  /** Of one call, once it has settled; null for a suite without nabla. */
  counters: Counters | null;
  /** Seconds a call, in one list for each fresh process. */
  rounds: number[][];
}

export interface Result {
  format: number;
  suite: string;
  /** ISO 8601. */
  date: string;
  machine: { cpu: string; cores: number; platform: string; arch: string };
  runtime: { name: string; version: string };
  settings: { threads?: number; simd?: string };
  /** Of one thread, measured in the same run; nothing without nabla, or where only counters were asked for. */
  limits?: Limits;
  benchmarks: Measured[];
}

export function newResult(suite: string): Result {
  const { node, deno, bun } = process.versions as Record<string, string | undefined>;
  const [name, version] = bun ? ['Bun', bun] : deno ? ['Deno', deno] : ['Node', node as string];
  return {
    format: FORMAT,
    suite,
    date: new Date().toISOString(),
    machine: {
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      cores: os.availableParallelism(),
      platform: os.platform(),
      arch: os.arch(),
    },
    runtime: { name, version },
    settings: {},
    benchmarks: [],
  };
}

export function writeResult(file: string, result: Result): void {
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
}

/** @throws NablaError `data` for what is no result, or one of another version of this format */
export function readResult(file: string): Result {
  let found: Partial<Result> | null;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new NablaError('data', `${file}: cannot be read as a saved result: ${(error as Error).message}`, { file });
  }
  if (found?.format !== FORMAT || !Array.isArray(found.benchmarks)) {
    const given = found?.format === undefined ? 'no format' : `format ${found.format}`;
    throw new NablaError('data', `${file}: has ${given}; expected format ${FORMAT}: save it again with --save`, {
      file,
    });
  }
  const bad = found.benchmarks.find((b) => typeof b?.name !== 'string' || !Array.isArray(b.rounds));
  if (bad !== undefined) throw new NablaError('data', `${file}: a benchmark lacks its name or rounds`, { file });
  return found as Result;
}

/** What differs between two runs beside the code: timings of such are not comparable. */
export function differences(base: Result, head: Result): string[] {
  const facts = (r: Result): Record<string, unknown> => ({
    ...r.machine,
    runtime: `${r.runtime.name} ${r.runtime.version}`,
    ...r.settings,
  });
  const [a, b] = [facts(base), facts(head)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => a[key] !== b[key])
    .map((key) => `${key}: ${a[key] ?? 'none'} there, ${b[key] ?? 'none'} here`);
}
