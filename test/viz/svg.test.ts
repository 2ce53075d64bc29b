// Graphs as SVG: well formed, each node once, nothing over another, readable in the light and in the dark.
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/index.ts';
import { toSVG, toText } from '../../src/viz/index.ts';
import { type Box, elements, lecture, NETWORKS, nodesOf, overlap, parseXml, textOf } from './pictures.ts';

test('the lecture graph: every node once, with its value and its adjoint', async () => {
  const { x, z, a, b, y } = lecture();
  const svg = await toSVG({ y }, { names: { x, z, a, b }, values: true, gradients: { of: y, wrt: [x, z] } });
  expect(
    nodesOf(svg)
      .map((n) => n.rows)
      .sort(),
  ).toEqual(
    [
      ['x', '2', '∂y/∂x = 1208'],
      ['z', '3', '∂y/∂z = 809.7'],
      ['a = mul(x, z)', '6', '∂y/∂a = 404.9'],
      ['v1 = exp(a)', '403.4', '∂y/∂v1 = 1'],
      ['b = log(x)', '0.6931', '∂y/∂b = -12.36'],
      ['v2 = div(a, b)', '8.656', '∂y/∂v2 = 1'],
      ['v3 = add(v1, v2)', '412.1', '∂y/∂v3 = 1'],
      ['v4 = sin(b)', '0.639', '∂y/∂v4 = 0.1667'],
      ['v5 = div(v4, a)', '0.1065', '∂y/∂v5 = 1'],
      ['y = add(v3, v5)', '412.2', '∂y/∂y = 1'],
    ].sort(),
  );
  expect(elements(parseXml(svg)).filter((e) => e.attributes.class === 'edge').length).toBe(13);
});

describe.each(Object.entries(NETWORKS))('%s', (_, network) => {
  const { model, loss } = network();
  const options = { names: model.stateDict(), gradients: { of: loss, wrt: model.parameters() } };

  test.each([
    ['forward', { names: options.names }],
    ['forward plus backward', options],
    ['with numbers', { ...options, values: true }],
  ])('%s: every node once, nothing over another', async (_, drawn) => {
    const svg = await toSVG({ loss }, drawn);
    const nodes = nodesOf(svg);
    expect(nodes.length).toBe(toText({ loss }, drawn).split('\n').length - 1);
    const boxes = nodes.map((n) => n.box);
    expect(boxes.filter((a, i) => boxes.some((b, j) => j < i && overlap(a, b)))).toEqual([]);
    for (const name of Object.keys(options.names)) {
      expect(
        nodes.filter((n) => n.rows[0] === name),
        name,
      ).toHaveLength(1);
    }
  });

  test('every layer is a frame around its nodes, its name last of all and clear of the nodes', async () => {
    const svg = await toSVG({ loss }, options);
    const all = elements(parseXml(svg));
    const frames = all.filter((e) => e.attributes.class === 'cluster');
    const labels = all.filter((e) => e.attributes['paint-order'] === 'stroke');
    expect(frames.length).toBeGreaterThan(3);
    expect(labels.length).toBe(frames.length);
    expect(all.slice(-labels.length)).toEqual(labels);
    const boxes = nodesOf(svg).map((n) => n.box);
    const under = labels.filter((l) => boxes.some((b) => overlap(b, labelBox(l.attributes, textOf(l)))));
    expect(under.map(textOf)).toEqual([]);
  });
});

function labelBox({ x, y }: Record<string, string>, words: string): Box {
  const [left, bottom] = [Number(x), Number(y)];
  return { left, right: left + words.length * 5, top: bottom - 8, bottom };
}

test('each colour has another in the dark', async () => {
  const { model, loss } = NETWORKS.mlp();
  const svg = await toSVG({ loss }, { gradients: { of: loss, wrt: model.parameters() }, values: true });
  const [root] = elements(parseXml(svg)).filter((e) => e.name === 'style');
  const sheet = textOf(root as never);
  expect(sheet).toContain('@media (prefers-color-scheme:dark)');
  for (const { attributes } of elements(parseXml(svg))) {
    for (const part of ['fill', 'stroke'] as const) {
      const colour = attributes[part];
      if (colour === undefined || colour === 'none' || colour === 'transparent') continue;
      expect(sheet, `${part} ${colour}`).toContain(`[${part}="${colour}"]{${part}:#`);
    }
  }
});

test('a title and names with markup', async () => {
  const x = tensor(1);
  const svg = await toSVG({ 'y<1>': x.exp() }, { names: { 'a&b': x }, title: '1 < 2 & "3"' });
  expect(nodesOf(svg).map((n) => n.rows)).toEqual([['a&b'], ['y<1> = exp(a&b)']]);
  expect(textOf(parseXml(svg))).toContain('1 < 2 & "3"');
});
