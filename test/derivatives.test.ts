// Every derivative a user can ask for: against each other, against formulas, and in float64 where they must be exact.
import { describe, expect, test } from 'vitest';
import {
  compile,
  grad,
  hessian,
  hessianVectorProduct,
  jacobian,
  jvp,
  nn,
  noGrad,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from '../src/index.ts';
import { close, initialise, list, random, size } from './helpers.ts';
import { interpreter } from './interpret.ts';

/** Row i, column j of a tensor seen as a matrix. */
const entry = (t: Tensor, columns: number) => {
  const values = list(t);
  return (i: number, j: number) => values[i * columns + j] as number;
};
const unit = (shape: readonly number[], i: number) =>
  tensor(
    Float32Array.from({ length: size(shape) }, (_, k) => (k === i ? 1 : 0)),
    { shape },
  );

/** A function of matrices with every kind of op in it: [2, 3] and [3] → [2]. */
const f = (x: Tensor, w: Tensor) => x.tanh().matmul(w.exp()).mul(x.sum(1)).softmax();

describe('grad', () => {
  test('of a vector by a seed is that of Σ seed·y', () => {
    const [x, w, seed] = [random(1, [2, 3]), random(2, [3]), random(3, [2])];
    const y = f(x, w);
    const [dx, dw] = grad(y, [x, w], { seed });
    const [ex, ew] = grad(y.mul(seed).sum(), [x, w]);
    close(dx, ex, 1e-6);
    close(dw, ew, 1e-6);
  });

  test('of what lies between: an intermediate, and one that comes of another', () => {
    const x = tensor([0.5, -1, 2]);
    const h = x.square();
    const k = h.exp();
    const y = k.mul(h).sum();
    const [dx, dh, dk] = grad(y, [x, h, k]);
    const values = [0.25, 1, 4];
    close(dk, values, 1e-6);
    close(
      dh,
      values.map((v) => Math.exp(v) * (1 + v)),
      1e-6,
    );
    close(
      dx,
      [0.5, -1, 2].map((v) => 2 * v * Math.exp(v * v) * (1 + v * v)),
      1e-6,
    );
  });

  test('of an intermediate that is known already, and inside compile()', () => {
    const x = tensor([1, 2]);
    const h = x.mul(3);
    expect(h.toArray()).toEqual([3, 6]);
    expect(grad(h.square().sum(), [h])[0].toArray()).toEqual([6, 12]);
    const compiled = compile((t: Tensor) => {
      const inner = t.mul(3);
      return grad(inner.square().sum(), [inner, t]);
    });
    expect(compiled(x).map((t) => t.toArray())).toEqual([
      [6, 12],
      [18, 36],
    ]);
  });

  test('of a function: of the arguments named, in their own structure', () => {
    const model = ({ w, b }: { w: Tensor; b: Tensor[] }, x: Tensor) =>
      x
        .mul(w)
        .add(b[0] as Tensor)
        .square()
        .sum();
    const params = { w: tensor([1, 2]), b: [tensor(3)] };
    const g = grad(model)(params, tensor([4, 5]));
    expect(g.w.toArray()).toEqual([56, 130]);
    expect((g.b[0] as Tensor).item()).toBe(40);
    const [dx, dp] = grad(model, { argnums: [1, 0] })(params, tensor([4, 5]));
    expect(dx.toArray()).toEqual([14, 52]);
    expect(dp.w.toArray()).toEqual([56, 130]);
  });

  test('of a function counts no other use of the same tensor', () => {
    const x = tensor(3);
    expect(grad((a: Tensor, b: Tensor) => a.mul(b).mul(x))(x, x).item()).toBe(9);
  });

  test('ninth order: of sin it is cos', () => {
    let g = (x: Tensor) => x.sin();
    for (let i = 0; i < 9; i++) g = grad(g) as typeof g;
    close(g(tensor(0.7)), Math.cos(0.7), 1e-6);
  });
});

describe('valueAndGrad, vjp and jvp', () => {
  test('valueAndGrad gives both, 0 where an argument has no part', () => {
    const [value, [dx, dz]] = valueAndGrad((x: Tensor, _: Tensor) => x.square().sum(), { argnums: [0, 1] })(
      tensor([1, 2]),
      tensor([[5]]),
    );
    expect([value.item(), dx.toArray(), dz.toArray()]).toEqual([5, [2, 4], [[0]]]);
  });

  test('vjp and jvp are the rows and columns of the jacobian', () => {
    const [x, w] = [random(4, [2, 3]), random(5, [3])];
    const [jx, jw] = jacobian(f, { argnums: [0, 1] })(x, w);
    expect([jx.shape, jw.shape]).toEqual([
      [2, 2, 3],
      [2, 3],
    ]);
    const [y, pull] = vjp(f, x, w);
    close(y, f(x, w), 1e-6);
    for (let i = 0; i < 2; i++) {
      const [dx, dw] = pull(unit([2], i));
      close(dx, list(jx).slice(6 * i, 6 * i + 6), 1e-5, `row ${i} of x`);
      close(dw, list(jw).slice(3 * i, 3 * i + 3), 1e-5, `row ${i} of w`);
    }
    const [at, dy] = jvp(f, [x, w], [random(6, [2, 3]), random(7, [3])]);
    close(at, y, 1e-6);
    const [tx, tw] = [list(random(6, [2, 3])), list(random(7, [3]))];
    const expected = [0, 1].map((i) => {
      const along = tx.map((t, j) => t * entry(jx, 6)(i, j)).concat(tw.map((t, j) => t * entry(jw, 3)(i, j)));
      return along.reduce((a, b) => a + b, 0);
    });
    close(dy, expected, 1e-5);
  });

  test('jvp of jvp, and vjp of jvp: any order', () => {
    const cube = (x: Tensor) => x.pow(3);
    const once = (x: Tensor) => jvp(cube, [x], [tensor(1)])[1];
    expect(jvp(once, [tensor(2)], [tensor(1)])[1].item()).toBeCloseTo(12, 5);
    expect(grad(once)(tensor(2)).item()).toBeCloseTo(12, 5);
    expect(jvp(grad(cube), [tensor(2)], [tensor(1)])[1].item()).toBeCloseTo(12, 5);
  });

  test('jvp through products, convolutions, norms and losses is the difference quotient', () => {
    const weight = random(8, [3, 2, 3, 3]);
    const labels = tensor(Int32Array.of(1, 0), { shape: [2] });
    const loss = (x: Tensor) => {
      const y = nn.conv2d(x, weight, { padding: 1 }).relu().reshape(2, -1);
      return nn.crossEntropy(nn.layerNorm(y, 48).slice(null, { stop: 5 }).gelu(), labels);
    };
    const [x, v] = [random(9, [2, 2, 4, 4]), random(10, [2, 2, 4, 4])];
    const [, slope] = jvp(loss, [x], [v]);
    const [g] = grad(loss(x), [x] as const).map(list) as [number[]];
    const expected = g.reduce((sum, d, i) => sum + d * (list(v)[i] as number), 0);
    close(slope, expected, 1e-4);
  });

  test('compiled, a derivative is part of the program', () => {
    const [x, w] = [random(4, [2, 3]), random(5, [3])];
    const step = compile((a: Tensor, b: Tensor) => {
      const [y, pull] = vjp(f, a, b);
      return [y, ...pull(y), jvp(f, [a, b], [a, b])[1], jacobian(f)(a, b)];
    });
    const lazy = () => {
      const [y, pull] = vjp(f, x, w);
      return [y, ...pull(y), jvp(f, [x, w], [x, w])[1], jacobian(f)(x, w)];
    };
    const expected = lazy();
    step(x, w).forEach((t, i) => close(t, expected[i] as Tensor, 1e-5, `result ${i}`));
  });
});

describe('jacobian', () => {
  const layer = (inputs: number, outputs: number, seed: number) => {
    const net = new nn.Sequential(new nn.Linear(inputs, 16), new nn.Tanh(), new nn.Linear(16, outputs));
    initialise(net, seed);
    return (x: Tensor) => net.forward(x.reshape(1, inputs)).reshape(outputs) as Tensor;
  };

  test('by rows where y is small, by columns where x is', () => {
    for (const [inputs, outputs] of [
      [7, 3],
      [3, 7],
      [4, 4],
    ] as const) {
      const net = layer(inputs, outputs, 20);
      const x = random(21, [inputs]);
      const j = jacobian(net)(x);
      expect(j.shape).toEqual([outputs, inputs]);
      const rows = Array.from({ length: outputs }, (_, i) => list(grad(net(x), [x], { seed: unit([outputs], i) })[0]));
      close(j, rows.flat(), 1e-6, `${inputs} → ${outputs}`);
    }
  });

  test('the smaller side decides how large the program is', () => {
    const count = (inputs: number, outputs: number) =>
      compile(jacobian(layer(inputs, outputs, 22)))
        .explain(random(23, [inputs]))
        .split('\n').length;
    expect(count(2, 64)).toBeLessThan(count(64, 64) / 4);
    expect(count(64, 2)).toBeLessThan(count(64, 64) / 4);
  });

  test('a scalar, a scalar argument, nothing at all, several tensors', () => {
    const x = tensor([1, 2]);
    expect(jacobian((t: Tensor) => t.square().sum())(x).toArray()).toEqual([2, 4]);
    expect(jacobian((t: Tensor) => t.mul(x))(tensor(3)).toArray()).toEqual([1, 2]);
    expect(jacobian((t: Tensor) => t.mul(2))(tensor([], { shape: [0] })).shape).toEqual([0, 0]);
    const z = tensor(3);
    const [jx, jz] = jacobian(x.mul(z), [x, z]);
    expect([jx.toArray(), jz.toArray()]).toEqual([
      [
        [3, 0],
        [0, 3],
      ],
      [1, 2],
    ]);
  });

  test('of a 10 → 10 network equals ten gradients and is faster', () => {
    const net = new nn.Sequential(
      new nn.Linear(10, 64),
      new nn.Tanh(),
      new nn.Linear(64, 64),
      new nn.Tanh(),
      new nn.Linear(64, 10),
    );
    initialise(net, 30);
    const forward = (x: Tensor) => net.forward(x.reshape(1, 10)).reshape(10) as Tensor;
    const x = random(31, [10]);
    const whole = compile((t: Tensor) => jacobian(forward)(t));
    const row = compile((t: Tensor, seed: Tensor) => grad(forward(t), [t], { seed })[0]);
    const seeds = Array.from({ length: 10 }, (_, i) => unit([10], i));
    const rows = () => seeds.map((seed) => list(row(x, seed)));
    close(whole(x), rows().flat(), 1e-6);
    const time = (call: () => unknown) => {
      const from = performance.now();
      for (let i = 0; i < 40; i++) call();
      return performance.now() - from;
    };
    const ratios: number[] = [];
    for (let k = 0; k < 9; k++) {
      const separate = time(rows);
      ratios.push(separate / time(() => list(whole(x))));
    }
    const ratio = ratios.sort((a, b) => a - b)[4] as number;
    console.log(`jacobian of a 10 → 10 network: ${ratio.toFixed(2)} times as fast as ten gradients`);
    expect(ratio).toBeGreaterThan(1);
  });
});

/** 100·(b − a²)² + (1 − a)². */
const rosenbrock = (x: Tensor) => {
  const [a, b] = [x.slice({ stop: 1 }), x.slice({ start: 1 })];
  return b.sub(a.square()).square().mul(100).add(a.neg().add(1).square()).sum();
};

describe('hessian', () => {
  /** Value, gradient and Hessian in float64, by the formulas of the ops. */
  const exact = () => {
    const x = tensor([0, 0]);
    const y = rosenbrock(x);
    const nodes = [y, grad(y, [x])[0], (hessian(y, [x])[0] as Tensor[])[0] as Tensor].map((t) => t.node);
    const evaluate = interpreter(nodes, [x.node]);
    return (at: readonly number[]) => evaluate(new Map([[x.node, Float64Array.from(at)]])).map((v) => [...v]);
  };

  test('of Rosenbrock at (−1.2, 1) is exact to float64', () => {
    const [y, g, h] = exact()([-1.2, 1]) as [number[], number[], number[]];
    const near = (got: number[], wanted: number[]) =>
      got.forEach((v, i) => {
        const w = wanted[i] as number;
        expect(Math.abs(v - w)).toBeLessThanOrEqual(2 ** -51 * Math.max(Math.abs(w), 1000));
      });
    near(y, [24.2]);
    near(g, [-215.6, -88]);
    near(h, [1330, 480, 480, 200]);
    const inFloat32 = hessian(rosenbrock)(tensor([-1.2, 1]));
    close(inFloat32, [1330, 480, 480, 200], 1e-6);
  });

  test("Newton's method converges on it, quadratically at the end", () => {
    const evaluate = exact();
    let at = [-1.2, 1];
    const far: number[] = [];
    for (let k = 0; k < 8; k++) {
      far.push(Math.hypot((at[0] as number) - 1, (at[1] as number) - 1));
      const [, g, h] = evaluate(at) as [number[], [number, number], [number, number, number, number]];
      const det = h[0] * h[3] - h[1] * h[2];
      at = [
        (at[0] as number) - (h[3] * g[0] - h[1] * g[1]) / det,
        (at[1] as number) - (h[0] * g[1] - h[2] * g[0]) / det,
      ];
    }
    expect(far[6]).toBeLessThan(1e-9);
    expect(far[7]).toBeLessThan(1e-14);
    expect(evaluate(at)[0]?.[0]).toBeLessThan(1e-25);
  });

  test('of several arguments has a block for each pair, and is symmetric', () => {
    const [x, z] = [random(40, [2]), random(41, [2, 2])];
    const y = (a: Tensor, b: Tensor) => a.matmul(b).exp().sum().add(a.sum().mul(b.square().sum()));
    const blocks = hessian(y, { argnums: [0, 1] })(x, z);
    expect(blocks.map((row) => row.map((t) => t.shape))).toEqual([
      [
        [2, 2],
        [2, 2, 2],
      ],
      [
        [2, 2, 2],
        [2, 2, 2, 2],
      ],
    ]);
    const [[, xz], [zx]] = blocks as [[Tensor, Tensor], [Tensor, Tensor]];
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 4; j++) expect(entry(xz, 4)(i, j)).toBeCloseTo(entry(zx, 2)(j, i), 5);
    const tensors = hessian(y(x, z), [x, z]);
    close(tensors.flat().flatMap(list), blocks.flat().flatMap(list), 1e-6);
  });

  test('of a function linear in an argument is 0 there', () => {
    expect(hessian((a: Tensor) => a.sum())(tensor([1, 2])).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('hessianVectorProduct', () => {
  test('is the Hessian times the vector', () => {
    const [x, v] = [random(50, [4]), random(51, [4])];
    const y = (t: Tensor) => t.exp().sum().mul(t.square().sum());
    const h = hessian(y)(x);
    const expected = list(h.matmul(v));
    close(hessianVectorProduct(y, [x], [v])[0], expected, 1e-5);
    close(hessianVectorProduct(y(x), [x], [v])[0], expected, 1e-5);
  });

  /** Products of an MLP of 64 · 128 · 128 · 10: floating-point operations a call. */
  const flops = (results: (loss: Tensor, parameters: Tensor[]) => readonly Tensor[]) => {
    const net = new nn.Sequential(
      new nn.Linear(64, 128),
      new nn.Tanh(),
      new nn.Linear(128, 128),
      new nn.Tanh(),
      new nn.Linear(128, 10),
    );
    initialise(net, 60);
    const labels = tensor(
      Int32Array.from({ length: 32 }, (_, i) => i % 10),
      { shape: [32] },
    );
    const step = compile((x: Tensor) => results(nn.crossEntropy(net.forward(x), labels), net.parameters()));
    return step.profile(random(61, [32, 64])).rows.reduce((sum, row) => sum + row.flops, 0);
  };

  test('of an MLP costs at most six times its gradient', () => {
    const gradient = flops((loss, parameters) => grad(loss, parameters));
    const vs = (parameters: Tensor[]) => parameters.map((p, i) => random(70 + i, [...p.shape]));
    const product = flops((loss, parameters) => hessianVectorProduct(loss, parameters, vs(parameters)));
    expect(product / gradient).toBeLessThan(3);
  });
});

describe('noGrad', () => {
  test('nothing flows through what was computed inside it', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.mul(2)
      .add(noGrad(() => w.mul(3)))
      .sum()
      .backward();
    expect(w.grad?.toArray()).toEqual([2, 2]);
    const x = tensor([1, 2]);
    // The same expression twice, once cut off.
    const y = x.exp().mul(noGrad(() => x.exp()));
    close(grad(y.sum(), [x])[0], [Math.exp(2), Math.exp(4)], 1e-6);
  });

  test('a derivative inside it is computed all the same, and is a constant to the next', () => {
    const x = tensor(3);
    const y = x.pow(3);
    const [g] = noGrad(() => grad(y, [x]));
    expect(g.item()).toBeCloseTo(27, 4);
    expect(() => grad(noGrad(() => grad(x.pow(3), [x]))[0], [x])).toThrow('does not depend on x[0]');
    expect(noGrad(() => hessian((t: Tensor) => t.pow(3))(x)).item()).toBeCloseTo(18, 4);
    const soft = random(80, [3]);
    const w = tensor([1, 2, 3], { requiresGrad: true });
    w.softmax().softmax().mul(soft).sum().backward();
    const inside = noGrad(() => list(w.grad as Tensor));
    const [expected] = grad(w.softmax().softmax().mul(soft).sum(), [w]);
    close(inside, expected, 1e-6);
  });
});

describe('backward() accumulates as in PyTorch', () => {
  const w = () => tensor([1, 2, 3], { requiresGrad: true });
  const loss = (p: Tensor, k: number) => p.square().sum().mul(k);

  test('over losses, read between or not', () => {
    for (const read of [false, true]) {
      const p = w();
      for (const k of [1, 2, 3]) {
        loss(p, k).backward();
        if (read) list(p.grad as Tensor);
      }
      expect(p.grad?.toArray()).toEqual([12, 24, 36]);
      p.grad = null;
      loss(p, 5).backward();
      expect((p.grad as Tensor | null)?.toArray()).toEqual([10, 20, 30]);
    }
  });

  test('in one loss over all uses, and only in what it depends on', () => {
    const [p, q] = [w(), w()];
    loss(p, 1).add(loss(p, 2)).backward();
    expect(p.grad?.toArray()).toEqual([6, 12, 18]);
    expect(q.grad).toBeNull();
  });

  test('inside compile(), from nothing at each call', () => {
    const p = w();
    const step = compile(() => {
      loss(p, 1).backward();
      loss(p, 2).backward();
      return p.grad as Tensor;
    });
    expect([step().toArray(), step().toArray()]).toEqual([
      [6, 12, 18],
      [6, 12, 18],
    ]);
    expect(p.grad).toBeNull();
  });

  test('a gradient that was read stays what it was when another is added', () => {
    const p = w();
    loss(p, 1).backward();
    const first = p.grad as Tensor;
    loss(p, 1).backward();
    expect([first.toArray(), p.grad?.toArray()]).toEqual([
      [2, 4, 6],
      [4, 8, 12],
    ]);
  });
});
