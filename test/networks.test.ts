// Layers of networks: what they promise beside values, which the op table and PyTorch's fixtures check.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, counters, grad, manualSeed, nn, noGrad, optim, type Tensor, tensor, zeros } from '../src/index.ts';
import { loadSafetensors, saveSafetensors } from '../src/io/index.ts';
import { close, closeTo, fixture, initialise, list, random, type Summary, uniform } from './helpers.ts';

const ones = (x: Tensor) => [...x.data()].every((v) => v === 1);
/** Gradients of Σ y·c, c random. */
const pulled = (y: Tensor, ...xs: Tensor[]) => grad(y.mul(random(77, [...y.shape])).sum(), xs);

describe('batch normalisation follows PyTorch', () => {
  const expected = fixture<{ losses: number[]; state: Record<string, Summary>; logits: Summary }>('batchNorm');

  function start() {
    const model = new nn.Sequential(
      new nn.Conv2d(2, 6, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(6),
      new nn.ReLU(),
      new nn.AvgPool2d(2),
      new nn.Flatten(),
      new nn.Linear(54, 8, { bias: false }),
      new nn.BatchNorm1d(8, { momentum: null }),
      new nn.Tanh(),
      new nn.Linear(8, 3),
    );
    initialise(model, 700);
    return { model, optimizer: new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }) };
  }
  const batch = (step: number) => ({
    x: random(720 + step, [12, 2, 6, 6]),
    labels: tensor(Int32Array.from(uniform(740 + step, 12, 0, 1), (u) => u * 3)),
  });

  function check(model: nn.Module, losses: number[]): void {
    close(losses, expected.losses, 1e-4, 'losses');
    const state = model.stateDict();
    expect(Object.keys(state)).toEqual(Object.keys(expected.state));
    for (const [name, summary] of Object.entries(expected.state)) closeTo(state[name] as Tensor, summary, 1e-4, name);
    closeTo(model.eval().forward(random(760, [4, 2, 6, 6])), expected.logits, 1e-4, 'logits in evaluation');
    expect(model.stateDict()['1.num_batches_tracked']?.item()).toBe(5);
  }

  test('five steps, backward and step', () => {
    const { model, optimizer } = start();
    const losses = expected.losses.map((_, i) => {
      const { x, labels } = batch(i);
      const loss = nn.crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    check(model, losses);
  });

  test('five steps, compiled', () => {
    const { model, optimizer } = start();
    const step = compile((x: Tensor, labels: Tensor) => {
      const loss = nn.crossEntropy(model.forward(x), labels);
      optimizer.minimize(loss);
      return loss;
    });
    const losses = expected.losses.map((_, i) => step(batch(i).x, batch(i).labels).item());
    check(model, losses);
  });

  test('a compiled function follows train() and eval()', () => {
    const { model } = start();
    const forward = compile((x: Tensor) => model.forward(x));
    const { x } = batch(0);
    const trained = forward(x).data();
    const mean = model.stateDict()['1.running_mean']?.data();
    model.eval();
    const evaluated = forward(x).data();
    expect(evaluated).not.toEqual(trained);
    close(evaluated, model.forward(x), 1e-6);
    expect(model.stateDict()['1.running_mean']?.data()).toEqual(mean);
    model.train();
    close(forward(x), trained, 1e-6);
    expect(model.stateDict()['1.running_mean']?.data()).not.toEqual(mean);
  });

  test('a model goes to a file and back under PyTorch’s names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nabla-networks-'));
    try {
      const path = join(folder, 'model.safetensors');
      const { model } = start();
      model.forward(batch(0).x);
      saveSafetensors(path, model.stateDict());
      const other = start().model;
      other.loadStateDict(loadSafetensors(path));
      expect(Object.keys(loadSafetensors(path)).filter((name) => name.startsWith('1.'))).toEqual(
        ['bias', 'num_batches_tracked', 'running_mean', 'running_var', 'weight'].map((name) => `1.${name}`),
      );
      const x = batch(1).x;
      expect(other.eval().forward(x).data()).toEqual(model.eval().forward(x).data());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('BatchNorm', () => {
  test('momentum moves the running statistics; the variance is over n − 1', () => {
    const layer = new nn.BatchNorm1d(1, { momentum: 0.5 });
    layer.forward(tensor([[1], [3]]));
    expect(layer.runningMean?.toArray()).toEqual([1]);
    expect(layer.runningVar?.toArray()).toEqual([1.5]);
    layer.forward(tensor([[5], [5]]));
    expect(layer.runningMean?.toArray()).toEqual([3]);
    expect(layer.numBatchesTracked?.item()).toBe(2);
  });

  test('without a momentum they are the mean over all batches', () => {
    const layer = new nn.BatchNorm1d(1, { momentum: null });
    for (const mean of [2, 4, 9]) layer.forward(tensor([[mean - 1], [mean + 1]]));
    close(layer.runningMean as Tensor, [5], 1e-6);
    close(layer.runningVar as Tensor, [2], 1e-6);
  });

  test('without statistics it normalises by the batch in evaluation too, and has none to save', () => {
    const layer = new nn.BatchNorm1d(2, { trackRunningStats: false, affine: false }).eval();
    close(layer.forward(tensor([[1, 5], [3, 9]])), [-1, -1, 1, 1], 1e-4); // biome-ignore format: two rows
    expect(layer.stateDict()).toEqual({});
  });

  test('statistics get no gradient and no optimizer; evaluation is differentiable', () => {
    const layer = new nn.BatchNorm2d(3);
    expect(layer.namedParameters().map(([name]) => name)).toEqual(['weight', 'bias']);
    const x = tensor(random(1, [2, 3, 2, 2]).data(), { shape: [2, 3, 2, 2], requiresGrad: true });
    layer.eval().forward(x).sum().backward();
    close(x.grad as Tensor, new Array(24).fill(1 / Math.sqrt(1 + 1e-5)), 1e-6);
  });

  test('noGrad still moves them, as in PyTorch', () => {
    const layer = new nn.BatchNorm1d(1);
    noGrad(() => layer.forward(tensor([[1], [3]])));
    close(layer.runningMean as Tensor, [0.2], 1e-6);
  });

  test('a batch far from 0 loses no digits', () => {
    const near = uniform(3, 64);
    const rounded = Float32Array.from(near, (v) => Math.fround(v + 4096));
    const shifted = nn.batchNorm(tensor(rounded, { shape: [64, 1] }), { training: true });
    const exact = Float64Array.from(rounded);
    const mean = exact.reduce((a, b) => a + b, 0) / 64;
    const variance = exact.reduce((a, b) => a + (b - mean) ** 2, 0) / 64;
    close(shifted, exact.map((v) => (v - mean) / Math.sqrt(variance + 1e-5)), 1e-6); // biome-ignore format: one line
  });

  test('a constant channel gives 0; one too large for float32 to tell from noise stays finite, gradients too', () => {
    const channel = (value: number) => tensor(new Float32Array(30).fill(value), { shape: [30, 1] });
    for (const value of [0, 0.1, -1000.3]) {
      const y = nn.batchNorm(channel(value), { training: true });
      expect(list(y).every((v) => Math.abs(v) < 1e-5)).toBe(true);
    }
    // Rounding makes some of these variances negative before they are held at 0.
    for (const value of [-3e18, ...uniform(4, 200, 1e10, 1e11)]) {
      const x = channel(value);
      const y = nn.batchNorm(x, { training: true });
      for (const t of [y, pulled(y, x)[0] as Tensor]) expect(list(t).every(Number.isFinite), `${value}`).toBe(true);
    }
  });

  test('many forward passes without a step compute each layer once', () => {
    const layers = Array.from({ length: 8 }, () => [new nn.Linear(4, 4), new nn.BatchNorm1d(4)]).flat();
    const model = new nn.Sequential(...layers);
    const x = random(5, [6, 4]);
    for (let i = 0; i < 3; i++) model.forward(x);
    const { flops } = counters(() => {
      model.forward(x);
    });
    // The next pass computes all that the one before assigned, in one program: 8 products of 6×4×4.
    expect(flops).toBe(8 * 2 * 6 * 4 * 4);
  });
});

describe('groups, instances, mean squares', () => {
  test('names and shapes of their weights', () => {
    const names = (layer: nn.Module) => layer.namedParameters().map(([name, p]) => `${name} [${p.shape}]`);
    expect(names(new nn.GroupNorm(2, 4))).toEqual(['weight [4]', 'bias [4]']);
    expect(names(new nn.GroupNorm(2, 4, { affine: false }))).toEqual([]);
    expect(names(new nn.InstanceNorm1d(4))).toEqual([]);
    expect(names(new nn.InstanceNorm2d(4, { affine: true }))).toEqual(['weight [4]', 'bias [4]']);
    expect(names(new nn.RMSNorm([2, 3]))).toEqual(['weight [2,3]']);
    expect(names(new nn.RMSNorm(3, { elementwiseAffine: false }))).toEqual([]);
  });

  test('one group is layer normalisation, as many as channels is that of instances', () => {
    const x = random(8, [2, 4, 3, 5]);
    close(new nn.GroupNorm(1, 4).forward(x), nn.layerNorm(x, [4, 3, 5]), 1e-6);
    close(new nn.GroupNorm(4, 4).forward(x), new nn.InstanceNorm2d(4).forward(x), 1e-6);
  });

  test('layers of one axis and of two', () => {
    const x = random(9, [2, 4, 5]);
    close(new nn.InstanceNorm1d(4).forward(x), nn.instanceNorm(x), 1e-6);
    close(new nn.RMSNorm(5, { eps: 0.1 }).forward(x), nn.rmsNorm(x, 5, { eps: 0.1 }), 1e-6);
  });
});

describe('convolution layers', () => {
  test('have PyTorch’s weights', () => {
    const shapes = (layer: nn.Module) => layer.namedParameters().map(([name, p]) => `${name} [${p.shape}]`);
    expect(shapes(new nn.Conv1d(4, 6, 3, { groups: 2 }))).toEqual(['weight [6,2,3]', 'bias [6]']);
    expect(shapes(new nn.ConvTranspose1d(4, 6, 3, { groups: 2 }))).toEqual(['weight [4,3,3]', 'bias [6]']);
    expect(shapes(new nn.ConvTranspose2d(4, 6, [3, 2], { bias: false }))).toEqual(['weight [4,6,3,2]']);
    const bound = 1 / Math.sqrt(6 * 3 * 2);
    const { weight } = new nn.ConvTranspose2d(4, 6, [3, 2]);
    expect(Math.max(...list(weight.abs()))).toBeLessThanOrEqual(bound);
    expect(Math.max(...list(weight.abs()))).toBeGreaterThan(bound * 0.9);
  });

  test('apply their function with their options', () => {
    const x = random(1, [2, 4, 9]);
    const a = new nn.Conv1d(4, 6, 3, { padding: 'same', groups: 2 });
    close(a.forward(x), nn.conv1d(x, a.weight, { padding: 'same', groups: 2, bias: a.bias }), 0);
    expect(a.forward(x).shape).toEqual([2, 6, 9]);
    const b = new nn.ConvTranspose1d(4, 2, 4, { stride: 2, padding: 1 });
    close(b.forward(x), nn.convTranspose1d(x, b.weight, { stride: 2, padding: 1, bias: b.bias }), 0);
    const image = random(2, [1, 4, 5, 5]);
    const c = new nn.ConvTranspose2d(4, 2, 3, { stride: 2, outputPadding: 1 });
    close(c.forward(image), nn.convTranspose2d(image, c.weight, { stride: 2, outputPadding: 1, bias: c.bias }), 0);
    expect(new nn.Conv2d(4, 2, [3, 4], { padding: 'same' }).forward(image).shape).toEqual([1, 2, 5, 5]);
  });

  test('a transposed convolution is the transpose: Σ y·conv(x) = Σ x·convTranspose(y)', () => {
    const options = { stride: [2, 3], padding: [1, 0], dilation: [1, 2], groups: 2 } as const;
    const [x, w] = [random(3, [2, 4, 9, 10]), random(4, [6, 2, 3, 3])];
    const y = nn.conv2d(x, w, options);
    const g = random(5, [...y.shape]);
    const back = nn.convTranspose2d(g, w, { ...options, outputPadding: [0, 2] });
    expect(back.shape).toEqual(x.shape);
    close(g.mul(y).sum(), back.mul(x).sum(), 1e-5);
  });
});

describe('pooling', () => {
  test('where every value of a window is negative the gradient goes to the largest, never to the padding', () => {
    const x = tensor([[[[-5, -2], [-3, -4]]]]); // biome-ignore format: one image
    const options = { stride: 1, padding: 1 };
    for (const y of [nn.maxPool2d(x, 2, options), nn.maxPool2d(x, 3, options)]) {
      expect(Math.max(...list(y))).toBe(-2);
    }
    expect(grad(nn.maxPool2d(x, 2).sum(), [x])[0].data()).toEqual(Float32Array.of(0, 1, 0, 0));
    // Nine windows, all but one of which reach into the padding.
    expect(grad(nn.maxPool2d(x, 2, options).sum(), [x])[0].data()).toEqual(Float32Array.of(1, 4, 3, 1));
    const line = tensor([[[-3, -1, -2, -9]]]);
    expect(grad(nn.maxPool1d(line, 3, { padding: 1, stride: 1 }).sum(), [line])[0].data()).toEqual(
      Float32Array.of(0, 3, 1, 0),
    );
    expect(grad(nn.adaptiveMaxPool1d(line, 3).sum(), [line])[0].data()).toEqual(Float32Array.of(0, 2, 1, 0));
  });

  test('max-pooling can be differentiated twice: Σ max² has the Hessian 2 at each maximum', () => {
    const x = tensor([[[[-1, 4, 2, 2], [3, 0, 1, -5]]]]); // biome-ignore format: one image
    const [dx] = grad(nn.maxPool2d(x, 2).square().sum(), [x]);
    expect(dx.data()).toEqual(Float32Array.of(0, 8, 4, 0, 0, 0, 0, 0));
    const v = random(6, [1, 1, 2, 4]);
    const [hv] = grad(dx.mul(v).sum(), [x]);
    const taken = list(v).map((value, i) => (i === 1 || i === 2 ? 2 * value : 0));
    close(hv, taken, 1e-6);
  });

  test('a window of padding alone gives −∞ and no gradient, the second time too', () => {
    const x = tensor([[[[5]]]]);
    // Its taps stand at −1 and 1 of an axis of one element.
    const y = nn.maxPool2d(x, [1, 2], { padding: [0, 1], dilation: 2 });
    expect(y.toArray()).toEqual([[[[Number.NEGATIVE_INFINITY]]]]);
    const [dx] = grad(y.mul(x).sum(), [x]);
    expect(dx.toArray()).toEqual([[[[Number.NEGATIVE_INFINITY]]]]);
    const c = tensor([[[[2]]]]);
    const [first] = grad(y.mul(c).sum(), [x]);
    expect(first.toArray()).toEqual([[[[0]]]]);
    expect(grad(first.sum(), [c])[0].toArray()).toEqual([[[[0]]]]);
  });

  test('layers apply their functions', () => {
    const [line, image] = [random(1, [2, 3, 9]), random(2, [2, 3, 9, 8])];
    const same = (a: Tensor, b: Tensor) => expect(a.toArray()).toEqual(b.toArray());
    same(new nn.MaxPool1d(2).forward(line), nn.maxPool1d(line, 2));
    same(new nn.MaxPool2d(2, { ceilMode: true }).forward(image), nn.maxPool2d(image, 2, { ceilMode: true }));
    same(new nn.AvgPool1d(2, { stride: 1 }).forward(line), nn.avgPool1d(line, 2, { stride: 1 }));
    same(new nn.AvgPool2d([2, 3]).forward(image), nn.avgPool2d(image, [2, 3]));
    same(new nn.AdaptiveAvgPool1d(4).forward(line), nn.adaptiveAvgPool1d(line, 4));
    same(new nn.AdaptiveAvgPool2d([4, null]).forward(image), nn.adaptiveAvgPool2d(image, [4, null]));
    same(new nn.AdaptiveMaxPool1d(4).forward(line), nn.adaptiveMaxPool1d(line, 4));
    same(new nn.AdaptiveMaxPool2d(3).forward(image), nn.adaptiveMaxPool2d(image, 3));
  });

  test('a window beside NaN or ∞ does not see it', () => {
    const line = tensor([[[Number.NaN, 1, 2, Number.POSITIVE_INFINITY]]]);
    expect(nn.avgPool1d(line, 2, { stride: 1 }).toArray()).toEqual([[[Number.NaN, 1.5, Number.POSITIVE_INFINITY]]]);
  });
});

describe('interpolation', () => {
  test('the gradient of a resized image is the exact transpose', () => {
    const x = random(3, [1, 2, 5, 4]);
    for (const options of [
      { size: [9, 7] },
      { size: [2, 3] },
      { scaleFactor: 2.3, mode: 'bilinear' },
      { size: [9, 7], mode: 'bilinear', alignCorners: true },
      { size: [3, 2], mode: 'bilinear' },
    ] as const) {
      const y = nn.interpolate(x, options);
      const c = random(77, [...y.shape]);
      // y is linear in x, so Σ x·dx = Σ y·c; and an image of ones stays one.
      const [dx] = pulled(y, x) as [Tensor];
      close(x.mul(dx).sum(), y.mul(c).sum(), 1e-5);
      close(nn.interpolate(x.mul(0).add(1), options), new Array(y.size).fill(1), 1e-6);
      expect(dx.shape).toEqual(x.shape);
    }
  });

  test('nearest copies, and its gradient counts the copies', () => {
    const x = tensor([[[1, 2, 3]]]);
    expect(nn.interpolate(x, { size: 7 }).toArray()).toEqual([[[1, 1, 1, 2, 2, 3, 3]]]);
    expect(grad(nn.interpolate(x, { size: 7 }).sum(), [x])[0].toArray()).toEqual([[[3, 2, 2]]]);
    expect(grad(nn.interpolate(x, { size: 2 }).sum(), [x])[0].toArray()).toEqual([[[1, 1, 0]]]);
  });

  test('Upsample applies it; the same size passes x on', () => {
    const x = random(4, [1, 2, 3, 3]);
    const layer = new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' });
    expect(layer.forward(x).toArray()).toEqual(nn.interpolate(x, { scaleFactor: 2, mode: 'bilinear' }).toArray());
    expect(new nn.Upsample({ size: 3 }).forward(x).toArray()).toEqual(x.toArray());
  });

  test('a loop of many sizes keeps no more tables than it needs', () => {
    const x = random(5, [1, 1, 8]);
    for (let size = 1; size <= 100; size++) {
      expect(nn.interpolate(x, { size, mode: 'linear' }).shape).toEqual([1, 1, size]);
    }
    close(nn.interpolate(x, { size: 1, mode: 'linear' }), [(list(x)[3]! + list(x)[4]!) / 2], 1e-6);
  });
});

describe('dropout of channels', () => {
  test.each([
    [new nn.Dropout1d(0.4), [50, 40, 7]],
    [new nn.Dropout2d(0.4), [50, 40, 2, 3]],
  ] as const)('%s drops them whole and scales the rest', (layer, shape) => {
    manualSeed(3);
    const y = layer.forward(zeros([...shape]).add(1)).reshape(2000, -1);
    const rows = y.toArray() as number[][];
    const kept = rows.filter((row) => row[0] !== 0);
    expect(rows.every((row) => row.every((v) => v === row[0]))).toBe(true);
    expect(Math.abs(kept.length / 2000 - 0.6)).toBeLessThan(0.04);
    close(kept[0] as number[], new Array((kept[0] as number[]).length).fill(1 / 0.6), 1e-6);
    expect(ones(layer.eval().forward(zeros([...shape]).add(1)))).toBe(true);
    layer.train();
  });
});

test('dropout with p = 1 gives zeros, and no NaN goes back', () => {
  const x = nn.parameter(random(1, [2, 3, 4]));
  for (const layer of [new nn.Dropout(1), new nn.Dropout1d(1)]) {
    const y = layer.forward(x);
    expect(y.abs().sum().item()).toBe(0);
    expect(grad(y.sum(), [x])[0]?.abs().sum().item()).toBe(0);
  }
});

describe('small layers', () => {
  test('Identity, Unflatten, LogSoftmax, Softmax2d', () => {
    const x = random(1, [2, 6, 2, 2]);
    expect(new nn.Identity().forward(x)).toBe(x);
    expect(new nn.Unflatten(1, [2, 3]).forward(x).shape).toEqual([2, 2, 3, 2, 2]);
    expect(new nn.Unflatten(-3, [-1, 2]).forward(x).shape).toEqual([2, 3, 2, 2, 2]);
    close(new nn.Softmax2d().forward(x), x.softmax(1), 0);
    close(new nn.LogSoftmax(1).forward(x), x.logSoftmax(1), 0);
    close(nn.softmax(x, 1), x.softmax(1), 0);
    close(nn.logSoftmax(x), x.logSoftmax(-1), 0);
  });
});

describe('attention that sees nothing', () => {
  test('gives 0 and finite gradients, by a mask of bools and by one that is added', () => {
    const [q, k, v] = [random(1, [3, 4]), random(2, [5, 4]), random(3, [5, 2])];
    const bool = tensor([[true, false, true, false, true], new Array(5).fill(false), new Array(5).fill(true)]);
    for (const attnMask of [bool, bool.where(0, Number.NEGATIVE_INFINITY)]) {
      const y = nn.scaledDotProductAttention(q, k, v, { attnMask });
      expect((y.toArray() as number[][])[1]).toEqual([0, 0]);
      const [dq, dk, dv] = pulled(y, q, k, v) as [Tensor, Tensor, Tensor];
      expect((dq.toArray() as number[][])[1]).toEqual([0, 0, 0, 0]);
      for (const g of [dq, dk, dv]) expect(list(g).every(Number.isFinite)).toBe(true);
    }
  });
});
