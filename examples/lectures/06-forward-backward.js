// 6. Forward and backward pass over layers k = 1…N: in scalar form (loops) and in vector form (matrices)
//
//    node examples/lectures/06-forward-backward.js            prints and checks
//    node examples/lectures/06-forward-backward.js --draw     also writes pictures/06-forward-backward.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { concat, grad, manualSeed, nn, randn, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

// Layer k has n[k] units; layer 0 is the input. Unit i of layer k adds up what the units j of the layer below send it:
//
//    sᵢᵏ = Σ_j wᵢⱼᵏ·y_jᵏ⁻¹ + bᵢᵏ        yᵢᵏ = tanh(sᵢᵏ)        y⁰ = x
//
// and the error of an example is E = ½ Σᵢ (yᵢᴺ − y*ᵢ)².

const n = [2, 3, 3, 2];
const N = n.length - 1;

manualSeed(6);
/** Random numbers as nested arrays. */
const random = (...shape) => randn(shape).toArray();
const w = [null];
const b = [null];
for (let k = 1; k <= N; k++) {
  w[k] = random(n[k], n[k - 1]);
  b[k] = random(n[k]);
}

// ---- scalar form: every sum is a loop
//
// Backward, dsᵢᵏ = ∂E/∂sᵢᵏ and dyᵢᵏ = ∂E/∂yᵢᵏ, from k = N down to 1:
//
//    dyᵢᴺ = yᵢᴺ − y*ᵢ
//    dsᵢᵏ = dyᵢᵏ·(1 − (yᵢᵏ)²)             as tanh′ = 1 − tanh²
//    dwᵢⱼᵏ = dsᵢᵏ·y_jᵏ⁻¹        dbᵢᵏ = dsᵢᵏ
//    dy_jᵏ⁻¹ = Σᵢ wᵢⱼᵏ·dsᵢᵏ               unit j sends to every unit i above

function scalarForm(x, target) {
  const y = [x];
  for (let k = 1; k <= N; k++) {
    y[k] = [];
    for (let i = 0; i < n[k]; i++) {
      let s = b[k][i];
      for (let j = 0; j < n[k - 1]; j++) s += w[k][i][j] * y[k - 1][j];
      y[k][i] = Math.tanh(s);
    }
  }

  let E = 0;
  let dy = [];
  for (let i = 0; i < n[N]; i++) {
    E += (y[N][i] - target[i]) ** 2 / 2;
    dy[i] = y[N][i] - target[i];
  }

  const dw = [null];
  const db = [null];
  for (let k = N; k >= 1; k--) {
    const below = new Array(n[k - 1]).fill(0);
    dw[k] = [];
    db[k] = [];
    for (let i = 0; i < n[k]; i++) {
      const ds = dy[i] * (1 - y[k][i] ** 2);
      db[k][i] = ds;
      dw[k][i] = [];
      for (let j = 0; j < n[k - 1]; j++) {
        dw[k][i][j] = ds * y[k - 1][j];
        below[j] += w[k][i][j] * ds;
      }
    }
    dy = below;
  }
  return { E, dw, db };
}

// ---- vector form: the sums are products of matrices
//
//    sᵏ = Wᵏ·yᵏ⁻¹ + bᵏ        yᵏ = tanh(sᵏ)                      columns
//
//    dyᴺ = yᴺ − y*
//    dsᵏ = dyᵏ ⊙ (1 − yᵏ ⊙ yᵏ)
//    dWᵏ = dsᵏ·(yᵏ⁻¹)ᵀ        dbᵏ = dsᵏ        dyᵏ⁻¹ = (Wᵏ)ᵀ·dsᵏ

const column = (numbers) => tensor(numbers.map((v) => [v]));
const W = w.map((rows) => rows && nn.parameter(tensor(rows)));
const B = b.map((numbers) => numbers && nn.parameter(column(numbers)));

function vectorForm(x, target) {
  const s = [null];
  const y = [x];
  for (let k = 1; k <= N; k++) {
    s[k] = W[k].matmul(y[k - 1]).add(B[k]);
    y[k] = s[k].tanh();
  }
  const E = y[N].sub(target).square().sum().mul(0.5);

  const dW = [null];
  const dB = [null];
  let dy = y[N].sub(target);
  for (let k = N; k >= 1; k--) {
    const ds = dy.mul(y[k].square().neg().add(1));
    dW[k] = ds.matmul(y[k - 1].T);
    dB[k] = ds;
    dy = W[k].T.matmul(ds);
  }
  return { E, dW, dB, s, y };
}

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(what, got, wanted) {
  assert.deepEqual(got.shape, wanted.shape, what);
  const difference = got.sub(wanted).abs().max().item();
  assert.ok(difference < 1e-5, `${what} differs by ${difference}`);
}

const x = random(n[0]);
const target = random(n[N]);
const loops = scalarForm(x, target);
const wanted = column(target);
const matrices = vectorForm(column(x), wanted);

console.log(`one example: E = ${loops.E.toFixed(6)} by loops, ${matrices.E.item().toFixed(6)} by matrices`);
equal('E', matrices.E, tensor(loops.E));
const gradients = grad(matrices.E, [...W.slice(1), ...B.slice(1)]);
for (let k = N; k >= 1; k--) {
  equal(`dW${k}`, matrices.dW[k], tensor(loops.dw[k]));
  equal(`db${k}`, matrices.dB[k], column(loops.db[k]));
  equal(`dW${k} by grad`, gradients[k - 1], matrices.dW[k]);
  equal(`db${k} by grad`, gradients[N + k - 1], matrices.dB[k]);
  const [first] = loops.dw[k][0];
  console.log(`layer ${k}: dw₁₁ = ${first.toFixed(6).padStart(9)}   dW, db: loops = matrices = grad`);
}

// ---- T examples: gradients are averaged
//
//    E = 1/T Σ_t E_t        so        dWᵏ = 1/T Σ_t dWᵏ of example t
//
// The examples can also stand side by side as columns of one matrix Y⁰ [n[0]×T]: the same formulas then treat all at
// once. The product dSᵏ·(Yᵏ⁻¹)ᵀ, over the T columns, is itself the sum over the examples; for dbᵏ the columns of dSᵏ
// are added up.

const T = 10;
const xs = Array.from({ length: T }, () => random(n[0]));
const targets = Array.from({ length: T }, () => random(n[N]));
const each = xs.map((x, t) => scalarForm(x, targets[t]));
const batch = vectorForm(concat(xs.map(column), 1), concat(targets.map(column), 1)); // both [2×T]

const averageE = each.reduce((sum, { E }) => sum + E, 0) / T;
equal('E', batch.E.div(T), tensor(averageE));
for (let k = 1; k <= N; k++) {
  const dw = w[k].map((row, i) => row.map((_, j) => each.reduce((sum, one) => sum + one.dw[k][i][j], 0) / T));
  const db = b[k].map((_, i) => each.reduce((sum, one) => sum + one.db[k][i], 0) / T);
  equal(`dW${k}`, batch.dW[k].div(T), tensor(dw));
  equal(`db${k}`, batch.dB[k].sum(1, true).div(T), column(db));
  const [gW, gB] = grad(batch.E.div(T), [W[k], B[k]]);
  equal(`dW${k} by grad`, gW, tensor(dw));
  equal(`db${k} by grad`, gB, column(db));
}
console.log(`\n${T} examples: E = ${averageE.toFixed(6)}; the average of ${T} gradients = one batch = grad`);

// ---- the picture: one example through the N layers, each s and y with its value and adjoint; [1, 2]ᵀ is a column

if (process.argv.includes('--draw')) {
  const { E } = matrices;
  const [, s1, s2, s3] = matrices.s;
  const [x, y1, y2, y3] = matrices.y;
  const [, W1, W2, W3] = W;
  const [, b1, b2, b3] = B;
  const names = { x, 'y*': wanted, s1, s2, s3, y1, y2, y3, W1, W2, W3, b1, b2, b3 };
  const wrt = [...W.slice(1), ...B.slice(1)];
  const picture = await toSVG({ E }, { names, values: true, gradients: { of: E, wrt }, direction: 'TB' });
  writeFileSync(new URL('pictures/06-forward-backward.svg', import.meta.url), picture);
}
