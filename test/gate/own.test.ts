// nabla's own gate: the exact counters of every workload are the committed ones. After a change that is meant:
// npm run bench -- --counters --threads 2 --save bench/counters.json
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

test('the work of every workload is what bench/counters.json says', { timeout: 120_000 }, async () => {
  const compared = ['--compare', path('../../bench/counters.json')];
  const command = [path('../../build/nabla/cli.js'), 'bench', path('../../build/bench/suite.js')];
  const run = promisify(execFile)(process.execPath, [...command, '--counters', '--threads', '2', ...compared]);
  const { stdout } = await run.catch((error) => error);
  expect(stdout).toMatch(/All counters of \d\d+ benchmarks are as they were\.\n$/);
});
