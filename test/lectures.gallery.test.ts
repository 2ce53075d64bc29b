// The gallery of examples/lectures: every file runs in time, prints what its lecture derives and draws the picture that
// is committed; the index lists them all.
// It tests build/nabla: `npm run build` after a change when running this file alone.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const GALLERY = fileURLToPath(new URL('../examples/lectures/', import.meta.url));
/** A copy to draw in, inside the package so that it too imports it by its name. */
const COPY = fileURLToPath(new URL('../build/gallery/', import.meta.url));
const NAMES = readdirSync(GALLERY)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -'.js'.length));

/** Lines that each file must print, in this order: the results of its derivation, worked out apart from it. */
const LINES: Record<string, string[]> = {
  '01-scalar-graph': [
    'y       412.191437        1.000000', // as the lecture prints it
    'b         0.693147      -12.360007',
    'z         3.000000      809.707458',
    ' 32                31                         92                      4960',
  ],
  '02-derivative-review': [
    'f = 20.75   ∂f/∂x = 23.75   ∂f/∂y = 32.62   ∂f/∂z = -40.49',
    '∂²f/∂x∂y = ∂²f/∂y∂x = 33.62',
    'zᵀ = [[13,18]]   ∂z/∂y = xᵀ = [[1,0,4],[-1,2,5]]',
    'dy = x·dz = [[5],[-4],[2]]   dx = y·dzᵀ = [[3,-2],[6,-4],[9,-6]]',
  ],
  '03-activations': [
    'sigmoid   y = [0.119,0.378,0.731,0.953]   J = diag [0.105,0.235,0.197,0.045]',
    'ReLU      y = [0,0,1,3]   J = diag [0,0,1,1]',
    'softmax   y = [0.006,0.026,0.115,0.853]',
    "ReLU at 0: every slope from 0 to 1 is a subgradient; nabla's is 0",
  ],
  '04-layer-by-layer': ['linear', 'ReLU', 'softmax', 'convolution', 'max-pooling'],
  '05-three-layers': ["layer 1   ‖∇u‖ = 0.111958   ‖∇α‖ = 0.125173   ‖∇β‖ = 0.111958   as grad's"],
  '06-forward-backward': ['10 examples: E = 2.726424; the average of 10 gradients = one batch = grad'],
  '07-jacobians': [
    'ReLU(Wx + b): on = [1,0,1,0]   W̃ = [[1,-2,0.5],[0,0,0],[0.5,1,2],[0,0,0]]',
    'e⁰ = e¹·W̃¹      = [[-0.75,2.3,0.325]] = ∂L/∂x',
  ],
  '08-losses': [
    'quadratic loss 1.6450   ∂L/∂y = y − y* = [0.6,-0.2,-1.7]',
    'logistic loss  2.8932   p = [0.911,0.0554,0.0336]   ∂L/∂y = p − δ = [0.911,-0.9446,0.0336]',
    '  dW = e·xᵀ = [[0.911,-1.822],[-0.9446,1.8892],[0.0336,-0.0672]]',
  ],
  '09-batches': ['linear regression', 'two layers with ReLU', 'two layers with sigmoid', 'two layers with tanh'],
  '10-descent': ['η = 0.50·2/λ   ‖∇L‖ < 0.0001 after 36 steps', 'η = 1.05·2/λ   diverges'],
  '11-sequential': [' 400   7.082541   7.082542', '2000   1.828726   1.828726', 'compiled, step 2000: 1.828726'],
  '12-digits-cnn': ['labels 9, 5, 0, 1, 8', '33738 parameters'],
  '13-symbolic': [
    'y   = x·exp(neg(square(x)))',
    '    = exp(−x²) − 2x²·exp(−x²)',
    'y″  = −6x·exp(−x²) + 4x³·exp(−x²)',
    'y‴  = −6exp(−x²) + 24x²·exp(−x²) − 8x⁴·exp(−x²)',
    '  1.0   0.36788  -0.36788  -0.73576   3.67879',
  ],
};

/** Says at exit how long the process computed: its time on a machine that does nothing else. */
const CLOCK = `data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1e6)})`;
const SECONDS = 5;

/** Baseline kernels on one thread give the same bits, and so the same pictures, on every machine. */
async function run(folder: string, name: string, ...args: string[]) {
  const env = { ...process.env, NABLA_SIMD: 'baseline', NABLA_THREADS: '1', NO_COLOR: '1' };
  const file = join(folder, `${name}.js`);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', CLOCK, file, ...args], { env });
  return { lines: stdout.split('\n'), seconds: Number(stderr) };
}

const picture = (folder: string, name: string) => readFileSync(join(folder, 'pictures', `${name}.svg`), 'utf8');

beforeAll(() => {
  rmSync(COPY, { recursive: true, force: true });
  cpSync(GALLERY, COPY, { recursive: true });
  rmSync(join(COPY, 'pictures'), { recursive: true });
  mkdirSync(join(COPY, 'pictures'));
});
afterAll(() => rmSync(COPY, { recursive: true, force: true }));

test('there are thirteen, and expected lines for each', () => {
  expect(NAMES.length).toBe(13);
  expect(Object.keys(LINES).sort()).toEqual(NAMES);
});

describe.each(NAMES)('%s', (name) => {
  test('runs in time, prints its derivation and draws the committed picture', { timeout: 60_000 }, async () => {
    const { lines, seconds } = await run(COPY, name, '--draw');
    expect(seconds).toBeLessThan(SECONDS);
    let from = 0;
    for (const wanted of LINES[name] as string[]) {
      const at = lines.indexOf(wanted, from);
      expect(at, `"${wanted}" in\n${lines.join('\n')}`).toBeGreaterThanOrEqual(from);
      from = at + 1;
    }
    expect(picture(COPY, name) === picture(GALLERY, name), `run ${name}.js --draw and look at the picture`).toBe(true);
  });

  test('begins with its number and commands, and imports nothing but Node and nabla', () => {
    const source = readFileSync(join(GALLERY, `${name}.js`), 'utf8');
    expect(source.startsWith(`// ${Number(name.slice(0, 2))}. `)).toBe(true);
    expect(source).toContain(`node examples/lectures/${name}.js  `);
    expect(source).toContain(`node examples/lectures/${name}.js --draw  `);
    for (const [, from] of source.matchAll(/^import .* from '(.*)'/gm)) expect(from).toMatch(/^(node:|nabla)/);
  });
});

test('without --draw nothing is written', async () => {
  const name = NAMES[0] as string;
  rmSync(join(COPY, 'pictures', `${name}.svg`), { force: true });
  await run(COPY, name);
  expect(readdirSync(join(COPY, 'pictures'))).not.toContain(`${name}.svg`);
});

test('the index lists each in order, with its command and its picture, and no other', () => {
  const index = readFileSync(join(GALLERY, 'README.md'), 'utf8');
  const found = (pattern: RegExp) => [...index.matchAll(pattern)].map((match) => match[1]);
  expect(found(/^node examples\/lectures\/(.*)\.js$/gm)).toEqual(NAMES);
  expect(found(/^\[(.*)\.js\]\(\1\.js\)$/gm)).toEqual(NAMES);
  expect(found(/<img src="pictures\/(.*?)\.svg"/g)).toEqual(NAMES);
  expect(found(/^## (\d+)\. /gm)).toEqual(NAMES.map((_, i) => `${i + 1}`));
  expect(readdirSync(join(GALLERY, 'pictures')).sort()).toEqual(NAMES.map((name) => `${name}.svg`));
});
