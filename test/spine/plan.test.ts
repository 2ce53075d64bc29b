// Plans: every one that is built is proved right by checkPlan; memory is reused; updates go in place where they may.
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { state, tensor } from '../../src/create.ts';
import { noGrad } from '../../src/functions.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import type { Buffer } from '../../src/plan/memory.ts';
import { type Plan, printPlan } from '../../src/plan/plan.ts';
import { manualSeed } from '../../src/random.ts';
import type { Tensor } from '../../src/tensor.ts';
import { lastPlan } from './checked.ts';
import { generator, randomExpressions, randomTensor } from './randomGraph.ts';

const SHAPES = [
  [3, 4],
  [4, 3],
  [4, 4],
  [1, 4],
  [3, 1],
  [4, 4],
];

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number, what: string): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (!(Math.abs(x - y) <= tolerance * (1 + Math.abs(x)))) throw new Error(`${what}: element ${i} is ${x}, not ${y}`);
  }
}

/** A random step over variables and arguments: a loss, its gradients, updates of all kinds, values before and after. */
function randomStep(seed: number, vars: readonly Tensor[], size: number): (...xs: Tensor[]) => Tensor[] {
  return (...xs) => {
    const random = generator(seed);
    const all = randomExpressions(random, [...vars, ...xs], size);
    const losses = all.slice(-4).map((t) => t.square().mean());
    const loss = losses.reduce((a, b) => a.add(b));
    for (const v of vars) if (v.requiresGrad) v.grad = null;
    if (loss.requiresGrad) loss.backward();
    const gradients = vars.map((v) => v.grad);
    const results = [loss];
    noGrad(() => {
      vars.forEach((v, i) => {
        const [kind, dv] = [random(), gradients[i]];
        const fits = [...all, ...vars, ...xs].filter((t) => String(t.shape) === String(v.shape));
        if (kind < 0.3 && dv) v.assign(v.sub(dv.mul(0.1)));
        else if (kind < 0.7) v.assign(fits[Math.floor(random() * fits.length)] as Tensor);
        else if (kind < 0.8) v.assign(v.tanh());
        if (random() < 0.3) results.push(v.mul(1));
      });
    });
    return [...results, ...all.slice(0, 2), ...vars.slice(0, 2)];
  };
}

describe('random graphs', () => {
  const random = generator(7);
  const args = SHAPES.map((s) => randomTensor(random, s));
  const initial = SHAPES.map((s) => randomTensor(random, s));

  const train = (seed: number, mode: 'fused' | 'plain' | 'eager') => {
    const vars = initial.map((t, i) => (i % 2 ? nn.parameter(t) : state(t)));
    const step = randomStep(seed, vars, 10 + (seed % 40));
    const run = mode === 'eager' ? step : compile(step, { rewrites: mode === 'fused' });
    const seen: number[] = [];
    for (let t = 0; t < 3; t++) for (const x of [...run(...args), ...vars]) seen.push(...x.data());
    return seen;
  };

  test('a fused step, a plain one and the uncompiled loop agree, updates in any order', { timeout: 60_000 }, () => {
    for (let seed = 0; seed < 150; seed++) {
      const fused = train(seed, 'fused');
      // Three steps of float32 in another order of summation.
      expectClose(fused, train(seed, 'plain'), 1e-3, `seed ${seed}, plain`);
      expectClose(fused, train(seed, 'eager'), 1e-3, `seed ${seed}, eager`);
    }
  });
});

const mlp = () =>
  new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 16), new nn.ReLU(), new nn.Linear(16, 3));
const cnn = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(4, 6, 3),
    new nn.Sigmoid(),
    new nn.Dropout(0.2),
    new nn.Flatten(),
    new nn.Linear(24, 3),
  );
const MODELS = { mlp: { make: mlp, shape: [5, 8] }, cnn: { make: cnn, shape: [5, 1, 8, 8] } };
const OPTIMIZERS: Record<string, (p: Tensor[]) => optim.Optimizer> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.5 }),
  momentum: (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, weightDecay: 1e-3 }),
  Nesterov: (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
  Adam: (p) => new optim.Adam(p, { lr: 0.05 }),
};

/** One compiled step and its plan. */
function trainStep(model: nn.Module, optimizer: optim.Optimizer, shape: readonly number[]) {
  const x = randomTensor(generator(3), shape);
  const labels = tensor(Int32Array.from({ length: shape[0] as number }, (_, i) => i % 3));
  const step = compile((x: Tensor, labels: Tensor) => {
    const loss = nn.crossEntropy(model.forward(x), labels);
    optimizer.minimize(loss);
    return loss;
  });
  const first = step(x, labels).item();
  const plan = lastPlan();
  let last = first;
  for (let t = 0; t < 30; t++) last = step(x, labels).item();
  return { first, last, plan };
}

const written = (plan: Plan, kind: Buffer['kind']) =>
  new Set(
    plan.instructions.flatMap(({ words }) =>
      words.flatMap((w) =>
        w !== null && typeof w === 'object' && w.writes && (w.buffer as Buffer).kind === kind ? [w.buffer] : [],
      ),
    ),
  );

describe('training steps', () => {
  for (const [name, { make, shape }] of Object.entries(MODELS)) {
    for (const [optimizer, of] of Object.entries(OPTIMIZERS)) {
      test(`${name} with ${optimizer}: every update in place, dead memory reused, and it learns`, () => {
        manualSeed(1);
        const model = make();
        const { first, last, plan } = trainStep(model, of(model.parameters()), shape);
        expect(last).toBeLessThan(first);
        expect(plan.instructions.filter((i) => i.computes === 'update')).toEqual([]);
        expect(written(plan, 'leaf').size).toBe(plan.targets.length);
        const all = plan.buffers.filter((b) => b.offset >= 0).reduce((sum, b) => sum + b.nBytes, 0);
        expect(plan.arenaBytes).toBeLessThan(all);
        expect(printPlan(plan).split('\n')).toHaveLength(plan.instructions.length + 1);
      });
    }
  }

  test('the uncompiled loop builds its plan once and keeps the version before', () => {
    const model = mlp();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
    const x = randomTensor(generator(1), [5, 8]);
    const losses: number[] = [];
    for (let t = 0; t < 4; t++) {
      const loss = model.forward(x).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    expect(lastPlan().overwrite).toBe(false);
    expect([...losses].sort((a, b) => b - a)).toEqual(losses);
  });
});

test('tapes stay within what the kernel holds, however wide or long an expression is', () => {
  const xs = Array.from({ length: 128 }, (_, i) => tensor([i / 128, -i / 64, 1]));
  const tree = (...xs: Tensor[]) => {
    let terms = xs.map((x, i) => (i % 2 ? x.sin() : x.mul(0.5).tanh()));
    while (terms.length > 1) {
      terms = terms.flatMap((t, i) => (i % 2 ? [] : [t.maximum((terms[i + 1] as Tensor).neg()).mul(t)]));
    }
    return terms[0] as Tensor;
  };
  const chain = (...xs: Tensor[]) =>
    xs.reduce((t, x, i) => (i % 2 ? t.mul(x).add(xs[(i * 7) % 128] as Tensor) : t.add(x)).sin());
  /** Chains too long to be one tape, of equal length, that meet. */
  const braid = (...xs: Tensor[]) =>
    Array.from({ length: 4 }, (_, k) => xs.slice(k * 24, k * 24 + 24).reduce((t, x) => t.maximum(x))).reduce((a, b) =>
      a.mul(b),
    );
  for (const f of [tree, chain, braid]) {
    expectClose(compile(f)(...xs).data(), compile(f, { rewrites: false })(...xs).data(), 1e-4, f.name);
    expect(lastPlan().instructions.length).toBeGreaterThan(2);
  }
  for (let n = 2; n <= 12; n++) {
    const short = (...xs: Tensor[]) =>
      Array.from({ length: 6 }, (_, k) => xs.slice(k * n, k * n + n).reduce((t, x) => t.maximum(x))).reduce((a, b) =>
        a.mul(b),
      );
    compile(short)(...xs);
  }
});

test('a value read both as it is and through a reshape is not written over between', () => {
  const [p, q] = [randomTensor(generator(1), [2, 2]), randomTensor(generator(2), [2, 2])];
  const build = (p: Tensor, q: Tensor) => {
    const y = p.matmul(q);
    const a = y.reshape(1, 2, 2).exp();
    return [a.add(y), a.reshape(2, 2).matmul(p)];
  };
  const [fused, plain] = [compile(build)(p, q), build(p, q)];
  fused.forEach((t, i) => {
    expectClose(t.data(), (plain[i] as Tensor).data(), 1e-6, `result ${i}`);
  });
});

test('no rule looks behind a tensor that was read', () => {
  const x = tensor([
    [1, -2],
    [3, -4],
  ]);
  const [negative, turned, one] = [x.neg(), x.T, x.mul(1)];
  for (const t of [negative, turned, one]) t.data();
  expect(negative.neg().toArray()).toEqual(x.toArray());
  expect(turned.matmul(one).toArray()).toEqual([
    [10, -14],
    [-14, 20],
  ]);
  expect(one.add(0).toArray()).toEqual(x.toArray());
});
