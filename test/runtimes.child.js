// A child of runtimes.test.ts: trains as a user's script would, on the package as it is installed. The argument is the
// number of steps; the last line of stdout is a report as JSON.
import { compile, manualSeed, nn, optim, randn, tensor } from '../build/nabla/index.js';

const STEPS = Number(process.argv[2]);
const LOSSES = 20;

// Counts the programs that ran on several threads: what the kernels export as `share`.
let shared = 0;
const { Instance } = WebAssembly;
WebAssembly.Instance = class {
  constructor(module, imports) {
    const { exports } = new Instance(module, imports);
    const share = (...args) => {
      shared++;
      return exports.share(...args);
    };
    this.exports = { ...exports, share };
  }
};

manualSeed(1);
const model = new nn.Sequential(new nn.Linear(784, 32), new nn.ReLU(), new nn.Linear(32, 10));
const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
const step = compile((x, labels) => {
  const loss = nn.crossEntropy(model.forward(x), labels);
  optimizer.minimize(loss);
  return loss;
});
const pixels = randn([64, 784]).data();
const digits = Int32Array.from({ length: 64 }, (_, i) => i % 10);
const rss = () => process.memoryUsage().rss;

const losses = [];
let early = 0;
for (let i = 0; i < STEPS; i++) {
  // 0.2 MB a step: 400 MB after 2,000 of them, were they kept.
  const loss = step(tensor(pixels, { shape: [64, 784] }), tensor(digits)).item();
  if (i < LOSSES) losses.push(loss);
  if (i === Math.floor(STEPS / 5)) early = rss();
}
console.log(JSON.stringify({ losses, shared, grownMB: (rss() - early) / 1e6, endedAt: Date.now() }));
