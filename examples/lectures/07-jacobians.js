// 7. Jacobians: of a composition, of the ridge function σ(Wx + b), and back-propagation as a row times Jacobians
//
//    node examples/lectures/07-jacobians.js            prints and checks
//    node examples/lectures/07-jacobians.js --draw     also writes pictures/07-jacobians.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { grad, jacobian, nn, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

/** Numbers of a tensor, to three decimals. */
const show = (t) => JSON.stringify(t.toArray(), (_, v) => (typeof v === 'number' ? Number(v.toFixed(3)) : v));

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(got, wanted) {
  assert.deepEqual(got.shape, wanted.shape);
  assert.ok(got.sub(wanted).abs().max().item() < 1e-5, `${show(got)}, not ${show(wanted)}`);
}

// The Jacobian of F: Rⁿ → Rᵐ at x is the matrix J(F) [m×n] of all ∂Fᵢ/∂x_j: near x, F(x + h) ≈ F(x) + J(F)·h.

// ---- a composition: J(H∘G) = J(H)·J(G)
//
//    ∂Hᵢ/∂x_j = Σ_k ∂Hᵢ/∂u_k · ∂u_k/∂x_j with u = G(x): the chain rule is a product of matrices
//
// J(G) is taken at x, J(H) at u = G(x).

const A = tensor([
  [1, -1, 2],
  [0.5, 1, 0],
]);
const B = tensor([
  [1, 0],
  [2, -1],
  [0, 1],
]);
const G = (x) => A.matmul(x).sin(); // R³ → R²
const H = (u) => B.matmul(u.square()); // R² → R³

const x = tensor([0.3, -0.2, 0.8]);
const u = G(x);
const JG = jacobian(G)(x); // [2×3]
const JH = jacobian(H)(u); // [3×2]
const JHG = jacobian((x) => H(G(x)))(x); // [3×3]
equal(JHG, JH.matmul(JG));
console.log(`J(G)   = ${show(JG)}`);
console.log(`J(H)   = ${show(JH)}`);
console.log(`J(H∘G) = ${show(JHG)} = J(H)·J(G)`);

// ---- the ridge function y = σ(Wx + b)
//
//    yᵢ = σ(sᵢ), sᵢ = Σ_j Wᵢⱼx_j + bᵢ        ∂yᵢ/∂x_j = σ′(sᵢ)·Wᵢⱼ
//
//    J = diag(σ′(Wx + b))·W =: W̃        row i of W, scaled by the slope of unit i
//
// W̃ depends on x: near x the layer is, but for a constant, the linear layer with weights W̃. (A ridge: yᵢ changes along
// row i of W and is constant across it.)

const W = nn.parameter(
  tensor([
    [1, -2, 0.5],
    [-1, 0.5, -1],
    [0.5, 1, 2],
    [-0.5, -1, 0.5],
  ]),
);
const b = tensor([0.1, 0.2, -0.3, -0.9]);
const s = W.matmul(x).add(b);

const slope = s.sigmoid().mul(s.sigmoid().neg().add(1)); // σ′ = σ(1 − σ)
const ridge = W.mul(slope.reshape(4, 1));
equal(jacobian((x) => W.matmul(x).add(b).sigmoid())(x), ridge);
console.log(`\nσ(Wx + b):    W̃ = ${show(ridge)}`);

// For ReLU the slope is 1 or 0. W̃ is W with the rows of the units that are off set to 0: the sparsified weight matrix.

const on = s.gt(0).to('float32');
const sparse = W.mul(on.reshape(4, 1));
equal(jacobian((x) => W.matmul(x).add(b).relu())(x), sparse);
console.log(`ReLU(Wx + b): on = ${show(on)}   W̃ = ${show(sparse)}`);
assert.deepEqual(on.toArray(), [1, 0, 1, 0]);

// On all x that switch the same units on, the network is one and the same linear (affine) function: with a second layer V,
// V·ReLU(Wx + b) = V·W̃·x + V·(on ⊙ b).
const V = nn.parameter(
  tensor([
    [1, 2, -1, 1],
    [0, 1, 1, -1],
  ]),
);
equal(V.matmul(s.relu()), V.matmul(sparse.matmul(x).add(b.mul(on))));

// ---- activity back-propagation: eˡ = eˡ⁺¹·J
//
// Let L be a loss of the last activity, and eˡ = ∂L/∂yˡ a row [1×nˡ]. By the chain rule
//
//    eˡ = ∂L/∂yˡ⁺¹·∂yˡ⁺¹/∂yˡ = eˡ⁺¹·J(layer l + 1) = eˡ⁺¹·W̃ˡ⁺¹
//
// so backward is e·W̃·W̃⋯ from the left: a row times a matrix each time, never a matrix times a matrix. This is why the
// gradient of one number is cheap, and the whole Jacobian of many is not. Two ReLU layers, with x and b as columns:

const [W1, W2] = [W, V];
const b1 = nn.parameter(tensor([[0.1], [0.2], [-0.3], [-0.9]]));
const b2 = nn.parameter(tensor([[0.1], [0.2]]));
const y0 = tensor([[0.3], [-0.2], [0.8]]);
const y1 = W1.matmul(y0).add(b1).relu();
const y2 = W2.matmul(y1).add(b2).relu();
const target = tensor([[1], [2]]);
const L = y2.sub(target).square().sum().mul(0.5); // L = ½‖y² − y*‖²

/** W with the rows of the units that are off set to 0; ReLU is on where its activity y is above 0. */
const sparsified = (W, y) => y.gt(0).where(W, 0);

const e2 = y2.sub(target).T; // (y² − y*)ᵀ
const e1 = e2.matmul(sparsified(W2, y2));
const e0 = e1.matmul(sparsified(W1, y1));
const [d2, d1, d0] = grad(L, [y2, y1, y0]);
equal(e2, d2.T);
equal(e1, d1.T);
equal(e0, d0.T);
console.log(`\ne² = (y² − y*)ᵀ = ${show(e2)}`);
console.log(`e¹ = e²·W̃²      = ${show(e1)}`);
console.log(`e⁰ = e¹·W̃¹      = ${show(e0)} = ∂L/∂x`);

// All at once: the Jacobian of the network is the product of the W̃.
const [J] = jacobian(y2, [y0]);
equal(J.reshape(2, 3), sparsified(W2, y2).matmul(sparsified(W1, y1)));

// ---- the picture: two ReLU layers, each activity y with its value and, below, its e as a column

if (process.argv.includes('--draw')) {
  const names = { y0, y1, y2, W1, b1, W2, b2, 'y*': target };
  const picture = await toSVG({ L }, { names, values: true, gradients: { of: L, wrt: [y0] }, direction: 'TB' });
  writeFileSync(new URL('pictures/07-jacobians.svg', import.meta.url), picture);
}
