// The runtimes that nabla is proven on beside this Node. `.ci/run` installs them into build/runtimes.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSTALLED = fileURLToPath(new URL('../build/runtimes/node_modules/', import.meta.url));

/** Path of an installed binary: in a package of `scope`, named after the platform, whose name begins with `prefix`. */
function find(scope: string, prefix: string, file: string): string | undefined {
  const folder = join(INSTALLED, scope);
  const packages = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
  return packages.map((name) => join(folder, name, file)).find((path) => existsSync(path));
}

export interface Runtime {
  name: string;
  /** Undefined where it is not installed. */
  binary: string | undefined;
  /** What it takes to run a file that needs no permission. */
  flags: string[];
  /** What it takes beside to read NABLA_SIMD and NABLA_THREADS. */
  settings: string[];
}

export const RUNTIMES: Runtime[] = [
  { name: `Node ${process.versions.node}`, binary: process.execPath, flags: [], settings: [] },
  ...['22', '24', '26'].map((version) => ({
    name: `Node ${version}`,
    binary: find('', `node-${version}`, 'bin/node'),
    flags: [],
    settings: [],
  })),
  { name: 'Deno', binary: find('@deno', '', 'deno'), flags: ['run', '--no-prompt'], settings: ['--allow-env'] },
  { name: 'Bun', binary: find('@oven', 'bun-', 'bin/bun'), flags: [], settings: [] },
];
