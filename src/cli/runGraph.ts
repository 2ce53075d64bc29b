// What `nabla graph` does: loads a module, draws what it exports, writes the picture.
import { statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../bench/worker.ts';
import { NablaError } from '../error.ts';
import type { DrawOptions, Outputs } from '../viz/index.ts';
import * as own from '../viz/index.ts';
import { usage } from './args.ts';
import { GRAPH_HELP, type GraphOptions, parseGraphOptions } from './graphOptions.ts';

interface Output {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/** Runs the command and returns its exit code: 0, 1 where there is nothing to draw, 2 for options that will not do. */
export async function runGraph(args: readonly string[], { out, err }: Output): Promise<number> {
  try {
    const options = parseGraphOptions(args);
    if (options === 'help') out.write(GRAPH_HELP);
    else await graph(options, (text) => out.write(text));
    return 0;
  } catch (error) {
    if (!(error instanceof NablaError)) throw error;
    err.write(`graph: ${error.message}\n`);
    return error.code === 'option' ? 2 : 1;
  }
}

async function graph({ module, out, format, draw }: GraphOptions, say: (text: string) => void): Promise<void> {
  const file = resolve(module);
  checkFile(module, file);
  const { toText, toDot, toSVG } = await picturesOf(file);
  const picture = await inModule(module, file, async () => {
    const { outputs, options } = drawing(await exported(await import(pathToFileURL(file).href)));
    const all = { ...options, ...draw };
    if (format === 'svg') return toSVG(outputs, all);
    return format === 'dot' ? toDot(outputs, all) : `${toText(outputs, all)}\n`;
  });
  if (out === null) say(picture);
  else write(out, picture);
}

function checkFile(module: string, file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw usage(`${module}: no such file; expected a module`);
  const features = process.features as { typescript?: unknown };
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (!/\.[mc]?ts$/.test(file) || features.typescript || bun !== undefined || deno !== undefined) return;
  throw usage(
    `${module}: Node ${process.versions.node} does not run TypeScript; ` +
      'use Node 22.18 or newer, Deno or Bun, or compile it to JavaScript first',
  );
}

/** The pictures of the copy of nabla that the module uses, since tensors of another copy are strangers. */
async function picturesOf(file: string): Promise<typeof own> {
  let theirs: string;
  try {
    theirs = createRequire(file).resolve('nabla/viz');
  } catch {
    return own;
  }
  return import(pathToFileURL(theirs).href);
}

/** What goes wrong in the user's file is told by its message and line. */
async function inModule<T>(module: string, file: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    // An option is wrong whoever gave it; nabla's class may be that of another copy.
    const code = (error as Partial<NablaError> | null)?.code === 'option' ? 'option' : 'data';
    throw new NablaError(code, `${module}: ${messageOf(error, file)}`);
  }
}

function exported({ default: value }: { default?: unknown }): unknown {
  if (value === undefined) {
    throw usage('no default export; expected what to draw: export default () => loss (nabla graph --help)');
  }
  return typeof value === 'function' ? value() : value;
}

/** Outputs alone, or `{ outputs, names, … }`. */
function drawing(value: unknown): { outputs: Outputs; options: DrawOptions } {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'outputs')) {
    return { outputs: value as Outputs, options: {} };
  }
  const { outputs, ...options } = value as { outputs: Outputs } & DrawOptions;
  return { outputs, options };
}

function write(out: string, picture: string): void {
  try {
    writeFileSync(out, picture);
  } catch (error) {
    throw usage(`--out ${out}: cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}
