// jax-js on its WebAssembly backend: `jit` around the whole step, as it recommends. Arrays count their uses: one that
// is used again is passed as `.ref`. In Node it has no threads.
import { readFileSync } from 'node:fs';
import * as jax from '@jax-js/jax';
import { batchSource, oneHot, permute } from '../data.js';

const { jit, lax, nn, numpy: np, tree, valueAndGrad, vjp } = jax;

export async function start() {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  const manifest = new URL('../node_modules/@jax-js/jax/package.json', import.meta.url);
  return { version: JSON.parse(readFileSync(manifest, 'utf8')).version, kinds };
}

const toArray = ({ elements, shape }) => np.array(elements).reshape(shape);
const refs = (arrays) => tree.ref(arrays);

/** A job whose step i computes `fn(i)`, a list of arrays, to the end and frees what the last one left. */
function computing(fn) {
  let last = [];
  const step = async (i) => {
    tree.dispose(last);
    last = fn(i);
    await jax.blockUntilReady(last);
  };
  return { step, result: () => Promise.all(refs(last).map((array) => array.data())) };
}

// ---- kernels

function product({ transpose }, data) {
  const [a, b] = [toArray(data.a), toArray(data.b)];
  const t = np.matrixTranspose;
  const run = jit((x, y) => np.matmul(transpose === 'a' ? t(x) : x, transpose === 'b' ? t(y) : y));
  return computing(() => [run(a.ref, b.ref)]);
}

const conv = (x, w, padding) => lax.conv(x, w, [1, 1], padding);

function convolution(_, data) {
  const [x, w] = [toArray(data.x), toArray(data.w)];
  const run = jit((a, b) => conv(a, b, 'SAME'));
  return computing(() => [run(x.ref, w.ref)]);
}

function convolutionGradients(_, data) {
  return valueAndGradients((x, w) => conv(x, w, 'SAME'), [toArray(data.x), toArray(data.w)], toArray(data.dy));
}

/** y = fn(inputs) and dy sent back through it. */
function valueAndGradients(fn, inputs, dy) {
  const run = jit((xs, d) => {
    const [y, back] = vjp(fn, xs);
    return [y, ...back(d)];
  });
  return computing(() => run(refs(inputs), dy.ref));
}

/** Mean over the rows; y is one-hot. */
const crossEntropyOf = (logits, y) => np.sum(nn.logSoftmax(logits).mul(y)).mul(-1 / y.shape[0]);

function crossEntropy({ classes }, data) {
  const [logits, y] = [toArray(data.logits), toArray(oneHot(data.y, classes))];
  const run = jit(valueAndGrad(crossEntropyOf));
  return computing(() => run(logits.ref, y.ref));
}

const functions = { tanh: np.tanh, sigmoid: nn.sigmoid, relu: nn.relu, gelu };

function gelu(x) {
  const inner = x.ref.add(x.ref.mul(x.ref).mul(x.ref).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(np.tanh(inner).add(1));
}

function elementwise({ fn }, data) {
  return valueAndGradients(functions[fn], [toArray(data.x)], toArray(data.dy));
}

// ---- classifiers

const toColumns = (weight) => permute(weight, [1, 0]);
const linear = (x, [weight, bias]) => np.matmul(x, weight).add(bias);

/** Parameters in pairs of weight and bias. */
const pairs = (parameters, layout) =>
  Array.from({ length: parameters.length / 2 }, (_, i) =>
    layout(parameters[2 * i], parameters[2 * i + 1]).map(toArray),
  );

function mlpModel(parameters) {
  const layers = pairs(parameters, (weight, bias) => [toColumns(weight), bias]);
  const forward = (p, x) => p.reduce((h, layer, i) => (i === 0 ? linear(h, layer) : linear(nn.relu(h), layer)), x);
  return { layers, forward };
}

function cnnModel(parameters) {
  const layers = pairs(parameters, (weight, bias) =>
    weight.shape.length === 4 ? [weight, { ...bias, shape: [1, ...bias.shape, 1, 1] }] : [toColumns(weight), bias],
  );
  const forward = ([first, second, last], x) => {
    const block = (h, [w, b]) => pool2(nn.relu(conv(h, w, 'VALID').add(b)));
    return linear(block(block(x, first), second).reshape([-1, 512]), last);
  };
  return { layers, forward };
}

/** Largest of each 2×2 window of x [N,C,H,W]. */
function pool2(x) {
  const [n, c, h, w] = x.shape;
  return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

const training = (makeModel) => (workload, data) => {
  const { layers, forward } = makeModel(data.parameters);
  const make = ({ x, y }) => [toArray(x), toArray(oneHot(y, workload.classes))];
  const batch = batchSource(data.batches, make, workload.careless);
  const lossOf = (p, x, y) => crossEntropyOf(forward(p, x), y);
  const update = (p, x, y) => {
    const [loss, gradients] = valueAndGrad(lossOf)(refs(p), x, y);
    return [tree.map((a, d) => a.sub(d.mul(workload.lr)), p, gradients), loss];
  };
  const job = learning(layers, update, workload.careless ? batch : (i) => refs(batch(i)));
  if (!workload.careless) return job;
  return { ...job, step: (i) => job.step(i).then(job.result) };
};

/** A job whose step i replaces `state`, a tree of arrays, by what `update(state, ...inputs(i))` gives beside the loss. */
function learning(state, update, inputs) {
  const run = jit(update);
  let newest = state;
  let loss = np.array(0);
  const step = (i) => {
    loss.dispose();
    [newest, loss] = run(newest, ...inputs(i));
    return jax.blockUntilReady([newest, loss]);
  };
  return { step, result: async () => [await loss.ref.data()] };
}

const inference = (makeModel) => (_, data) => {
  const { layers, forward } = makeModel(data.parameters);
  const run = jit(forward);
  let logits;
  const step = async () => {
    logits = await run(refs(layers), toArray(data.x)).data();
  };
  return { step, result: () => [logits] };
};

// ---- the transformer block

function transformer(workload, data) {
  const { batch, length, width, classes, adam } = workload;
  const toLayer = (layer) => Object.values(layer).map((p) => toArray(p.shape.length === 2 ? toColumns(p) : p));
  const parameters = Object.fromEntries(Object.entries(data.parameters).map(([name, p]) => [name, toLayer(p)]));
  const x = toArray({ ...data.x, shape: [batch * length, width] });
  const y = toArray(oneHot(data.y, classes));
  const future = np.triu(np.ones([length, length]), 1).mul(-1e9);
  const moments = () => tree.map((array) => np.zeros(array.shape), parameters);
  return learning([parameters, moments(), moments()], adamUpdate(blockLoss(workload), adam), (i) => [
    ...adam.betas.map((beta) => np.array(1 / (1 - beta ** (i + 1)))),
    ...refs([x, y, future]),
  ]);
}

/** The loss of the block as a function of its parameters, x [tokens, width], one-hot labels and the mask. */
function blockLoss({ batch, length, width, heads, normEps }) {
  const perHead = width / heads;
  const norm = (x, [weight, bias]) => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    const normal = centred.div(np.sqrt(variance.add(normEps)));
    return normal.mul(weight).add(bias);
  };
  const toHeads = (x) => np.transpose(x.reshape([batch, length, heads, perHead]), [0, 2, 1, 3]);
  const attention = (x, p, mask) => {
    const [q, k, v] = np.split(linear(x, p.qkv), 3, 1).map(toHeads);
    const scores = np.matmul(q, np.matrixTranspose(k)).mul(1 / Math.sqrt(perHead));
    const mixed = np.matmul(nn.softmax(scores.add(mask), -1), v);
    return linear(np.transpose(mixed, [0, 2, 1, 3]).reshape([batch * length, width]), p.out);
  };
  return (p, x, y, mask) => {
    const h = x.ref.add(attention(norm(x, p.norm1), p, mask));
    const h2 = h.ref.add(linear(gelu(linear(norm(h, p.norm2), p.up)), p.down));
    return crossEntropyOf(np.matmul(norm(h2, p.norm3), p.head[0]), y);
  };
}

/** scale1 and scale2 correct the bias of the moments: 1/(1 − βᵗ). */
function adamUpdate(lossOf, { lr, eps, betas: [beta1, beta2] }) {
  return ([p, m, v], scale1, scale2, ...inputs) => {
    const [loss, gradients] = valueAndGrad(lossOf)(refs(p), ...inputs);
    const m2 = tree.map((a, g) => a.mul(beta1).add(g.mul(1 - beta1)), m, refs(gradients));
    const v2 = tree.map((a, g) => a.mul(beta2).add(np.square(g).mul(1 - beta2)), v, gradients);
    const move = (a, mean, square) => {
      const spread = np.sqrt(square.mul(scale2.ref)).add(eps);
      return a.sub(mean.mul(scale1.ref).mul(lr).div(spread));
    };
    const p2 = tree.map(move, p, refs(m2), refs(v2));
    tree.dispose([scale1, scale2]);
    return [[p2, m2, v2], loss];
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
