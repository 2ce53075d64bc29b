// Threads: the same bits on any number of them, a pool that comes and goes, a trap that ends a run and not the process.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { FAULT_LOST, FAULT_TRAP, FLAG_BARRIER, FLAG_SOLO, OP_COPY, STATUS_OK } from '../../assembly/abi.ts';
import { compile, manualSeed, nn, optim, setThreads, type Tensor, tensor } from '../../src/index.ts';
import { observePlans, type Plan } from '../../src/plan/plan.ts';
import { theHeap } from '../../src/run/heap.ts';
import { poolWorkers, runProgram } from '../../src/run/pool.ts';
import { random, untilReady } from '../helpers.ts';

afterEach(() => {
  setThreads(1);
  observePlans(null);
});

const labels = (n: number) => tensor(Int32Array.from({ length: n }, (_, i) => (i * 7) % 10));

function networks(): Record<string, { model: nn.Module; x: Tensor; y: Tensor }> {
  manualSeed(3);
  const mlp = new nn.Sequential(
    new nn.Linear(301, 257),
    new nn.Tanh(),
    new nn.Dropout(0.3),
    new nn.Linear(257, 131),
    new nn.Sigmoid(),
    new nn.Linear(131, 10),
  );
  const cnn = new nn.Sequential(
    new nn.Conv2d(3, 13, 5, { padding: 1, stride: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(13, 19, 3),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(19 * 25, 10),
  );
  return {
    mlp: { model: mlp, x: random(5, [67, 301]), y: labels(67) },
    cnn: { model: cnn, x: random(6, [33, 3, 31, 31]), y: labels(33) },
  };
}

/** Losses and weights after some steps on n threads. */
function train(name: 'mlp' | 'cnn', threads: number): { bits: number[][]; plans: Plan[] } {
  const plans: Plan[] = [];
  observePlans((plan) => plans.push(plan));
  setThreads(threads);
  const { model, x, y } = networks()[name] as { model: nn.Module; x: Tensor; y: Tensor };
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01, weightDecay: 1e-4 });
  const step = compile((images: Tensor, digits: Tensor) => {
    const loss = nn.crossEntropy(model.forward(images), digits);
    optimizer.minimize(loss);
    return loss;
  });
  step(x, y);
  untilReady(threads);
  manualSeed(4);
  const losses = Array.from({ length: 5 }, () => step(x, y).item());
  return { bits: [losses, ...model.parameters().map((p) => [...p.data()])], plans };
}

describe.each(['mlp', 'cnn'] as const)('%s', (name) => {
  test('the same bits on 1, 2, 3 and 7 threads', { timeout: 60_000 }, () => {
    const alone = train(name, 1);
    for (const threads of [2, 3, 7]) expect(train(name, threads).bits).toEqual(alone.bits);
  });

  test('its step is shared, short instructions are not, and a reader waits for its writer', () => {
    setThreads(2);
    const plans: Plan[] = [];
    observePlans((plan) => plans.push(plan));
    const { model, x, y } = networks()[name] as { model: nn.Module; x: Tensor; y: Tensor };
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.0123 });
    const loss = nn.crossEntropy(model.forward(x), y).mul(1.25);
    loss.backward();
    optimizer.step();
    const step = plans.find((p) => p.parallel) as Plan;
    const flags = step.instructions.map((i) => i.flags);
    expect(flags.some((f) => (f & FLAG_SOLO) === 0)).toBe(true);
    expect(flags.some((f) => (f & FLAG_SOLO) !== 0)).toBe(true);
    expect(flags.some((f) => (f & FLAG_BARRIER) !== 0)).toBe(true);
  });
});

test('1,000 changes of the number of threads leave nothing behind', { timeout: 60_000 }, () => {
  const [a, b] = [nn.parameter(random(1, [200, 200])), nn.parameter(random(2, [200, 200]))];
  const product = compile(() => a.matmul(b).sum());
  setThreads(1);
  const alone = product().item();
  setThreads(4);
  product();
  untilReady(4);
  product();
  const before = { workers: [...poolWorkers()], heap: theHeap().usage, rss: process.memoryUsage.rss() };
  const started = performance.now();
  for (let i = 0; i < 1000; i++) {
    setThreads(1 + (i % 4));
    expect(product().item()).toBe(alone);
  }
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(poolWorkers()).toEqual(before.workers);
  expect(theHeap().usage).toEqual(before.heap);
  expect((process.memoryUsage.rss() - before.rss) / 1e6).toBeLessThan(30);
});

/** A program that traps on every thread of three: it writes far past the memory. */
function trapping() {
  const heap = theHeap();
  const at = heap.allocate(4096) >>> 2;
  const [table, program] = [at * 4, (at + 64) * 4];
  heap.i32.set([OP_COPY | (9 << 16), 0, 1, 1, 0, 0, 1 << 20, 1, 1, 0], program >>> 2);
  heap.i32[table >>> 2] = -4096; // the last page of 4 GiB
  heap.i32[(table >>> 2) + 1] = table;
  return { program, table, threads: 3, empty: { program: program + 9 * 4, table, threads: 3 } };
}

test('a trap on any thread ends the run with an error, and the next run works', { timeout: 60_000 }, () => {
  setThreads(3);
  const { empty, ...trap } = trapping();
  const [a, b] = [random(1, [200, 200]), random(2, [200, 200])];
  runProgram(empty);
  const { totalBytes } = theHeap().usage;
  for (let i = 0; i < 20; i++) {
    untilReady(3);
    const started = performance.now();
    expect(runProgram(trap) & 0xff).toBe(FAULT_TRAP);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(Number.isFinite(a.matmul(b).sum().item())).toBe(true);
  }
  // The workers come and go on the same page and scratch.
  expect(theHeap().usage.totalBytes).toBe(totalBytes);
});

test('a worker that was ended unseen is an error within a second, and the next run works', { timeout: 30_000 }, () => {
  setThreads(3);
  const { empty } = trapping();
  runProgram(empty);
  untilReady(3);
  expect(runProgram(empty)).toBe(STATUS_OK);
  // No turn of the event loop comes between its end and the next programs: nothing tells the caller.
  poolWorkers()[2]?.terminate();
  const outcomes: number[] = [];
  const started = performance.now();
  // A worker ends a moment after it is asked to: it may still take the first of these.
  for (let end = started + 200; performance.now() < end; ) outcomes.push(runProgram(empty) & 0xff);
  expect(outcomes).toContain(FAULT_LOST);
  expect(performance.now() - started).toBeLessThan(1200);
  untilReady(3);
  expect(runProgram(empty)).toBe(STATUS_OK);
});

test('a process whose workers are idle ends by itself, and one that needs none starts none', {
  timeout: 30_000,
}, async () => {
  const index = new URL('../../build/src/index.js', import.meta.url).href;
  const code = `
    const { compile, nn, rand, setThreads } = await import('${index}');
    setThreads(3);
    const a = nn.parameter(rand([300, 300]));
    const f = compile(() => a.matmul(a).sum());
    const started = performance.now();
    while (performance.now() - started < 400) f();
    console.log('done');`;
  const begun = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
  expect(stdout).toBe('done\n');
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test('the first programs that gain by workers load none, a loop of them does', { timeout: 30_000 }, async () => {
  const index = new URL('../../build/src/index.js', import.meta.url).href;
  const code = `
    const { compile, nn, rand, setThreads } = await import('${index}');
    const loaded = () => process.moduleLoadList.includes('NativeModule worker_threads');
    setThreads(3);
    const a = nn.parameter(rand([200, 200]));
    const f = compile(() => a.matmul(a).sum());
    f();
    console.log(loaded());
    for (const end = performance.now() + 400; performance.now() < end; ) f();
    console.log(loaded());`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
  expect(stdout).toBe('false\ntrue\n');
});

test.each([0, -1, 1.5, 64, Number.NaN])('setThreads(%s) is refused', (n) => {
  expect(() => setThreads(n)).toThrow(`setThreads: got ${n}; expected a whole number from 1 to 63`);
});
