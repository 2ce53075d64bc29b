// explain(): the graph on its way through the phases; compile's choice of rewrites by name.
import { describe, expect, test } from 'vitest';
import { compile, explain, grad, nn, optim, rand, type Tensor, tensor } from '../../src/index.ts';
import { planCount } from '../../src/realise.ts';
import './checked.ts';

const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('explain', () => {
  const f = (x: Tensor) => x.softmax().log().mul(1).sum();

  test('prints the graph before and after each phase, the rules that fired, the plan and its memory', () => {
    expect(`${explain(f, x)}`).toBe(
      `As written: 5 nodes and their leaves
0 placeholder {k: 0} float32 [2,3]
1 softmax(0) float32 [2,3]
2 log(1) float32 [2,3]
3 constant 1 float32 []
4 mul(2, 3) float32 [2,3]
5 sum(4) {axes: [0,1]} float32 [1,1]
6 reshape(5) float32 []
→ 6

After stabilise: 5 → 4 nodes
  1 × log softmax
0 placeholder {k: 0} float32 [2,3]
1 logSoftmax(0) float32 [2,3]
2 constant 1 float32 []
3 mul(1, 2) float32 [2,3]
4 sum(3) {axes: [0,1]} float32 [1,1]
5 reshape(4) float32 []
→ 5

After simplify: 4 → 3 nodes
  1 × x · 1
0 placeholder {k: 0} float32 [2,3]
1 logSoftmax(0) float32 [2,3]
2 sum(1) {axes: [0,1]} float32 [1,1]
3 reshape(2) float32 []
→ 3

After fuse: 3 → 3 nodes; no rule fired

Plan
  0  softmax        logSoftmax  (arena2 leaf0)
  1  map            sum  (arena2 arena1)
2 instructions, 26 words, arena 128 bytes
memory: 128 bytes for intermediates, of 192 if none shared any (67 %); PEAK in all`.replace(
        'PEAK',
        String(explain(f, x).memory.peakBytes),
      ),
    );
  });
  test('has it all as fields', () => {
    const { phases, instructions, memory, plan } = explain(f, x);
    expect(phases.map((p) => [p.name, p.nodesBefore, p.nodesAfter, p.fired])).toEqual([
      ['stabilise', 5, 4, { 'log softmax': 1 }],
      ['simplify', 4, 3, { 'x · 1': 1 }],
      ['fuse', 3, 3, {}],
    ]);
    expect(instructions).toBe(2);
    expect(plan).toBe(compile(f).explain(x));
    expect(memory).toEqual(compile(f).memory(x));
  });
  test('counts equal nodes that were shared', () => {
    const { phases } = explain((x: Tensor) => x.exp().mul(x.exp()), x);
    expect(phases.map((p) => p.shared)).toEqual([1, 0, 0]);
    expect(`${explain((x: Tensor) => x.exp().mul(x.exp()), x)}`).toContain('  1 × equal nodes shared\n');
  });
  test('of a training step changes nothing: no weight, no random number, no plan', () => {
    const model = new nn.Linear(3, 2);
    const optimizer = new optim.Adam(model.parameters());
    const step = (x: Tensor) => {
      const loss = model
        .forward(x.mul(rand([2, 3])))
        .square()
        .mean();
      optimizer.minimize(loss);
      return loss;
    };
    const before = model.parameters().map((p) => [...p.data()]);
    const plans = planCount();
    expect(explain(step, x).instructions).toBeGreaterThan(3);
    expect(planCount()).toBe(plans);
    expect(model.parameters().map((p) => [...p.data()])).toEqual(before);
  });
  test('shows names that are spelled out, with rewrites and without, and what hides no form any more', () => {
    const g = (x: Tensor) => x.sinh().detach();
    const fired = (rewrites: boolean) => explain(compile(g, { rewrites }), x).phases.map((p) => [p.name, p.fired]);
    expect(fired(true).slice(0, 2)).toEqual([
      ['stabilise', { 'detached x': 1 }],
      ['spell', { sinh: 1 }],
    ]);
    expect(fired(false)[0]).toEqual(['spell', { sinh: 1 }]);
    const text = (cut: (x: Tensor) => Tensor) => explain((x: Tensor) => cut(x.exp().add(1)).log(), x).plan;
    expect(text((x) => x.detach().clone())).toBe(text((x) => x));
  });
  test('takes a compiled function with its options', () => {
    const off = explain(compile(f, { rewrites: false }), x);
    expect(off.phases.map((p) => [p.name, p.nodesAfter])).toEqual([['fuse', 5]]);
    expect(explain(compile(f), x).instructions).toBe(2);
  });
  test('is no part of a trace', () => {
    const inside = compile((x: Tensor) => {
      explain(f, x);
      return x;
    });
    expect(() => inside(x)).toThrow('explain: it cannot be part of a compiled function');
  });
});

describe('compile with rewrites by name', () => {
  const f = (x: Tensor) => x.softmax().log().mul(1).neg().neg();
  const fired = (rewrites: boolean | string[]) =>
    explain(compile(f, { rewrites }), x).phases.flatMap((p) => Object.keys(p.fired));

  test('applies those rules and no others', () => {
    expect(fired(true)).toEqual(['log softmax', 'x · 1', '−(−x)']);
    expect(fired(['x · 1'])).toEqual(['x · 1']);
    expect(fired(['simplify'])).toEqual(['x · 1', '−(−x)']);
    expect(fired(['stabilise', '−(−x)'])).toEqual(['log softmax', '−(−x)']);
    expect(fired(false)).toEqual([]);
    expect(fired([])).toEqual([]);
  });
  test('makes programs of their own', () => {
    const far = tensor([0, -200]);
    const log = (x: Tensor) => x.softmax().log();
    expect(compile(log, { rewrites: false })(far).toArray()).toEqual([0, -Infinity]);
    expect(compile(log, { rewrites: ['simplify', 'fuse'] })(far).toArray()).toEqual([0, -Infinity]);
    expect(compile(log, { rewrites: ['log softmax'] })(far).toArray()).toEqual([0, -200]);
    expect(compile(log)(far).toArray()).toEqual([0, -200]);
  });
  test('holds for what is differentiated in it', () => {
    const slope = (x: Tensor) => grad(x.softmax().log().sum(), [x])[0] as Tensor;
    const far = tensor([0, -200]);
    expect(compile(slope, { rewrites: false })(far).toArray()).toEqual([Number.NaN, Number.NaN]);
    expect(compile(slope)(far).toArray()).toEqual([-1, 1]);
  });
  test('kernels get what they cannot do without, whatever is asked', () => {
    const g = (x: Tensor) => x.reshape(2, 1, 3).add(x.reshape(2, 3, 1));
    expect(compile(g, { rewrites: [] })(x).toArray()).toEqual(compile(g)(x).toArray());
  });
  test('unknown names are errors that list the known ones', () => {
    expect(() => compile(f, { rewrites: ['log softmaxx'] })).toThrow(
      /^compile: unknown rewrite 'log softmaxx'; expected a phase \(stabilise, simplify, fuse\) or a rule \(log softmax, log softmax, moved axis, .*, reduction over scattered axes\)$/,
    );
    expect(() => compile(f, { rewrites: 'none' as never })).toThrow(
      "compile: rewrites is none; expected true, false or a list of names such as ['stabilise', 'x · 1']",
    );
    expect(() => compile(f, { rewrite: false } as never)).toThrow(
      "compile: unknown option 'rewrite'; expected rewrites",
    );
  });
});
