// What a step costs: FLOPs and bytes by instruction, its memory by kind, and that looking changes nothing.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { OP_CONV, OP_CONV_DW, OP_CONV_DX, OP_GEMM, OP_MAP, SCRATCH_BYTES } from '../assembly/abi.ts';
import {
  compile,
  manualSeed,
  nn,
  optim,
  type ProfileRow,
  rand,
  setThreads,
  state,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.ts';
import { costOf } from '../src/plan/cost.ts';
import { type Buffer, padded } from '../src/plan/memory.ts';
import { observePlans, type Plan } from '../src/plan/plan.ts';
import { heldBytes, theHeap } from '../src/run/heap.ts';
import { random } from './helpers.ts';
import { batch, network, weights } from './training.ts';

/** Every plan built while `fn` runs. */
function plansOf(fn: () => void): Plan[] {
  const plans: Plan[] = [];
  observePlans((plan) => plans.push(plan));
  try {
    fn();
  } finally {
    observePlans(null);
  }
  return plans;
}

const of = (plan: Plan, opcode: number) => plan.instructions.filter((i) => i.opcode === opcode).map(costOf);

describe('the cost of an instruction', () => {
  test('a product is 2·M·N·K, a batch of them that many times', () => {
    const [plan] = plansOf(() =>
      random(1, [5, 7])
        .matmul(random(2, [7, 3]))
        .data(),
    );
    expect(of(plan as Plan, OP_GEMM)).toEqual([{ flops: 2 * 5 * 3 * 7, bytes: 4 * (35 + 21 + 15), sizes: '5×3×7' }]);
    const [batched] = plansOf(() =>
      random(1, [4, 5, 7])
        .matmul(random(2, [4, 7, 3]))
        .data(),
    );
    const [cost] = of(batched as Plan, OP_GEMM);
    expect(cost).toEqual({ flops: 4 * 2 * 5 * 3 * 7, bytes: 4 * 4 * (35 + 21 + 15), sizes: '4 of 5×3×7' });
    const [shared] = plansOf(() =>
      random(1, [4, 5, 7])
        .matmul(random(2, [7, 3]))
        .data(),
    );
    const flops = of(shared as Plan, OP_GEMM).reduce((sum, c) => sum + c.flops, 0);
    expect(flops).toBe(4 * 2 * 5 * 3 * 7);
  });

  test('the three products of a convolution do the same work: 2·N·O·OH·OW·C/G·KH·KW', () => {
    const layer = new nn.Conv2d(4, 6, 3, { padding: 1, stride: 2, groups: 2 });
    const x = tensor(random(3, [2, 4, 9, 8]).data(), { shape: [2, 4, 9, 8], requiresGrad: true });
    const plans = plansOf(() => {
      layer.forward(x).sum().backward();
      (x.grad as Tensor).data();
    });
    const flops = 2 * 2 * 6 * (5 * 4) * 2 * 3 * 3;
    for (const opcode of [OP_CONV_DX, OP_CONV_DW]) {
      const [cost] = plans.flatMap((plan) => of(plan, opcode));
      expect(cost?.flops).toBe(flops);
      expect(cost?.sizes).toBe('2×4×9×8 ⋆ 6×2×3×3');
    }
    const [forward] = plansOf(() => layer.forward(x).data()).flatMap((plan) => of(plan, OP_CONV));
    expect(forward?.flops).toBe(flops);
    expect(forward?.bytes).toBe(4 * (2 * 4 * 9 * 8 + 6 * 2 * 9 + 6 + 2 * 6 * 20));
  });

  test('a map moves its streams, views and results, not its temporaries', () => {
    const [x, row] = [random(4, [10, 6]), random(5, [6])];
    const [plan] = plansOf(() => x.add(row).exp().mul(x).data());
    expect(of(plan as Plan, OP_MAP)).toEqual([{ flops: 0, bytes: 4 * (60 + 6 + 60), sizes: '60 · 3' }]);
  });
});

describe('memory', () => {
  const widths = [32, 64, 48, 16, 8] as const;
  const chain = (x: Tensor, ws: readonly Tensor[]) => ws.reduce((y, w) => y.matmul(w), x);
  const matrices = widths.slice(1).map((n, i) => random(10 + i, [widths[i] as number, n]));

  test('exact, by kind: a chain of products keeps two results at a time', () => {
    const parameters = matrices.map((m) => state(m));
    const step = compile((x: Tensor) => chain(x, parameters));
    const [plan] = plansOf(() => step.memory(zeros([16, 32]))) as [Plan];
    const use = step.memory(zeros([16, 32]));
    const size = (n: number) => padded(16 * n * 4);
    expect(use.unsharedBytes).toBe(widths.reduce((sum, n) => sum + size(n), 0));
    expect(use.arenaBytes).toBe(size(64) + size(48)); // the two largest that are alive at once
    expect(use.stateBytes).toBe(parameters.reduce((sum, p) => sum + heldBytes(p.data().length * 4), 0));
    expect([use.inputBytes, use.outputBytes]).toEqual([0, 0]); // small: they lie in the arena
    expect(use.programBytes).toBe((plan.words.length + plan.table.length) * 4 + plan.ownBytes + 24);
    expect(use.scratchBytes).toBe(SCRATCH_BYTES);
    const { peakBytes, unsharedBytes: _, ...kinds } = use;
    expect(peakBytes).toBe(Object.values(kinds).reduce((a, b) => a + b, 0));
  });

  test('large inputs and outputs lie outside the arena, and state is what the heap really holds', () => {
    const n = 1 << 19; // 2 MiB
    const held = state(zeros([n]));
    const step = compile((x: Tensor) => {
      held.assign(held.add(x.mul(3)));
      return x.mul(1.7);
    });
    const use = step.memory(zeros([n]));
    expect(use).toMatchObject({ stateBytes: heldBytes(4 * n), inputBytes: heldBytes(4 * n) });
    expect(use).toMatchObject({ outputBytes: heldBytes(4 * n), arenaBytes: 0 });
    const x = zeros([n]);
    x.data();
    const before = theHeap().usage.residentBytes;
    const result = step(x);
    const grown = theHeap().usage.residentBytes - before;
    expect(result.shape).toEqual([n]);
    expect(grown).toBe(use.stateBytes + use.inputBytes + use.outputBytes);
  });

  test('of a training step: the arena holds the largest live set and less than the sum', () => {
    const model = network();
    const optimizer = new optim.Adam(model.parameters());
    const step = compile((x: Tensor, labels: Tensor) => {
      const loss = nn.crossEntropy(model.forward(x), labels);
      optimizer.minimize(loss);
      return loss;
    });
    const { x, labels } = batch(1);
    const [plan] = plansOf(() => step.memory(x, labels)) as [Plan];
    const use = step.memory(x, labels);
    const live = plan.instructions.map((_, i) =>
      plan.buffers
        .filter((b: Buffer) => b.offset >= 0 && b.first <= i && i <= b.last)
        .reduce((sum, b) => sum + b.nBytes, 0),
    );
    expect(use.arenaBytes).toBeGreaterThanOrEqual(Math.max(...live));
    expect(use.arenaBytes).toBeLessThan(use.unsharedBytes);
    expect(use.peakBytes).toBeGreaterThan(use.arenaBytes + use.stateBytes);
    // θ, m and v of each parameter, and Adam's count of steps.
    const parameters = model.parameters().map((p) => heldBytes(p.data().length * 4));
    expect(use.stateBytes).toBe(3 * parameters.reduce((a, b) => a + b, 0) + heldBytes(4));
  });

  test('threads have scratch of their own where they gain', () => {
    setThreads(3);
    const n = 256;
    const step = compile((x: Tensor) => x.matmul(x));
    expect(step.memory(zeros([n, n])).scratchBytes).toBe(3 * SCRATCH_BYTES);
    expect(step.memory(zeros([4, 4])).scratchBytes).toBe(SCRATCH_BYTES);
    setThreads(1);
  });
});

describe('profile', () => {
  const trained = () => {
    manualSeed(5);
    const model = network();
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 });
    const step = compile((x: Tensor, labels: Tensor) => {
      const noisy = x.add(rand([8, 3]).mul(0.1));
      const loss = nn.crossEntropy(model.forward(noisy), labels);
      optimizer.minimize(loss);
      return loss;
    });
    return { model, step };
  };

  test('changes nothing: parameters, moments and random numbers go on as without it', { timeout: 30_000 }, () => {
    const run = (look: boolean) => {
      const { model, step } = trained();
      const losses: number[] = [];
      for (let i = 0; i < 4; i++) {
        const { x, labels } = batch(i);
        const before = weights(model);
        if (look) step.profile(x, labels);
        if (look) expect(weights(model)).toEqual(before);
        losses.push(step(x, labels).item());
      }
      return { losses, weights: weights(model) };
    };
    expect(run(true)).toEqual(run(false));
  });

  test('a row for every instruction, shares that come to 1, layers by their paths', () => {
    const { step } = trained();
    const { x, labels } = batch(0);
    const profile = step.profile(x, labels);
    const listed = step.explain(x, labels).split('\n').slice(0, -1);
    expect(profile.rows.length).toBe(listed.length);
    profile.rows.forEach((row, i) => {
      expect(listed[i]).toContain(`${row.index}  ${row.instruction}`);
    });
    expect(profile.rows.reduce((sum, r) => sum + r.share, 0)).toBeCloseTo(1, 12);
    expect(profile.rows.reduce((sum, r) => sum + r.ms, 0)).toBeCloseTo(profile.totalMs, 12);
    expect(profile.totalMs).toBeGreaterThan(0);
    expect(profile.runs).toBeGreaterThanOrEqual(5);
    const products = profile.rows.filter((r) => r.instruction === 'gemm');
    const flops = 2 * 8 * (3 * 6 * 2 + 6 * 4 * 3); // the first layer needs no dx
    expect(products.reduce((sum, r) => sum + r.flops, 0)).toBe(flops);
    // Forward and dW of each layer, and dx of the second.
    const inLayer = (path: string) => products.filter((r) => r.layer === path).length;
    expect([inLayer('0 (Linear)'), inLayer('2 (Linear)')]).toEqual([2, 3]);
    const updates = profile.rows.filter((r: ProfileRow) => /update|sqrt/.test(r.computes) && r.layer === '0 (Linear)');
    expect(updates.length).toBeGreaterThan(0);
  });

  test('prints as a table with totals', () => {
    const x = zeros([64, 32]);
    const w = zeros([32, 16]);
    const lines = `${compile((a: Tensor, b: Tensor) => a.matmul(b).exp()).profile(x, w)}`.split('\n');
    expect(lines[0]?.split(/\s{2,}/).map((s) => s.trim())).toEqual(
      expect.arrayContaining(['#', 'instruction', 'computes', 'sizes', 'µs', 'rate', 'share']),
    );
    expect(lines[1]).toMatch(/^0 {2}gemm +matmul +64×16×32 +[\d.]+ +[\d.]+ GFLOP\/s +[\d.]+ %$/);
    expect(lines[2]).toMatch(/^1 {2}map +exp +1024 · 1 +[\d.]+ +[\d.]+ GB\/s +[\d.]+ %$/);
    expect(lines[3]).toMatch(/2 in all +[\d.]+ +[\d.]+ GFLOP\/s +100.0 %$/);
    expect(lines.length).toBe(4);
  });

  test('an index out of range is the same error as in a call, and nothing changes', () => {
    const table = state(random(6, [5, 2]));
    const step = compile((i: Tensor) => {
      const picked = table.indexSelect(0, i.mul(2));
      table.assign(table.add(picked.sum()));
      return picked;
    });
    const before = table.toArray();
    expect(() => step.profile(tensor(Int32Array.of(1, 4)))).toThrow(
      /^(gather|indexSelect): a computed index is out of range/,
    );
    expect(table.toArray()).toEqual(before);
  });
});

describe('NABLA_PROFILE=1', () => {
  const CHILD = fileURLToPath(new URL('./profile.child.js', import.meta.url));
  const run = (value: string) =>
    promisify(execFile)(process.execPath, [CHILD], { env: { ...process.env, NABLA_PROFILE: value } });

  test('tables at exit on stderr, and the same results', async () => {
    const [on, off] = await Promise.all([run('1'), run('0')]);
    expect(on.stdout).toBe(off.stdout);
    expect(off.stderr).toBe('');
    expect(on.stderr).toMatch(/^NABLA_PROFILE: \d+ plans, [\d.]+ ms on one thread/);
    const slowest = on.stderr.split('\n\n')[1] as string;
    expect(slowest).toMatch(/^plan 1: 30 runs, [\d.]+ ms, [\d.]+ %/);
    const shares = [...slowest.matchAll(/([\d.]+) %$/gm)].map((m) => Number(m[1])).slice(1, -1);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(Math.abs(shares.reduce((a, b) => a + b, 0) - 100)).toBeLessThan(shares.length * 0.05 + 0.01);
    expect(slowest).toMatch(/gemm +0 \(Linear\): matmul +128×256×96 /);
  });
});
