// Installs the peers beside this file on first use, and tells what a package takes on disk once installed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
// No peer needs a script of its own to be installed.
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

function npm(cwd, ...args) {
  const options = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], shell: process.platform === 'win32' };
  return execFileSync('npm', [...args, ...QUIET], options).trim();
}

/** Whatever cannot be installed is reported as missing by its side. */
export function installPeers() {
  if (existsSync(join(here, 'node_modules'))) return;
  console.error('installing the peers into bench/peers/node_modules (about 450 MB) …');
  try {
    npm(here, 'ci');
  } catch {
    console.error('npm ci failed; going on without them');
  }
}

/** Megabytes that some of the peers' packages take, with all they need, in an empty folder. */
export function installedSize(packages) {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  return sizeInEmptyFolder(() => packages.map((name) => `${name}@${dependencies[name]}`));
}

/** Megabytes that nabla takes, packed as it would be published. */
export const nablaSize = () =>
  sizeInEmptyFolder((folder) => {
    const file = npm(root, 'pack', '--pack-destination', folder).split('\n').at(-1);
    return [join(folder, file)];
  });

function sizeInEmptyFolder(toInstall) {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-size-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{}');
    npm(folder, 'install', ...toInstall(folder));
    return bytesIn(join(folder, 'node_modules')) / 1e6;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bytesIn(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((bytes, file) => bytes + statSync(join(file.parentPath, file.name)).size, 0);
}
