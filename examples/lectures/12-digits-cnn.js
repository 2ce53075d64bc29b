// 12. The CNN of the first lecture, trained by SGD on drawn digits
//
//    node examples/lectures/12-digits-cnn.js            prints and checks
//    node examples/lectures/12-digits-cnn.js --draw     also writes pictures/12-digits-cnn.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { compile, manualSeed, nn, noGrad, optim, tensor } from 'nabla';
import { batches, drawDigits } from 'nabla/data';
import { toSVG } from 'nabla/viz';

// ---- the data: digits as if written by hand, drawn by the program, 28×28 pixels from 0 (paper) to 1 (ink)

const train = drawDigits(3000, { seed: 1, stream: 0 });
const test = drawDigits(500, { seed: 1, stream: 1 });

for (let row = 0; row < 28; row += 2) {
  const pixels = Array.from({ length: 5 }, (_, image) => {
    const line = train.images.subarray(784 * image + 28 * row, 784 * image + 28 * (row + 1));
    return Array.from(line, (grey) => ' .:*#'[Math.round(grey * 4)]).join('');
  });
  console.log(pixels.join(''));
}
console.log(`labels ${[...train.labels.subarray(0, 5)].join(', ')}`);

// ---- the network
//
// A convolution looks for small patterns everywhere with the same weights; pooling keeps the strongest of each 2×2
// answers; a second convolution looks for patterns of patterns; a linear layer weighs what was found for each class.
//
//    image            [B×1×28×28]
//    Conv2d 5×5       [B×16×24×24]     16·1·25 weights + 16
//    MaxPool2d 2×2    [B×16×12×12]
//    Conv2d 5×5       [B×32×8×8]       32·16·25 + 32
//    ReLU             [B×32×8×8]
//    Flatten          [B×2048]
//    Linear           [B×10]           10·2048 + 10

manualSeed(12);
const model = new nn.Sequential(
  new nn.Conv2d(1, 16, 5),
  new nn.MaxPool2d(2),
  new nn.Conv2d(16, 32, 5),
  new nn.ReLU(),
  new nn.Flatten(),
  new nn.Linear(2048, 10),
);
const parameters = model.parameters().reduce((sum, p) => sum + p.size, 0);
assert.equal(parameters, 16 * 25 + 16 + (32 * 16 * 25 + 32) + (10 * 2048 + 10));
console.log(`\n${parameters} parameters`);

// ---- SGD on the logistic loss −log p_c, averaged over mini-batches of B = 8
//
// p_c is the probability of the true class c. The softmax that makes it is part of crossEntropy: the network ends with
// the activities, one for each class. compile() makes one program of the whole step, and minimize(loss) is zeroGrad,
// backward and step in one.

const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const step = compile((images, labels) => {
  const loss = nn.crossEntropy(model.forward(images), labels);
  optimizer.minimize(loss);
  return loss;
});
const accuracy = compile((images, labels) => noGrad(() => nn.accuracy(model.forward(images), labels)));
const testImages = tensor(test.images, { shape: [500, 1, 28, 28] });
const testLabels = tensor(test.labels, { shape: [500] });

const before = accuracy(testImages, testLabels).item();
console.log(`before       test accuracy ${(100 * before).toFixed(1)} %`);
assert.ok(before < 0.3, 'by chance one in ten');

let reached = 0;
for (let epoch = 0; epoch < 2; epoch++) {
  const all = batches(train, { batchSize: 8, seed: 12, epoch });
  let sum = 0;
  for (const { x, y } of all) sum += step(x, y).item();
  reached = accuracy(testImages, testLabels).item();
  console.log(
    `epoch ${epoch + 1}      test accuracy ${(100 * reached).toFixed(1)} %   mean loss ${(sum / all.length).toFixed(3)}`,
  );
}
assert.ok(reached > 0.95, 'digits it has never seen');

// ---- what it says of one digit

const image = tensor(test.images.subarray(0, 784), { shape: [1, 1, 28, 28] });
const label = tensor(test.labels.subarray(0, 1), { shape: [1] });
const p = model.forward(image).softmax().data();
console.log(`\na ${label.item()}: ${Array.from(p, (v, digit) => `p${digit} = ${v.toFixed(2)}`).join('  ')}`);
assert.equal(p.indexOf(Math.max(...p)), label.item());

// ---- the picture: the network and its loss, by layers

if (process.argv.includes('--draw')) {
  const loss = nn.crossEntropy(model.forward(image), label);
  const picture = await toSVG({ loss }, { names: { image, label, ...model.stateDict() } });
  writeFileSync(new URL('pictures/12-digits-cnn.svg', import.meta.url), picture);
}
