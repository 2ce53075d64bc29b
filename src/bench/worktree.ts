// Another revision of the project, checked out and built beside this one, to be measured against.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { NablaError } from '../error.ts';

/** Written where a build came to its end. */
const BUILT = '.nabla-built';

/**
 * The path that `file` has in revision `rev`, whose tree is built by `build` (a shell command; by default npm's install,
 * then the project's build script). A tree that was built by the same command before is used again.
 */
export function suiteOf(rev: string, file: string, build?: string): string {
  const folder = dirname(file);
  const root = git(folder, ['rev-parse', '--show-toplevel'], `${file} is in no git repository`);
  const sha = git(root, ['rev-parse', '--verify', '--quiet', `${rev}^{commit}`], `--against ${rev}: no such revision`);
  const tree = join(root, 'node_modules/.cache/nabla-bench', sha.slice(0, 12));
  const command = build ?? defaultBuild(root);
  const mark = join(tree, BUILT);
  if (!existsSync(mark)) {
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(dirname(tree), { recursive: true });
    git(root, ['worktree', 'prune'], 'git worktree prune');
    git(root, ['worktree', 'add', '--detach', '--force', tree, sha], `--against ${rev}: git worktree`);
    const { status } = spawnSync(command, {
      cwd: tree,
      shell: true,
      stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    });
    if (status !== 0) {
      throw new NablaError(
        'option',
        `--against ${rev}: building it failed: ${command} (in ${tree}); --build names another command`,
      );
    }
    writeFileSync(mark, `${command}\n`);
  }
  const there = join(tree, relative(root, file));
  if (existsSync(there)) return there;
  throw new NablaError('option', `--against ${rev}: has no ${relative(root, file)} once it is built by: ${command}`);
}

function defaultBuild(root: string): string {
  const install = existsSync(join(root, 'package-lock.json')) ? 'npm ci' : 'npm install';
  return `${install} && npm run build --if-present`;
}

function git(cwd: string, args: string[], problem: string): string {
  try {
    return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? '').trim();
    throw new NablaError('option', said === '' ? problem : `${problem}: ${said.split('\n').at(-1)}`);
  }
}
