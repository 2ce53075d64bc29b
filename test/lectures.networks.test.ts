// The lectures' networks: gradients against the written recurrences in plain float64, and PyTorch's Sequential example.
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, optim, Tensor, tensor } from '../src/index.ts';
import { close, closeTo, fill, fixture, initialise, named, random, type Summary, uniform } from './helpers.ts';
import { addColumn, type Matrix, map, matrix, product, rowSums, sigmoid, transpose, zip } from './matrix.ts';

const REL = 1e-5; // float32 sums of up to a dozen terms, three layers deep

const parameter = (seed: number, rows: number, columns: number) => {
  const values = uniform(seed, rows * columns);
  return { t: tensor(values, { shape: [rows, columns] }), m: matrix(rows, columns, values) };
};
const closeToMatrix = (actual: Tensor, expected: Matrix, what: string) => {
  expect(actual.shape, `${what}: shape`).toEqual([expected.length, (expected[0] as number[]).length]);
  close(actual, expected.flat(), REL, what);
};

describe('three sigmoid layers with binary cross-entropy, one example', () => {
  const sizes = [4, 5, 3, 2] as const;
  const layers = [0, 1, 2].map((i) => ({
    alpha: parameter(800 + i, sizes[i + 1] as number, sizes[i] as number),
    beta: parameter(810 + i, sizes[i + 1] as number, 1),
  }));
  const input = parameter(820, 4, 1);
  const target = { t: tensor([[1], [0]]), m: [[1], [0]] };

  /** ∇u = ∇z ⊙ z ⊙ (1−z), ∇α = ∇u ⊗ z of the layer below, ∇β = ∇u, ∇z below = αᵀ∇u. */
  function recurrences() {
    const z = [input.m];
    for (const { alpha, beta } of layers) {
      z.push(map(addColumn(product(alpha.m, z.at(-1) as Matrix), beta.m), sigmoid));
    }
    const out = z[3] as Matrix;
    let loss = 0;
    zip(out, target.m, (p, y) => (loss -= (y * Math.log(p) + (1 - y) * Math.log(1 - p)) / 2));
    const results: { z: Matrix; u: Matrix; alpha: Matrix; beta: Matrix }[] = [];
    let dz = zip(out, target.m, (p, y) => (-y / p + (1 - y) / (1 - p)) / 2); // the mean over two outputs
    for (let l = 2; l >= 0; l--) {
      const du = zip(
        dz,
        map(z[l + 1] as Matrix, (v) => v * (1 - v)),
        (a, b) => a * b,
      );
      const outer = product(du, transpose(z[l] as Matrix));
      results.unshift({ z: dz, u: du, alpha: outer, beta: du });
      dz = product(transpose((layers[l] as (typeof layers)[0]).alpha.m), du);
    }
    return { loss, results, dx: dz };
  }
  const expected = recurrences();

  test('grad of the formulas, intermediates too', () => {
    const us: Tensor[] = [];
    const zs = [input.t];
    for (const { alpha, beta } of layers) {
      us.push(alpha.t.matmul(zs.at(-1) as Tensor).add(beta.t));
      zs.push((us.at(-1) as Tensor).sigmoid());
    }
    const loss = nn.binaryCrossEntropy(zs[3] as Tensor, target.t);
    close(loss, expected.loss, REL, 'loss');
    expected.results.forEach((want, l) => {
      const { alpha, beta } = layers[l] as (typeof layers)[0];
      const [dz, du, dAlpha, dBeta] = grad(loss, [zs[l + 1] as Tensor, us[l] as Tensor, alpha.t, beta.t]);
      closeToMatrix(dz, want.z, `∇z of layer ${l + 1}`);
      closeToMatrix(du, want.u, `∇u of layer ${l + 1}`);
      closeToMatrix(dAlpha, want.alpha, `∇α of layer ${l + 1}`);
      closeToMatrix(dBeta, want.beta, `∇β of layer ${l + 1}`);
    });
    closeToMatrix(grad(loss, [input.t])[0], expected.dx, '∇x');
  });

  test.each(['probabilities', 'logits'])('backward through the layers, loss of %s', (kind) => {
    const linear = layers.map(({ alpha, beta }, l) => {
      const layer = new nn.Linear(sizes[l] as number, sizes[l + 1] as number);
      fill(layer.weight, alpha.t.data());
      fill(layer.bias as Tensor, beta.t.data());
      return layer;
    });
    const inner = linear.flatMap((layer) => [layer, new nn.Sigmoid()]);
    const model = new nn.Sequential(...(kind === 'logits' ? inner.slice(0, -1) : inner));
    const lossOf = kind === 'logits' ? nn.binaryCrossEntropyWithLogits : nn.binaryCrossEntropy;
    const loss = lossOf(model.forward(input.t.reshape(1, 4)), target.t.reshape(1, 2));
    loss.backward();
    close(loss, expected.loss, REL, 'loss');
    expected.results.forEach((want, l) => {
      const layer = linear[l] as nn.Linear;
      closeToMatrix(layer.weight.grad as Tensor, want.alpha, `∇α of layer ${l + 1}`);
      close((layer.bias as Tensor).grad as Tensor, want.beta.flat(), REL, `∇β of layer ${l + 1}`);
    });
  });
});

describe('batched, features × batch', () => {
  const [n, hidden, m] = [3, 4, 9];
  const X = parameter(830, n, m);
  const y = parameter(831, 1, m);

  test('linear regression: dL/dw = (2/m)(ŷ−y)Xᵀ, dL/db = (2/m)Σ(ŷ−y), dL/dX = wᵀ(2/m)(ŷ−y)', () => {
    const w = parameter(832, 1, n);
    const b = parameter(833, 1, 1);
    const prediction = w.t.matmul(X.t).add(b.t);
    const loss = prediction.sub(y.t).square().mean();
    const error = zip(addColumn(product(w.m, X.m), b.m), y.m, (p, t) => p - t);
    const scaled = map(error, (e) => (2 / m) * e);
    close(loss, error.flat().reduce((s, e) => s + e * e, 0) / m, REL, 'loss');
    const [dw, db, dX, dPrediction] = grad(loss, [w.t, b.t, X.t, prediction]);
    closeToMatrix(dw, product(scaled, transpose(X.m)), 'dL/dw');
    closeToMatrix(db, rowSums(scaled), 'dL/db');
    closeToMatrix(dX, product(transpose(w.m), scaled), 'dL/dX');
    closeToMatrix(dPrediction, scaled, 'dL/dŷ');
  });

  const activations = {
    relu: { of: (x: number) => Math.max(0, x), slope: (x: number) => (x > 0 ? 1 : 0) },
    sigmoid: { of: sigmoid, slope: (x: number) => sigmoid(x) * (1 - sigmoid(x)) },
    tanh: { of: Math.tanh, slope: (x: number) => 1 - Math.tanh(x) ** 2 },
  };
  test.each(['relu', 'sigmoid', 'tanh'] as const)('two layers with %s', (name) => {
    const g = activations[name];
    const W1 = parameter(834, hidden, n);
    const b1 = parameter(835, hidden, 1);
    const W2 = parameter(836, 1, hidden);
    const b2 = parameter(837, 1, 1);
    const run = (...[x, w1, c1, w2, c2]: [Tensor, Tensor, Tensor, Tensor, Tensor]) => {
      const z1 = w1.matmul(x).add(c1);
      const loss = w2.matmul(z1[name]()).add(c2).sub(y.t).square().mean();
      return [...grad(loss, [w1, c1, w2, c2, z1])] as Tensor[];
    };
    const Z1 = addColumn(product(W1.m, X.m), b1.m);
    const A1 = map(Z1, g.of);
    const dZ2 = zip(addColumn(product(W2.m, A1), b2.m), y.m, (p, t) => (2 / m) * (p - t));
    const dZ1 = zip(product(transpose(W2.m), dZ2), map(Z1, g.slope), (a, b) => a * b);
    const dW2 = product(dZ2, transpose(A1));
    const wanted = [product(dZ1, transpose(X.m)), rowSums(dZ1), dW2, rowSums(dZ2), dZ1];
    const operands = [X.t, W1.t, b1.t, W2.t, b2.t] as const;
    for (const [way, results] of Object.entries({ lazy: run(...operands), compiled: compile(run)(...operands) })) {
      wanted.forEach((want, i) => {
        closeToMatrix(results[i] as Tensor, want, `${way} d${'W1 b1 W2 b2 Z1'.split(' ')[i]}`);
      });
    }
  });
});

describe("PyTorch's Sequential example", () => {
  interface Example {
    examples: number;
    lr: number;
    scale: number;
    losses: number[];
    parameters: Record<string, Summary>;
  }
  const examples = fixture<Record<string, Example>>('sequential');

  /** y = sin(v), from the features v·scale and v²·scale. */
  function data({ examples: count, scale }: Example) {
    const v = uniform(400, count, -3, 3);
    const x = tensor(
      Float32Array.from({ length: 2 * count }, (_, i) => (v[i >> 1] as number) ** (1 + (i & 1)) * scale),
      { shape: [count, 2] },
    );
    return { x, y: tensor(Float32Array.from(v, Math.sin), { shape: [count] }) };
  }

  test.each(['design', 'lecture'])('2,000 steps, the loss and the parameters of PyTorch: %s', (name) => {
    const example = examples[name] as Example;
    const { x, y } = data(example);
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1), new nn.Flatten(0, 1));
    initialise(model, 414);
    const optimizer = new optim.SGD(model.parameters(), { lr: example.lr });
    const losses: number[] = [];
    for (let t = 0; t < 2000; t++) {
      const loss = nn.mseLoss(model.forward(x), y, { reduction: 'sum' });
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      if (t % 100 === 0 || t === 1999) losses.push(loss.item());
    }
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 10);
    losses.forEach((loss, i) => {
      close(loss, example.losses[i] as number, 1e-4, `loss of step ${100 * i}`);
    });
    for (const [path, p] of Object.entries(named(model))) closeTo(p, example.parameters[path] as Summary, 1e-4, path);
  });

  test('weight and bias of a layer, as the lecture prints them', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1), new nn.Flatten(0, 1));
    const layer = model.at(0);
    expect(layer.weight).toBeInstanceOf(Tensor);
    expect(layer.weight.shape).toEqual([3, 2]);
    expect(layer.bias?.shape).toEqual([3]);
    expect(layer.weight.requiresGrad).toBe(true);
    const x = random(840, [5, 2]);
    expect(model.forward(x).shape).toEqual([5]);
    const [w, b] = [matrix(3, 2, layer.weight.data()), (layer.bias as Tensor).data()];
    const wanted = product(matrix(5, 2, x.data()), transpose(w)).flatMap((row) =>
      row.map((v, i) => v + (b[i] as number)),
    );
    close(layer.forward(x), wanted, REL);
    expect([...layer.weight.data()].some((v) => v !== 0)).toBe(true);
  });
});
