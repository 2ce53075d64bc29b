// 1. The scalar graph: y = exp(xz) + xz/log(x) + sin(log(x))/(xz)
//
//    node examples/lectures/01-scalar-graph.js            prints and checks
//    node examples/lectures/01-scalar-graph.js --draw     also writes pictures/01-scalar-graph.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { grad, jvp, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

// ---- forward
//
// The expression is cut into steps, each one operation on earlier steps. What occurs twice (xz, log x) is one step.
//
//    a = x·z      b = log x      c = exp a      d = a/b      s = sin b      e = s/a      y = c + d + e

const x = tensor(2);
const z = tensor(3);
const a = x.mul(z);
const b = x.log();
const c = a.exp();
const d = a.div(b);
const s = b.sin();
const e = s.div(a);
const y = c.add(d).add(e);

// The same in plain numbers.
const [X, Z] = [2, 3];
const A = X * Z;
const B = Math.log(X);
const C = Math.exp(A);
const D = A / B;
const S = Math.sin(B);
const E = S / A;
const Y = C + D + E;

// ---- backward, variable by variable
//
// The adjoint of a step v is dv = ∂y/∂v. It is the sum, over the steps w that use v, of dw·∂w/∂v. So one goes from the
// last step to the first: when v's turn comes, the adjoints of all its users are there.
//
//    dy = 1
//    dc = dd = de = dy                                                   c, d and e are used by y = c + d + e
//    ds = de·∂e/∂s                       = de/a                          s is used by e = s/a
//    db = dd·∂d/∂b + ds·∂s/∂b            = −dd·a/b² + ds·cos b           b is used by d = a/b and s = sin b
//    da = dc·∂c/∂a + dd·∂d/∂a + de·∂e/∂a = dc·exp a + dd/b − de·s/a²     a is used by c, d and e
//    dz = da·∂a/∂z                       = da·x                          z is used by a = x·z
//    dx = da·∂a/∂x + db·∂b/∂x            = da·z + db/x                   x is used by a = x·z and b = log x

const dY = 1;
const dC = dY;
const dD = dY;
const dE = dY;
const dS = dE / A;
const dB = (-dD * A) / B ** 2 + dS * Math.cos(B);
const dA = dC * Math.exp(A) + dD / B - (dE * S) / A ** 2;
const dZ = dA * X;
const dX = dA * Z + dB / X;

// ---- nabla does the same: grad walks the graph backward, for the inputs and for every step between

const steps = { y, c, d, e, s, b, a, z, x };
const adjoints = grad(y, Object.values(steps));
const byHand = {
  y: [Y, dY],
  c: [C, dC],
  d: [D, dD],
  e: [E, dE],
  s: [S, dS],
  b: [B, dB],
  a: [A, dA],
  z: [Z, dZ],
  x: [X, dX],
};

/** Equal but for the rounding of float32, about seven digits. */
const near = (got, wanted) => assert.ok(Math.abs(got - wanted) <= 1e-6 * Math.abs(wanted), `${got}, not ${wanted}`);

console.log('step        value      adjoint ∂y/∂step');
Object.entries(steps).forEach(([name, step], i) => {
  const [value, adjoint] = [step.item(), adjoints[i].item()];
  near(value, byHand[name][0]);
  near(adjoint, byHand[name][1]);
  console.log(`${name}     ${value.toFixed(6).padStart(12)} ${adjoint.toFixed(6).padStart(15)}`);
});

// ---- why backward is efficient
//
// Naive differentiation goes forward: choose one input, carry the derivative of every step with respect to it from the
// first step to the last, and begin again for the next input. With n inputs that is n passes over the whole graph.
// Backward needs one pass for all inputs, because every adjoint is computed once and then used by all steps below it.
//
// Counted on y = x₁·x₂·…·xₙ, which takes n − 1 products. A step of the graph is an operation. They are counted as they
// are written down, before anything is simplified: about 3 for each product backward, 5 for each product in each of the
// n passes forward.

/** How many different operations the tensors are made of. */
function operations(tensors) {
  const seen = new Set();
  const visit = (node) => {
    if (seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
  };
  for (const t of tensors) visit(t.node);
  return [...seen].filter((node) => node.inputs.length > 0).length;
}

const product = (...factors) => factors.reduce((left, right) => left.mul(right));

console.log('\n  n    operations: of y   of all ∂y/∂xᵢ, backward   of all ∂y/∂xᵢ, forward');
for (const n of [2, 4, 8, 16, 32]) {
  const xs = Array.from({ length: n }, (_, i) => tensor(1 + i / n));
  const value = product(...xs);
  const backward = grad(value, xs);
  // Forward, one pass for each input: its derivative by itself is 1, that of the others 0.
  const forward = xs.map((_, i) => {
    const direction = xs.map((_, j) => tensor(i === j ? 1 : 0));
    return jvp(product, xs, direction)[1];
  });

  backward.forEach((g, i) => {
    near(g.item(), forward[i].item());
  });
  const counts = [operations([value]), operations(backward), operations(forward)];
  console.log(`${`${n}`.padStart(3)}${counts.map((k, i) => `${k}`.padStart([18, 27, 26][i])).join('')}`);
  assert.ok(counts[1] <= 4 * n, 'backward: a few operations for each of the n inputs');
  assert.ok(counts[2] >= n * (n - 1), 'forward: n passes over n − 1 operations');
}

// ---- the picture: every step with its value and, below, its adjoint; v1 is c + d, as add takes two at a time

if (process.argv.includes('--draw')) {
  const names = { x, z, a, b, c, d, s, e };
  const picture = await toSVG({ y }, { names, values: true, gradients: { of: y, wrt: [x, z] } });
  writeFileSync(new URL('pictures/01-scalar-graph.svg', import.meta.url), picture);
}
