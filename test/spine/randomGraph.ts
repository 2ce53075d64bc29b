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

// ---- graphs that reach the ends of the number line

/** Elements at which a rule that is wrong about NaN, ∞, overflow or cancellation shows it. */
const EXTREMES = [0, -0, 1, -1, 0.5, 2, 90, -90, 200, -200, 1e-7, -1e-12, 1e30, -1e30, 1e-30, 1e4, 10001];
const ENDLESS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** A tensor of which every other element is an extreme, and a few are NaN or ∞. */
export function extremeTensor(random: () => number, shape: readonly number[]): Tensor {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const element = () => {
    const kind = random();
    return kind < 0.04 ? pick(ENDLESS) : kind < 0.5 ? pick(EXTREMES) : random() * 4 - 2;
  };
  return tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, element), { shape });
}

const norm = (x: Tensor) => x.square().sum(-1, true).sqrt();

/** What rules match, and functions that leave its numbers anywhere. */
const extremeUnary: ((x: Tensor) => Tensor)[] = [
  ...[0, 1, 2, 3, 4, -1, -2, 0.5, 1.5].map((power) => (x: Tensor) => x.pow(power)),
  ...[0.5, 2, 1, -1, 0.3].flatMap((c) => [(x: Tensor) => x.mul(c), (x: Tensor) => x.div(c)]),
  ...[0, 1, -1].flatMap((c) => [(x: Tensor) => x.add(c), (x: Tensor) => x.sub(c), (x: Tensor) => x.neg().add(c)]),
  ...(['neg', 'abs', 'sqrt', 'square', 'reciprocal', 'exp', 'expm1', 'log', 'log1p', 'tanh', 'sigmoid'] as const).map(
    (name) => (x: Tensor) => x[name](),
  ),
  ...(['erf', 'softplus', 'relu', 'softmax', 'logSoftmax', 'clone', 'detach'] as const).map(
    (name) => (x: Tensor) => x[name](),
  ),
  (x) => x.softmax(0),
  (x) => x.exp().div(x.exp().sum(-1, true)),
  (x) => x.neg().exp().add(1).reciprocal(),
  (x) => x.exp().sum(-1, true).log(),
  (x) => x.square().mean(-1, true).sub(x.mean(-1, true).square()),
  (x) => x.square().sqrt(),
  (x) => x.div(norm(x)),
  norm,
  (x) => x.tanh().square().neg().add(1),
  (x) => x.sigmoid().mul(x.sigmoid().neg().add(1)),
  (x) => where(x.gt(0), x.log(), 0),
  (x) => where(x.le(0), x, x.sqrt()),
  (x) => x.mul(0.5).mul(2).mul(0.5),
  (x) => x.neg().neg().abs().square(),
];
const extremeBinary: ((x: Tensor, y: Tensor) => Tensor)[] = [
  ...(['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const).map((name) => (x: Tensor, y: Tensor) => x[name](y)),
  (x, y) => x.add(y.neg()),
  (x, y) => x.neg().mul(y),
  (x, y) => x.mul(2).add(y.mul(2)),
  (x, y) => x.mul(y).add(x),
  (x, y) => x.sub(x.mul(y)),
  (x, y) => x.add(y.sub(x).mul(0.25)),
  (x, y) => where(x.lt(y), x, y),
  (x, y) => where(y.gt(0), x.div(y), x),
  (x, y) => x.square().sub(x.mul(y).mul(2)).add(y.square()),
  (x, y) => x.softmax().log().mul(y).sum(-1, true),
];
const reductions = ['sum', 'mean', 'max', 'min'] as const;

/** `n` expressions over matrices [3,4], [1,4], [3,1] and [4,3], of whatever numbers. */
export function extremeExpressions(random: () => number, leaves: readonly Tensor[], n: number): Tensor[] {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const pool = [...leaves];
  for (let i = 0; i < n; i++) {
    const x = pool[Math.floor(Math.sqrt(random()) * pool.length)] as Tensor;
    const [rows, cols] = x.shape as [number, number];
    const kind = random();
    if (kind < 0.5) pool.push(pick(extremeUnary)(x));
    else if (kind < 0.75) pool.push(pick(extremeBinary)(x, pick(pool.filter((y) => broadcasts(x.shape, y.shape)))));
    else if (kind < 0.85) pool.push(x[pick(reductions)](pick([0, 1, [0, 1]]), true));
    else if (kind < 0.89) pool.push(x.T);
    else if (kind < 0.93) pool.push(x.reshape(-1).reshape(rows, cols));
    else if (kind < 0.97) pool.push(x.expand(...(rows === 1 ? [3, cols] : cols === 1 ? [rows, 4] : [rows, cols])));
    else pool.push(x.matmul(x.T));
  }
  return pool.slice(leaves.length);
}
