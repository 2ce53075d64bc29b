// `nabla bench` as a user calls it: the built command on small suites, in processes of its own.
// It tests build/nabla: `npm run build` after a change when running this file alone.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { Result } from '../../src/bench/result.ts';
import { RUNTIMES } from '../runtimes.ts';

const CLI = fileURLToPath(new URL('../../build/nabla/cli.js', import.meta.url));
const SUITES = fileURLToPath(new URL('./suites/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nabla-gate-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(command: readonly string[], cwd = SUITES): Promise<Ended> {
  const [program, ...args] = command;
  try {
    return { code: 0, ...(await promisify(execFile)(program as string, args, { cwd })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

const bench = (...args: string[]) => run([process.execPath, CLI, 'bench', ...args]);
const FAST = ['--time', '0.02', '--warm-up', '0.01'];
const read = (file: string): Result => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const TIMEOUT = 120_000;

describe('a suite that will not do ends with exit code 2 and says why', () => {
  test.each([
    ['throws.js', 'slow: out of paper (line 3 of throws.js)'],
    [
      'nothing.js',
      "nothing.js: the suite is undefined; expected an object: export default { 'train step': () => step(x, y) }",
    ],
    [
      'noDefault.js',
      "noDefault.js: has no default export; expected a suite: export default { 'train step': () => step(x, y) }",
    ],
    [
      'empty.js',
      "empty.js: the suite has no benchmark; expected one or more: export default { 'train step': () => step(x, y) }",
    ],
    ['number.js', "number.js: 'train step' is 3; expected a function or { setup, run, teardown, items, unit }"],
    ['misspelt.js', "misspelt.js: 'run': unknown field 'runs'; expected setup, run, teardown, items, unit"],
    ['atLoad.js', 'loading the suite: no such data (line 1 of atLoad.js)'],
    ['lazy.js', 'lazy: computes nothing: it returns a lazy tensor; read it with .data(), or compile the function'],
    ['leaves.js', 'leaves: the process ended'],
    ['missing.js', 'missing.js: no such file; expected a suite'],
  ])('%s', { timeout: TIMEOUT }, async (file, message) => {
    const { code, stderr, stdout } = await bench(file, ...FAST);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('one that never ends is ended, and named', { timeout: TIMEOUT }, async () => {
    const { code, stderr } = await bench('endless.js', ...FAST, '--timeout', '1.5');
    expect(stderr).toBe('bench: endless: no answer within 1.5 s; it may never end (--timeout waits longer)\n');
    expect(code).toBe(2);
  });
});

describe('options', () => {
  test.each([
    [[], 'bench: no suite given; expected a file: nabla bench suite.js\n'],
    [['plain.js', 'other.js'], 'bench: other.js: unexpected argument; expected one suite\n'],
    [['plain.js', '--filter', 'nowhere'], 'bench: no benchmark matches; there are: sum, wait, with a context\n'],
    [['plain.js', '--compare', 'a', '--against', 'b'], 'bench: --compare and --against: expected one of them\n'],
    [['plain.js', '--markdown', 'a'], 'bench: --markdown: expected with --compare or --against\n'],
    [['plain.js', '--quick=1'], 'bench: --quick=1: expected no value\n'],
    [['plain.js', '--tresholt', '3'], 'bench: --tresholt: unknown option; did you mean --threshold?\n'],
    [['plain.js', '--against', 'no-such-revision'], 'bench: --against no-such-revision: no such revision\n'],
    [['plain.js', '--compare', 'throws.js'], /^bench: throws\.js: cannot be read as a saved result: /],
  ])('%j', { timeout: TIMEOUT }, async (args, message) => {
    const { code, stderr } = await bench(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  test('--help explains them, and the command its subcommands', async () => {
    expect((await bench('--help')).stdout).toMatch(/--against REV +compare with this git revision/);
    expect((await run([process.execPath, CLI])).stdout).toMatch(/bench +measure a suite/);
    expect(await run([process.execPath, CLI, 'bnech'])).toMatchObject({ code: 2 });
  });
});

describe.each(RUNTIMES)('on $name', ({ name, binary, flags }) => {
  if (binary === undefined) {
    test.skip('is not installed in build/runtimes: .ci/run installs it', () => {});
    return;
  }
  const command = (...args: string[]) => [
    binary,
    ...(flags.length > 0 ? ['run', '--allow-all'] : []),
    CLI,
    'bench',
    ...args,
  ];

  test('measures sync and async, with set-up and tear-down, and saves raw samples', { timeout: TIMEOUT }, async () => {
    const file = `${name}.json`;
    const { code, stdout, stderr } = await run(
      command('plain.js', ...FAST, '--rounds', '2', '--save', join(folder, file)),
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^with a context +\S+ [µm]s +± \d+ % +\S+ numbers\/s$/m);
    const { benchmarks, runtime, machine } = read(file);
    expect(name).toContain(runtime.name);
    expect(machine.cores).toBeGreaterThan(0);
    expect(benchmarks.map((b) => b.name)).toEqual(['sum', 'wait', 'with a context']);
    for (const { rounds, counters } of benchmarks) {
      expect(counters).toBeNull();
      expect(rounds).toHaveLength(2);
      for (const samples of rounds) expect(samples.length).toBeGreaterThanOrEqual(10);
      for (const seconds of rounds.flat()) expect(seconds).toBeGreaterThan(0);
    }
  });

  test('counts the work of nabla, exactly', { timeout: TIMEOUT }, async () => {
    const file = `${name} counters.json`;
    const { code, stderr } = await run(
      command('nabla.js', '--counters', '--threads', '2', '--save', join(folder, file)),
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { benchmarks, settings } = read(file);
    expect(settings.threads).toBe(2);
    // The product reads two matrices, which are one, and writes a third; its output is a home's.
    const product = { programs: 1, instructions: 1, flops: 2 * 64 ** 3, bytes: 3 * 64 * 64 * 4, allocations: 0 };
    for (const { counters } of benchmarks) expect(counters).toMatchObject(product);
  });
});

test('a result compares with itself, is refused from elsewhere, and forced', { timeout: TIMEOUT }, async () => {
  const [base, other] = [join(folder, 'base.json'), join(folder, 'other.json')];
  const args = ['plain.js', '--filter', 'sum', ...FAST, '--rounds', '3'];
  expect((await bench(...args, '--save', base)).code).toBe(0);
  const markdown = join(folder, 'comment.md');
  const same = await bench(...args, '--compare', base, '--markdown', markdown);
  expect(same.stdout).toContain('Noise of this machine');
  expect(same.code).toBe(0);
  expect(readFileSync(markdown, 'utf8')).toContain('### Benchmarks: plain.js against');

  const saved: Result = JSON.parse(readFileSync(base, 'utf8'));
  writeFileSync(other, JSON.stringify({ ...saved, machine: { ...saved.machine, cpu: 'Abacus' } }));
  const refused = await bench(...args, '--compare', other);
  expect(refused.stderr).toMatch(
    /other\.json: measured elsewhere \(cpu: Abacus there, .* here\); save a baseline here, or compare anyway with --force/,
  );
  expect(refused.code).toBe(2);
  expect((await bench(...args, '--compare', other, '--force')).code).toBe(0);

  writeFileSync(other, JSON.stringify({ ...saved, format: 99 }));
  expect((await bench(...args, '--compare', other)).stderr).toContain(
    'has format 99; expected format 1: save it again with --save',
  );
});

test('a counter that changed is exit code 1', { timeout: TIMEOUT }, async () => {
  const base = join(folder, 'exact.json');
  await bench('nabla.js', '--counters', '--save', base);
  expect(await bench('nabla.js', '--counters', '--compare', base)).toMatchObject({ code: 0 });
  const saved: Result = JSON.parse(readFileSync(base, 'utf8'));
  saved.benchmarks[0]!.counters!.instructions = 2;
  writeFileSync(base, JSON.stringify(saved));
  const { code, stdout } = await bench('nabla.js', '--counters', '--compare', base);
  expect(stdout).toContain('- product: instructions 2 → 1');
  expect(code).toBe(1);
});

test('another git revision is built and measured in turn: a slowdown is found', { timeout: TIMEOUT }, async () => {
  const project = join(folder, 'project');
  cpSync(join(SUITES, 'plain.js'), join(project, 'suite.js'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, '.gitignore'), 'node_modules\n');
  const git = (...args: string[]) => run(['git', '-c', 'user.name=n', '-c', 'user.email=n@n', ...args], project);
  for (const args of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', 'first'],
  ])
    expect((await git(...args)).code).toBe(0);
  const slower = readFileSync(join(project, 'suite.js'), 'utf8').replace('i < 1000', 'i < 2000');
  writeFileSync(join(project, 'suite.js'), slower);

  const against = [
    '--filter',
    'sum',
    '--against',
    'HEAD',
    '--build',
    'echo built',
    '--time',
    '0.02',
    '--warm-up',
    '0.02',
  ];
  const found = await run([process.execPath, CLI, 'bench', 'suite.js', ...against], project);
  expect(found.stderr).toContain('built');
  expect(found.stdout).toMatch(/^sum .*slower$/m);
  expect(found.code).toBe(1);

  const broken = await run(
    [process.execPath, CLI, 'bench', 'suite.js', ...FAST, '--rounds', '2', '--against', 'HEAD~0', '--build', 'exit 3'],
    project,
  );
  expect(broken).toMatchObject({ code: 0 }); // the tree was built already, and two rounds make nothing certain
  await git('commit', '-qam', 'second');
  const failed = await run(
    [process.execPath, CLI, 'bench', 'suite.js', '--against', 'HEAD', '--build', 'exit 3'],
    project,
  );
  expect(failed.stderr).toMatch(
    /bench: --against HEAD: building it failed: exit 3 \(in .*\); --build names another command/,
  );
  expect(failed.code).toBe(2);
});
