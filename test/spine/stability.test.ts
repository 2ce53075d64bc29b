// Each stability rule on an input where the form as written overflows or loses every digit: value and gradient.
import { expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { tensor } from '../../src/create.ts';
import { grad } from '../../src/functions.ts';
import * as nn from '../../src/nn/index.ts';
import * as e from '../../src/ops/elementwise.ts';
import { constant } from '../../src/ops/leaf.ts';
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
  /** Share of the value; few digits are lost. */
  within?: number;
}

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
];

const close = (found: ArrayLike<number>, expected: readonly number[], within: number) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(within * Math.abs(value));
  });
};

for (const { name, f, at, naive, value, slope, within = 2.5e-7 } of ROWS) {
  test(name, () => {
    const x = tensor(at);
    const asWritten = compile(f, { rewrites: false })(x);
    expect([...asWritten.data()].map((v) => v + 0)).toEqual(naive);
    for (const run of [f, compile(f)]) close(run(x).data(), value, within);
    const derivative = (x: Tensor) => grad(f(x).sum(), [x])[0] as Tensor;
    for (const run of [derivative, compile(derivative)]) close(run(x).data(), slope, within);
    const p = nn.parameter(x);
    f(p).sum().backward();
    close((p.grad as Tensor).data(), slope, within);
  });
}

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
