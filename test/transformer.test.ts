// A transformer block against PyTorch (fixtures/make.py made the numbers), and what its layers promise beside values.
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, optim, type Tensor, tensor, zeros } from '../src/index.ts';
import { close, closeTo, fill, fixture, initialise, random, type Summary, uniform } from './helpers.ts';

const [BATCH, LENGTH, WIDTH, HEADS, HIDDEN, CLASSES] = [8, 128, 128, 4, 512, 64] as const;
const { losses, gradients } = fixture<{ losses: number[]; gradients: Record<string, Summary> }>('transformer');

class Block extends nn.Module {
  ln1 = new nn.LayerNorm(WIDTH);
  attn = new nn.MultiheadAttention(WIDTH, HEADS);
  ln2 = new nn.LayerNorm(WIDTH);
  up = new nn.Linear(WIDTH, HIDDEN);
  down = new nn.Linear(HIDDEN, WIDTH);
  lnf = new nn.LayerNorm(WIDTH);
  head = new nn.Linear(WIDTH, CLASSES, { bias: false });

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attn.forward(this.ln1.forward(x), { isCausal: true }));
    const hidden = this.up.forward(this.ln2.forward(attended)).gelu({ approximate: 'tanh' });
    return this.head.forward(this.lnf.forward(attended.add(this.down.forward(hidden)))).flatten(0, 1);
  }
}

function start() {
  const model = new Block();
  initialise(model, 600);
  const x = random(620, [BATCH, LENGTH, WIDTH]);
  const labels = tensor(
    Int32Array.from(uniform(621, BATCH * LENGTH, 0, 1), (u) => u * CLASSES),
    {},
  );
  return { model, x, labels, optimizer: new optim.Adam(model.parameters(), { lr: 1e-3 }) };
}

describe('a transformer block', () => {
  test('the gradients of the first step, under PyTorch’s names', () => {
    const { model, x, labels } = start();
    nn.crossEntropy(model.forward(x), labels).backward();
    expect(model.namedParameters().map(([name]) => name)).toEqual(Object.keys(gradients));
    for (const [name, p] of model.namedParameters()) {
      closeTo(p.grad as Tensor, gradients[name] as Summary, 1e-4, name);
    }
  });

  test('five steps of Adam, lazy', () => {
    const { model, x, labels, optimizer } = start();
    for (const expected of losses) {
      const loss = nn.crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      close(loss.item(), expected, 1e-4, 'loss');
    }
  });

  test('five steps of Adam, compiled', () => {
    const { model, x, labels, optimizer } = start();
    const step = compile((images: Tensor, targets: Tensor) => {
      const loss = nn.crossEntropy(model.forward(images), targets);
      optimizer.minimize(loss);
      return loss;
    });
    for (const expected of losses) close(step(x, labels).item(), expected, 1e-4, 'loss');
  });
});

describe('attention', () => {
  test('isCausal is the mask of a lower triangle, given as a bool or as numbers', () => {
    const [q, k, v] = [random(1, [2, 5, 4]), random(2, [2, 5, 4]), random(3, [2, 5, 4])];
    const places = (f: (i: number) => boolean | number) => Array.from({ length: 25 }, (_, i) => f(i));
    const seen = (i: number) => i % 5 <= Math.floor(i / 5);
    const attend = (options: Parameters<typeof nn.scaledDotProductAttention>[3]) => {
      const y = nn.scaledDotProductAttention(q, k, v, options);
      return [y, ...grad(y.square().sum(), [q, k, v])];
    };
    const causal = attend({ isCausal: true });
    const bool = tensor(places(seen), { shape: [5, 5] });
    const added = tensor(
      places((i) => (seen(i) ? 0 : Number.NEGATIVE_INFINITY)),
      { shape: [5, 5] },
    );
    for (const attnMask of [bool, added]) {
      for (const [i, y] of attend({ attnMask }).entries()) close(y, causal[i] as Tensor, 1e-5);
    }
  });

  test('what comes later changes nothing before', () => {
    const attention = new nn.MultiheadAttention(8, 2);
    const x = random(4, [1, 6, 8]);
    const changed = x.slice(null, { start: 0, stop: 4 }).pad([0, 0], [0, 2], [0, 0]);
    const first = (y: Tensor) => y.slice(null, { start: 0, stop: 4 }).data();
    const of = (input: Tensor) => first(attention.forward(input, { isCausal: true }));
    expect(of(changed)).toEqual(of(x));
    expect(first(attention.forward(changed))).not.toEqual(first(attention.forward(x)));
  });

  test('attention to itself is that of a query to keys and values that are the same, by another program', () => {
    const attention = new nn.MultiheadAttention(8, 2);
    const x = random(6, [2, 5, 8]);
    const y = attention.forward(x, { isCausal: true });
    close(attention.forward(x, x, x, { isCausal: true }), y, 1e-6);
    expect(attention.forward(x, random(7, [2, 3, 8]), random(8, [2, 3, 8])).shape).toEqual([2, 5, 8]);
  });

  test('in training it drops weights of the average', () => {
    const attention = new nn.MultiheadAttention(8, 2, { dropout: 0.5 });
    const x = random(6, [1, 20, 8]);
    const once = attention.forward(x).data();
    expect(attention.forward(x).data()).not.toEqual(once);
    const calm = attention.eval().forward(x).data();
    expect(attention.forward(x).data()).toEqual(calm);
    // Of a value of ones, what is left has 1 as its mean: 2,000 weights of 1/20 each, half of them doubled.
    const [q, v] = [zeros([100, 20, 8]), zeros([100, 20, 1]).add(1)];
    const y = nn.scaledDotProductAttention(q, q, v, { dropoutP: 0.5 });
    expect(Math.abs(y.mean().item() - 1)).toBeLessThan(0.02);
    expect(y.sub(1).abs().max().item()).toBeGreaterThan(0.05);
  });

  test('without bias it has weights alone', () => {
    const attention = new nn.MultiheadAttention(8, 2, { bias: false });
    expect(attention.namedParameters().map(([name]) => name)).toEqual(['in_proj_weight', 'out_proj.weight']);
    expect(attention.forward(random(5, [2, 3, 8])).shape).toEqual([2, 3, 8]);
  });
});

describe('LayerNorm', () => {
  test('starts as the plain normalisation, with weight and bias where they are asked for', () => {
    const names = (layer: nn.LayerNorm) => layer.namedParameters().map(([name]) => name);
    expect(names(new nn.LayerNorm([2, 3]))).toEqual(['weight', 'bias']);
    expect(names(new nn.LayerNorm(3, { bias: false }))).toEqual(['weight']);
    expect(names(new nn.LayerNorm(3, { elementwiseAffine: false }))).toEqual([]);
    const y = new nn.LayerNorm(4, { eps: 0 }).forward(tensor([1, 3, 1, 3])).toArray();
    expect(y).toEqual([-1, 1, -1, 1]);
  });
});

describe('Embedding', () => {
  test('rows by index, of any shape, learning by index', () => {
    const table = new nn.Embedding(4, 2);
    fill(table.weight, [0, 1, 10, 11, 20, 21, 30, 31]);
    const index = tensor(Int32Array.of(3, 0, 3, 1), { shape: [2, 2] });
    const y = table.forward(index);
    expect(y.toArray()).toEqual([
      [
        [30, 31],
        [0, 1],
      ],
      [
        [30, 31],
        [10, 11],
      ],
    ]);
    y.sum().backward();
    expect(table.weight.grad?.toArray()).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
      [2, 2],
    ]);
    expect(table.forward(tensor(2, { dtype: 'int32' })).toArray()).toEqual([20, 21]);
  });

  test('the padding row starts at 0 and learns nothing', () => {
    const table = new nn.Embedding(3, 2, { paddingIdx: 1 });
    expect(table.weight.toArray()).toEqual([expect.anything(), [0, 0], expect.anything()]);
    const y = table.forward(tensor(Int32Array.of(1, 2, 1)));
    y.add(1).square().sum().backward();
    const [first, padding, last] = (table.weight.grad as Tensor).toArray() as number[][];
    expect([first, padding]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(last?.every((g) => g !== 0)).toBe(true);
  });

  test('weights are N(0, 1)', () => {
    const w = new nn.Embedding(1000, 50).weight;
    expect(Math.abs(w.mean().item())).toBeLessThan(0.02);
    expect(Math.abs(w.square().mean().item() - 1)).toBeLessThan(0.03);
  });
});
