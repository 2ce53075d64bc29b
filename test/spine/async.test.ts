// Asynchronous calls: they leave this thread free, run in the order they were made, and behave with synchronous ones
// as if each had run at once.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { compile, manualSeed, nn, optim, setThreads, state, type Tensor, tensor } from '../../src/index.ts';
import { poolReady, poolWorkers } from '../../src/run/pool.ts';
import { random } from '../helpers.ts';

afterEach(() => setThreads(1));

const numbers = (t: Tensor) => [...t.data()];

/** A model that trains, always from the same weights. */
function trainer() {
  manualSeed(3);
  const model = new nn.Sequential(new nn.Linear(301, 257), new nn.Tanh(), new nn.Dropout(0.3), new nn.Linear(257, 10));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const step = compile((x: Tensor, y: Tensor, scale: number) => {
    const loss = nn.crossEntropy(model.forward(x), y).mul(scale);
    optimizer.minimize(loss);
    return loss;
  });
  const labels = (n: number) => tensor(Int32Array.from({ length: n }, (_, i) => (i * 7) % 10));
  return { model, optimizer, step, x: random(5, [67, 301]), y: labels(67) };
}
const weights = ({ model }: ReturnType<typeof trainer>) => model.parameters().map(numbers);

/** A counter that doubles and adds: no two orders of calls give the same. */
function counter() {
  const v = state(tensor(1));
  return {
    v,
    step: compile((k: number) => {
      v.assign(v.mul(2).add(k));
      return v.mul(1);
    }),
  };
}

/** Keeps the workers busy for some milliseconds, so that what is queued next waits its turn. */
function occupy(): Promise<Tensor> {
  const a = nn.parameter(random(1, [700, 700]));
  return compile(() => a.matmul(a).matmul(a).sum()).async();
}

/** A step that fails where its index, which only the kernel knows, is out of range; otherwise it counts. */
function fallible() {
  const v = state(tensor([1, 2, 3]));
  const step = compile((at: Tensor) => {
    const found = v.indexSelect(0, at.add(1));
    v.assign(v.add(10));
    return found;
  });
  return { v, step: (at: number) => step.async(tensor([at], { dtype: 'int32' })) };
}

describe.each([1, 2, 3, 7])('on %i threads', (threads) => {
  test('the same bits as synchronous calls', async () => {
    setThreads(1);
    const alone = trainer();
    const expected = [1, 2, 0.5, 1].map((s) => alone.step(alone.x, alone.y, s).item());
    setThreads(threads);
    const free = trainer();
    const losses = [1, 2, 0.5, 1].map((s) => free.step.async(free.x, free.y, s));
    expect(await Promise.all((await Promise.all(losses)).map((l) => l.itemAsync()))).toEqual(expected);
    expect(weights(free)).toEqual(weights(alone));
  });
});

test('numbers and learning rates are taken at the call', async () => {
  const rates = [0.01, 0.1, 0.001];
  const calls = (t: ReturnType<typeof trainer>, call: (scale: number) => Promise<Tensor> | Tensor) =>
    rates.map((lr, i) => {
      t.optimizer.lr = lr;
      return call(i + 1);
    });
  const now = trainer();
  const expected = (calls(now, (scale) => now.step(now.x, now.y, scale)) as Tensor[]).map((l) => l.item());
  const later = trainer();
  const losses = await Promise.all(calls(later, (scale) => later.step.async(later.x, later.y, scale)));
  expect(losses.map((l) => l.item())).toEqual(expected);
  expect(weights(later)).toEqual(weights(now));
});

describe('order', () => {
  test('calls run as they were made, and each read sees those before it and none after', async () => {
    const { v, step } = counter();
    const calls = [1, 2, 3].map((k) => [step.async(k).then((t) => t.item()), v.itemAsync()]);
    expect(await Promise.all(calls.flat())).toEqual([3, 3, 8, 8, 19, 19]);
  });
  test('so they do where each takes a while', async () => {
    const a = random(1, [300, 300]).mul(0.1);
    const [v, done] = [state(a), [] as number[]];
    const step = compile((k: number) => {
      v.assign(v.matmul(v).mul(0.1).add(k));
      return v.sum();
    });
    const expected = [1, 2, 3].map((k) => step(k).item());
    v.assign(a);
    const calls = [1, 2, 3].map((k) => step.async(k).then((t) => done.push(t.item())));
    expect(done).toEqual([]);
    await Promise.all(calls);
    expect(done).toEqual(expected);
  });
  test('a synchronous call, a read and an assignment wait for what is queued', async () => {
    const { v, step } = counter();
    occupy();
    const first = [step.async(1), step.async(2)];
    expect(step(3).item()).toBe(19);
    occupy();
    const next = step.async(1);
    expect(v.item()).toBe(39);
    const last = step.async(1);
    v.assign(v.add(0.5));
    expect(v.item()).toBe(79.5);
    expect((await Promise.all([...first, next, last])).map((t) => t.item())).toEqual([3, 8, 39, 79]);
  });
  test('reading one result waits for it, and the rest still comes', async () => {
    const { v, step } = counter();
    const lazy = tensor([1, 2]).add(1);
    occupy();
    const read = lazy.dataAsync();
    const calls = [1, 2, 3].map((k) => step.async(k));
    expect(numbers(lazy)).toEqual([2, 3]);
    expect([...(await read)]).toEqual([2, 3]);
    await Promise.all(calls);
    expect(v.item()).toBe(19);
  });
  test('what is disposed, or assigned, after the call was still there at the call', async () => {
    const { v, step } = counter();
    const double = compile((x: Tensor) => x.mul(2));
    const x = tensor([1, 2]);
    occupy();
    const busy = step.async(1);
    const result = double.async(x);
    x.dispose();
    expect(numbers(await result)).toEqual([2, 4]);
    await busy;
    expect(v.item()).toBe(3);
  });
  test('lazy arguments, variables as arguments, a pending assignment', async () => {
    const v = state(tensor([1, 2]));
    const bump = compile(() => v.assign(v.mul(10)));
    const double = compile((x: Tensor) => x.mul(2));
    occupy();
    const before = double.async(v);
    bump.async();
    const after = double.async(v.add(1));
    v.assign(v.add(5));
    const last = double.async(v);
    expect((await Promise.all([before, after, last])).map(numbers)).toEqual([
      [2, 4],
      [22, 42],
      [30, 50],
    ]);
  });
});

describe('values', () => {
  test('lazy tensors, parameters, bools, nested arrays, numbers', async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(await x.mul(2).toArrayAsync()).toEqual([
      [2, 4],
      [6, 8],
    ]);
    expect(await x.gt(2).toArrayAsync()).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(await x.gt(2).dataAsync()).toBeInstanceOf(Uint8Array);
    expect(await nn.parameter(x).sum().itemAsync()).toBe(10);
    await expect(x.itemAsync()).rejects.toThrow('item: [2,2] has 4 elements, expected 1');
  });
  test('large ones, which stay in Wasm memory until they are read', async () => {
    const f = compile((x: Tensor) => x.add(1));
    const big = random(1, [600, 600]);
    const y = await f.async(big);
    expect(numbers(y)).toEqual([...big.data()].map((v) => Math.fround(v + 1)));
  });
  test('a gradient of the uncompiled way', async () => {
    const p = nn.parameter(tensor([1, 2, 3]));
    p.square().sum().backward();
    expect([...((await p.grad?.dataAsync()) ?? [])]).toEqual([2, 4, 6]);
    new optim.SGD([p], { lr: 0.5 }).step();
    expect(numbers(p)).toEqual([0, 0, 0]);
  });
});

describe('errors', () => {
  test('the call rejects, variables stay, later calls go on', async () => {
    const { v, step } = fallible();
    const outcomes = await Promise.allSettled([step(0), step(7), step(1)]);
    expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const [first, failed, last] = outcomes as [{ value: Tensor }, { reason: Error }, { value: Tensor }];
    expect(numbers(first.value)).toEqual([2]);
    expect(failed.reason.message).toMatch(/computed index is out of range; nothing was updated/);
    expect(numbers(last.value)).toEqual([13]);
    expect(numbers(v)).toEqual([21, 22, 23]);
  });
  test('also when a synchronous call comes in between', async () => {
    const { v, step } = fallible();
    occupy();
    const calls = Promise.allSettled([step(0), step(7), step(1)]);
    expect(numbers(v)).toEqual([21, 22, 23]);
    expect((await calls).map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
  test('labels are checked at the call where they are known, at the turn where they are not', async () => {
    const logits = random(1, [2, 3]);
    const f = compile((y: Tensor) => nn.crossEntropy(logits, y));
    await expect(f.async(tensor([1, 5], { dtype: 'int32' }))).rejects.toMatchObject({ code: 'index' });
    occupy();
    const late = tensor([1, 2], { dtype: 'int32' }).add(3);
    await expect(f.async(late)).rejects.toThrow('4 at position 0 is out of range'); // which a kernel would not say
    expect(Number.isFinite((await f.async(tensor([1, 2], { dtype: 'int32' }))).item())).toBe(true);
  });
  test('what needs a value that failed fails as it did', async () => {
    const bad = random(1, [4]).indexSelect(0, tensor([9], { dtype: 'int32' }).add(0));
    const read = bad.dataAsync();
    const double = compile((x: Tensor) => x.mul(2));
    occupy();
    const user = double.async(bad);
    await expect(read).rejects.toMatchObject({ code: 'index' });
    await expect(user).rejects.toMatchObject({ code: 'index' });
    expect(() => bad.data()).toThrow(/out of range/);
  });
  test('a result or an intermediate too large', async () => {
    const p = nn.parameter(tensor([1, 2]));
    const f = compile((x: Tensor) =>
      x
        .reshape(2, 1)
        .expand(2, 2 ** 30)
        .mul(2),
    );
    await expect(f.async(p)).rejects.toMatchObject({ code: 'memory' });
    expect(numbers(p)).toEqual([1, 2]);
  });
  test('inside compile()', async () => {
    const inner = compile((x: Tensor) => x.mul(2));
    const asked: Promise<unknown>[] = [];
    compile((x: Tensor) => {
      asked.push(inner.async(x));
      return x;
    })(tensor(1));
    await expect(asked[0]).rejects.toMatchObject({ code: 'trace' });
  });
  test('a worker that is ended while it computes, or before', async () => {
    setThreads(2);
    const [a, v] = [nn.parameter(random(1, [700, 700])), state(tensor(0))];
    const slow = compile(() => {
      v.assign(v.add(1));
      return a.matmul(a).matmul(a).matmul(a).sum();
    });
    const expected = (await slow.async()).item();
    for (const delay of [0, 2, 5]) {
      const call = slow.async();
      if (delay > 0) await new Promise((done) => setTimeout(done, delay));
      poolWorkers()[1 + (delay % 2)]?.terminate();
      const started = performance.now();
      const [outcome] = await Promise.allSettled([call]);
      expect(performance.now() - started).toBeLessThan(2000);
      if (outcome?.status === 'rejected')
        expect(outcome.reason.message).toMatch(
          /a worker thread died .* the variables that it updates in place may be half updated/,
        );
      expect((await slow.async()).item()).toBe(expected);
    }
  });
});

/** Runs code on the build in a process of its own. */
async function child(code: string, env: Record<string, string> = {}): Promise<string> {
  const index = new URL('../../build/src/index.js', import.meta.url).href;
  const script = `const { compile, nn, rand, setThreads, state, tensor } = await import('${index}');\n${code}`;
  const options = { env: { ...process.env, ...env }, timeout: 30_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  return stdout;
}

const SLOW = `const a = nn.parameter(rand([700, 700]));
  const step = compile(() => { let y = a; for (let i = 0; i < 4; i++) y = y.matmul(a).mul(0.003); return y.sum(); });`;

test('a timer is not late by 20 ms while steps of 50 ms run', { timeout: 120_000 }, async () => {
  const code = `${SLOW}
    await step.async();
    let [worst, last, ticks] = [0, performance.now(), 0];
    const timer = setInterval(() => {
      const now = performance.now();
      worst = Math.max(worst, now - last - 1);
      last = now;
      ticks++;
    }, 1);
    const started = performance.now();
    await Promise.all(Array.from({ length: 12 }, () => step.async()));
    const took = performance.now() - started;
    clearInterval(timer);
    console.log(JSON.stringify({ worst, took, ticks }));`;
  // Another process may take the processor for that long; a step on this thread would make every attempt late.
  const worsts: number[] = [];
  while (worsts.length < 6 && !(Math.min(...worsts) < 20)) {
    const { worst, took, ticks } = JSON.parse(await child(code));
    expect(took).toBeGreaterThan(150);
    expect(ticks).toBeGreaterThan(took / 20);
    worsts.push(worst);
  }
  expect(Math.min(...worsts)).toBeLessThan(20);
});

test('what NABLA_PROFILE records has asynchronous calls in it', async () => {
  const code = `${SLOW} console.error = console.log; for (let i = 0; i < 3; i++) step.async();`;
  expect(await child(code, { NABLA_PROFILE: '1' })).toContain('3 runs');
});

describe.each(['1', '2', '3'])('a process with NABLA_THREADS=%s', (threads) => {
  test('stays until its calls are done, then ends by itself', { timeout: 60_000 }, async () => {
    const env = { NABLA_THREADS: threads };
    const begun = performance.now();
    expect(await child(`${SLOW} step.async().then((y) => console.log(Number.isFinite(y.item())));`, env)).toBe(
      'true\n',
    );
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

test('workers are up after the first call', async () => {
  setThreads(3);
  await random(1, [3]).add(1).dataAsync();
  expect(
    await nn
      .parameter(random(1, [300, 300]))
      .matmul(random(2, [300, 300]))
      .sum()
      .itemAsync(),
  ).toBeTypeOf('number');
  expect(poolReady()).toBe(true);
});
