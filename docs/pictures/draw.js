// Draws the pictures of docs/pictures.md: `npm run build && node docs/pictures/draw.js`
import { writeFileSync } from 'node:fs';
import { compile, nn, optim, setThreads, tensor, zeros } from 'nabla';
import { memorySVG, toSVG } from 'nabla/viz';

setThreads(1); // the same memory on every machine

const save = (name, svg) => writeFileSync(new URL(`${name}.svg`, import.meta.url), svg);

// y = exp(xz) + xz/log(x) + sin(log x)/(xz)
const [x, z] = [tensor(2), tensor(3)];
const [a, b] = [x.mul(z), x.log()];
const y = a.exp().add(a.div(b)).add(b.sin().div(a));
const names = { x, z, a, b };
const gradients = { of: y, wrt: [x, z] };
save('numbers', await toSVG({ y }, { names, values: true, gradients }));
save('backward', await toSVG({ y }, { names, gradients }));

const labels = tensor(new Int32Array(64));

// A step of a multilayer perceptron.
const mlp = new nn.Sequential(new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10));
const flat = zeros([64, 784]);
const loss = nn.crossEntropy(mlp.forward(flat), labels);
save(
  'mlp',
  await toSVG(
    { loss },
    { names: { images: flat, labels, ...mlp.stateDict() }, gradients: { of: loss, wrt: mlp.parameters() } },
  ),
);

// A convolutional network by layers.
const cnn = new nn.Sequential(
  new nn.Conv2d(1, 16, 5),
  new nn.MaxPool2d(2),
  new nn.Conv2d(16, 32, 5),
  new nn.ReLU(),
  new nn.Flatten(),
  new nn.Linear(2048, 10),
);
const images = zeros([64, 1, 28, 28]);
save('cnn', await toSVG({ logits: cnn.forward(images) }, { names: { images, ...cnn.stateDict() }, fold: true }));

// A transformer block.
class Block extends nn.Module {
  ln1 = new nn.LayerNorm(64);
  attn = new nn.MultiheadAttention(64, 4);
  ln2 = new nn.LayerNorm(64);
  up = new nn.Linear(64, 256);
  down = new nn.Linear(256, 64);

  forward(x) {
    const attended = x.add(this.attn.forward(this.ln1.forward(x), { isCausal: true }));
    return attended.add(this.down.forward(this.up.forward(this.ln2.forward(attended)).gelu()));
  }
}
const block = new Block();
const tokens = zeros([8, 32, 64]);
save('block', await toSVG({ y: block.forward(tokens) }, { names: { tokens, ...block.stateDict() } }));

// The memory of a training step.
const optimizer = new optim.Adam(cnn.parameters(), { lr: 1e-3 });
const step = compile((x, labels) => {
  const loss = nn.crossEntropy(cnn.forward(x), labels);
  optimizer.minimize(loss);
  return loss;
});
save('memory', memorySVG(step, images, labels));
