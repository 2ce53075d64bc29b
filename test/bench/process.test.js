// Real sides in their processes, on the built library, as the side-by-side bench runs them.
import { afterEach, expect, test } from 'vitest';
import { materialise, uniform } from '../../bench/peers/data.js';
import { SideError, SideProcess } from '../../bench/peers/process.js';
import { disagreement } from '../../bench/peers/statistics.js';

const data = { a: uniform(1, [2, 2]), b: uniform(2, [2, 2]) };
const open = { workload: { kind: 'product', n: 2, transpose: 'b', data, checkCalls: 1 }, warmUp: 0 };
const started = [];

function start(name) {
  const side = new SideProcess({ name }, 1);
  started.push(side);
  return side;
}

afterEach(() => {
  for (const side of started.splice(0)) side.close();
});

test('opens a workload and shows its result', async () => {
  const { values } = await start('nabla').ask('open', open);
  const [a, b] = Object.values(materialise(data)).map(({ elements }) => elements);
  const product = [0, 1].flatMap((i) => [0, 1].map((j) => a[2 * i] * b[2 * j] + a[2 * i + 1] * b[2 * j + 1]));
  expect(disagreement(values, [product])).toBeLessThan(1e-6);
});

test('is timed for as long as asked, and shows its memory after each call', async () => {
  const side = start('nabla');
  await side.ask('open', open);
  const { calls, seconds } = await side.ask('time', { seconds: 0.02 });
  expect(calls).toBeGreaterThan(100);
  expect(seconds).toBeGreaterThanOrEqual(0.02);
  const { resident } = await side.ask('memory', { seconds: 5, most: 3 });
  expect(resident).toHaveLength(3);
  expect(Math.min(...resident)).toBeGreaterThan(1e6);
});

test('says what it cannot do and goes on', async () => {
  const side = start('nabla');
  const workload = { ...open.workload, kind: 'origami' };
  await expect(side.ask('open', { workload, warmUp: 0 })).rejects.toThrow(new SideError('no origami'));
  expect((await side.ask('open', open)).values).toHaveLength(1);
});

test('starts anew after it was closed', async () => {
  const side = start('nabla');
  await side.ask('open', open);
  side.close();
  expect((await side.ask('open', open)).values).toHaveLength(1);
  expect(side.version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('a side whose package is missing is not installed, at each request', async () => {
  const side = start('nobody');
  await expect(side.ask('open', open)).rejects.toThrow('not installed');
  await expect(side.ask('open', open)).rejects.toThrow('not installed');
});

test('a missing Python is not installed', async () => {
  const side = new SideProcess({ name: 'pytorch', python: true }, 1);
  side.command[0] = '/no/such/python';
  await expect(side.ask('open', open)).rejects.toThrow('not installed');
});

test('a process that ends without an answer says why, and the next request starts another', async () => {
  const side = start('nabla');
  const command = side.command.splice(0, 3, process.execPath, '-e', 'throw new Error("out of luck")');
  await expect(side.ask('open', open)).rejects.toThrow('out of luck');
  side.command.splice(0, 3, ...command);
  expect((await side.ask('open', open)).values).toHaveLength(1);
});

test('the limit does the work of any workload and computes nothing', async () => {
  const side = start('limit');
  const workload = { ...open.workload, flops: 1e6 };
  expect(await side.ask('open', { workload, warmUp: 0.05 })).toEqual({ values: null });
  const { calls, seconds } = await side.ask('time', { seconds: 0.05 });
  expect((calls * 1e6) / seconds / 1e9).toBeGreaterThan(1); // GFLOP/s: a plain JavaScript loop reaches about 1
});
