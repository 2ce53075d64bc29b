// Each stability rule on an input where the form as written overflows or loses every digit: value and gradient.
import { expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { tensor } from '../../src/create.ts';
import { grad, where } from '../../src/functions.ts';
import * as nn from '../../src/nn/index.ts';
import * as e from '../../src/ops/elementwise.ts';
import { constant } from '../../src/ops/leaf.ts';
import { phases, type Rule, rewrite } from '../../src/rewrite/index.ts';
import { Tensor } from '../../src/tensor.ts';
import './checked.ts';

interface Row {
  name: string;
  f: (x: Tensor) => Tensor;
  at: number[];
  /** What the form as written gives: nothing of the answer. */
  naive: number[];
  value: number[];
  /** d Σf / dx. */
  slope: number[];
  /** What the gradient as written gives, where the value is right but it is not. */
  naiveSlope?: number[];
  /** Share of the value; few digits are lost. */
  within?: number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const OTHER = tensor([10001, 1]);

const ROWS: Row[] = [
  {
    name: 'log softmax',
    f: (x) => x.softmax().log(),
    at: [0, -200],
    naive: [0, -Infinity],
    value: [0, -200],
    slope: [-1, 1],
  },
  {
    name: 'log softmax, moved axis',
    f: (x) => x.reshape(2, 1).softmax(0).log(),
    at: [0, -200],
    naive: [0, -Infinity],
    value: [0, -200],
    slope: [-1, 1],
  },
  { name: 'log sigmoid', f: (x) => x.sigmoid().log(), at: [-200], naive: [-Infinity], value: [-200], slope: [1] },
  {
    name: 'log of one minus sigmoid',
    f: (x) => new Tensor(e.log(e.sub(constant(1), x.sigmoid().node))),
    at: [200],
    naive: [-Infinity],
    value: [-200],
    slope: [-1],
  },
  {
    name: 'the same written with neg and add',
    f: (x) => x.sigmoid().neg().add(1).log(),
    at: [200],
    naive: [-Infinity],
    value: [-200],
    slope: [-1],
  },
  {
    name: 'binary entropy of sigmoid',
    f: (x) => nn.binaryCrossEntropy(x.sigmoid(), x.detach().mul(0), { reduction: 'none' }),
    at: [200],
    naive: [100],
    value: [200],
    slope: [1],
  },
  {
    name: 'log of one plus exp',
    f: (x) => x.exp().add(1).log(),
    at: [200],
    naive: [Infinity],
    value: [200],
    slope: [1],
  },
  {
    name: 'log of exp plus one, far below 0',
    f: (x) => x.exp().add(1).log(),
    at: [-30],
    naive: [0],
    value: [Math.exp(-30)],
    slope: [Math.exp(-30)],
    within: 1e-6,
  },
  { name: 'log1p of exp', f: (x) => x.exp().log1p(), at: [200], naive: [Infinity], value: [200], slope: [1] },
  {
    name: 'log of one plus',
    f: (x) => x.add(1).log(),
    at: [1e-9, -1e-12],
    naive: [0, 0],
    value: [1e-9, -1e-12],
    slope: [1, 1],
  },
  {
    name: 'exp minus one',
    f: (x) => x.exp().sub(1),
    at: [1e-9, -1e-12],
    naive: [0, 0],
    value: [1e-9, -1e-12],
    slope: [1, 1],
  },
  { name: 'exp plus minus one', f: (x) => x.exp().add(-1), at: [1e-9], naive: [0], value: [1e-9], slope: [1] },
  { name: 'log of exp', f: (x) => x.exp().log(), at: [200], naive: [Infinity], value: [200], slope: [1] },
  {
    name: 'log of one minus exp',
    f: (x) => x.exp().neg().add(1).log(),
    at: [-1e-9, -30],
    naive: [-Infinity, 0],
    value: [Math.log(-Math.expm1(-1e-9)), Math.log1p(-Math.exp(-30))],
    slope: [-1e-9, -30].map((x) => Math.exp(x) / Math.expm1(x)),
    within: 1e-6,
  },
  {
    name: 'log of one minus',
    f: (x) => new Tensor(e.log(e.sub(constant(1), x.node))),
    at: [1e-9],
    naive: [0],
    value: [-1e-9],
    slope: [-1],
  },
  {
    name: 'one minus exp',
    f: (x) => new Tensor(e.sub(constant(1), x.exp().node)),
    at: [1e-9],
    naive: [0],
    value: [-1e-9],
    slope: [-1],
  },
  { name: 'minus exp plus one', f: (x) => x.exp().neg().add(1), at: [1e-9], naive: [0], value: [-1e-9], slope: [-1] },
  {
    name: 'softmax by hand',
    f: (x) => x.exp().div(x.exp().sum(-1, true)).slice({ stop: 1 }),
    at: [200, 199],
    naive: [Number.NaN],
    value: [sigmoid(1)],
    slope: [sigmoid(1) * sigmoid(-1), -sigmoid(1) * sigmoid(-1)],
  },
  {
    name: 'sigmoid by hand',
    f: (x) => new Tensor(e.div(constant(1), x.neg().exp().add(1).node)),
    at: [-200, -90],
    naive: [0, 0],
    value: [0, Math.exp(-90)],
    slope: [0, Math.exp(-90)],
    within: 2e-2, // subnormal numbers have few digits
    naiveSlope: [Number.NaN, Number.NaN],
  },
  {
    name: 'reciprocal of one plus exp',
    f: (x) => x.exp().add(1).reciprocal(),
    at: [200],
    naive: [0],
    value: [0],
    slope: [0],
    naiveSlope: [Number.NaN],
  },
  {
    name: 'exp over one plus exp',
    f: (x) => x.exp().div(x.exp().add(1)),
    at: [200],
    naive: [Number.NaN],
    value: [1],
    slope: [0],
  },
  {
    name: 'tanh by hand',
    f: (x) => x.exp().sub(x.neg().exp()).div(x.exp().add(x.neg().exp())),
    at: [200, -200],
    naive: [Number.NaN, Number.NaN],
    value: [1, -1],
    slope: [0, 0],
  },
  {
    name: '1 − tanh²',
    f: (x) => x.tanh().square().neg().add(1),
    at: [20, -12, 1e-7],
    naive: [0, 0, 1],
    value: [20, 12, 1e-7].map((x) => 1 / Math.cosh(x) ** 2),
    slope: [20, -12, 1e-7].map((x) => (-2 * Math.tanh(x)) / Math.cosh(x) ** 2),
    within: 1e-6,
  },
  {
    name: 'σ(1 − σ)',
    f: (x) => x.sigmoid().mul(x.sigmoid().neg().add(1)),
    at: [20, 90],
    naive: [0, 0],
    value: [20, 90].map((x) => (sigmoid(x) * Math.exp(-x)) / (1 + Math.exp(-x))),
    slope: [20, 90].map((x) => -Math.exp(-x)),
    within: 2e-2,
  },
  {
    name: 'log of sum of exp',
    f: (x) => x.exp().sum().log(),
    at: [200, 199],
    naive: [Infinity],
    value: [200 + Math.log1p(Math.exp(-1))],
    slope: [sigmoid(1), sigmoid(-1)],
  },
  {
    name: 'log of sum of exp, far below 0',
    f: (x) => x.exp().sum(0, true).log(),
    at: [-200, -201],
    naive: [-Infinity],
    value: [-200 + Math.log1p(Math.exp(-1))],
    slope: [sigmoid(1), sigmoid(-1)],
  },
  {
    name: 'mean of squares minus square of mean',
    f: (x) => x.square().mean().sub(x.mean().square()),
    at: [10000, 10001, 10002],
    naive: [0],
    value: [2 / 3],
    slope: [-2 / 3, 0, 2 / 3],
  },
  {
    name: 'a² − 2ab + b²',
    f: (x) => x.square().sub(x.mul(OTHER).mul(2)).add(OTHER.square()),
    at: [10000, 3],
    naive: [0, 4],
    value: [1, 4],
    slope: [-2, 4],
  },
  {
    name: 'root of a square',
    f: (x) => x.square().sqrt(),
    at: [1e-25, -1e25, 0],
    naive: [0, Infinity, 0],
    value: [Math.fround(1e-25), Math.fround(1e25), 0],
    slope: [1, -1, 0],
    naiveSlope: [Infinity, 0, Number.NaN],
  },
  {
    name: 'x / ‖x‖',
    f: (x) => x.div(x.square().sum().sqrt()).slice({ stop: 1 }),
    at: [3e-25, 4e-25],
    naive: [Infinity],
    value: [0.6],
    slope: [(1 - 0.36) / 5e-25, -0.48 / 5e-25],
    within: 1e-6,
  },
  {
    name: 'x / ‖x‖, large',
    f: (x) => x.div(x.square().sum(0, true).sqrt()).slice({ stop: 1 }),
    at: [3e25, 4e25],
    naive: [0],
    value: [0.6],
    slope: [(1 - 0.36) / 5e25, -0.48 / 5e25],
    within: 1e-6,
  },
  {
    name: 'norm at 0',
    f: (x) => x.square().sum().sqrt(),
    at: [0, 0],
    naive: [0],
    value: [0],
    slope: [0, 0],
    naiveSlope: [Number.NaN, Number.NaN],
  },
  {
    name: 'cross-entropy by hand',
    f: (x) =>
      x
        .softmax()
        .log()
        .mul(tensor([1, 0]))
        .sum(-1)
        .neg(),
    at: [0, -200],
    naive: [Number.NaN],
    value: [0],
    slope: [0, 0],
  },
];

const SECOND = tensor(Int32Array.of(1), { shape: [1, 1] });
const AS_ROW = { naive: [-Infinity], value: [-200], slope: [-1, 1] };
ROWS.push(
  {
    name: 'log of a label of softmax',
    f: (x) => x.reshape(1, 2).softmax().gather(1, SECOND).log(),
    at: [0, -200],
    ...AS_ROW,
  },
  {
    name: 'log of a softmax times oneHot',
    f: (x) => x.reshape(1, 2).softmax().mul(SECOND.squeeze(1).oneHot(2)).sum(-1).log(),
    at: [0, -200],
    ...AS_ROW,
  },
);

const close = (found: ArrayLike<number>, expected: readonly number[], within: number) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(within * Math.abs(value));
  });
};

for (const { name, f, at, naive, value, slope, naiveSlope, within = 2.5e-7 } of ROWS) {
  test(name, () => {
    const x = tensor(at);
    const asWritten = compile(f, { rewrites: false })(x);
    expect([...asWritten.data()].map((v) => v + 0)).toEqual(naive);
    for (const run of [f, compile(f)]) close(run(x).data(), value, within);
    const derivative = (x: Tensor) => grad(f(x).sum(), [x])[0] as Tensor;
    const slopeAsWritten = [...compile(derivative, { rewrites: false })(x).data()];
    if (naiveSlope !== undefined) expect(slopeAsWritten.map((v) => v + 0)).toEqual(naiveSlope);
    for (const run of [derivative, compile(derivative)]) close(run(x).data(), slope, within);
    const p = nn.parameter(x);
    f(p).sum().backward();
    close((p.grad as Tensor).data(), slope, within);
  });
}

test('a branch not taken beside a pole has gradient 0, with rewrites and without', () => {
  const forms: [(x: Tensor) => Tensor, number[], number[]][] = [
    [(x) => where(x.gt(0), x.sqrt(), 0), [0, 4, -1], [0, 0.25, 0]],
    [(x) => where(x.le(0), 0, x.log()), [0, 4], [0, 0.25]],
    [(x) => where(x.ne(0), x.reciprocal(), 0), [0, 2], [0, -0.25]],
    [(x) => where(x.ne(0), x.sin().div(x), 1), [0, Math.PI], [0, -1 / Math.PI]],
  ];
  for (const [f, at, slope] of forms) {
    const derivative = (x: Tensor) => grad(f(x).sum(), [x])[0] as Tensor;
    for (const rewrites of [true, false]) close(compile(derivative, { rewrites })(tensor(at)).data(), slope, 1e-6);
  }
});

test('a loss that was read already is differentiated in its stable form too', () => {
  const p = nn.parameter(tensor([-200, 3]));
  const loss = p.sigmoid().log().sum();
  expect(loss.item()).toBeCloseTo(-200.0486, 3);
  loss.backward();
  close((p.grad as Tensor).data(), [1, 1 / (1 + Math.exp(3))], 1e-6);
});

test('cross-entropy of sigmoids, written as in a lecture, survives confident mistakes', () => {
  const logits = nn.parameter(tensor([-90, 90]));
  const loss = nn.binaryCrossEntropy(logits.sigmoid(), tensor([1, 0]), { reduction: 'sum' });
  expect(loss.item()).toBeCloseTo(180, 3);
  loss.backward();
  close((logits.grad as Tensor).data(), [-1, 1], 1e-6);
});

test('every rule that stabilises has an input here on which the form as written fails', () => {
  const rules = phases.find(({ name }) => name === 'stabilise')?.rules as readonly Rule[];
  const shown = new Set<string>();
  for (const { f, at } of ROWS) rewrite([f(tensor(at)).node], rules, { fired: (rule) => shown.add(rule.name) });
  const names = new Set(rules.map((rule) => rule.name));
  // These are exact: they bring a loss or a softmax into the form in which the others find it.
  const exact = [
    ...['softmax of x − max x', '(−x) · y', 'sum of −x', 'reshape of −x'],
    ...['label of softmax', 'label of log-softmax', 'cross-entropy of one-hot labels'],
  ];
  expect([...names].filter((name) => !shown.has(name)).sort()).toEqual(exact.filter((name) => !shown.has(name)).sort());
});
