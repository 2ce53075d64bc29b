// `nabla graph` as a user calls it: the built command on small modules.
// It tests build/nabla: `npm run build` after a change when running this file alone.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { RUNTIMES } from '../runtimes.ts';
import { elements, nodesOf, parseXml } from './pictures.ts';

const CLI = fileURLToPath(new URL('../../build/nabla/cli.js', import.meta.url));
const MODELS = fileURLToPath(new URL('./models/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nabla-graph-'));
afterAll(() => rmSync(folder, { recursive: true }));

function graph(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'graph', ...args], {
    cwd: MODELS,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const TIMEOUT = 60_000;

describe('pictures', { timeout: TIMEOUT }, () => {
  test('text, printed', () => {
    expect(graph('object.js')).toEqual({
      status: 0,
      stdout: `\
                     shape
x1 = input           [2]
square = square(x1)  [2]
twice = mul(x1, 2)   [2]
`,
      stderr: '',
    });
  });

  test('options of the command win over those of the module', () => {
    const { stdout } = graph('object.js', '--values', '--title', 'both');
    expect(stdout.split('\n')).toEqual([
      'both',
      '                     shape  value',
      'x1 = input           [2]    [1, 2]',
      'square = square(x1)  [2]    [1, 4]',
      'twice = mul(x1, 2)   [2]    [2, 4]',
      '',
    ]);
  });

  test('SVG, DOT and text by the ending of the name', () => {
    const write = (name: string, ...args: string[]) => {
      const out = join(folder, name);
      expect(graph('network.js', '--out', out, ...args)).toEqual({ status: 0, stdout: '', stderr: '' });
      return readFileSync(out, 'utf8');
    };
    const svg = write('graph.svg');
    expect(nodesOf(svg).filter((n) => n.rows[0] === '0.weight')).toHaveLength(1);
    expect(elements(parseXml(svg)).filter((e) => e.attributes.class === 'cluster')).toHaveLength(3);
    expect(write('graph.dot', '--direction', 'LR')).toMatch(/^digraph nabla \{\n {2}graph \[rankdir=LR /);
    expect(write('plain.gv', '--group', 'none')).not.toContain('cluster');
    expect(write('graph.txt')).toMatch(/^loss = /m);
  });

  test('--help', () => {
    const { status, stdout } = graph('--help');
    expect(status).toBe(0);
    expect(stdout).toContain('nabla graph MODULE [options]');
    for (const option of ['out', 'values', 'group', 'fold', 'direction', 'title'])
      expect(stdout).toContain(`--${option}`);
  });
});

describe('what will not do ends with exit code 2, or 1 where the module fails, and says why', {
  timeout: TIMEOUT,
}, () => {
  test.each([
    [[], 2, 'no module given; expected a file: nabla graph model.ts --out graph.svg'],
    [['a.js', 'b.js'], 2, 'b.js: unexpected argument; expected one module'],
    [['.'], 2, '.: no such file; expected a module'],
    [['missing.js'], 2, 'missing.js: no such file; expected a module'],
    [['object.js', '--out', 'a.png'], 2, '--out a.png: expected a name that ends in .svg, .dot or .txt'],
    [['object.js', '--out', 'no/such/a.txt'], 2, '--out no/such/a.txt: cannot be written: ENOENT'],
    [['object.js', '--group', 'layers'], 2, '--group layers: expected layer or none'],
    [['object.js', '--value'], 2, '--value: unknown option; did you mean --values?'],
    [
      ['noDefault.js'],
      2,
      'noDefault.js: no default export; expected what to draw: export default () => loss (nabla graph --help)',
    ],
    [
      ['number.js'],
      2,
      'number.js: toText: number; expected a tensor, a list of tensors or an object of them: { y, dx }',
    ],
    [
      ['throws.js'],
      1,
      'throws.js: add: shapes [2] and [3] do not broadcast: axis -1 has 2 and 3; sizes must be equal or 1 (line 4 of throws.js)',
    ],
  ])('%j', (args, status, message) => {
    expect(graph(...args)).toEqual({ status, stdout: '', stderr: `graph: ${message}\n` });
  });
});

const LECTURE = `
import { tensor } from ${JSON.stringify(new URL('../../build/nabla/index.js', import.meta.url).href)};

type Named = Record<string, ReturnType<typeof tensor>>;

export default (): { outputs: Named; names: Named; [option: string]: unknown } => {
  const [x, z] = [tensor(2), tensor(3)];
  const y = x.mul(z).exp();
  return { outputs: { y }, names: { x, z }, gradients: { of: y, wrt: [x, z] } };
};
`;

describe('TypeScript', { timeout: TIMEOUT }, () => {
  writeFileSync(join(folder, 'lecture.ts'), LECTURE);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');

  test.each(RUNTIMES.filter((r) => r.binary !== undefined))('$name', ({ name, binary, flags }) => {
    const out = join(folder, `${name.replace(/\W/g, '')}.txt`);
    const rights = flags.length > 0 ? ['--allow-all'] : [];
    const args = [...flags, ...rights, CLI, 'graph', 'lecture.ts', '--values', '--out', out];
    const run = spawnSync(binary as string, args, { cwd: folder, encoding: 'utf8' });
    const version = /^Node (\d+)/.exec(name)?.[1];
    if (version !== undefined && Number(version) < 22) {
      expect(run.status).toBe(2);
      expect(run.stderr).toBe(
        `graph: lecture.ts: Node ${process.versions.node} does not run TypeScript; ` +
          'use Node 22.18 or newer, Deno or Bun, or compile it to JavaScript first\n',
      );
      expect(existsSync(out)).toBe(false);
      return;
    }
    expect(run.stderr.replace(/^.*ExperimentalWarning.*\n.*\n/, '')).toBe('');
    expect(readFileSync(out, 'utf8').split('\n')).toEqual([
      '                shape  value  ∂y/∂node',
      'x = input       []     2      1210',
      'z = input       []     3      806.9',
      'v1 = mul(x, z)  []     6      403.4',
      'y = exp(v1)     []     403.4  1',
      '',
    ]);
  });
});

test('the command is listed', () => {
  expect(execFileSync(process.execPath, [CLI, '--help'], { encoding: 'utf8' })).toMatch(
    /^ {2}graph {3}draw the graph/m,
  );
});
