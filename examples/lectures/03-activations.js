// 3. Activations and their derivatives: scalar (diagonal Jacobian), vector (softmax: full Jacobian), ReLU's subgradient
//
//    node examples/lectures/03-activations.js            prints and checks
//    node examples/lectures/03-activations.js --draw     also writes pictures/03-activations.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { grad, jacobian, ones, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

/** Numbers of a tensor, to three decimals. */
const show = (t) => JSON.stringify(t.toArray(), (_, v) => (typeof v === 'number' ? Number(v.toFixed(3)) : v));

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(got, wanted) {
  assert.deepEqual(got.shape, wanted.shape);
  assert.ok(got.sub(wanted).abs().max().item() < 1e-6, `${show(got)}, not ${show(wanted)}`);
}

const I = tensor([
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
]);
/** The diagonal matrix with the elements of v: column i of I times vᵢ. */
const diag = (v) => I.mul(v);

// ---- scalar activations: yᵢ = g(xᵢ)
//
// yᵢ depends on xᵢ alone, so ∂yᵢ/∂x_j = 0 for i ≠ j and the Jacobian is diagonal: J = diag(g′(x)).
//
//    sigmoid    y = 1/(1 + e⁻ˣ)      g′ = y(1 − y)
//    tanh       y = tanh x           g′ = 1 − y²
//    ReLU       y = max(x, 0)        g′ = 1 for x > 0, 0 for x < 0
//    softplus   y = log(1 + eˣ)      g′ = sigmoid(x) = 1 − e⁻ʸ
//
// Each derivative can be had from y alone, softplus's as 1 − e⁻ʸ: backward need not keep x.

const x = tensor([-2, -0.5, 1, 3]);
const scalar = {
  sigmoid: { y: x.sigmoid(), slope: (y) => y.mul(y.neg().add(1)) },
  tanh: { y: x.tanh(), slope: (y) => y.square().neg().add(1) },
  ReLU: { y: x.relu(), slope: (y) => y.gt(0).to('float32') },
  softplus: { y: x.softplus(), slope: (y) => y.neg().exp().neg().add(1) },
};

console.log(`x = ${show(x)}`);
for (const [name, { y, slope }] of Object.entries(scalar)) {
  const [J] = jacobian(y, [x]);
  equal(J, diag(slope(y)));
  console.log(`${name.padEnd(8)}  y = ${show(y)}   J = diag ${show(slope(y))}`);
}

// Backward multiplies dy by the diagonal, elementwise: dxᵢ = dyᵢ·g′(xᵢ). No matrix is made.
const dy = tensor([1, -1, 2, 0.5]);
const sigmoid = scalar.sigmoid.y;
const [dx] = grad(sigmoid, [x], { seed: dy });
equal(dx, dy.mul(sigmoid).mul(sigmoid.neg().add(1)));
equal(dx, dy.matmul(diag(scalar.sigmoid.slope(sigmoid))));

// ---- a vector activation: softmax
//
//    yᵢ = e^xᵢ / Σ_k e^x_k
//
// Every yᵢ depends on every x_j. With s = Σ_k e^x_k:
//
//    ∂yᵢ/∂x_j = (δᵢⱼ·e^xᵢ·s − e^xᵢ·e^x_j)/s² = yᵢ(δᵢⱼ − y_j)        J = diag(y) − y·yᵀ

const y = x.softmax();
const [J] = jacobian(y, [x]);
const column = y.reshape(4, 1);
equal(J, diag(y).sub(column.matmul(column.T)));
console.log(`\nsoftmax   y = ${show(y)}`);
for (const row of J.toArray()) console.log(`      J  ${row.map((v) => v.toFixed(4).padStart(9)).join('')}`);

// J is symmetric, and each row sums to 0: the same number added to all xᵢ changes nothing.
equal(J, J.T);
equal(J.matmul(ones([4])), tensor([0, 0, 0, 0]));

// Backward needs no matrix either: dxⱼ = Σᵢ dyᵢ·yᵢ(δᵢⱼ − y_j) = y_j(dyⱼ − Σᵢ dyᵢyᵢ).
const [viaSoftmax] = grad(y, [x], { seed: dy });
equal(viaSoftmax, y.mul(dy.sub(dy.mul(y).sum())));
equal(viaSoftmax, dy.matmul(J));

// ---- ReLU at 0: a subgradient
//
// max(x, 0) has a kink at 0 and no derivative there. A subgradient is the slope of any line through the kink that lies
// nowhere above the function:  max(x, 0) ≥ max(0, 0) + g·(x − 0) for all x. These are the g from 0 to 1.

const around = tensor([-2, -1, -0.1, 0, 0.1, 1, 2]);
const isSubgradient = (g) => around.relu().sub(around.mul(g)).min().item() >= 0;
for (const g of [0, 0.25, 0.5, 1]) assert.ok(isSubgradient(g), `${g} is a subgradient`);
for (const g of [-0.1, 1.1]) assert.ok(!isSubgradient(g), `${g} is none`);

// Any of them will do for gradient descent. nabla, like PyTorch, takes 0; some lectures take 1 or ½.
const zero = tensor(0);
const [atZero] = grad(zero.relu(), [zero]);
assert.equal(atZero.item(), 0);
console.log(`\nReLU at 0: every slope from 0 to 1 is a subgradient; nabla's is ${atZero.item()}`);

// ---- the picture: softmax written out, with values and adjoints. L = Σᵢ dyᵢyᵢ has the adjoint dy at y, as the seed above

if (process.argv.includes('--draw')) {
  const exps = x.exp();
  const sum = exps.sum();
  const softmax = exps.div(sum);
  const L = softmax.mul(dy).sum();
  const names = { x, exps, sum, y: softmax, dy };
  const picture = await toSVG({ L }, { names, values: true, gradients: { of: L, wrt: [x] }, direction: 'TB' });
  writeFileSync(new URL('pictures/03-activations.svg', import.meta.url), picture);
}
