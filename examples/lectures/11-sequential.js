// 11. PyTorch's Sequential example, side by side with its nabla form
//
//    node examples/lectures/11-sequential.js            prints and checks
//    node examples/lectures/11-sequential.js --draw     also writes pictures/11-sequential.svg
//
// Above each statement stands the Python it is the same as. Names and defaults are PyTorch's, in camelCase.
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { compile, nn, optim, tensor } from 'nabla'; // import math, torch
import { toSVG } from 'nabla/viz';

// ---- the data: y = sin(x) at 200 points, from the features x and x²

// x = torch.linspace(-math.pi, math.pi, 200)
const x = Float32Array.from({ length: 200 }, (_, i) => -Math.PI + (2 * Math.PI * i) / 199);

// xx = torch.stack([x, x**2], 1)
const xx = tensor(Array.from(x, (v) => [v, v ** 2])); // [200×2]

// y = torch.sin(x)
const y = tensor(x).sin(); // [200]

// ---- the model
//
//    x, x²  →  Linear(2, 3)  →  ReLU  →  Linear(3, 1)  →  Flatten(0, 1): [200×1] becomes [200], the shape of y

// model = torch.nn.Sequential(
//     torch.nn.Linear(2, 3),
//     torch.nn.ReLU(),
//     torch.nn.Linear(3, 1),
//     torch.nn.Flatten(0, 1),
// )
const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1), new nn.Flatten(0, 1));

// Weights are random at first. To compare the two libraries, both begin with these:
//
// model.load_state_dict({
//     '0.weight': torch.tensor([[0.5, -0.25], [-0.5, -0.25], [0.25, 0.5]]),
//     '0.bias': torch.tensor([0.1, 0.2, -0.3]),
//     '2.weight': torch.tensor([[0.5, -0.5, 0.25]]),
//     '2.bias': torch.tensor([0.0]),
// })
const start = {
  '0.weight': tensor([
    [0.5, -0.25],
    [-0.5, -0.25],
    [0.25, 0.5],
  ]),
  '0.bias': tensor([0.1, 0.2, -0.3]),
  '2.weight': tensor([[0.5, -0.5, 0.25]]),
  '2.bias': tensor([0.0]),
};
model.loadStateDict(start);

// ---- training

// loss_fn = torch.nn.MSELoss(reduction='sum')
const lossFn = (prediction, y) => nn.mseLoss(prediction, y, { reduction: 'sum' });

// optimizer = torch.optim.SGD(model.parameters(), lr=3e-5)
const optimizer = new optim.SGD(model.parameters(), { lr: 3e-5 });

// What PyTorch 2.13 prints:
const pytorch = { 400: 7.082542, 800: 2.270143, 1200: 1.864987, 1600: 1.835474, 2000: 1.828726 };

console.log('step    nabla      PyTorch');
// for t in range(1, 2001):
for (let t = 1; t <= 2000; t++) {
  // loss = loss_fn(model(xx), y)
  const loss = lossFn(model.forward(xx), y);

  // if t % 400 == 0: print(t, loss.item())
  if (t % 400 === 0) {
    console.log(`${`${t}`.padStart(4)}   ${loss.item().toFixed(6)}   ${pytorch[t].toFixed(6)}`);
    assert.ok(Math.abs(loss.item() / pytorch[t] - 1) < 1e-3);
  }

  // optimizer.zero_grad()
  optimizer.zeroGrad();

  // loss.backward()
  loss.backward();

  // optimizer.step()
  optimizer.step();
}

// ---- what was learned

// print(model[0].weight)
const weight = model.at(0).weight;
console.log('weight of layer 0', weight.toArray());

// What PyTorch prints:
const expected = tensor([
  [0.776, -0.2997],
  [-0.771, -0.2709],
  [0.3246, 0.389],
]);
assert.ok(weight.sub(expected).abs().max().item() < 1e-3);

// ---- the same, compiled
//
// compile() traces the step once; each call is then one WebAssembly call: forward, backward and update.

model.loadStateDict(start);
const step = compile((xx, y) => {
  const loss = lossFn(model.forward(xx), y);
  optimizer.minimize(loss); // zeroGrad, backward and step
  return loss;
});
let loss;
for (let t = 1; t <= 2000; t++) loss = step(xx, y);
console.log(`compiled, step 2000: ${loss.item().toFixed(6)}`);
assert.ok(Math.abs(loss.item() / pytorch[2000] - 1) < 1e-3);

// ---- the picture: the graph of the loss, by layers

if (process.argv.includes('--draw')) {
  const picture = await toSVG({ loss: lossFn(model.forward(xx), y) }, { names: { xx, y, ...model.stateDict() } });
  writeFileSync(new URL('pictures/11-sequential.svg', import.meta.url), picture);
}
