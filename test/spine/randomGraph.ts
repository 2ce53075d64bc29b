// Random expressions for properties of plans and rewrites: any shapes that fit, values kept near 1.
import { tensor } from '../../src/create.ts';
import { where } from '../../src/functions.ts';
import type { Operand, Tensor } from '../../src/tensor.ts';

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function generator(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomTensor(random: () => number, shape: readonly number[], requiresGrad = false): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: n }, () => random() * 2 - 1),
    { shape, requiresGrad },
  );
}

const unary: ((x: Tensor) => Tensor)[] = [
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.relu(),
  (x) => x.neg(),
  (x) => x.sin(),
  (x) => x.abs().add(1).log(),
  (x) => x.mul(0.5),
  (x) => x.add(0),
  (x) => x.mul(1),
  (x) => x.tanh().exp().sub(1),
  (x) => x.tanh().square(),
  (x) => x.softmax(),
  (x) => x.sub(x.mean(-1, true)),
  (x) => x.maximum(0.3),
  (x) => where(x.gt(0), x, 0),
];
const binary: ((x: Tensor, y: Operand) => Tensor)[] = [
  (x, y) => x.add(y).mul(0.5),
  (x, y) => x.sub(y),
  (x, y) => x.mul(y),
  (x, y) => x.maximum(y),
];

/** One more expression over `pool`. Every tensor of the pool is a matrix or a stack of matrices. */
export function grow(random: () => number, pool: readonly Tensor[]): Tensor {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const x = pick(pool);
  const [rows, cols] = x.shape.slice(-2) as [number, number];
  const kind = random();
  if (kind < 0.35) return pick(unary)(x);
  if (kind < 0.7) {
    const fits = pool.filter((y) => broadcasts(x.shape, y.shape));
    return pick(binary)(x, pick(fits));
  }
  if (kind < 0.78) return x.transpose(-1, -2);
  if (kind < 0.84) return x.sum(Math.floor(random() * x.shape.length), true).tanh();
  if (kind < 0.88) return x.shape.length === 2 ? x.reshape(1, rows, cols) : x.reshape(-1, cols);
  if (kind < 0.92)
    return x.slice(...x.shape.map(() => null)).slice(...x.shape.map((d) => ({ stop: Math.max(1, d - 1) })));
  const fits = pool.filter((y) => y.shape.length === 2 && y.shape[0] === cols);
  if (fits.length === 0) return x.square().mean(-1, true);
  const product = x.matmul(pick(fits));
  if (random() < 0.5) return product.tanh();
  const biased = product.add(pick([product, ...pool.filter((y) => broadcasts(product.shape, y.shape))]));
  return random() < 0.5 ? biased.tanh() : biased.relu().tanh();
}

/** Whether two shapes broadcast, and to nothing large. */
function broadcasts(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.max(a.length, b.length);
  let size = 1;
  for (let i = 1; i <= rank; i++) {
    const [p, q] = [a[a.length - i] ?? 1, b[b.length - i] ?? 1];
    if (p !== q && p !== 1 && q !== 1) return false;
    size *= Math.max(p, q);
  }
  return size < 4096;
}

/** A pool of leaves and `n` expressions over them. */
export function randomExpressions(random: () => number, leaves: readonly Tensor[], n: number): Tensor[] {
  const pool = [...leaves];
  for (let i = 0; i < n; i++) pool.push(grow(random, pool));
  return pool.slice(leaves.length);
}
