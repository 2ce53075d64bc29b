// A suite of benchmarks as a user's file exports it, checked before anything of it runs.
import { NablaError } from '../error.ts';

/** One benchmark that needs more than a function. `C` is what its set-up returns. */
export interface Benchmark<C = unknown> {
  /** Called once before the calls that are timed; may return a promise. */
  setup?: () => C | Promise<C>;
  /** What is timed. A promise it returns is waited for. */
  run: (context: C) => unknown;
  /** Called once after them; may return a promise. */
  teardown?: (context: C) => unknown;
  /** What a call does so many of, as `items` and `unit` say: 64 'samples'. Without them FLOPs are counted, or calls. */
  items?: number;
  unit?: string;
}

/** The default export of a suite: benchmarks by name, or a function, which may be async, that returns them. */
// biome-ignore lint/suspicious/noExplicitAny: contexts of different benchmarks differ
export type Suite = Record<string, (() => unknown) | Benchmark<any>>;

const EXAMPLE = "export default { 'train step': () => step(x, y) }";
const FIELDS = ['setup', 'run', 'teardown', 'items', 'unit'];

function bad(message: string): NablaError {
  return new NablaError('data', message);
}

/** The benchmarks of a suite's module, in order. @throws NablaError `data` that says what is wrong with it */
export async function readSuite(module: object, file: string): Promise<Map<string, Benchmark>> {
  if (!('default' in module)) throw bad(`${file}: has no default export; expected a suite: ${EXAMPLE}`);
  const suite = typeof module.default === 'function' ? await module.default() : module.default;
  if (typeof suite !== 'object' || suite === null || Array.isArray(suite)) {
    throw bad(`${file}: the suite is ${describe(suite)}; expected an object: ${EXAMPLE}`);
  }
  const entries = Object.entries(suite as Record<string, unknown>);
  if (entries.length === 0) throw bad(`${file}: the suite has no benchmark; expected one or more: ${EXAMPLE}`);
  return new Map(entries.map(([name, entry]) => [name, benchmarkOf(file, name, entry)]));
}

function benchmarkOf(file: string, name: string, entry: unknown): Benchmark {
  if (typeof entry === 'function') return { run: entry as () => unknown };
  const at = `${file}: '${name}'`;
  if (typeof entry !== 'object' || entry === null) {
    throw bad(`${at} is ${describe(entry)}; expected a function or { setup, run, teardown, items, unit }`);
  }
  const fields = entry as Record<string, unknown>;
  const unknown = Object.keys(fields).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) throw bad(`${at}: unknown field '${unknown}'; expected ${FIELDS.join(', ')}`);
  for (const key of ['setup', 'run', 'teardown']) {
    if (typeof fields[key] !== 'function' && (key === 'run' || fields[key] !== undefined)) {
      throw bad(`${at}: ${key} is ${describe(fields[key])}; expected a function`);
    }
  }
  const { items, unit } = fields;
  if (items !== undefined && !(typeof items === 'number' && items > 0 && items < Infinity)) {
    throw bad(`${at}: items is ${describe(items)}; expected a number above 0`);
  }
  if (unit !== undefined && typeof unit !== 'string') throw bad(`${at}: unit is ${describe(unit)}; expected a word`);
  return entry as Benchmark;
}

function describe(x: unknown): string {
  if (Array.isArray(x)) return 'an array';
  if (typeof x === 'string') return `'${x}'`;
  return typeof x === 'function' ? 'a function' : typeof x === 'object' && x !== null ? 'an object' : String(x);
}
