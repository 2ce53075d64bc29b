// 8. Losses: quadratic and multivariate logistic; their gradients y − y* and p − δ, down to weights and biases
//
//    node examples/lectures/08-losses.js            prints and checks
//    node examples/lectures/08-losses.js --draw     also writes pictures/08-losses.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { grad, nn, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

/** Numbers of a tensor, to four decimals. */
const show = (t) => JSON.stringify(t.toArray(), (_, v) => (typeof v === 'number' ? Number(v.toFixed(4)) : v));

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(got, wanted) {
  assert.deepEqual(got.shape, wanted.shape);
  assert.ok(got.sub(wanted).abs().max().item() < 1e-5, `${show(got)}, not ${show(wanted)}`);
}

// The last layer gives activities y = W·x + b [3]; a loss compares them with what was wanted.

const x = tensor([1, -2]);
const W = nn.parameter(
  tensor([
    [0.5, -1],
    [1, 0.5],
    [-0.5, 0.25],
  ]),
);
const b = nn.parameter(tensor([0.1, -0.2, 0.3]));
const y = W.matmul(x).add(b);
console.log(`y = W·x + b = ${show(y)}`);

// ---- quadratic loss, for numbers
//
//    L = ½ Σᵢ (yᵢ − y*ᵢ)²        ∂L/∂yᵢ = yᵢ − y*ᵢ

const wanted = tensor([2, 0, 1]);
const quadratic = y.sub(wanted).square().sum().mul(0.5);
const [eQuadratic] = grad(quadratic, [y]);
equal(eQuadratic, y.sub(wanted));
console.log(`\nquadratic loss ${quadratic.item().toFixed(4)}   ∂L/∂y = y − y* = ${show(eQuadratic)}`);

// ---- multivariate logistic loss, for classes
//
//    pᵢ = e^yᵢ / Σ_k e^y_k        L = −log p_c for the true class c
//
// As L = −y_c + log Σ_k e^y_k, and ∂/∂yᵢ log Σ_k e^y_k = e^yᵢ / Σ_k e^y_k = pᵢ:
//
//    ∂L/∂yᵢ = pᵢ − δᵢ        δᵢ = 1 for i = c, else 0
//
// Again the activity less what was wanted, now as probabilities. The gradient never vanishes while p is wrong: with
// the quadratic loss of a softmax it would, where the softmax is flat.

const c = 1;
const p = y.softmax();
const δ = tensor([0, 1, 0]);
const logistic = nn.crossEntropy(y.reshape(1, 3), tensor([c], { dtype: 'int32' }));
equal(logistic, p.mul(δ).sum().log().neg());
const [eLogistic] = grad(logistic, [y]);
equal(eLogistic, p.sub(δ));
console.log(`logistic loss  ${logistic.item().toFixed(4)}   p = ${show(p)}   ∂L/∂y = p − δ = ${show(eLogistic)}`);

// Its elements sum to 0, as those of p and of δ both sum to 1.
assert.ok(Math.abs(eLogistic.sum().item()) < 1e-6);

// With two classes and activities (0, s) it is the binary logistic loss: p = σ(s), ∂L/∂s = σ(s) − 1 for class 1.
const s = tensor(0.7);
const two = nn.binaryCrossEntropyWithLogits(s, tensor(1));
equal(two, nn.crossEntropy(s.mul(tensor([[0, 1]])), tensor([1], { dtype: 'int32' })));
equal(grad(two, [s])[0], s.sigmoid().sub(1));

// Taken as the log of a softmax, the loss of a very wrong network is −log 0 = ∞ in float32, as e⁻²⁰⁰ is rounded to 0.
// As −y_c + log Σ_k e^y_k it is 200, if the largest activity M is taken out of the sum, since e¹⁰⁰ is too large for
// float32: log Σ_k e^y_k = M + log Σ_k e^(y_k − M). crossEntropy computes this.
const veryWrong = tensor([[-100, 100, 0]]);
const first = tensor([0], { dtype: 'int32' });
assert.equal(Math.log(Math.fround(Math.exp(-200))), Number.NEGATIVE_INFINITY);
assert.equal(Math.fround(Math.exp(100)), Number.POSITIVE_INFINITY);
assert.equal(nn.crossEntropy(veryWrong, first).item(), 200);

// ---- from activations to weights and biases
//
// Either loss hands e = ∂L/∂y down. y = W·x + b, so yᵢ depends on row i of W alone:
//
//    ∂L/∂Wᵢⱼ = eᵢ·x_j        ∂L/∂bᵢ = eᵢ        ∂L/∂x_j = Σᵢ eᵢ·Wᵢⱼ
//
//    dW = e·xᵀ               db = e             dx = Wᵀ·e

for (const [name, loss, e] of [
  ['quadratic', quadratic, eQuadratic],
  ['logistic', logistic, eLogistic],
]) {
  const [dW, db, dx] = grad(loss, [W, b, x]);
  equal(dW, e.reshape(3, 1).matmul(x.reshape(1, 2)));
  equal(db, e);
  equal(dx, W.T.matmul(e));
  console.log(
    `\n${name}: e = ${show(e)}\n  dW = e·xᵀ = ${show(dW)}\n  db = e    = ${show(db)}\n  dx = Wᵀ·e = ${show(dx)}`,
  );
}

// A small step against the gradient makes a loss smaller, by about η‖∇‖² (∇: dW and db together).
const η = 0.001;
const lossAt = (W, b) => nn.crossEntropy(W.matmul(x).add(b).reshape(1, 3), tensor([c], { dtype: 'int32' }));
const [dW, db] = grad(logistic, [W, b]);
const gained = logistic.item() - lossAt(W.sub(dW.mul(η)), b.sub(db.mul(η))).item();
const expected = η * (dW.square().sum().item() + db.square().sum().item());
assert.ok(Math.abs(gained / expected - 1) < 0.01);
console.log(`\na step of η = ${η}: the logistic loss falls by ${gained.toFixed(5)}, η‖∇‖² = ${expected.toFixed(5)}`);

// ---- the picture: the logistic loss, softmax and log written out

if (process.argv.includes('--draw')) {
  const L = p.mul(δ).sum().log().neg();
  const names = { x, W, b, y, p, δ };
  const picture = await toSVG({ L }, { names, values: true, gradients: { of: L, wrt: [W, b] }, direction: 'TB' });
  writeFileSync(new URL('pictures/08-losses.svg', import.meta.url), picture);
}
