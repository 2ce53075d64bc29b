// TensorFlow.js on its WebAssembly backend: core operations, NHWC, labels as one-hot rows. Importing tfjs-core alone
// would register no gradients. In Node the backend has no threads.
import { createRequire } from 'node:module';
import { batchSource, oneHot, permute } from '../data.js';

const require = createRequire(import.meta.url);
let tf;

export async function start() {
  tf = require('@tensorflow/tfjs');
  require('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend('wasm'))) throw new Error('setBackend("wasm") returned false');
  return { version: tf.version.tfjs, kinds };
}

const toTensor = ({ elements, shape }) => tf.tensor(elements, shape);
const toNhwc = (images) => permute(images, [0, 2, 3, 1]);
const toHwio = (kernel) => permute(kernel, [2, 3, 1, 0]);
/** NHWC images back in NCHW order, or an HWIO kernel in OIHW. */
const fromNhwc = (y) => permute({ elements: y.dataSync(), shape: y.shape }, [0, 3, 1, 2]).elements;
const fromHwio = (w) => permute({ elements: w.dataSync(), shape: w.shape }, [3, 2, 0, 1]).elements;

/** A job whose step i computes `fn(i)`, a list of tensors, and frees what the last one left. */
function computing(fn, read = (y) => y.map((t) => t.dataSync())) {
  let last = [];
  return {
    step: (i) => {
      tf.dispose(last);
      last = tf.tidy(() => fn(i));
    },
    result: () => read(last),
  };
}

// ---- kernels

function product({ transpose }, data) {
  const [a, b] = [toTensor(data.a), toTensor(data.b)];
  return computing(() => [tf.matMul(a, b, transpose === 'a', transpose === 'b')]);
}

function convolution(_, data) {
  const [x, w] = [toTensor(toNhwc(data.x)), toTensor(toHwio(data.w))];
  return computing(
    () => [tf.conv2d(x, w, 1, 'same')],
    ([y]) => [fromNhwc(y)],
  );
}

function convolutionGradients(_, data) {
  const [x, w, dy] = [toTensor(toNhwc(data.x)), toTensor(toHwio(data.w)), toTensor(toNhwc(data.dy))];
  const both = valueAndGradients((a, b) => tf.conv2d(a, b, 1, 'same'), [x, w], dy);
  return computing(both, ([y, dx, dw]) => [fromNhwc(y), fromNhwc(dx), fromHwio(dw)]);
}

function crossEntropy({ classes }, data) {
  const [logits, y] = [toTensor(data.logits), toTensor(oneHot(data.y, classes))];
  return computing(valueAndGradients((z) => tf.losses.softmaxCrossEntropy(y, z), [logits]));
}

function elementwise({ fn }, data) {
  const [x, dy] = [toTensor(data.x), toTensor(data.dy)];
  return computing(valueAndGradients(fn === 'gelu' ? gelu : tf[fn], [x], dy));
}

function valueAndGradients(fn, inputs, dy) {
  const run = tf.valueAndGrads(fn);
  return () => {
    const { value, grads } = run(inputs, dy);
    return [value, ...grads];
  };
}

function gelu(x) {
  const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

// ---- classifiers

const dense = (a, [kernel, bias], activation = 'linear') => tf.fused.matMul({ a, b: kernel, bias, activation });
const conv = (x, [filter, bias]) => tf.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias, activation: 'relu' });

/** Parameters in pairs of weight and bias. */
function pairs(parameters, layouts) {
  return layouts.map((layout, i) => [
    tf.variable(toTensor(layout(parameters[2 * i]))),
    tf.variable(toTensor(parameters[2 * i + 1])),
  ]);
}

const toColumns = (weight) => permute(weight, [1, 0]);

function mlpModel(parameters) {
  const layers = pairs(parameters, Array(parameters.length / 2).fill(toColumns));
  const forward = (x) => layers.reduce((h, p, i) => dense(h, p, i < layers.length - 1 ? 'relu' : 'linear'), x);
  return { forward, toInput: (x) => x };
}

/** The last layer's columns stand in the order of an NHWC image. */
function cnnModel(parameters) {
  const toLinear = ({ elements }) => {
    const { elements: rows } = permute({ elements, shape: [10, 32, 4, 4] }, [2, 3, 1, 0]);
    return { elements: rows, shape: [512, 10] };
  };
  const [first, second, last] = pairs(parameters, [toHwio, toHwio, toLinear]);
  const forward = (x) => {
    const h = tf.maxPool(conv(x, first), 2, 2, 'valid');
    const h2 = tf.maxPool(conv(h, second), 2, 2, 'valid');
    return dense(h2.reshape([-1, 512]), last);
  };
  return { forward, toInput: toNhwc };
}

const training = (makeModel) => (workload, data) => {
  const { forward, toInput } = makeModel(data.parameters);
  const optimizer = tf.train.sgd(workload.lr);
  const make = ({ x, y }) => ({ x: toTensor(toInput(x)), y: toTensor(oneHot(y, workload.classes)) });
  const batch = batchSource(data.batches, make, workload.careless);
  const train = ({ x, y }) => optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward(x)), true);
  if (workload.careless) return { step: (i) => train(batch(i)).dataSync(), result: () => [] };
  return computing((i) => [train(batch(i))]);
};

const inference = (makeModel) => (_, data) => {
  const { forward, toInput } = makeModel(data.parameters);
  const x = toInput(data.x);
  let logits;
  const step = () => {
    logits = tf.tidy(() => forward(toTensor(x)).dataSync());
  };
  return { step, result: () => [logits] };
};

// ---- the transformer block

function transformer(workload, data) {
  const { batch, length, width, classes, adam } = workload;
  const toLayer = ({ weight, bias }) => ({
    weight: tf.variable(toTensor(weight.shape.length === 2 ? toColumns(weight) : weight)),
    bias: bias && tf.variable(toTensor(bias)),
  });
  const layers = Object.fromEntries(Object.entries(data.parameters).map(([name, p]) => [name, toLayer(p)]));
  const [x, y] = [toTensor({ ...data.x, shape: [batch * length, width] }), toTensor(oneHot(data.y, classes))];
  const logits = block(workload, layers);
  const optimizer = tf.train.adam(adam.lr, ...adam.betas, adam.eps);
  return computing(() => [optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)), true)]);
}

/** From x [tokens, width] to logits. */
function block({ batch, length, width, heads, normEps }, p) {
  const future = tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)).mul(-1e9);
  const norm = (x, { weight, bias }) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(normEps).rsqrt()).mul(weight).add(bias);
  };
  const linear = (x, { weight, bias }) => (bias ? x.matMul(weight).add(bias) : x.matMul(weight));
  const toHeads = (x) => x.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
  const attention = (x) => {
    const [q, k, v] = tf.split(linear(x, p.qkv), 3, 1).map(toHeads);
    const scores = q.matMul(k, false, true).mul(1 / Math.sqrt(width / heads));
    const mixed = scores.add(future).softmax().matMul(v);
    return linear(mixed.transpose([0, 2, 1, 3]).reshape([batch * length, width]), p.out);
  };
  return (x) => {
    const h = x.add(attention(norm(x, p.norm1)));
    const h2 = h.add(linear(gelu(linear(norm(h, p.norm2), p.up)), p.down));
    return linear(norm(h2, p.norm3), p.head);
  };
}

const kinds = {
  product,
  convolution,
  convolutionGradients,
  crossEntropy,
  elementwise,
  mlp: training(mlpModel),
  cnn: training(cnnModel),
  mlpInference: inference(mlpModel),
  cnnInference: inference(cnnModel),
  transformer,
};
