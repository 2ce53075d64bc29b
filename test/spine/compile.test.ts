// compile(): what goes in and out, what makes a new trace and what does not, and what a failed trace leaves behind.
import { describe, expect, test } from 'vitest';
import { compile, planCount } from '../../src/compile.ts';
import { rand, state, tensor } from '../../src/create.ts';
import { noGrad } from '../../src/functions.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import type { Tensor } from '../../src/tensor.ts';
import './checked.ts';

const numbers = (t: Tensor) => [...t.data()];

describe('results', () => {
  test('a value before an update and after it', () => {
    const v = state(tensor([1, 2]));
    const f = compile(() => {
      const before = v.mul(1);
      v.assign(v.add(10));
      return [before, v, v.mul(2)];
    });
    expect(f().map(numbers)).toEqual([
      [1, 2],
      [11, 12],
      [22, 24],
    ]);
    expect(f().map(numbers)).toEqual([
      [11, 12],
      [21, 22],
      [42, 44],
    ]);
    expect(numbers(v)).toEqual([21, 22]);
  });
  test('the variable itself before and after', () => {
    const v = state(tensor([1, 2]));
    const f = compile(() => {
      const before = v.clone();
      v.assign(v.mul(2));
      return { before, after: v.clone() };
    });
    const { before, after } = f();
    expect([numbers(before), numbers(after)]).toEqual([
      [1, 2],
      [2, 4],
    ]);
  });
  test('the same tensor twice, an argument as it is, a view of it, a captured tensor', () => {
    const held = tensor([7, 8]);
    const f = compile((x: Tensor) => {
      const y = x.add(held);
      return [y, y, x, x.reshape(2, 1), held, held.reshape(1, 2)];
    });
    const x = tensor([1, 2]);
    const out = f(x);
    expect(out.map((t) => t.shape)).toEqual([[2], [2], [2], [2, 1], [2], [1, 2]]);
    expect(out.map(numbers)).toEqual([
      [8, 10],
      [8, 10],
      [1, 2],
      [1, 2],
      [7, 8],
      [7, 8],
    ]);
    f(tensor([5, 5]));
    expect(out.map(numbers)[2]).toEqual([1, 2]);
    expect(numbers(x)).toEqual([1, 2]);
  });
  test('arrays and objects within each other, with what is no tensor left alone', () => {
    const f = compile((o: { a: Tensor; list: [Tensor, { b: Tensor }] }, n: number) => ({
      sum: o.a.add(o.list[0]).add(o.list[1].b).mul(n),
      rest: [{ twice: o.a.mul(2) }, 'text', null, undefined],
    }));
    const out = f({ a: tensor([1]), list: [tensor([2]), { b: tensor([3]) }] }, 10);
    expect(numbers(out.sum)).toEqual([60]);
    expect(numbers((out.rest[0] as { twice: Tensor }).twice)).toEqual([2]);
    expect(out.rest.slice(1)).toEqual(['text', null, undefined]);
  });
  test('nothing at all, and no arguments', () => {
    const v = state(tensor(0));
    const count = compile(() => {
      v.assign(v.add(1));
    });
    for (let i = 0; i < 5; i++) expect(count()).toBeUndefined();
    expect(v.item()).toBe(5);
  });
  test('empty tensors', () => {
    const f = compile((x: Tensor) => [x.add(1), x.sum()]);
    expect(f(tensor([], { shape: [0, 3] })).map(numbers)).toEqual([[], [0]]);
  });
});

test('an assigned variable gets the gradient, not what it was assigned from', () => {
  const step = (p: Tensor) => {
    noGrad(() => p.assign(p.mul(100)));
    p.grad = null;
    p.square().sum().backward();
    return p.grad as unknown as Tensor;
  };
  for (const mode of ['eager', 'compiled']) {
    const p = nn.parameter(tensor([1, 2]));
    const f = mode === 'eager' ? () => step(p) : compile(() => step(p));
    expect(numbers(f())).toEqual([200, 400]);
    expect(numbers(f())).toEqual([20000, 40000]);
  }
});

describe('one trace', () => {
  test('numbers as arguments and learning rates make no new plan', () => {
    const p = nn.parameter(tensor([1, 1]));
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const f = compile((x: Tensor, scale: number) => {
      optimizer.minimize(p.mul(x).mul(scale).sum());
      return x.mul(scale);
    });
    f(tensor([1, 2]), 1);
    const plans = planCount();
    optimizer.lr = 0.5;
    for (const n of [0, 1, 2, -1, 3.5, Number.NaN]) f(tensor([1, 2]), n).data();
    expect([planCount() - plans, f.traces]).toEqual([0, 1]);
    expect(numbers(f(tensor([1, 2]), 3))).toEqual([3, 6]);
  });
  test('a compiled function inside another is inlined', () => {
    const inner = compile((x: Tensor) => x.mul(2).add(1));
    const outer = compile((x: Tensor) => inner(inner(x)));
    expect(numbers(outer(tensor([1, 2])))).toEqual([7, 11]);
    expect([inner.traces, outer.traces]).toEqual([0, 1]);
    expect(numbers(inner(tensor([1])))).toEqual([3]);
  });
  test('a captured variable is read anew at each call', () => {
    const v = state(tensor([1]));
    const f = compile((x: Tensor) => x.mul(v));
    expect(numbers(f(tensor([3])))).toEqual([3]);
    v.assign(tensor([5]));
    expect(numbers(f(tensor([3])))).toEqual([15]);
    expect(f.traces).toBe(1);
  });
  test('two traces use a variable that another program wrote', () => {
    const v = state(tensor([1, 1]));
    compile(() => v.assign(v.add(1)))();
    const f = compile((x: Tensor) => x.mul(v));
    expect(numbers(f(tensor([1, 2])))).toEqual([2, 4]);
    expect(numbers(f(tensor([[1, 2]])))).toEqual([2, 4]);
  });
  test('random numbers are new at each call', () => {
    const f = compile(() => rand([8]));
    expect(numbers(f())).not.toEqual(numbers(f()));
  });
});

describe('a new trace', () => {
  test('for another shape, dtype or structure of arguments, and the old one is found again', () => {
    const f = compile((x: unknown) => [x].flat().map((t) => (t as Tensor).add(1)));
    for (let round = 0; round < 2; round++) {
      f(tensor([1]));
      f(tensor([1, 2]));
      f(tensor([1], { dtype: 'int32' }));
      f([tensor([1])]);
    }
    expect(f.traces).toBe(4);
  });
  test('for training and evaluation', () => {
    const layer = new nn.Dropout(0.5);
    const f = compile((x: Tensor) => layer.forward(x));
    const x = tensor(new Float32Array(64).fill(1));
    expect(numbers(f(x))).toContain(0);
    layer.eval();
    expect(numbers(f(x))).not.toContain(0);
    layer.train();
    expect(numbers(f(x))).toContain(0);
    expect(f.traces).toBe(2);
  });
  test('for another parameter in a slot', () => {
    const layer = new nn.Linear(2, 1);
    const f = compile((x: Tensor) => layer.forward(x));
    f(tensor([[1, 1]]));
    layer.weight = nn.parameter(tensor([[3, 4]]));
    layer.bias = null;
    expect(numbers(f(tensor([[1, 1]])))).toEqual([7]);
    expect(f.traces).toBe(2);
  });
  test('for requiresGrad', () => {
    const layer = new nn.Linear(2, 1);
    const f = compile((x: Tensor) => {
      layer.zeroGrad();
      layer.forward(x).sum().backward();
      return layer.parameters().map((p) => p.grad as Tensor);
    });
    expect(f(tensor([[1, 1]]))).toHaveLength(2);
    layer.weight.requiresGrad = false;
    expect(f(tensor([[1, 1]]))).toHaveLength(1);
    layer.weight.requiresGrad = true;
    expect(f(tensor([[1, 1]]))).toHaveLength(2);
    expect(f.traces).toBe(2);
  });
  test('for requiresGrad of a variable read directly', () => {
    const [p, q] = [nn.parameter(tensor([2])), nn.parameter(tensor([3]))];
    const f = compile(() => {
      [p.grad, q.grad] = [null, null];
      p.mul(q).sum().backward();
      return [p.grad, q.grad] as (Tensor | null)[];
    });
    expect(f().map((t) => t?.item())).toEqual([3, 2]);
    q.requiresGrad = false;
    expect(f().map((t) => t?.item())).toEqual([3, undefined]);
  });
  test("for a field of a user's own module", () => {
    class Scale extends nn.Module {
      factor = 2;
      forward(x: Tensor): Tensor {
        return x.mul(this.factor);
      }
    }
    const scale = new Scale();
    const f = compile((x: Tensor) => scale.forward(x));
    expect(numbers(f(tensor([1])))).toEqual([2]);
    scale.factor = 5;
    expect(numbers(f(tensor([1])))).toEqual([5]);
  });
  test('past the most that are kept, the least recently used goes', () => {
    const f = compile((x: Tensor) => x.neg());
    for (let n = 1; n <= 64; n++) f(tensor(new Float32Array(n)));
    f(tensor(new Float32Array(1)));
    expect(f.traces).toBe(64);
    f(tensor(new Float32Array(65)));
    f(tensor(new Float32Array(1)));
    expect(f.traces).toBe(65);
    f(tensor(new Float32Array(2)));
    expect(f.traces).toBe(66);
  });
});

describe('what fails', () => {
  test('leaves variables and gradients as they were', () => {
    const p = nn.parameter(tensor([1, 2]));
    p.mul(3).sum().backward();
    const f = compile((x: Tensor) => {
      noGrad(() => p.assign(p.mul(100)));
      p.grad = null;
      p.mul(x).sum().backward();
      if (x.shape[0] === 2) throw new Error('mine');
      return p;
    });
    expect(() => f(tensor([1, 1]))).toThrow('mine');
    expect([numbers(p), numbers(p.grad as Tensor), f.traces]).toEqual([[1, 2], [3, 3], 0]);
    expect(numbers(f(tensor([1])))).toEqual([100, 200]);
    expect([numbers(p), numbers(p.grad as Tensor)]).toEqual([
      [100, 200],
      [3, 3],
    ]);
  });
  test('an async function', () => {
    const f = compile(async (x: Tensor) => x.add(1));
    expect(() => f(tensor([1]))).toThrow(/async/);
  });
  test('reading a value while tracing', () => {
    for (const read of [(x: Tensor) => x.item(), (x: Tensor) => x.data(), (x: Tensor) => x.toArray()]) {
      const f = compile((x: Tensor) => {
        read(x.sum());
        return x;
      });
      expect(() => f(tensor([1]))).toThrow(/while compile\(\) traces/);
    }
  });
  test('a tensor of a trace used outside, or in another trace', () => {
    let escaped = tensor(0);
    const f = compile((x: Tensor) => {
      escaped = x.add(1);
      return x;
    });
    f(tensor([1]));
    expect(() => escaped.item()).toThrow(/outside/);
    expect(() => compile(() => escaped.add(1))()).toThrow(/another compile/);
  });
  test('a label out of range, found before anything is written', () => {
    const model = new nn.Linear(2, 3);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const f = compile((x: Tensor, labels: Tensor) => {
      const loss = nn.crossEntropy(model.forward(x), labels);
      optimizer.minimize(loss);
      return loss;
    });
    const x = tensor([[1, 2]]);
    f(x, tensor([2], { dtype: 'int32' }));
    const before = numbers(model.weight);
    expect(() => f(x, tensor([3], { dtype: 'int32' }))).toThrow(/label 3 .* out of range/);
    expect(numbers(model.weight)).toEqual(before);
  });
});
