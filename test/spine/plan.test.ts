// Plans: every one that is built is proved right by checkPlan; memory is reused; updates go in place where they may.
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Buffer } from '../../src/plan/memory.ts';
import { type Plan, printPlan } from '../../src/plan/plan.ts';
import { manualSeed } from '../../src/random.ts';
import { noGrad, state, type Tensor, tensor } from '../../src/tensor.ts';
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

  test('a fused step, a plain one and the uncompiled loop agree, updates in any order', () => {
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

describe('updates that read each other', () => {
  const pair = () => [state(tensor([1, 2, 3])), state(tensor([10, 20, 30]))] as [Tensor, Tensor];

  test('two variables swapped', () => {
    const [a, b] = pair();
    const swap = compile(() => {
      const [x, y] = [a.mul(1), b.mul(1)];
      a.assign(y);
      b.assign(x);
      return a.add(b);
    });
    for (const [p, q] of [
      [
        [10, 20, 30],
        [1, 2, 3],
      ],
      [
        [1, 2, 3],
        [10, 20, 30],
      ],
    ]) {
      expect(swap().toArray()).toEqual([11, 22, 33]);
      expect([a.toArray(), b.toArray()]).toEqual([p, q]);
    }
  });

  test('three variables turned round, each a function of the one before', () => {
    const vars = [1, 2, 3].map((x) => state(tensor([x, x])));
    const turn = compile(() => {
      const next = vars.map((_, i) => (vars[(i + 2) % 3] as Tensor).mul(2));
      vars.forEach((v, i) => {
        v.assign(next[i] as Tensor);
      });
    });
    turn();
    expect(vars.map((v) => v.toArray())).toEqual([
      [6, 6],
      [2, 2],
      [4, 4],
    ]);
    turn();
    expect(vars.map((v) => v.toArray())).toEqual([
      [8, 8],
      [12, 12],
      [4, 4],
    ]);
  });

  test('an old value read after its own update, by a product that cannot work in step', () => {
    const m = state(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const square = compile(() => {
      const old = m.mul(1);
      m.assign(m.matmul(m));
      return [old, old.matmul(m), m.T.mul(1)];
    });
    const results = square().map((t) => t.toArray());
    expect(results).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [37, 54],
        [81, 118],
      ],
      [
        [7, 15],
        [10, 22],
      ],
    ]);
    expect(m.toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
  });

  test('one variable read in step and as a stretched row of the same tape', () => {
    const row = state(tensor([1, 2, 3]));
    const step = compile((x: Tensor) => {
      const y = x.mul(row);
      row.assign(row.add(1));
      return [y, x.mul(row)];
    });
    const x = tensor([
      [1, 1, 1],
      [2, 2, 2],
      [0, 0, 1],
    ]);
    expect(step(x).map((t) => t.toArray())).toEqual([
      [
        [1, 2, 3],
        [2, 4, 6],
        [0, 0, 3],
      ],
      [
        [2, 3, 4],
        [4, 6, 8],
        [0, 0, 4],
      ],
    ]);
    expect(row.toArray()).toEqual([2, 3, 4]);
  });

  test('nothing is updated when a computed index is out of range', () => {
    const [table, count] = [state(tensor([[1], [2], [3]])), state(tensor([0]))];
    const look = compile((i: Tensor) => {
      count.assign(count.add(1));
      table.assign(table.mul(2));
      return table.indexSelect(0, i.add(1));
    });
    expect(look(tensor([0, 1], { dtype: 'int32' })).toArray()).toEqual([[4], [6]]);
    expect(() => look(tensor([0, 2], { dtype: 'int32' }))).toThrow(/out of range/);
    expect([table.toArray(), count.toArray()]).toEqual([[[2], [4], [6]], [1]]);
  });
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

describe('checkPlan', () => {
  let size = 2;
  /** A plan of its own each time, since a test breaks it. */
  const goodPlan = () => {
    const n = size++;
    const v = state(randomTensor(generator(n), [n, n]));
    compile((x: Tensor) => {
      const y = x.matmul(v).softmax().matmul(x).softmax();
      v.assign(v.add(y));
      return y.sum();
    })(randomTensor(generator(n), [n, n]));
    return lastPlan();
  };
  const broken = (change: (p: { -readonly [K in keyof Plan]: Plan[K] }) => void) => {
    const plan = { ...goodPlan() };
    change(plan);
    return () => checkPlan(plan);
  };

  test('sees two live buffers that share bytes', () => {
    expect(
      broken((p) => {
        const live = p.buffers.filter((b) => b.offset >= 0);
        for (const b of live) b.offset = 0;
      }),
    ).toThrow(/share bytes|lies/);
  });
  test('sees a result read before it is computed', () => {
    expect(
      broken((p) => {
        p.instructions = [...p.instructions].reverse();
      }),
    ).toThrow(/reads #\d+ where/);
  });
  test('sees an update before the last reader of the old value', () => {
    expect(
      broken((p) => {
        const at = p.instructions.findIndex(({ words }) =>
          words.some((w) => w !== null && typeof w === 'object' && w.writes && (w.buffer as Buffer).kind === 'leaf'),
        );
        const update = p.instructions[at] as Plan['instructions'][number];
        const early = {
          ...update,
          words: update.words.filter((w) => w === null || typeof w === 'number' || w.writes),
          opcode: 11,
        };
        p.instructions = [early, ...p.instructions];
      }),
    ).toThrow(/reads #\d+ where #\d+ lies/);
  });
  test('sees a result that is never written', () => {
    expect(
      broken((p) => {
        p.instructions = p.instructions.slice(0, -1);
      }),
    ).toThrow(/at the end/);
  });
});
