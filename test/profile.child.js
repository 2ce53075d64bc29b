// A child of profile.test.ts: thirty training steps, whose losses go to stdout.
import { compile, manualSeed, nn, optim, randn, tensor } from '../build/src/index.js';

manualSeed(3);
const model = new nn.Sequential(new nn.Linear(96, 256), new nn.ReLU(), new nn.Linear(256, 10));
const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
const step = compile((x, labels) => {
  const loss = nn.crossEntropy(model.forward(x), labels);
  optimizer.minimize(loss);
  return loss;
});
const x = randn([128, 96]);
const labels = tensor(Int32Array.from({ length: 128 }, (_, i) => i % 10));
for (let i = 0; i < 30; i++) console.log(step(x, labels).item());
