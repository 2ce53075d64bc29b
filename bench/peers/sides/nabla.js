// nabla, as any user would use the built package: every call is one compiled program; results stay in variables.
import { readFileSync } from 'node:fs';
import { compile, grad, nn, optim, state, tensor, zeros } from '../../../build/nabla/index.js';
import { batchSource } from '../data.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

export const start = () => ({ version, kinds });

const toTensor = ({ elements, shape }) => tensor(elements, { shape });
/** Elements that stay in the kernels' memory, as a model's parameters do. */
const resident = (array) => nn.parameter(toTensor(array));

/** Runs `fn` as one program and leaves each tensor it returns in a variable of its own. */
function keeping(shapes, fn) {
  const kept = shapes.map((shape) => state(zeros(shape)));
  const run = compile(() => {
    fn().forEach((y, i) => {
      kept[i].assign(y);
    });
  });
  return { step: () => run(), result: () => kept.map((y) => y.data()) };
}

// ---- kernels

function product({ n, transpose }, data) {
  const [a, b] = [resident(data.a), resident(data.b)];
  return keeping([[n, n]], () => [(transpose === 'a' ? a.T : a).matmul(transpose === 'b' ? b.T : b)]);
}

function convolution(_, data) {
  const [x, w] = [resident(data.x), resident(data.w)];
  return keeping([data.dy.shape], () => [nn.conv2d(x, w, { padding: 1 })]);
}

function convolutionGradients(_, data) {
  const [x, w, dy] = [resident(data.x), resident(data.w), resident(data.dy)];
  return keeping([data.dy.shape, data.x.shape, data.w.shape], () => {
    const y = nn.conv2d(x, w, { padding: 1 });
    return [y, ...grad(y.mul(dy).sum(), [x, w])];
  });
}

function crossEntropy(_, data) {
  const logits = resident(data.logits);
  const y = toTensor(data.y);
  return keeping([[], data.logits.shape], () => {
    const loss = nn.crossEntropy(logits, y);
    return [loss, ...grad(loss, [logits])];
  });
}

const functions = {
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  relu: (x) => x.relu(),
  gelu: (x) => x.gelu({ approximate: 'tanh' }),
};

function elementwise({ fn }, data) {
  const [x, dy] = [resident(data.x), resident(data.dy)];
  return keeping([data.x.shape, data.x.shape], () => {
    const y = functions[fn](x);
    return [y, ...grad(y.mul(dy).sum(), [x])];
  });
}

// ---- classifiers

function mlpModel(parameters) {
  const weights = parameters.filter(({ shape }) => shape.length === 2);
  const layers = weights.flatMap(({ shape: [out, inputs] }) => [new nn.Linear(inputs, out), new nn.ReLU()]);
  return filled(new nn.Sequential(...layers.slice(0, -1)), parameters);
}

function cnnModel(parameters) {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(512, 10),
  );
  return filled(model, parameters);
}

function filled(model, parameters) {
  model.parameters().forEach((p, i) => {
    p.assign(toTensor(parameters[i]));
  });
  return model;
}

const training = (makeModel) => (workload, data) => {
  const model = makeModel(data.parameters);
  const optimizer = new optim.SGD(model.parameters(), { lr: workload.lr });
  const batch = batchSource(data.batches, ({ x, y }) => [toTensor(x), toTensor(y)], workload.careless);
  const job = learning(model, optimizer, batch);
  if (!workload.careless) return job;
  return { ...job, step: (i) => job.step(i).item() };
};

/** A job whose step i trains on `batch(i)`, inputs and labels. */
function learning(model, optimizer, batch) {
  const train = compile((x, y) => {
    const loss = nn.crossEntropy(model.forward(x), y);
    optimizer.minimize(loss);
    return loss;
  });
  let loss;
  const step = (i) => {
    loss = train(...batch(i));
    return loss;
  };
  return { step, result: () => [loss.data()] };
}

/** From plain numbers to plain numbers. */
const inference = (makeModel) => (_, data) => {
  const model = makeModel(data.parameters);
  const forward = compile((x) => model.forward(x));
  let logits;
  return {
    step: () => {
      logits = forward(toTensor(data.x)).data();
    },
    result: () => [logits],
  };
};

// ---- the transformer block

/** x [batch, length, width] → logits [batch · length, classes]. */
class Block extends nn.Module {
  constructor({ width, heads, hidden, classes, normEps: eps }) {
    super();
    this.norm1 = new nn.LayerNorm(width, { eps });
    this.attention = new nn.MultiheadAttention(width, heads);
    this.norm2 = new nn.LayerNorm(width, { eps });
    this.up = new nn.Linear(width, hidden);
    this.down = new nn.Linear(hidden, width);
    this.norm3 = new nn.LayerNorm(width, { eps });
    this.head = new nn.Linear(width, classes, { bias: false });
  }

  forward(x) {
    const h = x.add(this.attention.forward(this.norm1.forward(x), { isCausal: true }));
    const h2 = h.add(this.down.forward(functions.gelu(this.up.forward(this.norm2.forward(h)))));
    const logits = this.head.forward(this.norm3.forward(h2));
    return logits.flatten(0, 1);
  }
}

function transformer(workload, data) {
  const layers = Object.values(data.parameters).flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight]));
  const block = filled(new Block(workload), layers);
  const [x, y] = [toTensor(data.x), toTensor(data.y)];
  return learning(block, new optim.Adam(block.parameters(), workload.adam), () => [x, y]);
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
