// Graphs as text and as DOT, to the letter.
import { describe, expect, test } from 'vitest';
import { compile, grad, manualSeed, nn, rand, state, type Tensor, tensor } from '../../src/index.ts';
import { toDot, toText } from '../../src/viz/index.ts';
import { random } from '../helpers.ts';
import { lecture, NETWORKS } from './pictures.ts';

describe('text', () => {
  test('a forward graph', () => {
    const { x, z, a, b, y } = lecture();
    expect(toText(y, { names: { x, z, a, b }, title: 'first lecture' })).toBe(`first lecture
                  shape
x = input         []
z = input         []
a = mul(x, z)     []
v1 = exp(a)       []
b = log(x)        []
v2 = div(a, b)    []
v3 = add(v1, v2)  []
v4 = sin(b)       []
v5 = div(v4, a)   []
y = add(v3, v5)   []`);
  });

  test('with numbers filled in: each node with its value and its adjoint', () => {
    const { x, z, a, b, y } = lecture();
    const gradients = { of: y, wrt: [x, z] };
    expect(toText({ y }, { names: { x, z, a, b }, values: true, gradients })).toBe(`\
                  shape  value   ∂y/∂node
x = input         []     2       1208
z = input         []     3       809.7
a = mul(x, z)     []     6       404.9
v1 = exp(a)       []     403.4   1
b = log(x)        []     0.6931  -12.36
v2 = div(a, b)    []     8.656   1
v3 = add(v1, v2)  []     412.1   1
v4 = sin(b)       []     0.639   0.1667
v5 = div(v4, a)   []     0.1065  1
y = add(v3, v5)   []     412.2   1`);
    // The formulas of the lecture, in float64.
    const [log, exp] = [Math.log(2), Math.exp(6)];
    const da = exp + 1 / log - Math.sin(log) / 36;
    const db = -6 / log ** 2 + Math.cos(log) / 6;
    expect([da.toPrecision(4), db.toPrecision(4), (3 * da + db / 2).toPrecision(4)]).toEqual([
      '404.9',
      '-12.36',
      '1208',
    ]);
  });

  test('float64: values, adjoints and numbers', () => {
    const x = tensor(Float64Array.of(1, 2));
    const y = x.mul(1.5).sum();
    const rows = toText({ y }, { names: { x }, values: true, gradients: { of: y, wrt: [x] } }).split('\n');
    expect(rows.slice(1, 3).map((r) => r.split(/ {2,}/))).toEqual([
      ['x = input', 'float64 [2]', '[1, 2]', '[1.5, 1.5]'],
      ['v1 = mul(x, 1.5)', 'float64 [2]', '[1.5, 3]', '[1, 1]'],
    ]);
  });

  test('what does not lie between x and y has no adjoint', () => {
    const [x, w] = [tensor(2), tensor(5)];
    const y = x.mul(w.exp());
    const rows = toText({ y }, { names: { x, w }, values: true, gradients: { of: y, wrt: [x] } }).split('\n');
    expect(rows.map((r) => r.trim().split(/ {2,}/))).toEqual([
      ['shape', 'value', '∂y/∂node'],
      ['x = input', '[]', '2', '148.4'],
      ['w = input', '[]', '5'],
      ['v1 = exp(w)', '[]', '148.4'],
      ['y = mul(x, v1)', '[]', '296.8', '1'],
    ]);
  });

  test('forward plus backward, simplified', () => {
    const x = tensor(2);
    const y = x.mul(3).exp();
    expect(toText({ y }, { names: { x }, gradients: { of: y, wrt: [x] } })).toBe(
      `\
                    shape
x = input           []
v1 = mul(x, 3)      []
y = exp(v1)         []
∂y/∂x = mul(y, 3)   []`.replaceAll(/^(.{18}) /gm, '$1'),
    );
  });

  test('a gradient as any other output', () => {
    const x = tensor([1, 2]);
    const y = x.square().sum();
    const [dx] = grad(y, [x]);
    const text = toText({ y, dx }, { names: { x } });
    expect(text).toContain('x = input');
    expect(text).toMatch(/^y = /m);
    expect(text).toMatch(/^dx = mul\(.*x\) /m);
  });

  test('kinds of leaves, dtypes, lists without names', () => {
    const w = nn.parameter(tensor([1, 2, 3]));
    const s = state(tensor(0));
    const k = tensor(Int32Array.of(1, 2));
    const rows = toText([w.mul(s).add(0.5), k.add(1)], { values: true }).split('\n');
    expect(rows.map((r) => r.trim().split(/ {2,}/))).toEqual([
      ['shape', 'value'],
      ['p1 = parameter', '[3]', '[1, 2, 3]'],
      ['s1 = state', '[]', '0'],
      ['v1 = mul(p1, s1)', '[3]', '[0, 0, 0]'],
      ['y0 = add(v1, 0.5)', '[3]', '[0.5, 0.5, 0.5]'],
      ['x1 = input', 'int32 [2]', '[1, 2]'],
      ['y1 = add(x1, 1)', 'int32 [2]', '[2, 3]'],
    ]);
  });

  test.each([
    [
      tensor([
        [1, 2],
        [3, 4.5678],
      ]),
      '[[1, 2], [3, 4.568]]',
    ],
    [tensor([[1], [2], [3]]), '[1, 2, 3]ᵀ'],
    [tensor([1, 2, 3, 4, 5, 6, 7]), '1 … 7'],
    [tensor([1e-3, 1.23456e-4]), '[0.001, 1.235e-4]'],
    [tensor([0.5, Number.NaN, 2, 3, 4, 5, -1e-9]), '-1e-9 … 5, 1 NaN'],
    [tensor([Number.NaN, Number.NaN]), '[NaN, NaN]'],
    [tensor(Number.NEGATIVE_INFINITY), '-∞'],
    [tensor(1 / 3), '0.3333'],
    [tensor(123456), '123456'],
    [tensor(-0), '0'],
    [tensor([true, false]), '[true, false]'],
    [tensor(new Float32Array(100).fill(2)), 'all 2'],
    [tensor(new Float32Array(0)), 'no elements'],
  ])('a value: %s', (x, shown) => {
    expect(toText(x, { values: true }).split('\n')[1]?.split(/ {2,}/).at(-1)).toBe(shown);
  });

  test('numbers of every dtype are shown; of a random key only what it is, and none is drawn', () => {
    for (const x of [tensor([1]), tensor(Float64Array.of(1)), tensor(Int32Array.of(1))]) {
      expect(toText(x.mul(100), { names: { x } })).toContain('mul(x, 100)');
    }
    const numbers = () => rand([2]).data();
    expect(toText({ y: rand([2]).add(1) })).toContain('uniform(key)');
    // Inside a compiled function a key is drawn whenever it is read.
    manualSeed(5);
    const drawn = (look: boolean) =>
      compile(() => {
        const noise = rand([2]);
        if (look) expect(toText(noise)).toContain('uniform(key)');
        return noise;
      })().data();
    const [unseen, next] = [drawn(false), numbers()];
    manualSeed(5);
    expect([drawn(true), numbers()]).toEqual([unseen, next]);
  });

  test('names that two tensors share, and made ones that are taken', () => {
    const [x, other] = [tensor(1), tensor(2)];
    const v1 = x.exp();
    const text = toText({ x: v1.mul(other).add(other.log()) }, { names: { x, v1 } });
    expect(text.split('\n').map((r) => r.split(/ {2,}/)[0])).toEqual([
      '',
      'x = input',
      'v1 = exp(x)',
      'x1 = input',
      'v2 = mul(v1, x1)',
      'v3 = log(x1)',
      'x (2) = add(v2, v3)',
    ]);
  });

  test('a parameter keeps its name after its value has changed', () => {
    const w = nn.parameter(tensor(2));
    const y = w.square();
    w.assign(5);
    expect(w.item()).toBe(5);
    expect(toText({ y }, { names: { w } })).toContain('w = parameter');
  });

  test('an update that is still to be made: both versions', () => {
    const w = nn.parameter(tensor(2));
    w.assign(w.mul(0.5));
    expect(
      toText({ w }, { values: true })
        .split('\n')
        .map((r) => r.trim().split(/ {2,}/)),
    ).toEqual([
      ['shape', 'value'],
      ['w = parameter', '[]', '2'],
      ['v1 = mul(w, 0.5)', '[]', '1'],
      ['w (2) = detach(v1)', '[]', '1'],
    ]);
  });

  test('a graph whose values are known is drawn as before', () => {
    const { x, z, y } = lecture();
    const before = toText(y, { names: { x, z } });
    y.item();
    expect(toText(y, { names: { x, z } })).toBe(before);
  });

  test('layers, and a folded chain as one expression', () => {
    const { model, loss } = NETWORKS.mlp();
    const text = toText({ loss }, { names: model.stateDict(), gradients: { of: loss, wrt: model.parameters() } });
    const line = (start: string) => text.split('\n').find((l) => l.startsWith(start));
    expect(line('v2 =')).toMatch(/^v2 = matmul\(v1, 1\.weightᵀ\) +\[4,256\] +1 \(Linear\)$/);
    expect(line('1.weight =')).toMatch(/^1\.weight = parameter +\[256,784\] +1 \(Linear\)$/);
    expect(line('∂loss/∂5.weight')).toMatch(/= matmul\(g\d+ᵀ, v7\) +\[10,128\] +5 \(Linear\)$/);
    expect(line('loss =')).toMatch(/^loss = mul\(reshape\(sum\(v10, axes 0\)\), 0\.25\) /);
  });
});

const TABLE = 'table border="0" cellborder="0" cellspacing="0" cellpadding="1"';
const DOT = `digraph nabla {
  graph [rankdir=LR bgcolor="#ffffff" fontname="Arial" fontcolor="#1f2328" nodesep=0.25 ranksep=0.35 label="a \\"b\\"" labelloc=t]
  node [shape=box style="rounded,filled" margin="0.12,0.06" height=0.3 fontname="Arial" fontsize=12 fontcolor="#1f2328"]
  edge [arrowsize=0.6 color="#818b98"]
  n0 [label=<<${TABLE}><tr><td><b>x</b></td></tr><tr><td><font color="#59636e" point-size="10">[2]</font></td></tr><tr><td><font color="#0550ae">[1, 2]</font></td></tr></table>> fillcolor="#dafbe1" color="#1a7f37"]
  n1 [label=<<${TABLE}><tr><td><b>w</b></td></tr><tr><td><font color="#59636e" point-size="10">[2]</font></td></tr><tr><td><font color="#0550ae">[3, 4]</font></td></tr></table>> fillcolor="#ddf4ff" color="#0969da"]
  n2 [label=<<${TABLE}><tr><td>mul(x, w)</td></tr><tr><td><font color="#59636e" point-size="10">[2]</font></td></tr><tr><td><font color="#0550ae">[3, 8]</font></td></tr></table>> fillcolor="#f6f8fa" color="#818b98"]
  n3 [label=<<${TABLE}><tr><td><b>y</b> = add(·, 1)</td></tr><tr><td><font color="#59636e" point-size="10">[2]</font></td></tr><tr><td><font color="#0550ae">[4, 9]</font></td></tr></table>> fillcolor="#f6f8fa" color="#818b98" penwidth=2]
  n0 -> n2
  n1 -> n2
  n2 -> n3
}
`;

describe('DOT', () => {
  test('a small graph', () => {
    const [x, w] = [tensor([1, 2]), nn.parameter(tensor([3, 4]))];
    const y = x.mul(w).add(1);
    expect(toDot({ y }, { names: { x, w }, values: true, title: 'a "b"' })).toBe(DOT);
  });

  test('the same graph gives the same text', () => {
    const draw = () => {
      const { model, loss } = NETWORKS.cnn();
      return toDot({ loss }, { names: model.stateDict(), gradients: { of: loss, wrt: model.parameters() } });
    };
    expect(draw()).toBe(draw());
  });

  test('a layer is a cluster, one in another too; group: none has none', () => {
    const model = new nn.Sequential(new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU()), new nn.Linear(3, 1));
    const y = model.forward(random(1, [4, 2]));
    const lines = toDot({ y }).split('\n');
    const clusters = lines.filter((l) => /subgraph|graph \[label|^ *}/.test(l)).map((l) => l.replace(/ style.*/, ''));
    expect(clusters).toEqual([
      '  subgraph cluster_0 {',
      '    graph [label="0 (Sequential)"',
      '    subgraph cluster_1 {',
      '      graph [label="0 (Linear)"',
      '    }',
      '    subgraph cluster_2 {',
      '      graph [label="1 (ReLU)"',
      '    }',
      '  }',
      '  subgraph cluster_3 {',
      '    graph [label="1 (Linear)"',
      '  }',
      '}',
    ]);
    expect(toDot({ y }, { group: 'none' })).not.toContain('subgraph');
    expect(toDot({ y })).toContain('rankdir=TB');
    expect(toDot({ y }, { group: 'none' })).toContain('rankdir=LR');
    expect(toDot({ y }, { direction: 'LR' })).toContain('rankdir=LR');
  });

  test('what the backward pass reads of the forward one is given by name; its edges run back', () => {
    const x = tensor(2);
    const y = x.sin().sin();
    const edges = toDot({ y }, { names: { x }, gradients: { of: y, wrt: [x] } })
      .split('\n')
      .filter((l) => l.includes('->'))
      .map((l) => l.trim().replace(/ color="[^"]*"/, ''));
    // x, sin, y, cos(x), cos(v1), their product
    expect(edges).toEqual([
      'n0 -> n1',
      'n1 -> n2',
      'n1 -> n3 [style=invis]',
      'n0 -> n4 [style=invis]',
      'n5 -> n3 [dir=back]',
      'n5 -> n4 [dir=back]',
    ]);
  });

  test('arguments are called by name where the edges do not say which is which', () => {
    const x = tensor([1, 2]);
    const drawn = (y: Tensor) => toDot({ y }, { names: { x } });
    expect(drawn(x.exp().sub(x.sin()))).toContain('<b>y</b> = sub(v1, v2)');
    expect(drawn(x.exp().add(x.sin()))).toContain('<b>y</b> = add<');
    expect(drawn(x.exp().sub(x))).toContain('<b>y</b> = sub(·, x)');
  });

  test('folding', () => {
    const x = tensor([1, 2, 3]);
    const twice = x.mul(2);
    const y = twice.exp().neg().add(1).mul(twice);
    const boxes = (fold: boolean) =>
      toText({ y }, { names: { x }, fold })
        .split('\n')
        .slice(1)
        .map((l) => l.split(/ {2,}/)[0]);
    // Two read mul(x, 2), so it stays.
    expect(boxes(true)).toEqual(['x = input', 'v1 = mul(x, 2)', 'y = mul(add(neg(exp(v1)), 1), v1)']);
    expect(boxes(false)).toEqual([
      'x = input',
      'v1 = mul(x, 2)',
      'v2 = exp(v1)',
      'v3 = neg(v2)',
      'v4 = add(v3, 1)',
      'y = mul(v4, v1)',
    ]);
    expect(toText({ y }, { names: { x } })).toBe(toText({ y }, { names: { x }, fold: false }));
  });

  test('a name that looks like markup', () => {
    const x = tensor(1);
    expect(toDot({ y: x.exp() }, { names: { '<b>&"': x } })).toContain('<b>&lt;b&gt;&amp;&quot;</b>');
  });
});
