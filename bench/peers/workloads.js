// What is measured. A workload is plain JSON: what a side of any language needs to make its data, do its calls and
// show its result. Names are PyTorch's: linear weights [out, in], images [N, C, H, W], kernels [O, I, KH, KW].
import { constant, labels, uniform, weights } from './data.js';

/**
 * @typedef {object} Workload
 * @property {string} id which of the goals it belongs to
 * @property {string} name
 * @property {string} kind the function of a side that makes it
 * @property {string} unit
 * @property {number} amount how many units one call does
 * @property {number | null} flops multiplications and additions of one call; null if memory bounds it
 * @property {number} checkCalls calls after which every side must show the same result
 * @property {number} tolerance largest difference from nabla's result, relative to the result's largest element
 * @property {object} data descriptions of arrays, see data.js
 */

/** float32 sums of some hundred terms in another order differ by about 1e-6. */
const ONE_CALL = { checkCalls: 1, tolerance: 1e-5 };
/** A ReLU whose input rounds to either side of 0 sends sides apart: by 8e-6 after 5 steps of W2, by 2e-4 after 20. */
const TRAINING = { checkCalls: 5, tolerance: 5e-5 };

const gemmFlops = (...sizes) => 2 * sizes.reduce((a, b) => a * b, 1);
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// ---- W1: products of square matrices

function product(name, n, transpose = null) {
  const flops = gemmFlops(n, n, n);
  const data = { a: uniform(101, [n, n]), b: uniform(102, [n, n]) };
  const work = { kind: 'product', n, transpose, data };
  return { id: 'W1', name, ...work, unit: 'GFLOP/s', amount: flops / 1e9, flops, ...ONE_CALL };
}

// ---- W2, W3, W7: classifiers with ReLU, trained with plain SGD or asked for their logits

const LR = 0.1;

function mlp(...sizes) {
  const pairs = sizes.slice(1).map((out, i) => [sizes[i], out]);
  return {
    input: [sizes[0]],
    parameters: pairs.flatMap(([inputs, out], i) => [
      weights(200 + i, [out, inputs], inputs),
      weights(220 + i, [out], inputs),
    ]),
    layerFlops: pairs.map(([inputs, out]) => gemmFlops(inputs, out)),
  };
}

/** conv 5×5×16, ReLU, pool 2, conv 5×5×32, ReLU, pool 2, linear 10; no padding: 28 → 24 → 12 → 8 → 4. */
function cnn() {
  return {
    input: [1, 28, 28],
    parameters: [
      weights(500, [16, 1, 5, 5], 25),
      weights(501, [16], 25),
      weights(502, [32, 16, 5, 5], 400),
      weights(503, [32], 400),
      weights(504, [10, 512], 512),
      weights(505, [10], 512),
    ],
    layerFlops: [gemmFlops(24, 24, 16, 25), gemmFlops(8, 8, 32, 400), gemmFlops(512, 10)],
  };
}

/** Each layer's product once forward and once for each gradient; nobody asks for the images' gradient. */
const trainingFlops = ([first, ...rest]) => 2 * first + 3 * sum(rest);

function train(id, name, kind, model, { batch, batches, unit = 'samples/s' }) {
  const { input, parameters, layerFlops } = model;
  const data = {
    parameters,
    batches: Array.from({ length: batches }, (_, i) => ({
      x: uniform(300 + i, [batch, ...input], 0, 1),
      y: labels(400 + i, batch, 10),
    })),
  };
  const flops = batch * trainingFlops(layerFlops);
  return { id, name, kind, lr: LR, classes: 10, data, unit, amount: batch, flops, ...TRAINING };
}

function infer(name, kind, model, batch) {
  const { input, parameters, layerFlops } = model;
  const data = { parameters, x: uniform(300, [batch, ...input], 0, 1) };
  return { id: 'W7', name, kind, data, unit: 'samples/s', amount: batch, flops: batch * sum(layerFlops), ...ONE_CALL };
}

// ---- W4: one convolution, 3×3, 64 → 64 channels, 32×32, batch 16

function convolution(name, kind, passes) {
  const flops = passes * gemmFlops(16, 32, 32, 64, 64, 9);
  const data = {
    x: uniform(600, [16, 64, 32, 32]),
    w: weights(601, [64, 64, 3, 3], 64 * 9),
    dy: uniform(602, [16, 64, 32, 32]),
  };
  return { id: 'W4', name, kind, data, unit: 'GFLOP/s', amount: flops / 1e9, flops, ...ONE_CALL };
}

// ---- W5, W6: a loss and functions of each element, with their gradients

function crossEntropy(rows, classes) {
  const data = { logits: uniform(700, [rows, classes], -4, 4), y: labels(701, rows, classes) };
  const name = `softmax cross-entropy [${rows}, ${classes}], forward + backward`;
  return {
    id: 'W5',
    name,
    kind: 'crossEntropy',
    classes,
    data,
    unit: 'rows/s',
    amount: rows,
    flops: null,
    ...ONE_CALL,
  };
}

function elementwise(fn) {
  const n = 2 ** 20;
  const data = { x: uniform(800, [n], -4, 4), dy: uniform(801, [n]) };
  const name = `${fn} of 1 M, forward + backward`;
  return { id: 'W6', name, kind: 'elementwise', fn, data, unit: 'Melem/s', amount: n / 1e6, flops: null, ...ONE_CALL };
}

// ---- W8: a pre-norm transformer block with causal attention, and a head; Adam

function transformer({ batch, length, width, heads, hidden, classes }) {
  const [one, zero] = [(n) => constant(1, n), (n) => constant(0, n)];
  const linear = (seed, out, inputs) => weights(seed, [out, inputs], inputs);
  const tokens = batch * length;
  const products = tokens * (gemmFlops(width, 4 * width) + gemmFlops(width, 2 * hidden) + gemmFlops(width, classes));
  const attention = 2 * gemmFlops(batch, length, length, width);
  return {
    id: 'W8',
    name: 'transformer block, batch 8 × 128 tokens, width 128, Adam',
    kind: 'transformer',
    ...{ batch, length, width, heads, hidden, classes },
    adam: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 },
    normEps: 1e-5,
    data: {
      x: uniform(910, [batch, length, width]),
      y: labels(911, tokens, classes),
      parameters: {
        norm1: { weight: one(width), bias: zero(width) },
        qkv: { weight: linear(900, 3 * width, width), bias: zero(3 * width) },
        out: { weight: linear(901, width, width), bias: zero(width) },
        norm2: { weight: one(width), bias: zero(width) },
        up: { weight: linear(902, hidden, width), bias: zero(hidden) },
        down: { weight: linear(903, width, hidden), bias: zero(width) },
        norm3: { weight: one(width), bias: zero(width) },
        head: { weight: linear(904, classes, width) },
      },
    },
    unit: 'tokens/s',
    amount: tokens,
    flops: 3 * (products + attention),
    ...TRAINING,
  };
}

const classifier = mlp(784, 256, 128, 10);

/** @type {Workload[]} What is timed, side by side. */
export const workloads = [
  ...[64, 256, 512, 1024].map((n) => product(`GEMM n = ${n}`, n)),
  product('A·Bᵀ n = 256', 256, 'b'),
  product('Aᵀ·B n = 256', 256, 'a'),
  train('W2', 'MLP 784-256-128-10, batch 64, SGD', 'mlp', classifier, { batch: 64, batches: 16 }),
  train('W2b', 'MLP 784-32-10, batch 1, SGD', 'mlp', mlp(784, 32, 10), { batch: 1, batches: 64, unit: 'steps/s' }),
  train('W3', 'CNN, batch 64, SGD', 'cnn', cnn(), { batch: 64, batches: 4 }),
  convolution('3×3 convolution 64 → 64, forward', 'convolution', 1),
  convolution('3×3 convolution 64 → 64, forward + both gradients', 'convolutionGradients', 3),
  crossEntropy(1024, 10),
  crossEntropy(256, 32_000),
  ...['tanh', 'gelu', 'sigmoid', 'relu'].map(elementwise),
  ...[1, 64].map((batch) => infer(`MLP inference, batch ${batch}`, 'mlpInference', classifier, batch)),
  ...[1, 64].map((batch) => infer(`CNN inference, batch ${batch}`, 'cnnInference', cnn(), batch)),
  transformer({ batch: 8, length: 128, width: 128, heads: 4, hidden: 512, classes: 64 }),
];

/** @type {Workload[]} Loops as a newcomer writes them: a fresh batch and a look at the loss each step; see fresh.js. */
export const memoryLoops = [
  train('W9', 'memory, MLP loop', 'mlp', classifier, { batch: 64, batches: 16 }),
  train('W9', 'memory, CNN loop', 'cnn', cnn(), { batch: 64, batches: 4 }),
].map((loop) => ({ ...loop, careless: true, checkCalls: 1 }));

/** @type {Workload} From the start of a process to the end of its first step. */
export const firstStep = {
  ...train('W10', 'process start to first step', 'mlp', classifier, { batch: 64, batches: 1 }),
  checkCalls: 1,
};
