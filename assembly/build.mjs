// Compiles the kernels: one AssemblyScript source → two binaries → build/kernels.js, which holds them as base64,
// so that loading needs no file, no permission and no bundler's care.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hoistConstants } from './hoist.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const asc = join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js');
const binaryen = (tool) => join(dirname(require.resolve('binaryen/package.json')), 'bin', tool);
const node = (script, ...args) => execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });

// What stays a call. Kernels inlined into the executor, or micro-operations into the tape's interpreter, would make one
// huge function, whose first compilation costs every process 7 ms and which V8 optimises late (5–8 ms against 2).
// Micro-kernels and dot products that share a function with others spill in their loops on the V8 of Node 20 and 22
// (28 GFLOP/s instead of 60). Tails run once a loop: inlined, they would swell every kernel.
const executor = readFileSync(join(root, 'assembly/executor.ts'), 'utf8');
const kernels = [...executor.matchAll(/import \{ (.*) \} from '\.\/kernels\/(.*)'/g)].flatMap(([, names, file]) =>
  names.split(', ').map((name) => `*/${file}/${name}`),
);
const APART = ['*/micro/*', '*/dot/*', '*/executor/dispatch*', '*/tail/*', '*/math/double/*', ...kernels];

/** All that the binaries use are old; of what is new, this tool would write imports in a form that no runtime reads yet. */
const FEATURES = ['--all-features', '--disable-compact-imports'];

mkdirSync(join(root, 'build'), { recursive: true });
const encoded = ['baseline', 'relaxed'].map((target) => {
  const file = join(root, 'build', `${target}.wasm`);
  // 112: a function takes a v128, which a host could not call; ours are called from inside only.
  node(asc, '--config', 'asconfig.json', '--target', target, '--disableWarning', '112');
  const apart = APART.map((f) => `--no-inline=${f}`); // marks functions for the passes after it
  const text = `${file}.wat`;
  node(binaryen('wasm-opt'), file, ...FEATURES, ...apart, '-O3', '--strip-debug', '-S', '-o', text);
  writeFileSync(text, hoistConstants(readFileSync(text, 'utf8')));
  node(binaryen('wasm-as'), text, ...FEATURES, '-o', file);
  return `export const ${target} = '${readFileSync(file).toString('base64')}';\n`;
});
writeFileSync(join(root, 'build/kernels.js'), encoded.join(''));
writeFileSync(join(root, 'build/kernels.d.ts'), 'export const baseline: string;\nexport const relaxed: string;\n');
