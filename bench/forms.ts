// `npm run bench:forms`: what should cost the same in another form does. Products of transposed and of many matrices beside
// the plain product, with as much arithmetic; rows one element shorter and longer than a whole number of SIMD vectors
// beside those that fit, in time for each element; losses by hand beside crossEntropy.
import { compile, nn, optim, type Tensor, tensor } from '../src/index.ts';
import { mlp } from './workloads/models.ts';
import { product } from './workloads/products.ts';
import { timeRatio } from './workloads/ratio.ts';
import { data, labels } from './workloads/workload.ts';

console.log('| | time | in multiples of |\n| --- | ---: | --- |');

function report(name: string, of: () => unknown, to: () => unknown, than: string, times = 1): void {
  console.log(`| ${name} | ${(timeRatio(of, to) / times).toFixed(2)} | ${than} |`);
}

// Products.
for (const n of [64, 128, 256, 512]) {
  const square = { m: n, n, k: n };
  const plain = product('', square).prepare();
  const than = `A·B, n = ${n}`;
  report(`A·Bᵀ, n = ${n}`, product('', { ...square, transpose: 'b' }).prepare(), plain, than);
  report(`Aᵀ·B, n = ${n}`, product('', { ...square, transpose: 'a' }).prepare(), plain, than);
  report(`16 times A·B, n = ${n}`, product('', { ...square, batch: 16 }).prepare(), plain, `16 of ${than}`, 16);
  report(
    `16 times A·Bᵀ, n = ${n}`,
    product('', { ...square, batch: 16, transpose: 'b' }).prepare(),
    plain,
    `16 of ${than}`,
    16,
  );
}

// Rows. What is computed is summed in the same program, so that nothing large is copied out.
const ofRows: Record<string, (x: Tensor) => Tensor> = {
  'x·x + 1': (x) => x.mul(x).add(1),
  'tanh(x)': (x) => x.tanh(),
  'x + bias of a row': (x) => x.add(x.select(0, 0)),
  'sum of rows': (x) => x.sum(1),
  'sum of columns': (x) => x.sum(0),
  softmax: (x) => x.softmax(1),
  layerNorm: (x) => nn.layerNorm(x, [x.shape[1] as number]),
  transpose: (x) => x.T.mul(x.T),
};
for (const [name, f] of Object.entries(ofRows)) {
  const call = (n: number) => {
    const x = nn.parameter(data(512, n));
    const step = compile(() => f(x).sum());
    return () => step();
  };
  const fits = call(1024);
  for (const n of [1021, 1022, 1023, 1025]) {
    report(`${name}, rows of ${n}`, call(n), fits, `rows of 1024, an element`, n / 1024);
  }
}

// A training step of an MLP on MNIST's shapes with its loss written by hand: rewriting makes it crossEntropy.
{
  const [x, digits] = [data(64, 784), labels(64, 10)];
  const call = (loss: (logits: Tensor) => Tensor) => {
    const model = mlp(784, 256, 128, 10);
    const optimizer = new optim.SGD(model.parameters(), { lr: 1e-3 });
    const step = compile((images: Tensor) => {
      const value = loss(model.forward(images));
      optimizer.minimize(value);
      return value;
    });
    return () => step(x);
  };
  const column = digits.unsqueeze(1);
  const targets = tensor(digits.oneHot(10).data(), { shape: [64, 10] });
  const byHand: Record<string, (logits: Tensor) => Tensor> = {
    'softmax, log, times probabilities': (u) => u.softmax().log().mul(targets).sum(-1).mean().neg(),
    'softmax, log, label picked': (u) => u.softmax().log().gather(1, column).mean().neg(),
    'logSoftmax, nllLoss': (u) => nn.nllLoss(u.logSoftmax(), digits),
  };
  const builtIn = call((u) => nn.crossEntropy(u, digits));
  for (const [name, loss] of Object.entries(byHand))
    report(`MLP step, ${name}`, call(loss), builtIn, 'with crossEntropy');
}
