// 10. Gradient descent, SGD and mini-batches on one problem: their curves in one picture, and a convergence test
//
//    node examples/lectures/10-descent.js            prints and checks
//    node examples/lectures/10-descent.js --draw     also writes pictures/10-descent.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { compile, grad, manualSeed, rand, randn, tensor } from 'nabla';

// ---- the problem: a line through T noisy points, y_t = 1 − 2x_t and some noise
//
//    minimise L(w) = 1/T Σ_t ½(w₀ + w₁x_t − y_t)²
//
// Row t of X is (1, x_t), so L(w) = 1/2T ‖X·w − y‖² and ∇L = 1/T Xᵀ(X·w − y).

manualSeed(10);
const T = 256;
const x = randn([T]).mul(0.7).add(0.5).data();
const noise = randn([T]).data();
const rows = Array.from(x, (xt) => [1, xt]);
const wanted = Array.from(x, (xt, t) => [1 - 2 * xt + 0.3 * noise[t]]);
const X = tensor(rows); // [T×2]
const y = tensor(wanted); // [T×1]

/** ∇L of some of the examples: all for gradient descent, a few for the others. compile() makes a program of it. */
const gradient = compile((w, X, y) => {
  const L = X.matmul(w).sub(y).square().mean().mul(0.5);
  return grad(L, [w])[0];
});

// The best w solves H·w = 1/T Xᵀy with H = 1/T XᵀX, two equations, solved here in plain numbers.
const mean = (f) => rows.reduce((sum, row, t) => sum + f(row, wanted[t][0]), 0) / T;
const H = [mean(() => 1), mean(([, x]) => x), mean(([, x]) => x * x)]; // H₀₀, H₀₁ = H₁₀, H₁₁
const c = [mean((_, y) => y), mean(([, x], y) => x * y)];
const det = H[0] * H[2] - H[1] ** 2;
const best = [(H[2] * c[0] - H[1] * c[1]) / det, (H[0] * c[1] - H[1] * c[0]) / det];
console.log(`best w = (${best.map((v) => v.toFixed(4)).join(', ')})`);

/** L(w) − L(best) = ½(w − best)ᵀ·H·(w − best): how far there is still to go down. */
function excess(w) {
  const [d0, d1] = w.data().map((v, i) => v - best[i]);
  return (H[0] * d0 ** 2 + 2 * H[1] * d0 * d1 + H[2] * d1 ** 2) / 2;
}

// ---- three ways down: w ← w − η·∇L of a batch
//
//    gradient descent   all T examples: the true gradient, one step an epoch
//    mini-batch         B examples, drawn in random order: T/B steps an epoch, each a guess of ∇L, right on average
//    SGD                one example: T steps an epoch, each a poor guess
//
// An epoch, once through all examples, costs the same arithmetic in each.

const EPOCHS = 30;

function descend({ batch, η }) {
  manualSeed(1);
  let w = tensor([[0], [0]]);
  const curve = [[0, excess(w)]];
  const steps = T / batch;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const keys = rand([T]).data();
    const order = [...keys.keys()].sort((a, b) => keys[a] - keys[b]);
    for (let k = 0; k < steps; k++) {
      const chosen = order.slice(k * batch, (k + 1) * batch);
      const g = gradient(w, tensor(chosen.map((t) => rows[t])), tensor(chosen.map((t) => wanted[t])));
      w = tensor(w.sub(g.mul(η(epoch + k / steps))).toArray());
      if ((k + 1) % Math.max(1, steps / 4) === 0) curve.push([epoch + (k + 1) / steps, excess(w)]);
    }
  }
  return curve;
}

const curves = {
  'gradient descent, η = 1': descend({ batch: T, η: () => 1 }),
  'mini-batch of 16, η = 0.1': descend({ batch: 16, η: () => 0.1 }),
  'SGD, η = 0.05': descend({ batch: 1, η: () => 0.05 }),
  'SGD, η = 0.05/(1 + epoch)': descend({ batch: 1, η: (epoch) => 0.05 / (1 + Math.floor(epoch)) }),
};

console.log(`\nL(w) − L(best) after               1 epoch     5 epochs    ${EPOCHS} epochs`);
const after = (curve, epochs) => curve.find(([t]) => t === epochs)[1];
for (const [name, curve] of Object.entries(curves)) {
  const numbers = [1, 5, EPOCHS].map((epochs) => after(curve, epochs).toExponential(1).padStart(12)).join('');
  console.log(`${name.padEnd(28)}${numbers}`);
}

// After one epoch SGD has made 256 steps and is far ahead of gradient descent, which has made one. In the end gradient
// descent goes all the way; SGD with a constant η keeps jumping around the minimum, smaller batches further, and comes
// to rest only if η falls.
const [descent, miniBatch, sgd, falling] = Object.values(curves);
assert.ok(after(sgd, 1) < after(descent, 1) / 10, 'SGD is ahead at first');
assert.ok(after(miniBatch, 5) < after(descent, 5), 'so are mini-batches');
assert.ok(after(descent, EPOCHS) < 1e-8, 'gradient descent goes all the way');
const floor = (curve) => curve.slice(-40).reduce((sum, [, v]) => sum + v, 0) / 40;
assert.ok(floor(sgd) > 1e-4, 'SGD with a constant η does not');
assert.ok(floor(miniBatch) < floor(sgd), 'averaging over a batch makes the jumps smaller');
assert.ok(floor(falling) < floor(sgd) / 5, 'so does a falling η');

// ---- a convergence test: stop when ‖∇L‖ < ε
//
// At the minimum ∇L = 0. Near it, ‖∇L‖ < ε bounds the way that is left by L − L(best) ≤ ε²/2μ, with μ the smallest
// eigenvalue of H. And gradient descent converges only for η < 2/λ, λ the largest: an error along that eigenvector is
// multiplied by 1 − ηλ in each step.

const middle = (H[0] + H[2]) / 2;
const radius = Math.sqrt(((H[0] - H[2]) / 2) ** 2 + H[1] ** 2);
const [μ, λ] = [middle - radius, middle + radius];
const ε = 1e-4;

function untilConverged(η, limit = 1000) {
  let w = tensor([[0], [0]]);
  for (let t = 0; t < limit; t++) {
    const g = gradient(w, X, y);
    if (g.square().sum().sqrt().item() < ε) return { t, w };
    w = tensor(w.sub(g.mul(η)).toArray());
  }
  return { t: Number.POSITIVE_INFINITY, w };
}

console.log(`\neigenvalues of H: μ = ${μ.toFixed(3)}, λ = ${λ.toFixed(3)}; 2/λ = ${(2 / λ).toFixed(3)}`);
for (const share of [0.05, 0.25, 0.5, 0.9, 1.05]) {
  const { t, w } = untilConverged((share * 2) / λ);
  console.log(
    `η = ${share.toFixed(2)}·2/λ   ${t === Number.POSITIVE_INFINITY ? 'diverges' : `‖∇L‖ < ${ε} after ${t} steps`}`,
  );
  if (share < 1) assert.ok(excess(w) <= ε ** 2 / (2 * μ) + 1e-12);
  else assert.ok(!(excess(w) < 1e6), 'too large a step goes uphill');
}

// ---- the picture: all curves over the epochs, on a logarithmic scale, as a small chart of SVG lines

if (process.argv.includes('--draw')) {
  const [left, top, width, height] = [64, 44, 520, 300];
  const [highest, lowest] = [1, -8]; // decades
  const across = (epoch) => (left + (epoch / EPOCHS) * width).toFixed(0);
  const down = (log) => (top + ((highest - log) / (highest - lowest)) * height).toFixed(0);
  const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${words}</text>`;

  const grid = [];
  for (let decade = highest; decade >= lowest; decade--) {
    grid.push(`<path d="M${left} ${down(decade)}H${left + width}"/>`);
    grid.push(text(left - 8, Number(down(decade)) + 4, `1e${decade}`, 'text-anchor="end"'));
  }
  for (let epoch = 0; epoch <= EPOCHS; epoch += 10) {
    grid.push(`<path d="M${across(epoch)} ${top}V${top + height}"/>`);
    grid.push(text(across(epoch), top + height + 20, epoch, 'text-anchor="middle"'));
  }

  const lines = Object.entries(curves).map(([name, curve], i) => {
    const visible = curve.filter(([, v]) => Math.log10(v) > lowest);
    const points = visible.map(([epoch, v]) => `${across(epoch)},${down(Math.log10(v))}`).join(' ');
    const label = text(left + width + 16, top + 12 + 22 * i, name, 'style="fill: currentColor"');
    const line = `<polyline points="${points}" fill="none" stroke="currentColor" stroke-width="1.5"/>`;
    return `<g class="c${i}">${line}${label}</g>`;
  });

  const chart = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 400" width="800" height="400">
<style>
text { font: 13px sans-serif; fill: #1f2328 } path { stroke: #d1d9e0 } rect { fill: #ffffff }
.c0 { color: #0969da } .c1 { color: #bc4c00 } .c2 { color: #8250df } .c3 { color: #1a7f37 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } path { stroke: #3d444d } rect { fill: #0d1117 }
.c0 { color: #4493f8 } .c1 { color: #db6d28 } .c2 { color: #a371f7 } .c3 { color: #3fb950 }
}
</style>
<rect width="800" height="400"/>
${text(left, 26, 'L(w) − L(best)')}
${text(left + width / 2, top + height + 44, 'epochs', 'text-anchor="middle"')}
${[...grid, ...lines].join('\n')}
</svg>
`;
  writeFileSync(new URL('pictures/10-descent.svg', import.meta.url), chart);
}
