// 5. Three sigmoid layers with binary cross-entropy: backward by recurrence, then SGD with the regulariser λ‖θ‖²
//
//    node examples/lectures/05-three-layers.js            prints and checks
//    node examples/lectures/05-three-layers.js --draw     also writes pictures/05-three-layers.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { compile, grad, manualSeed, nn, optim, randn, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

manualSeed(5);
/** A variable with random numbers at first. */
const parameter = (...shape) => tensor(randn(shape).data(), { shape, requiresGrad: true });

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(what, got, wanted) {
  assert.deepEqual(got.shape, wanted.shape, what);
  const difference = got.sub(wanted).abs().max().item();
  assert.ok(difference < 1e-5, `${what} differs by ${difference}`);
}

// ---- forward
//
//    z⁰ = x        uˡ = αˡ·zˡ⁻¹ + βˡ        zˡ = σ(uˡ)        l = 1, 2, 3
//
//    L = −(y·log z³ + (1 − y)·log(1 − z³))        y is 1 or 0
//
// Sizes 2 → 4 → 3 → 1; all z and u are columns. Arrays begin at 0, so α[1] is α¹ and α[0] is left empty.

const α = [undefined, parameter(4, 2), parameter(3, 4), parameter(1, 3)];
const β = [undefined, parameter(4, 1), parameter(3, 1), parameter(1, 1)];
const θ = [...α.slice(1), ...β.slice(1)];

const x = tensor([[0.5], [-1]]);
const y = tensor([[1]]);

const u = [undefined];
const z = [x];
for (let l = 1; l <= 3; l++) {
  u[l] = α[l].matmul(z[l - 1]).add(β[l]);
  z[l] = u[l].sigmoid();
}
const one = tensor([[1]]);
const ifOne = y.mul(z[3].log());
const ifZero = one.sub(y).mul(one.sub(z[3]).log());
const L = ifOne.add(ifZero).neg();
equal('binary cross-entropy', nn.binaryCrossEntropy(z[3], y), L.sum());

// ---- backward, by recurrence from l = 3 down to 1
//
//    ∇z³   = −y/z³ + (1 − y)/(1 − z³)
//    ∇uˡ   = ∇zˡ ⊙ zˡ ⊙ (1 − zˡ)          as σ′ = σ(1 − σ)
//    ∇αˡ   = ∇uˡ·(zˡ⁻¹)ᵀ
//    ∇βˡ   = ∇uˡ
//    ∇zˡ⁻¹ = (αˡ)ᵀ·∇uˡ

const dα = [];
const dβ = [];
const du = [];
let dz = one.sub(y).div(one.sub(z[3])).sub(y.div(z[3]));
for (let l = 3; l >= 1; l--) {
  du[l] = dz.mul(z[l]).mul(one.sub(z[l]));
  dα[l] = du[l].matmul(z[l - 1].T);
  dβ[l] = du[l];
  dz = α[l].T.matmul(du[l]);
}

console.log(`L = ${L.item().toFixed(6)}, z³ = ${z[3].item().toFixed(6)} for y = 1`);
for (let l = 3; l >= 1; l--) {
  const [gu, gα, gβ] = grad(L, [u[l], α[l], β[l]]);
  equal(`∇u${l}`, gu, du[l]);
  equal(`∇α${l}`, gα, dα[l]);
  equal(`∇β${l}`, gβ, dβ[l]);
  const norm = (t) => t.square().sum().sqrt().item().toFixed(6);
  console.log(`layer ${l}   ‖∇u‖ = ${norm(du[l])}   ‖∇α‖ = ${norm(dα[l])}   ‖∇β‖ = ${norm(dβ[l])}   as grad's`);
}
equal('∇x', grad(L, [x])[0], dz);

// In the last layer the two fractions cancel: ∇u³ = (−y/z + (1 − y)/(1 − z))·z(1 − z) = z³ − y.
equal('∇u³ = z³ − y', du[3], z[3].sub(y));

// ---- the picture: the network for one example

if (process.argv.includes('--draw')) {
  const [, α1, α2, α3] = α;
  const [, β1, β2, β3] = β;
  const [, u1, u2, u3] = u;
  const [, z1, z2, z3] = z;
  const names = { x, y, 1: one, α1, α2, α3, β1, β2, β3, u1, u2, u3, z1, z2, z3 };
  const picture = await toSVG({ L }, { names, values: true, gradients: { of: L, wrt: θ }, direction: 'TB' });
  writeFileSync(new URL('pictures/05-three-layers.svg', import.meta.url), picture);
}

// ---- SGD with the regulariser λ‖θ‖²
//
//    minimise L + λ‖θ‖²:        θ ← θ − η(∇θ + 2λθ)        ‖θ‖² = Σ θᵢ², whose gradient is 2θ
//
// In PyTorch and nabla weightDecay w adds w·θ to the gradient, so w = 2λ. One step, both ways:

const [η, λ] = [0.5, 0.01];
const dθ = [...dα.slice(1), ...dβ.slice(1)];
const byHand = θ.map((p, i) => p.sub(dθ[i].add(p.mul(2 * λ)).mul(η)).toArray());
const optimizer = new optim.SGD(θ, { lr: η, weightDecay: 2 * λ });
optimizer.zeroGrad();
L.sum().backward();
optimizer.step();
θ.forEach((p, i) => {
  equal(`parameter ${i} after a step`, p, tensor(byHand[i]));
});
console.log('\none step θ ← θ − η(∇θ + 2λθ): by hand as by SGD with weightDecay 2λ');

// ---- many steps, on a problem: is a point inside the circle of radius 1?
//
// With and without λ, L averaged over 64 points. The regulariser keeps the weights small; the price is a larger L.

const points = randn([2, 64]).mul(1.2).data();
const inside = Float32Array.from({ length: 64 }, (_, t) => (points[t] ** 2 + points[64 + t] ** 2 < 1 ? 1 : 0));
const X = tensor(points, { shape: [2, 64] }); // a column for each point
const Y = tensor(inside, { shape: [1, 64] });
const start = θ.map((p) => p.data());

function train(λ) {
  θ.forEach((p, i) => {
    p.assign(tensor(start[i], { shape: p.shape }));
  });
  const sgd = new optim.SGD(θ, { lr: 2, weightDecay: 2 * λ });
  // compile() makes one program of the whole step. minimize(L) is zeroGrad, backward and step in one.
  const step = compile((X, Y) => {
    let z = X;
    for (let l = 1; l <= 3; l++) z = α[l].matmul(z).add(β[l]).sigmoid();
    const L = nn.binaryCrossEntropy(z, Y);
    sgd.minimize(L);
    return L;
  });
  const first = step(X, Y).item();
  let last = first;
  for (let t = 0; t < 3000; t++) last = step(X, Y).item();
  const norm = θ.reduce((sum, p) => sum + p.square().sum().item(), 0);
  return { first, last, norm };
}

console.log('\n  λ        L at first   L after 3000 steps   ‖θ‖²');
const [free, held] = [0, 0.0005].map((λ) => {
  const { first, last, norm } = train(λ);
  console.log(`  ${`${λ}`.padEnd(8)} ${first.toFixed(4)}       ${last.toFixed(4)}               ${norm.toFixed(0)}`);
  return { first, last, norm };
});
assert.ok(free.last < free.first / 5, 'SGD finds the circle');
assert.ok(held.norm < free.norm / 2, 'the regulariser keeps the weights small');
assert.ok(held.last > free.last, 'and L is larger for it');
