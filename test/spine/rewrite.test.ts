// Rewrite rules: what each leaves as text, the same values as before, and the driver that applies them.
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { rand, tensor } from '../../src/create.ts';
import { grad } from '../../src/functions.ts';
import { checkGraph } from '../../src/graph/check.ts';
import { apply, type Node } from '../../src/graph/node.ts';
import type { Op } from '../../src/graph/op.ts';
import { printGraph } from '../../src/graph/print.ts';
import * as e from '../../src/ops/elementwise.ts';
import { constant } from '../../src/ops/leaf.ts';
import { optimise, phases, type Rule, rewrite } from '../../src/rewrite/index.ts';
import { any, p } from '../../src/rewrite/match.ts';
import { Tensor } from '../../src/tensor.ts';
import './checked.ts';
import { generator, randomExpressions, randomTensor } from './randomGraph.ts';
import { brief, ROWS } from './rewrite.table.ts';

const random = generator(5);
const [x, y, w, v, s] = [[2, 3], [2, 3], [3, 2], [3], []].map((shape) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.1 + 0.8 * random()),
    { shape },
  ),
) as [Tensor, Tensor, Tensor, Tensor, Tensor];
const rulesOf = (phase: string) => phases.find((f) => f.name === phase)?.rules as readonly Rule[];
const leafNode = (shape: number[]) => randomTensor(random, shape).node;

/** `node` after a phase, and the names of the rules that fired. */
function through(phase: string, node: Node): { nodes: Node[]; fired: Set<string> } {
  const fired = new Set<string>();
  const nodes = rewrite([node], rulesOf(phase), { fired: (rule) => fired.add(rule.name) });
  checkGraph(nodes);
  return { nodes, fired };
}

describe('each rule by text and by value', () => {
  for (const { rule, phase, build, after: expected } of ROWS) {
    test(rule, () => {
      const { nodes, fired } = through(phase, build(x, y, w, v, s).node);
      expect(fired).toContain(rule);
      expect(brief(nodes)).toBe(expected);
      const [fast, plain] = [compile(build), compile(build, { rewrites: false })];
      const [a, b] = [fast(x, y, w, v, s).data(), plain(x, y, w, v, s).data()];
      // Inputs in (0.1, 0.9) are stable in every form: what is left is rounding of a few operations.
      a.forEach((value, i) => {
        expect(Math.abs(value - (b[i] as number))).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)));
      });
    });
    test(`${rule}, in float64`, () => {
      const doubles = [x, y, w, v, s].map((t) => t.to('float64')) as [Tensor, Tensor, Tensor, Tensor, Tensor];
      expect(through(phase, build(...doubles).node).fired).toContain(rule);
      const [a, b] = [true, false].map((rewrites) => compile(build, { rewrites })(...doubles).data());
      a?.forEach((value, i) => {
        expect(Math.abs(value - (b?.[i] as number))).toBeLessThan(1e-14 * Math.max(1, Math.abs(value)));
      });
    });
  }

  test('no rule is without a row', () => {
    const named = new Set(ROWS.map((r) => r.rule));
    const names = phases.flatMap((f) => f.rules.map((r) => r.name));
    const missing = names.filter((name) => !named.has(name) && !name.startsWith('elementwise of '));
    expect(missing).toEqual([]);
  });
});

describe('rules that come for every elementwise op', () => {
  const ops = rulesOf('simplify').flatMap((r) => (r.name === 'elementwise of constants' ? [r.pattern.op] : []));
  const leaf = (op: Op, make: (dtype: 'float32' | 'bool') => Node): Node[] | null => {
    const forms = op.forms?.float32 ?? op.forms?.bool;
    if (forms === undefined || op.name === 'cast') return null;
    return [...(forms.at(-1)?.args ?? '')].map((_, i) => make(op.forms?.float32 || i > 0 ? 'float32' : 'bool'));
  };
  const floats = ops.filter((op) => leaf(op, () => constant(1)) !== null);

  test('there are many', () => {
    expect(floats.length).toBeGreaterThan(30);
  });
  test('numbers are stretched late: f(expand(s)) is expand(f(s))', () => {
    for (const op of floats) {
      const inputs = leaf(op, (dtype) => e.expand(e.cast(tensor(0.5).node, dtype), [2, 3])) as Node[];
      const { nodes } = through('simplify', apply(op, inputs));
      expect([op.name, (nodes[0] as Node).op.name, (nodes[0] as Node).shape]).toEqual([op.name, 'expand', [2, 3]]);
    }
  });
  test('an operand that broadcasts anyway is not stretched first', () => {
    for (const op of floats) {
      const inputs = leaf(op, (dtype) => e.cast(leafNode([2, 3]), dtype)) as Node[];
      if (inputs.length < 2) continue;
      inputs[1] = e.expand(leafNode([3]), [2, 3]);
      const { nodes } = through('simplify', apply(op, inputs));
      expect([op.name, (nodes[0] as Node).inputs[1]?.shape]).toEqual([op.name, [3]]);
    }
  });
  test('arithmetic on constants is done once, in float64, ∞ and NaN included', () => {
    const folded = (node: Node) => (through('simplify', node).nodes[0] as Node).attrs.value;
    expect(folded(e.add(constant(0.25), e.mul(constant(3), constant(5))))).toBe(15.25);
    expect(folded(e.div(constant(1), constant(0)))).toBe(Number.POSITIVE_INFINITY);
    expect(folded(e.log(e.neg(constant(3))))).toBeNaN();
    expect(folded(e.add(constant(3, 'int32'), constant(4, 'int32')))).toBeUndefined();
  });
});

describe('shapes', () => {
  test('a neutral element that stretches is kept', () => {
    const one = e.expand(constant(1), [2, 3]);
    for (const node of [
      e.mul(leafNode([3]), one),
      e.div(leafNode([]), one),
      e.add(leafNode([1, 3]), e.sub(one, one)),
    ]) {
      const [result] = optimise([node]) as [Node];
      expect(result.shape).toEqual([2, 3]);
    }
    expect(new Tensor(e.mul(tensor([5, 6]).node, e.expand(constant(1), [2, 2]))).toArray()).toEqual([
      [5, 6],
      [5, 6],
    ]);
  });
  test('a bias with more axes than the product stays an addition', () => {
    const f = (a: Tensor, b: Tensor, c: Tensor) =>
      a
        .matmul(b)
        .add(c.reshape(1, 1, 2))
        .sum(1);
    const [fast, plain] = [compile(f), compile(f, { rewrites: false })];
    expect(fast(x, w, tensor([1, 2])).toArray()).toEqual(plain(x, w, tensor([1, 2])).toArray());
  });
  test('a product read twice keeps its epilogue apart', () => {
    const product = x.matmul(w);
    const nodes = rewrite([product.relu().node, product.node], rulesOf('fuse'));
    expect(brief(nodes)).toBe('2 matmul(0, 1) {transA: false, transB: false} [2,2]; 3 relu(2) [2,2]; → 3, 2');
  });
});

describe('equal nodes', () => {
  test('are shared, and different ones are not', () => {
    const [a] = rewrite([x.exp().add(x.exp()).mul(x.exp().add(y.exp())).node], []) as [Node];
    expect(brief([a])).toBe(
      '1 exp(0) [2,3]; 2 add(1, 1) [2,3]; 4 exp(3) [2,3]; 5 add(1, 4) [2,3]; 6 mul(2, 5) [2,3]; → 6',
    );
    const [sums] = rewrite([x.sum(0).add(x.sum(0, true)).node], []) as [Node];
    expect(printGraph([sums]).match(/ sum\(/g)).toHaveLength(1);
    const two = rewrite([x.reshape(3, 2).node, x.reshape(2, 3, 1).node], []);
    expect(two.map((n) => n.shape)).toEqual([
      [3, 2],
      [2, 3, 1],
    ]);
  });
  test('random nodes are not, unless they are one', () => {
    const [a, b] = [rand([4]), rand([4])];
    expect(
      a
        .sub(b)
        .data()
        .every((d) => d !== 0),
    ).toBe(true);
    expect(a.sub(a).toArray()).toEqual([0, 0, 0, 0]);
    const f = compile(() => [rand([4]), rand([4])] as const);
    const [c, d] = f();
    expect(c.toArray()).not.toEqual(d.toArray());
    expect(f()[0].toArray()).not.toEqual(c.toArray());
  });
  test('constants that JSON cannot tell apart stay apart', () => {
    const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const results = values.map((value) => new Tensor(e.div(constant(1), e.mul(tensor([1]).node, constant(value)))));
    const one = compile(() => results.map((r) => r.clone()));
    expect(one().map((r) => r.item())).toEqual(values.map((value) => 1 / value));
    const nodes = rewrite(
      values.map((value) => constant(value)),
      [],
    );
    expect(nodes.map((n) => n.attrs.value)).toEqual(values);
  });
});

test('NaN and ∞ come through as they would without rules', () => {
  const inputs = tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, -3]);
  const f = (a: Tensor) => [
    a.mul(0),
    a.sub(a),
    a.div(a),
    a.mul(1),
    a.add(0),
    a.neg().neg(),
    a.mul(-1),
    a.pow(2),
    a.pow(-1),
    a.pow(0),
    a.mul(a),
    a.add(a.neg()),
    a.relu().mul(0),
    a.maximum(0),
    a.gt(0).where(a, 0),
    a.mul(a).add(a),
    a.sum().reshape(1).mul(0),
  ];
  const [fast, plain] = [compile(f), compile(f, { rewrites: false })];
  expect(fast(inputs).map((t) => [...t.data()])).toEqual(plain(inputs).map((t) => [...t.data()]));
  expect(fast(inputs)[0]?.toArray()).toEqual([Number.NaN, Number.NaN, Number.NaN, 0, 0, -0]);
});

describe('the driver', () => {
  test('reaches a fixed point on random graphs, which stay whole after every phase', () => {
    for (let seed = 0; seed < 60; seed++) {
      const r = generator(seed);
      const leaves = [
        [3, 4],
        [4, 3],
        [4, 4],
        [1, 4],
      ].map((shape) => randomTensor(r, shape));
      let nodes: Node[] = randomExpressions(r, leaves, 25)
        .slice(-5)
        .map((t) => t.node);
      for (const { name, rules } of phases) {
        nodes = rewrite(nodes, rules);
        checkGraph(nodes);
        expect(printGraph(rewrite(nodes, rules)), `${name}, seed ${seed}`).toBe(printGraph(nodes));
      }
    }
  });
  test('stops a rule that undoes itself', () => {
    const swap: Rule = {
      name: 'swap',
      motive: 'none',
      pattern: p(e.subOp, any('x'), any('y')),
      build: (b) => e.sub(b.y as Node, b.x as Node),
    };
    expect(() => rewrite([x.sub(y).node], [swap])).toThrow(/rewrite: more than 32 rules fire in a row at sub/);
  });
  test('stops a rule whose result it matches again', () => {
    const grow: Rule = {
      name: 'grow',
      motive: 'none',
      pattern: p(e.negOp, any('x')),
      build: (b) => e.neg(e.neg(e.neg(b.x as Node))),
    };
    expect(() => rewrite([x.neg().node], [grow])).toThrow(/rules fire in a row at neg/);
  });
  test('stops a rule that fires once a round for ever', () => {
    const deeper: Rule = {
      name: 'deeper',
      motive: 'none',
      pattern: p(e.expOp, any('x')),
      build: (b) => e.tanh(e.exp(b.x as Node)),
    };
    expect(() => rewrite([x.exp().node], [deeper])).toThrow(/still fire after 16 rounds: deeper/);
  });
  test('refuses a rule that changes a shape or a dtype', () => {
    const flat: Rule = { name: 'flat', motive: 'none', pattern: p(e.expOp, any('x')), build: () => constant(1) };
    expect(() => rewrite([x.exp().node], [flat])).toThrow('rewrite: flat made [] float32 of [2,3] float32');
  });
  test('a gradient is taken with respect to what a rule would have seen through', () => {
    const p = x.softmax();
    const [dp] = grad(p.log().sum(), [p]) as [Tensor];
    const reciprocal = p.reciprocal().data();
    dp.data().forEach((d, i) => {
      expect(d).toBeCloseTo(reciprocal[i] as number, 4);
    });
  });
  test('leaves alone what it is told to keep', () => {
    const kept = x.neg().neg();
    const [same] = rewrite([kept.neg().neg().node], rulesOf('simplify'), { keep: new Set([kept.node]) });
    expect(same === kept.node).toBe(true);
  });
});

describe('what is asked about, no rule sees through', () => {
  // Each rule looks further than its pattern says; the gradient with respect to what lies between must stay.
  const between: Record<string, (x: Tensor) => [Tensor, Tensor]> = {
    'a sum of exponentials': (x) => ((q) => [q.log(), q])(x.exp().sum(0, true)),
    'the exponentials': (x) => ((q) => [q.sum(0, true).log(), q])(x.exp()),
    'a sum of squares': (x) => ((q) => [q.sqrt(), q])(x.square().sum(0, true)),
    'a square': (x) => ((q) => [q.sqrt(), q])(x.square()),
    'a mean': (x) => ((q) => [x.square().mean(0, true).sub(q.square()), q])(x.mean(0, true)),
    'a product': (x) => ((q) => [x.square().sub(q.mul(2)).add(y.square()), q])(x.mul(y)),
    'a norm': (x) => ((q) => [x.div(q), q])(x.square().sum(0, true).sqrt()),
    'a sign': (x) => ((q) => [q.exp().add(1).reciprocal(), q])(x.neg()),
  };
  for (const [name, f] of Object.entries(between)) {
    test(name, () => {
      const slope = (rewrites: boolean) =>
        compile((x: Tensor) => ((r) => grad(r[0].sum(), [r[1]])[0] as Tensor)(f(x)), { rewrites })(x).data();
      const [fast, plain] = [slope(true), slope(false)];
      fast.forEach((value, i) => {
        expect(value).toBeCloseTo(plain[i] as number, 4);
      });
    });
  }
});
