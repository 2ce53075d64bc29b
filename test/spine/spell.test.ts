// Ops that are names for expressions: they stand in a graph, and none is left in what runs.
import { expect, test } from 'vitest';
import { grad } from '../../src/functions.ts';
import { checkGraph } from '../../src/graph/check.ts';
import type { Node } from '../../src/graph/node.ts';
import { apply, inLayer } from '../../src/graph/node.ts';
import { isName, type Op } from '../../src/graph/op.ts';
import { printGraph } from '../../src/graph/print.ts';
import { walk } from '../../src/graph/walk.ts';
import { silu } from '../../src/ops/activations.ts';
import { composite } from '../../src/ops/composite.ts';
import { neg, square } from '../../src/ops/elementwise.ts';
import { acosh, sinh } from '../../src/ops/functions.ts';
import { placeholder } from '../../src/ops/leaf.ts';
import { optimise } from '../../src/rewrite/index.ts';
import { spelled } from '../../src/rewrite/spell.ts';
import { Tensor } from '../../src/tensor.ts';

const x = () => placeholder([3], 'float32', 0);
const names = (nodes: readonly Node[]) => walk(nodes).filter((node) => isName(node.op));

test('a name is printed as what it is, and so is its derivative', () => {
  const at = x();
  const y = new Tensor(sinh(at));
  expect(printGraph([y.node])).toContain('1 sinh(0) float32 [3]');
  const [dx] = grad(y.sum(), [new Tensor(at)]);
  expect(names([dx.node]).map((node) => node.op.name)).toEqual(['cosh']);
});

test('no name is left in a program, with rewrites and without, however they stand in one another', () => {
  // A name whose expression is a name of names.
  const twice: Op = composite('twice', {
    f: (v) => Math.sinh(Math.sinh(v)),
    expression: ([v]) => sinh(silu(v as Node)),
    vjp: () => [null],
  });
  const root = acosh(apply(twice, [sinh(x())]));
  expect(names([root])).toHaveLength(3);
  for (const rewrites of [false, true, ['x · 1']]) {
    const done = optimise([root], rewrites);
    expect(names(done)).toEqual([]);
    checkGraph(done);
  }
  checkGraph([root]);
});

test('a name is replaced once, wherever it is read; what is kept stays', () => {
  const [at, other] = [x(), x()];
  const y = sinh(at);
  const [a, b] = spelled([square(y), neg(y)]) as [Node, Node];
  expect(a.inputs[0]).toBe(b.inputs[0]);
  expect(spelled([neg(y)], { keep: new Set([y]) })[0]?.inputs).toEqual([y]);
  const plain = neg(other);
  expect(spelled([plain])[0]).toBe(plain);
});

test('what stands for a name counts for its layer', () => {
  const y = inLayer('act', () => silu(x()));
  expect(spelled([y])[0]?.layer).toBe('act');
});

test('a long chain of names makes a few nodes a name, and overflows no stack', () => {
  let y = x();
  for (let i = 0; i < 20_000; i++) y = silu(y);
  const before = x().id;
  spelled([y]);
  expect(x().id - before).toBeLessThan(6 * 20_000);
});
