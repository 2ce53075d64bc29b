// The package's types, as TypeScript sees them in a project that has no types of Node's and checks libraries too.
// It reads build/src: `npm run build` after a change when running this file alone.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'nabla-types-'));
afterAll(() => rmSync(project, { recursive: true }));

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
mkdirSync(join(project, 'node_modules'));
symlinkSync(root, join(project, 'node_modules', 'nabla'));
writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
const imports = Object.keys(exports).map((path, i) => `import * as entry${i} from 'nabla${path.slice(1)}';`);
const flags = '--noEmit --strict --module nodenext --target es2022 --lib es2022'.split(' ');

/** What the compiler says of a program; '' where it has nothing to say. */
async function checked(program: string): Promise<string> {
  writeFileSync(join(project, 'program.ts'), [...imports, program].join('\n'));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiler = promisify(execFile)(process.execPath, [tsc, ...flags, '--types', '', 'program.ts'], {
    cwd: project,
  });
  return compiler.then(
    () => '',
    (error) => error.stdout,
  );
}

test('every entry compiles, and types flow through a program', { timeout: 60_000 }, async () => {
  const program = `
    const { compile, nn, optim, tensor, grad, jacobian } = entry0;
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = compile((x: entry0.Tensor) => {
      const loss: entry0.Tensor = model.forward(x).square().mean();
      optimizer.minimize(loss);
      return loss;
    });
    const loss: number = step(tensor([[1, 2]])).item();
    const [dx] = grad(tensor(loss), [tensor(1)]);
    const shape: readonly number[] = jacobian((x: entry0.Tensor) => x.exp())(dx).shape;
    export { shape };`;
  expect(await checked(program)).toBe('');
});

test('a wrong program does not', { timeout: 60_000 }, async () => {
  expect(await checked(`entry0.nn.crossEntropy(1, 2);`)).toContain(`'number' is not assignable to`);
});
