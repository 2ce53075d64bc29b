// onnxruntime-web: inference only, on models written here. Outputs come back as JavaScript arrays.
import { createRequire } from 'node:module';
import { onnxModel } from '../onnx.js';

const require = createRequire(import.meta.url);
let ort;
let threads;

export function start(count) {
  ort = require('onnxruntime-web');
  threads = count;
  ort.env.wasm.numThreads = threads;
  return { version: ort.env.versions.common, kinds, lacks: 'onnxruntime-web has no API for training' };
}

const toTensor = ({ elements, shape }) => new ort.Tensor('float32', elements, shape);

/** A job that runs a model on inputs made by `feeds()` at each step. */
async function running(operators, inputs, constants, feeds) {
  const session = await ort.InferenceSession.create(onnxModel(operators, inputs, constants), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
  });
  const { output } = operators.at(-1);
  let last;
  const step = async () => {
    last = (await session.run(feeds()))[output].data;
  };
  return { step, result: () => [last] };
}

function product({ n, transpose }, data) {
  const feeds = { a: toTensor(data.a), b: toTensor(data.b) };
  const ints = { transA: Number(transpose === 'a'), transB: Number(transpose === 'b') };
  const gemm = { op: 'Gemm', inputs: ['a', 'b'], output: 'c', ints };
  return running([gemm], { a: [n, n], b: [n, n] }, {}, () => feeds);
}

function convolution(_, data) {
  const feeds = { x: toTensor(data.x) };
  const conv = { op: 'Conv', inputs: ['x', 'w'], output: 'y', ints: { pads: [1, 1, 1, 1] } };
  return running([conv], { x: data.x.shape }, { w: data.w }, () => feeds);
}

/** A chain of operators on x; those with parameters take the next weight and bias of the list. */
const chain = (makeOperators) => (_, data) => {
  const constants = Object.fromEntries(data.parameters.map((p, i) => [`p${i}`, p]));
  let used = 0;
  const operators = makeOperators(data.parameters).map(([op, ints], i) => {
    const weights = op === 'Gemm' || op === 'Conv' ? [`p${used++}`, `p${used++}`] : [];
    return { op, ints, inputs: [`y${i}`, ...weights], output: `y${i + 1}` };
  });
  return running(operators, { y0: data.x.shape }, constants, () => ({ y0: toTensor(data.x) }));
};

const linear = ['Gemm', { transB: 1 }];
const pool = ['MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }];
const mlp = (parameters) => parameters.slice(0, -2).flatMap((p) => (p.shape.length === 2 ? [linear, ['Relu']] : []));
const cnn = () => [['Conv'], ['Relu'], pool, ['Conv'], ['Relu'], pool, ['Flatten'], linear];

const kinds = {
  product,
  convolution,
  mlpInference: chain((parameters) => [...mlp(parameters), linear]),
  cnnInference: chain(cnn),
};
