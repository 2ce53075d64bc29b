// 9. Batches, features × batch: linear regression and the two-layer network, dimensions matched
//
//    node examples/lectures/09-batches.js            prints and checks
//    node examples/lectures/09-batches.js --draw     also writes pictures/09-batches.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { grad, manualSeed, nn, randn, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

manualSeed(9);
/** A tensor of random numbers. */
const random = (...shape) => tensor(randn(shape).data(), { shape });
/** The same, to be learned: the picture shows it as a parameter. */
const parameter = (...shape) => nn.parameter(random(...shape));

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(what, got, wanted) {
  assert.deepEqual(got.shape, wanted.shape, what);
  const difference = got.sub(wanted).abs().max().item();
  assert.ok(difference < 1e-5, `${what} differs by ${difference}`);
  console.log(`  ${what.padEnd(36)} [${got.shape.join('×')}]`);
}

// m examples with n features each stand in the columns of X [n×m]; what is wanted of them in y [1×m].

const [n, m] = [3, 8];
const X = random(n, m);
const y = random(1, m);

// ---- linear regression
//
//    ŷ = w·X + b        [1×m] = [1×n]·[n×m] + [1×1]: b is added to each of the m columns
//    L = 1/m Σ_t (ŷ_t − y_t)²
//
// Backward. ŷ_t occurs in one term of L:
//
//    dŷ = 2/m (ŷ − y)                [1×m]
//
// w [1×n] reaches L by ŷ = w·X. The gradient has w's shape and is made of dŷ [1×m] and X [n×m]; only one product fits:
//
//    dw = dŷ·Xᵀ                      [1×m]·[m×n] = [1×n]      the sum over examples is inside the product
//    dX = wᵀ·dŷ                      [n×1]·[1×m] = [n×m]
//
// What is broadcast forward is summed backward: b went to m columns.
//
//    db = Σ_t dŷ_t                   [1×1]

console.log('linear regression');
{
  const [w, b] = [parameter(1, n), parameter(1, 1)];
  const prediction = w.matmul(X).add(b);
  const L = prediction.sub(y).square().mean();

  const dŷ = prediction.sub(y).mul(2 / m);
  const [gŷ, gw, gX, gb] = grad(L, [prediction, w, X, b]);
  equal('dŷ = 2/m (ŷ − y)', gŷ, dŷ);
  equal('dw = dŷ·Xᵀ', gw, dŷ.matmul(X.T));
  equal('dX = wᵀ·dŷ', gX, w.T.matmul(dŷ));
  equal('db = Σ dŷ', gb, dŷ.sum(1, true));

  // Where dw = 0 and db = 0 the line is the best one. Gradient descent gets there. Each step begins with plain numbers
  // (toArray), or the graph would grow with the steps:
  let [wt, bt] = [w, b];
  for (let t = 0; t < 1000; t++) {
    const e = wt
      .matmul(X)
      .add(bt)
      .sub(y)
      .mul(2 / m);
    [wt, bt] = [wt.sub(e.matmul(X.T).mul(0.1)), bt.sub(e.sum(1, true).mul(0.1))].map((p) => tensor(p.toArray()));
  }
  // The errors that are left are orthogonal to every feature, and sum to 0.
  const e = wt.matmul(X).add(bt).sub(y);
  equal('at the minimum, (ŷ − y)·Xᵀ = 0', e.matmul(X.T), tensor([[0, 0, 0]]));
  equal('at the minimum, Σ (ŷ − y) = 0', e.sum(1, true), tensor([[0]]));
}

// ---- two layers, with h units in the first and g its activation, element by element
//
//    Z¹ = W¹·X + b¹         [h×m] = [h×n]·[n×m] + [h×1]
//    A¹ = g(Z¹)             [h×m]
//    Z² = W²·A¹ + b²        [1×m] = [1×h]·[h×m] + [1×1]        ŷ = Z²
//
// Backward, in the opposite order:
//
//    dZ² = 2/m (Z² − y)     [1×m]
//    dW² = dZ²·(A¹)ᵀ        [1×m]·[m×h] = [1×h]        db² = Σ_t dZ²    [1×1]
//    dA¹ = (W²)ᵀ·dZ²        [h×1]·[1×m] = [h×m]
//    dZ¹ = dA¹ ⊙ g′(Z¹)     [h×m]
//    dW¹ = dZ¹·Xᵀ           [h×m]·[m×n] = [h×n]        db¹ = Σ_t dZ¹    [h×1]

const h = 4;
const [W1, b1, W2, b2] = [parameter(h, n), parameter(h, 1), parameter(1, h), parameter(1, 1)];

const activations = {
  ReLU: { g: (Z) => Z.relu(), slope: (Z) => Z.gt(0).to('float32') },
  sigmoid: { g: (Z) => Z.sigmoid(), slope: (Z) => Z.sigmoid().mul(Z.sigmoid().neg().add(1)) },
  tanh: { g: (Z) => Z.tanh(), slope: (Z) => Z.tanh().square().neg().add(1) },
};

function twoLayers(g) {
  const Z1 = W1.matmul(X).add(b1);
  const A1 = g(Z1);
  const Z2 = W2.matmul(A1).add(b2);
  const L = Z2.sub(y).square().mean();
  return { Z1, A1, Z2, L };
}

for (const [name, { g, slope }] of Object.entries(activations)) {
  console.log(`two layers with ${name}`);
  const { Z1, A1, Z2, L } = twoLayers(g);
  const dZ2 = Z2.sub(y).mul(2 / m);
  const dA1 = W2.T.matmul(dZ2);
  const dZ1 = dA1.mul(slope(Z1));
  const [gW2, gb2, gA1, gZ1, gW1, gb1] = grad(L, [W2, b2, A1, Z1, W1, b1]);
  equal('dW² = dZ²·(A¹)ᵀ', gW2, dZ2.matmul(A1.T));
  equal('db² = Σ dZ²', gb2, dZ2.sum(1, true));
  equal('dA¹ = (W²)ᵀ·dZ²', gA1, dA1);
  equal('dZ¹ = dA¹ ⊙ g′(Z¹)', gZ1, dZ1);
  equal('dW¹ = dZ¹·Xᵀ', gW1, dZ1.matmul(X.T));
  equal('db¹ = Σ dZ¹', gb1, dZ1.sum(1, true));
}

// ---- batch × features
//
// PyTorch and nabla's layers keep examples in rows: x [m×n] = Xᵀ, and nn.linear(x, W, b) = x·Wᵀ + b [m×h], the
// transpose of W·X + b. The weights are the same.

console.log('rows instead of columns');
equal('nn.linear(Xᵀ, W¹, b¹)ᵀ = W¹·X + b¹', nn.linear(X.T, W1, b1.reshape(h)).T, W1.matmul(X).add(b1));

// ---- the picture: the two-layer network with ReLU, shapes at every step

if (process.argv.includes('--draw')) {
  const { Z1, A1, Z2, L } = twoLayers(activations.ReLU.g);
  const names = { X, y, W1, b1, W2, b2, Z1, A1, Z2 };
  const picture = await toSVG(
    { L },
    { names, values: true, gradients: { of: L, wrt: [W1, b1, W2, b2] }, direction: 'TB' },
  );
  writeFileSync(new URL('pictures/09-batches.svg', import.meta.url), picture);
}
