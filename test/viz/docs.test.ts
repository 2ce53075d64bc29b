// The pictures of docs/pictures.md are what nabla draws now.
// It tests build/nabla: `npm run build` after a change when running this file alone.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PICTURES = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
/** A copy to draw in, inside the package so that it too imports it by its name. */
const COPY = fileURLToPath(new URL('../../build/docs-pictures/', import.meta.url));
const NAMES = readdirSync(PICTURES).filter((file) => file.endsWith('.svg'));

beforeAll(() => {
  rmSync(COPY, { recursive: true, force: true });
  cpSync(join(PICTURES, 'draw.js'), join(COPY, 'draw.js'));
  execFileSync(process.execPath, [join(COPY, 'draw.js')], { env: { ...process.env, NABLA_SIMD: 'baseline' } });
}, 60_000);
afterAll(() => rmSync(COPY, { recursive: true, force: true }));

test.each(NAMES)('%s', (name) => {
  const [drawn, committed] = [COPY, PICTURES].map((folder) => readFileSync(join(folder, name), 'utf8'));
  expect(drawn === committed, 'run docs/pictures/draw.js and look at the picture').toBe(true);
});

test('the page shows each, and no other', () => {
  const page = readFileSync(join(PICTURES, '../pictures.md'), 'utf8');
  const shown = [...page.matchAll(/\]\(pictures\/(.*\.svg)\)/g)].map(([, name]) => name);
  expect(shown.sort()).toEqual(NAMES.sort());
});
