// Runs one long loop on the built library, in a process of its own, and prints its memory early and late as JSON:
//   node --expose-gc test/memory.child.js <loop>
import { compile, nn, noGrad, optim, tensor } from '../build/src/index.js';
import { uniform } from './random.js';

const BATCH = 8;
const images = uniform(1, 16 * BATCH * 64);
const batch = (i) => {
  const at = (i % 64) * 16 * BATCH;
  return {
    x: tensor(images.slice(at, at + 16 * BATCH), { shape: [BATCH, 16] }),
    labels: tensor(Int32Array.from(images.subarray(at, at + BATCH), (v) => (v + 1) * 2)),
  };
};
/** A model that always starts alike. */
function make(inputs = 16, hidden = 32) {
  const model = new nn.Sequential(new nn.Linear(inputs, hidden), new nn.ReLU(), new nn.Linear(hidden, 4));
  for (const p of model.parameters()) {
    const n = p.shape.reduce((a, b) => a * b, 1);
    p.assign(tensor(uniform(n, n, -0.25, 0.25), { shape: [...p.shape] }));
  }
  return model;
}

/**
 * Memory now, garbage aside: what is left after collections is what the program holds. V8 gives empty pages back
 * from another thread, some milliseconds after; so the least of several looks.
 */
function memory() {
  const looks = Array.from({ length: 8 }, () => {
    globalThis.gc();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    return process.memoryUsage();
  });
  const least = (what) => Math.min(...looks.map((look) => look[what]));
  return Object.fromEntries(['rss', 'heapUsed', 'external', 'arrayBuffers'].map((what) => [what, least(what)]));
}

/** Calls step(i) n times, synchronously, and takes memory after `early` calls and after the last. */
function measure(n, early, step) {
  let before;
  for (let i = 0; i < n; i++) {
    step(i);
    if (i + 1 === early) before = memory();
  }
  return { before, after: memory() };
}

/** A training step with its loss and accuracy, as a user writes it, nothing freed by hand. */
function trainer(way) {
  const model = make();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const forward = ({ x, labels }) => {
    const logits = model.forward(x);
    return { loss: nn.crossEntropy(logits, labels), accuracy: nn.accuracy(logits, labels) };
  };
  const compiled = compile((x, labels) => {
    const results = forward({ x, labels });
    optimizer.minimize(results.loss);
    return results;
  });
  return (i, use = () => {}) => {
    const { x, labels } = batch(i);
    if (way === 'compiled') return compiled(x, labels);
    const results = forward({ x, labels });
    use(results.loss);
    optimizer.zeroGrad();
    results.loss.backward();
    optimizer.step();
    return results;
  };
}

/** Lets V8 compile what the loop runs: its compilers take and give back megabytes of their own. */
function warmUp(way) {
  const step = trainer(way);
  let sum = tensor(0);
  for (let i = 0; i < 3_000; i++) sum = sum.add(step(i).loss);
  return sum.item();
}

function train(way) {
  warmUp(way);
  const step = trainer(way);
  let first;
  let last;
  const result = measure(10_000, 1_000, (i) => {
    const { loss, accuracy } = step(i);
    if (i % 100 === 0) {
      last = { loss: loss.item(), accuracy: accuracy.item() };
      first ??= last;
    }
  });
  return { ...result, first, last };
}

/** total = total.add(loss) at every step, read once at the end; `expected` adds up losses read at each step. */
function total(way, when) {
  warmUp(way);
  const step = trainer(way);
  let sum = tensor(0);
  const result = measure(10_000, 1_000, (i) => {
    const add = (loss) => {
      sum = sum.add(loss);
    };
    const { loss } = when === 'before' ? step(i, add) : step(i);
    if (when === 'after') add(loss);
  });
  const again = trainer(way);
  let expected = 0;
  for (let i = 0; i < 10_000; i++) expected += again(i).loss.item();
  return { ...result, total: sum.item(), expected };
}

/** Validation: no step() ever comes; losses add up and are read at the end. */
function evaluate() {
  const model = make();
  model.eval();
  let sum = tensor(0);
  let expected = 0;
  const result = measure(2_000, 200, (i) => {
    const { x, labels } = batch(i);
    sum = noGrad(() => sum.add(nn.crossEntropy(model.forward(x), labels)));
  });
  for (let i = 0; i < 2_000; i++) expected += nn.crossEntropy(model.forward(batch(i).x), batch(i).labels).item();
  return { ...result, total: sum.item(), expected };
}

/** A thousand models of 0.8 MB with Adam's moments, each trained a step and dropped. */
function models(way) {
  const x = tensor(uniform(2, 8 * 256), { shape: [8, 256] });
  const labels = tensor(Int32Array.of(0, 1, 2, 3, 3, 2, 1, 0));
  const losses = [];
  const result = measure(1_000, 100, () => {
    const model = make(256, 256);
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
    const lossOf = () => nn.crossEntropy(model.forward(x), labels);
    if (way === 'compiled') {
      const step = compile(() => {
        const loss = lossOf();
        optimizer.minimize(loss);
        return loss;
      });
      losses.push(step().item());
    } else {
      const loss = lossOf();
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
  });
  return { ...result, finite: losses.filter(Number.isFinite).length };
}

const LOOPS = {
  'train backward': () => train('backward'),
  'train compiled': () => train('compiled'),
  'total before': () => total('backward', 'before'),
  'total after': () => total('backward', 'after'),
  'total compiled': () => total('compiled', 'after'),
  evaluate,
  'models backward': () => models('backward'),
  'models compiled': () => models('compiled'),
};
console.log(JSON.stringify(LOOPS[process.argv[2]]()));
