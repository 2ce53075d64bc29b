// The plan cache: equality behind the hash, what goes first, and that it holds no tensor alive.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { compile, planCount } from '../../src/compile.ts';
import { tensor } from '../../src/create.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { CAPACITY, canonical, PlanCache } from '../../src/plan/cache.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { manualSeed } from '../../src/random.ts';
import type { Tensor } from '../../src/tensor.ts';
import './checked.ts';

/** A plan by name alone: the cache never looks inside. */
const plan = (name: string) => ({ name }) as unknown as Plan;

describe('find and add', () => {
  test('entries of one hash are told apart', () => {
    const cache = new PlanCache(
      () => {},
      () => 7,
    );
    const lists = [[1, 2, 3], [1, 2], [1, 2, 4], [3, 2, 1], []];
    const plans = lists.map((words, i) => {
      expect(cache.find(words)).toBeNull();
      const made = plan(String(i));
      cache.add(words, made);
      return made;
    });
    expect(lists.map((words) => cache.find([...words]))).toEqual(plans);
  });

  test('past its capacity the least recently used goes, and is reported', () => {
    const dropped: Plan[] = [];
    const cache = new PlanCache((p) => dropped.push(p));
    const plans = Array.from({ length: CAPACITY + 3 }, (_, i) => plan(String(i)));
    for (let i = 0; i < CAPACITY; i++) cache.add([i], plans[i] as Plan);
    expect(cache.find([0])).toBe(plans[0]);
    for (let i = CAPACITY; i < CAPACITY + 3; i++) cache.add([i], plans[i] as Plan);
    expect(dropped).toEqual(plans.slice(1, 4));
    expect([0, 1, 3, 4].map((i) => cache.find([i]))).toEqual([plans[0], null, null, plans[4]]);
  });

  test('what was just added is not what goes, though an old entry has its hash', () => {
    const dropped: Plan[] = [];
    const cache = new PlanCache(
      (p) => dropped.push(p),
      (words) => Math.min(words[0] as number, CAPACITY - 1),
    );
    cache.add([CAPACITY - 1], plan('old'));
    for (let i = 0; i < CAPACITY - 1; i++) cache.add([i], plan(String(i)));
    const last = plan('last');
    cache.add([CAPACITY], last);
    expect(cache.find([CAPACITY])).toBe(last);
    expect(dropped).not.toContain(last);
  });
});

describe('canonical form', () => {
  const words = (t: Tensor, rewrites = true) =>
    canonical({ outputs: [t.node], updates: [], overwrite: false, rewrites }).words.slice();
  const x = () => tensor([1, 2, 3]);

  test('is equal for equal structure, whatever the elements and the numbers', () => {
    expect(words(x().mul(3).sum())).toEqual(words(tensor([9, 9, 9]).mul(7).sum()));
  });
  test('differs where the program does', () => {
    const a = x();
    const forms = [
      words(a.mul(3)),
      words(a.mul(0)),
      words(a.mul(1)),
      words(a.mul(a)),
      words(a.mul(x())),
      words(a.add(3)),
      words(a.sum()),
      words(a.sum(0, true)),
      words(a.mul(3), false),
      words(a.reshape(3, 1).mul(3)),
      words(tensor([1, 2]).mul(3)),
      words(tensor([1, 2, 3], { dtype: 'int32' }).mul(3)),
      words(nn.parameter(a).mul(3)),
    ].map(String);
    expect(new Set(forms).size).toBe(forms.length);
  });
});

function model() {
  const net = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 1));
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.05 });
  const loss = (x: Tensor) => net.forward(x).sub(1).square().mean();
  const step = compile((x: Tensor) => {
    const l = loss(x);
    optimizer.minimize(l);
    return l;
  });
  return { net, optimizer, loss, step };
}
const input = (k: number) =>
  tensor([
    [k, 1, -k],
    [1, k, 0.5],
  ]);

test('two models of one structure share a plan and do not disturb each other', () => {
  const alone = [3, 4].map((seed) => {
    manualSeed(seed);
    const { step } = model();
    return [1, 2, 3].map((k) => step(input(k * seed)).item());
  });
  const models = [3, 4].map((seed) => {
    manualSeed(seed);
    return model();
  });
  const plans = planCount();
  const together = [1, 2, 3].map((k) => models.map(({ step }, i) => step(input(k * (i + 3))).item()));
  expect(planCount()).toBe(plans);
  expect([0, 1].map((i) => together.map((losses) => losses[i]))).toEqual(alone);
});

test('the uncompiled loop finds its plan again, from one model to the next', () => {
  const train = () => {
    const { net, optimizer, loss } = model();
    for (let t = 0; t < 3; t++) {
      const l = loss(input(t));
      optimizer.zeroGrad();
      l.backward();
      optimizer.step();
      l.item();
    }
    return net;
  };
  train();
  const plans = planCount();
  train();
  expect(planCount()).toBe(plans);
});

test('no tensor, node or model is held alive by a plan that stays', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const refs = (() => {
    const { net, step, optimizer, loss } = model();
    const x = input(1);
    step(x).item();
    loss(x).backward();
    optimizer.step();
    const y = x.exp().sum();
    y.item();
    const read = x.neg();
    read.data();
    read.neg().data();
    const state = (net.parameters()[0] as Tensor).state as object;
    return Object.entries({ net, step, x, node: y.node, read: read.node, state }).map(
      ([name, held]) => [name, new WeakRef(held as object)] as const,
    );
  })();
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc();
  }
  expect(refs.filter(([, ref]) => ref.deref() !== undefined).map(([name]) => name)).toEqual([]);
});
