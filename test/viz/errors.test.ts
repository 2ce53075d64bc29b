// What the pictures refuse, to the letter.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile, NablaError, nn, type Tensor, tensor } from '../../src/index.ts';
import { memorySVG, memoryText, toDot, toSVG, toText } from '../../src/viz/index.ts';
import { RUNTIMES } from '../runtimes.ts';

function thrown(fn: () => unknown): NablaError {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(NablaError);
    return error as NablaError;
  }
  return expect.fail('nothing was thrown');
}

const x = tensor(2);
const y = x.exp();
const EXPECTED = 'expected a tensor, a list of tensors or an object of them: { y, dx }';

const REFUSED: [() => unknown, string][] = [
  [() => toText(3 as never), `toText: number; ${EXPECTED}`],
  [() => toText(null as never), `toText: null; ${EXPECTED}`],
  [() => toText([]), `toText: an empty list; ${EXPECTED}`],
  [() => toDot({}), `toDot: an empty object; ${EXPECTED}`],
  [() => toDot(new nn.Linear(2, 3) as never), `toDot: an object of class Linear; ${EXPECTED}`],
  [() => toDot([y, 3 as never]), `toDot: item 1 is number; ${EXPECTED}`],
  [() => toDot({ y, dx: [x] as never }), `toDot: dx is a list; ${EXPECTED}`],
  [
    () => toText(y, { value: true } as never),
    "toText: unknown option 'value'; expected names, values, gradients, group, fold, title or direction",
  ],
  [() => toText(y, { names: { x: 2 } as never }), 'toText: names.x is number; expected a tensor'],
  [() => toText(y, { names: x as never }), 'toText: names is a tensor; expected an object of tensors: { x, w }'],
  [() => toText(y, { group: 'layers' as never }), "toText: group is 'layers'; expected 'layer' or 'none'"],
  [() => toText(y, { fold: 'chains' as never }), "toText: fold is 'chains'; expected true, false or 'layers'"],
  [() => toText(y, { direction: 'RL' as never }), "toText: direction is 'RL'; expected 'LR' or 'TB'"],
  [() => toText(y, { gradients: [x] as never }), 'toText: gradients: expected { of: y, wrt: [x, …] } with tensors'],
  [
    () => toText(y, { gradients: { of: y, wrt: x } as never }),
    'toText: gradients: expected { of: y, wrt: [x, …] } with tensors',
  ],
  [
    () => memoryText((() => y) as never),
    'memoryText: got function; expected what compile() returns, then its arguments',
  ],
  [
    () => memorySVG(undefined as never),
    'memorySVG: got undefined; expected what compile() returns, then its arguments',
  ],
];

test.each(REFUSED.map(([fn, message]) => [message, fn] as const))('%s', (message, fn) => {
  const error = thrown(fn);
  expect(error.message).toBe(message);
  expect(error.code).toBe('option');
});

test('gradients that are none', () => {
  const v = tensor([1, 2]);
  expect(thrown(() => toText(y, { gradients: { of: v.exp(), wrt: [v] } })).code).toBe('gradient');
  expect(thrown(() => toText(y, { gradients: { of: y, wrt: [v] } })).message).toBe(
    'grad: y does not depend on x[0] [2]',
  );
});

test('inside compile() the graph can be drawn, its values not', () => {
  let text = '';
  const f = compile((a: Tensor) => {
    text = toText(a.exp());
    return a.exp();
  });
  f(x);
  expect(text).toMatch(/x1 = input +\[\]\ny = exp\(x1\) +\[\]/);
  const g = compile((a: Tensor) => {
    toText(a, { values: true });
    return a;
  });
  const error = thrown(() => g(x));
  expect(error.message).toBe('toText: values are not known while compile() traces; draw outside, or without values');
  expect(error.code).toBe('trace');
});

test('toSVG rejects', async () => {
  await expect(toSVG([])).rejects.toThrow(`toSVG: an empty list; ${EXPECTED}`);
});

describe('without @viz-js/viz', () => {
  const NEEDED = 'toSVG needs a package: npm install --save-dev @viz-js/viz (toDot and toText do without)';

  test.each(RUNTIMES.filter((r) => r.binary !== undefined))(
    '$name: text, DOT and memory as ever, SVG says what to install',
    { timeout: 60_000 },
    ({ binary, flags }) => {
      const folder = mkdtempSync(join(tmpdir(), 'nabla-viz-'));
      try {
        cpSync(fileURLToPath(new URL('../../build/nabla', import.meta.url)), join(folder, 'nabla'), {
          recursive: true,
        });
        writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
        mkdirSync(join(folder, 'node_modules')); // or Bun would install the package
        writeFileSync(join(folder, 'draw.js'), DRAW);
        const args = [...flags, ...(flags.length > 0 ? ['--allow-read', '--allow-env'] : []), 'draw.js'];
        const out = execFileSync(binary as string, args, { cwd: folder, encoding: 'utf8' });
        expect(JSON.parse(out)).toEqual({ text: 3, dot: 'digraph', memory: '<svg', message: NEEDED, code: 'option' });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

const DRAW = `
import { compile, tensor } from './nabla/index.js';
import { memorySVG, toDot, toSVG, toText } from './nabla/viz.js';
const x = tensor(2);
const y = x.exp();
const memory = memorySVG(compile((a) => a.exp()), x).slice(0, 4);
const { message, code } = await toSVG(y).then(() => ({}), (error) => error);
console.log(JSON.stringify({ text: toText(y).split('\\n').length, dot: toDot(y).slice(0, 7), memory, message, code }));
`;
