// Long graphs: what they cost to compile grows with their length and no faster, and none overflows the stack.
import { expect, test } from 'vitest';
import { chains } from '../../bench/workloads/chains.ts';
import { checkpoint, compile, concat, grad, hessianVectorProduct, type Tensor, tensor } from '../../src/index.ts';
import { type Buffer, padded, place } from '../../src/plan/memory.ts';
import { generator } from './randomGraph.ts';

const x = tensor(new Float32Array(64).fill(0.5), { shape: [8, 8] });

/** Milliseconds to compile a chain of n nodes with its gradient. */
function milliseconds(make: (n: number) => (x: Tensor) => Tensor, n: number): number {
  const chain = make(n);
  const step = compile((t: Tensor) => {
    const y = chain(t).sum();
    return [y, ...grad(y, [t])];
  });
  const from = performance.now();
  step.memory(x);
  return performance.now() - from;
}

test.each(Object.entries(chains))(
  'a %s ten times as long takes about ten times as long to compile',
  (_, make) => {
    for (let k = 0; k < 3; k++) milliseconds(make, 700 + 2 * k);
    const small = [0, 1, 2, 3, 4].map((k) => milliseconds(make, 1000 + 2 * k)).sort((a, b) => a - b)[2] as number;
    const large = Math.min(milliseconds(make, 10_000), milliseconds(make, 10_002));
    // Quadratic growth would be a hundred times; ten, and what garbage collection adds, on a busy machine.
    expect(large / small).toBeLessThan(40);
  },
  120_000,
);

test('100,000 nodes: computed lazily, differentiated, moved about', () => {
  const n = 100_000;
  const w = tensor([0.5, 0.25], { requiresGrad: true });
  const chain = (start: Tensor) => {
    let y = start;
    for (let i = 0; i < n; i++) y = i % 2 === 0 ? y.mul(0.9) : y.add(start);
    return y;
  };
  // y ← 0.9·y + x tends to 10·x.
  const loss = chain(w).sum();
  loss.backward();
  expect(loss.item()).toBeCloseTo(7.5, 3);
  expect(w.grad?.toArray()).toEqual([expect.closeTo(10, 3), expect.closeTo(10, 3)]);
  let moved: Tensor = w;
  for (let i = 0; i < n; i++) moved = i % 2 === 0 ? moved.reshape(1, 2) : moved.reshape(2);
  expect(moved.sum().item()).toBe(0.75);
}, 300_000);

test('10,000 nodes: second derivatives, as many tensors in one, as many checkpoints', () => {
  const n = 10_000;
  const w = tensor([0.5, 0.25]);
  let y: Tensor = w;
  for (let i = 0; i < n; i++) y = i % 2 === 0 ? y.mul(0.999) : y.sin();
  const [hv] = hessianVectorProduct(y.sum(), [w], [tensor([1, 1])]);
  expect(hv.toArray()).toEqual([expect.any(Number), expect.any(Number)]);
  const many = Array.from({ length: n }, (_, i) => w.mul(i % 2));
  expect(grad(concat(many).sum(), [w])[0].toArray()).toEqual([n / 2, n / 2]);
  let h: Tensor = w;
  for (let i = 0; i < n / 10; i++) h = checkpoint((t: Tensor) => t.mul(0.999).sin(), h);
  expect(grad(h.sum(), [w])[0].data().every(Number.isFinite)).toBe(true);
}, 120_000);

/** What `place` must do, told plainly: by size, then by age, each into the smallest gap that holds it. */
function placeSlowly(buffers: readonly Buffer[]): number {
  const placed: Buffer[] = [];
  let total = 0;
  for (const b of [...buffers].sort((p, q) => q.nBytes - p.nBytes || p.first - q.first)) {
    const alive = placed.filter((o) => o.first <= b.last && b.first <= o.last).sort((p, q) => p.offset - q.offset);
    let [best, bestSize, end] = [-1, Number.POSITIVE_INFINITY, 0];
    for (const o of alive) {
      const gap = o.offset - end;
      if (gap >= padded(b.nBytes) && gap < bestSize) [best, bestSize] = [end, gap];
      end = Math.max(end, o.offset + padded(o.nBytes));
    }
    b.offset = best >= 0 ? best : end;
    placed.push(b);
    total = Math.max(total, b.offset + padded(b.nBytes));
  }
  return total;
}

test('buffers are placed as by looking through all that are alive', () => {
  const random = generator(5);
  const below = (n: number) => Math.floor(random() * n);
  for (let trial = 0; trial < 500; trial++) {
    const end = 1 + below(80);
    const buffers = Array.from({ length: 1 + below(60) }, (): Buffer => {
      const first = random() < 0.1 ? -1 : below(end);
      const last = random() < 0.1 ? Number.MAX_SAFE_INTEGER : first + below((end - first) * random());
      const nBytes = below(5) * 64 + (random() < 0.3 ? 4096 : 4);
      return { kind: 'arena', index: 0, nBytes, first, last, offset: -1 };
    });
    const expected = buffers.map((b) => ({ ...b }));
    expect(place(buffers)).toBe(placeSlowly(expected));
    expect(buffers.map((b) => b.offset)).toEqual(expected.map((b) => b.offset));
  }
});
