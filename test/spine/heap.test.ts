// The heap: regions given out and joined again, growth, values sent home and back, and what happens when it is full.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { tensor, zeros } from '../../src/create.ts';
import { NablaError } from '../../src/error.ts';
import { Value } from '../../src/graph/value.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { Heap, theHeap } from '../../src/run/heap.ts';
import './checked.ts';
import { generator } from './randomGraph.ts';

const MIB = 1 << 20;

describe('regions', () => {
  test('are lines of 64 bytes that never overlap, whatever is given back between', () => {
    const heap = new Heap();
    const random = generator(1);
    const held: { offset: number; nBytes: number }[] = [];
    for (let i = 0; i < 2000; i++) {
      if (held.length > 40 || (held.length > 0 && random() < 0.45)) {
        heap.free(held.splice(Math.floor(random() * held.length), 1)[0] as (typeof held)[number]);
        continue;
      }
      const nBytes = 1 + Math.floor(random() ** 3 * 100_000);
      const offset = heap.allocate(nBytes);
      expect(offset % 64).toBe(0);
      expect(offset).toBeGreaterThanOrEqual(heap.kernels.heapBase());
      expect(held.find((h) => offset < h.offset + h.nBytes && h.offset < offset + nBytes)).toBeUndefined();
      held.push({ offset, nBytes });
    }
    // All of it is one region again: as large a one as a new heap has.
    for (const region of held) heap.free(region);
    const total = heap.usage.totalBytes;
    const whole = total - heap.allocate(64);
    heap.free({ offset: total - whole, nBytes: 64 });
    expect(heap.allocate(whole)).toBe(total - whole);
    expect(heap.usage.totalBytes).toBe(total);
  });

  test('join with both neighbours in any order', () => {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const heap = new Heap();
      const three = [640, 1280, 64].map((nBytes) => ({ offset: heap.allocate(nBytes), nBytes }));
      heap.allocate(64);
      for (const i of order) heap.free(three[i] as (typeof three)[number]);
      expect(heap.allocate(640 + 1280 + 64)).toBe(three[0]?.offset);
    }
  });

  test('the smallest gap that fits is taken', () => {
    const heap = new Heap();
    const [large, , small] = [4096, 64, 1024, 64].map((nBytes) => ({ offset: heap.allocate(nBytes), nBytes }));
    if (large === undefined || small === undefined) throw new Error('no regions');
    heap.free(large);
    heap.free(small);
    expect(heap.allocate(1000)).toBe(small.offset);
    expect(heap.allocate(1000)).toBe(large.offset);
  });

  test('memory grows, and what lies there stays', () => {
    const heap = new Heap();
    const before = heap.usage.totalBytes;
    const at = heap.allocate(64);
    heap.f32[at >>> 2] = 42;
    const far = heap.allocate(before + MIB);
    expect(heap.usage.totalBytes).toBeGreaterThan(2 * before);
    heap.f32[(far + before) >>> 2] = 7;
    expect([heap.f32[at >>> 2], heap.f32[(far + before) >>> 2]]).toEqual([42, 7]);
  });

  test('the last line of 4 GiB is never given out', () => {
    const heap = new Heap();
    heap.allocate(2 ** 32 - heap.usage.totalBytes - MIB);
    let end = 0;
    const fill = (nBytes: number) => {
      for (;;) end = Math.max(end, heap.allocate(nBytes) + nBytes);
    };
    for (const nBytes of [MIB, 4096, 64]) expect(() => fill(nBytes)).toThrow(/out of memory/);
    expect(heap.usage.totalBytes).toBe(2 ** 32);
    expect(end).toBe(2 ** 32 - 64);
  });

  test('the arena moves only to grow, and says so', () => {
    const heap = new Heap();
    heap.reserveArena(1000);
    const { arena, arenaVersion } = heap;
    heap.reserveArena(900);
    expect([heap.arena, heap.arenaVersion]).toEqual([arena, arenaVersion]);
    heap.reserveArena(100 * MIB);
    expect(heap.arenaVersion).toBe(arenaVersion + 1);
    expect(heap.usage.arenaBytes).toBeGreaterThanOrEqual(100 * MIB);
  });
});

/** A value with bits of every kind in it, NaNs with a payload too. */
function bits(seed: number, nBytes: number): Value {
  const words = new Int32Array(nBytes / 4);
  let x = seed * 2654435761;
  for (let i = 0; i < words.length; i++) words[i] = x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + i;
  return Value.of('int32', words);
}
const same = (a: Value, b: Value) => Buffer.compare(Buffer.from(a.read().buffer), Buffer.from(b.read().buffer)) === 0;

describe('residents', () => {
  test('more than fit go home bit for bit, the least recently used first', () => {
    const heap = new Heap();
    const values = Array.from({ length: 24 }, (_, i) => bits(i, 8 * MIB));
    for (const value of values) {
      heap.begin();
      const at = heap.resident(value);
      // A program wrote it: the home is out of date.
      heap.i32[at >>> 2] = 12345;
      value.host = null;
      expect(heap.usage.residentBytes).toBeLessThanOrEqual(65 * MIB);
    }
    expect(heap.usage.totalBytes).toBeLessThan(128 * MIB);
    expect(values.map((v) => v.residence !== null).lastIndexOf(false)).toBe(
      values.filter((v) => !v.residence).length - 1,
    );
    for (const [i, value] of values.entries()) {
      const expected = bits(i, 8 * MIB);
      (expected.host as Int32Array)[0] = 12345;
      expect(same(value, expected)).toBe(true);
    }
  });

  test('one of the present run never goes, however large the run', () => {
    const heap = new Heap();
    heap.begin();
    const values = Array.from({ length: 12 }, (_, i) => bits(i, 8 * MIB));
    const addresses = values.map((v) => heap.resident(v));
    expect(values.every((v) => v.residence !== null)).toBe(true);
    expect(values.map((v) => heap.resident(v))).toEqual(addresses);
    // The next run may keep as much again.
    heap.begin();
    expect(values.map((v) => heap.resident(v))).toEqual(addresses);
  });

  test('dispose frees at once', () => {
    const heap = new Heap();
    const value = bits(1, MIB);
    heap.begin();
    const at = heap.resident(value);
    expect(heap.usage.residentBytes).toBeGreaterThanOrEqual(MIB);
    value.dispose();
    expect(heap.usage.residentBytes).toBe(0);
    expect(heap.resident(bits(2, MIB))).toBe(at);
    expect(() => heap.resident(value)).toThrow(/disposed/);
    expect(() => value.read()).toThrow(/disposed/);
  });

  test('a disposed variable, by name and by using', () => {
    const before = theHeap().usage.residentBytes;
    const p = nn.parameter(zeros([MIB]));
    p.add(1).sum().item();
    expect(theHeap().usage.residentBytes).toBeGreaterThanOrEqual(before + 4 * MIB);
    {
      using held = p;
      expect(held.size).toBe(MIB);
    }
    expect(theHeap().usage.residentBytes).toBe(before);
    expect(() => p.data()).toThrow(/disposed/);
  });

  test('models made and dropped in a loop do not pile up', () => {
    for (let i = 0; i < 150; i++) {
      const p = nn.parameter(zeros([MIB / 4]));
      const optimizer = new optim.SGD([p], { lr: 0.1, momentum: 0.9 });
      p.sub(1).square().sum().backward();
      optimizer.step();
    }
    expect(theHeap().usage.totalBytes).toBeLessThan(256 * MIB);
  });
});

describe('out of memory', () => {
  const error = (fn: () => unknown): NablaError => {
    try {
      fn();
    } catch (thrown) {
      return thrown as NablaError;
    }
    throw new Error('nothing was thrown');
  };

  test('says what was asked, used and possible, and values stay readable', () => {
    const heap = new Heap();
    const value = bits(3, MIB);
    heap.begin();
    heap.resident(value);
    value.host = null;
    heap.begin();
    const current = bits(4, MIB);
    heap.resident(current);
    const thrown = error(() => heap.allocate(5 * 2 ** 30));
    expect(thrown).toBeInstanceOf(NablaError);
    expect(thrown.code).toBe('memory');
    expect(thrown.fields).toMatchObject({ asked: 5 * 2 ** 30, possible: 2 ** 32 - 64 });
    const used = thrown.fields.used as number;
    expect(used).toBeGreaterThan(MIB);
    expect(used).toBeLessThan(heap.usage.totalBytes - MIB);
    expect(thrown.message).toMatch(/out of memory: asked for 5120.0 MiB, .* in use, 4096.0 MiB possible/);
    expect(same(value, bits(3, MIB))).toBe(true);
    // What is not of the present run went home to make room.
    expect([value.residence === null, current.residence === null]).toEqual([true, false]);
  });

  test('a result or an intermediate too large leaves every tensor and variable as it was', () => {
    const p = nn.parameter(tensor([1, 2]));
    const optimizer = new optim.SGD([p], { lr: 0.5, momentum: 0.9 });
    const train = () => {
      optimizer.zeroGrad();
      p.square().sum().backward();
      optimizer.step();
    };
    train();
    const other = p.mul(3);
    const huge = [
      () =>
        p
          .reshape(2, 1)
          .expand(2, 2 ** 30)
          .data(),
      () =>
        p
          .reshape(2, 1)
          .expand(2, 2 ** 30)
          .T.expand(2, 2 ** 30, 2)
          .softmax()
          .sum()
          .item(),
      () =>
        p.assign(
          p
            .reshape(2, 1)
            .expand(2, 2 ** 30)
            .T.expand(2, 2 ** 30, 2)
            .softmax()
            .sum()
            .mul(p),
        ),
    ];
    for (const [i, fn] of huge.entries()) {
      const thrown = error(() => {
        fn();
        if (i === 2) p.data();
      });
      expect(thrown.code).toBe('memory');
      expect([...p.data()]).toEqual([0, 0]);
    }
    expect([...other.data()]).toEqual([0, 0]);
    train();
    expect([...p.data()].every(Number.isFinite)).toBe(true);
  });
});

test('a plan that the cache dropped, run again by its compiled function, gives its memory back with it', async () => {
  const from = (file: string) => new URL(`../../build/src/${file}`, import.meta.url).href;
  const code = `
    const { compile, tensor } = await import('${from('index.js')}');
    const { theHeap } = await import('${from('run/heap.js')}');
    const used = () => { try { theHeap().allocate(5 * 2 ** 30); } catch (error) { return error.fields.used; } };
    const others = (from) => { for (let n = 1; n <= 300; n++) tensor(new Float32Array(n + from)).sum().item(); };
    const gone = () => new Promise((done) => setTimeout(done, 20)).then(gc);
    let held = Array.from({ length: 50 }, (_, n) => compile((x) => x.reshape(n + 2).exp().mul(2).sum()));
    const call = () => held.forEach((f, n) => f(tensor(new Float32Array(n + 2))));
    call();
    others(0);
    others(300);
    await gone();
    const before = used();
    call();
    const during = used();
    held = [];
    for (let i = 0; i < 5; i++) await gone();
    console.log(JSON.stringify([during - before, used() - before]));`;
  const args = ['--expose-gc', '--input-type=module', '-e', code];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [during, after] = JSON.parse(stdout) as [number, number];
  expect(during).toBeGreaterThan(50 * 64);
  expect(after).toBe(0);
});
