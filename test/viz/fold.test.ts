// Large networks: what a layer does as one box.
import { describe, expect, test } from 'vitest';
import { nn, type Tensor } from '../../src/index.ts';
import { toSVG, toText } from '../../src/viz/index.ts';
import { random } from '../helpers.ts';
import { nodesOf } from './pictures.ts';

class Residual extends nn.Module {
  conv = new nn.Conv2d(4, 4, 3, { padding: 1 });
  bn = new nn.BatchNorm2d(4);
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x)).add(x).relu();
  }
}

const model = new nn.Sequential(...Array.from({ length: 6 }, () => new Residual()));
const x = random(1, [2, 4, 5, 5]);
const names = { x, ...model.stateDict() };
const rows = (text: string) => text.split('\n').slice(1);

/** Of each line `v1 = f(x, w)` what it defines and the words on its right. */
const definitions = (text: string) =>
  rows(text).map((row) => {
    const [name = '', right = ''] = (row.split(/ {2,}/)[0] as string).split(' = ');
    return { name, words: right.split(/[(), ᵀ]+/) };
  });

describe.each([
  ['forward', {}],
  ['forward plus backward', { wrt: model.parameters() }],
])('%s', (_, { wrt }: { wrt?: Tensor[] }) => {
  const loss = model.forward(x).square().mean();
  const options = { names, ...(wrt && { gradients: { of: loss, wrt } }) };

  test('a large network is drawn by what its layers do; fold: true draws their nodes', () => {
    const [large, full] = [toText({ loss }, options), toText({ loss }, { ...options, fold: true })];
    expect(rows(full).length).toBeGreaterThan(100);
    expect(rows(large).length).toBeLessThan(rows(full).length * 0.7);
    expect(toText({ loss }, { ...options, fold: 'layers' })).toBe(large);
    expect(large).toMatch(/^v\d+ = conv2d, reshape, add\(x, 0\.conv\.weight, 0\.conv\.bias\) /m);
    expect(large).toMatch(/^v\d+ = sum … add\(v1, 0\.bn\.weight, 0\.bn\.bias, \d+ operations\) /m);
    for (const name of Object.keys(model.stateDict()).filter((n) => !n.includes('running') && !n.includes('num_'))) {
      expect(large).toContain(`\n${name} = parameter`);
      if (wrt) expect(large).toContain(`\n∂loss/∂${name} = `);
    }
  });

  test('inputs still stand before users', () => {
    const lines = definitions(toText({ loss }, options));
    const all = new Set(lines.map((l) => l.name));
    const seen = new Set<string>();
    for (const { name, words } of lines) {
      expect(words.filter((word) => all.has(word) && !seen.has(word))).toEqual([]);
      seen.add(name);
    }
  });

  test('every box is a node of the SVG', async () => {
    expect(nodesOf(await toSVG({ loss }, options)).length).toBe(rows(toText({ loss }, options)).length);
  });
});

test('a layer that is called twice is two boxes, since another lies between', () => {
  const [linear, between] = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
  class Twice extends nn.Module {
    linear = linear;
    between = between;
    forward(input: Tensor): Tensor {
      return this.linear.forward(this.between.forward(this.linear.forward(input)));
    }
  }
  const input = random(2, [2, 3]);
  const twice = new Twice();
  const text = toText({ y: twice.forward(input).exp() }, { names: { input }, fold: 'layers' });
  expect(rows(text).filter((row) => row.includes('= matmul, add('))).toHaveLength(3);
});
