// 4. Layer by layer: linear, ReLU, softmax, convolution, max-pooling; forward and backward by hand, next to grad
//
//    node examples/lectures/04-layer-by-layer.js            prints and checks
//    node examples/lectures/04-layer-by-layer.js --draw     also writes pictures/04-layer-by-layer.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { concat, grad, manualSeed, nn, randn, tensor, zeros } from 'nabla';
import { toSVG } from 'nabla/viz';

manualSeed(4);
/** A tensor of random numbers. */
const random = (...shape) => tensor(randn(shape).data(), { shape });
/** The same, to be learned: the picture shows it as a parameter. */
const parameter = (...shape) => nn.parameter(random(...shape));

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(what, got, wanted) {
  assert.deepEqual(got.shape, wanted.shape, what);
  const difference = got.sub(wanted).abs().max().item();
  assert.ok(difference < 1e-5, `${what} differs by ${difference}`);
  console.log(`  ${what.padEnd(24)} [${got.shape.join('×')}]  largest difference ${difference.toExponential(1)}`);
}

// Each layer below is y = f(x, parameters). Backward is given dy = ∂L/∂y, of the shape of y, from the layers above,
// and gives dx = ∂L/∂x to the layer below, and the gradients of its own parameters. Here dy is random; grad takes it as
// its seed.

// ---- linear: y = W·x + b        x [n], W [m×n], b [m], y [m]
//
//    dx = Wᵀ·dy        dW = dy·xᵀ (the outer product)        db = dy

console.log('linear');
{
  const [x, W, b] = [random(4), random(3, 4), random(3)];
  const y = W.matmul(x).add(b);
  equal('y', nn.linear(x.reshape(1, 4), W, b).reshape(3), y);

  const dy = random(3);
  const [dx, dW, db] = grad(y, [x, W, b], { seed: dy });
  equal('dx = Wᵀ·dy', dx, W.T.matmul(dy));
  equal('dW = dy·xᵀ', dW, dy.reshape(3, 1).matmul(x.reshape(1, 4)));
  equal('db = dy', db, dy);
}

// ---- ReLU: y = max(x, 0)        any shape
//
//    dxᵢ = dyᵢ where xᵢ > 0, else 0

console.log('ReLU');
{
  const x = random(6);
  const y = x.gt(0).where(x, 0);
  equal('y', x.relu(), y);

  const dy = random(6);
  const [dx] = grad(x.relu(), [x], { seed: dy });
  equal('dx = dy where x > 0', dx, x.gt(0).where(dy, 0));
}

// ---- softmax: yᵢ = e^xᵢ / Σ_k e^x_k        x [n], y [n]
//
//    dx = y ⊙ (dy − Σᵢ dyᵢyᵢ), from ∂yᵢ/∂x_j = yᵢ(δᵢⱼ − y_j)

console.log('softmax');
{
  const x = random(5);
  const exps = x.exp();
  const y = exps.div(exps.sum());
  equal('y', x.softmax(), y);

  const dy = random(5);
  const [dx] = grad(x.softmax(), [x], { seed: dy });
  equal('dx = y ⊙ (dy − Σdyy)', dx, y.mul(dy.sub(dy.mul(y).sum())));
}

// ---- convolution: a kernel of K×K pixels slides over the image
//
//    y[o, m, n] = b[o] + Σ_c Σᵢⱼ W[o, c, i, j]·x[c, m + i, n + j]
//
//    x [C×M×N], C channels of M×N pixels        W [O×C×K×K], b [O]        y [O×M′×N′], M′ = M − K + 1, N′ = N − K + 1
//
// Take one place (i, j) of the kernel: Wᵢⱼ = W[:, :, i, j] is a matrix [O×C]. As the kernel slides, this place meets
// the M′×N′ pixels from (i, j) on; written one after another, a row for each channel, they are a matrix Xᵢⱼ [C×M′N′].
// With y and dy written in the same way as Y and dY [O×M′N′], a convolution is a sum of K² linear layers, one for each
// place:
//
//    Y = Σᵢⱼ Wᵢⱼ·Xᵢⱼ + b        dWᵢⱼ = dY·Xᵢⱼᵀ        dXᵢⱼ = Wᵢⱼᵀ·dY        db = the sum of each row of dY
//
// and dx is the sum of the dXᵢⱼ, each added to the pixels that Xᵢⱼ was taken from.

/** One place of the kernel: the weights there and the pixels they meet, as matrices. */
function place(x, W, i, j) {
  const [C, M, N] = x.shape;
  const [O, , K] = W.shape;
  const [m, n] = [M - K + 1, N - K + 1];
  const Wij = W.slice(null, null, { start: i, stop: i + 1 }, { start: j, stop: j + 1 }).reshape(O, C);
  const Xij = x.slice(null, { start: i, stop: i + m }, { start: j, stop: j + n }).reshape(C, m * n);
  return { Wij, Xij };
}

function convForward(x, W, b) {
  const [O, , K] = W.shape;
  let Y = b.reshape(O, 1);
  for (let i = 0; i < K; i++) {
    for (let j = 0; j < K; j++) {
      const { Wij, Xij } = place(x, W, i, j);
      Y = Y.add(Wij.matmul(Xij));
    }
  }
  return Y.reshape(O, x.shape[1] - K + 1, x.shape[2] - K + 1);
}

function convBackward(x, W, dy) {
  const [O, C, K] = W.shape;
  const [, m, n] = dy.shape;
  const dY = dy.reshape(O, m * n);
  let dx = zeros(x.shape);
  const dW = [];
  for (let i = 0; i < K; i++) {
    for (let j = 0; j < K; j++) {
      const { Wij, Xij } = place(x, W, i, j);
      dW.push(dY.matmul(Xij.T).reshape(O, C, 1));
      const dXij = Wij.T.matmul(dY).reshape(C, m, n);
      dx = dx.add(dXij.pad([0, 0], [i, K - 1 - i], [j, K - 1 - j]));
    }
  }
  return { dx, dW: concat(dW, 2).reshape(W.shape), db: dY.sum(1) };
}

console.log('convolution');
{
  const [x, W, b] = [random(2, 6, 6), random(3, 2, 3, 3), random(3)];
  const y = nn.conv2d(x.reshape(1, 2, 6, 6), W, { bias: b }).reshape(3, 4, 4);
  equal('y', y, convForward(x, W, b));

  const dy = random(3, 4, 4);
  const [dx, dW, db] = grad(y, [x, W, b], { seed: dy });
  const byHand = convBackward(x, W, dy);
  equal('dx = Σ Wᵢⱼᵀ·dY, placed', dx, byHand.dx);
  equal('dWᵢⱼ = dY·Xᵢⱼᵀ', dW, byHand.dW);
  equal('db = Σ dy', db, byHand.db);
}

// ---- max-pooling: the largest of each window of 2×2 pixels        x [C×M×N], y [C×M/2×N/2]
//
//    dx = dy of its window for the pixel that won, 0 for the three others

/** Each pixel of y as a window of 2×2 equal ones. */
function enlarge(y) {
  const [C, m, n] = y.shape;
  return y
    .reshape(C, m, 1, n, 1)
    .expand(C, m, 2, n, 2)
    .reshape(C, 2 * m, 2 * n);
}

function poolForward(x) {
  const corner = (i, j) => x.slice(null, { start: i, step: 2 }, { start: j, step: 2 });
  return corner(0, 0).maximum(corner(0, 1)).maximum(corner(1, 0)).maximum(corner(1, 1));
}

const poolBackward = (x, y, dy) => x.eq(enlarge(y)).where(enlarge(dy), 0);

console.log('max-pooling');
{
  const x = random(2, 4, 4);
  const y = nn.maxPool2d(x.reshape(1, 2, 4, 4), 2).reshape(2, 2, 2);
  equal('y', y, poolForward(x));

  const dy = random(2, 2, 2);
  const [dx] = grad(y, [x], { seed: dy });
  equal('dx = dy for the winner', dx, poolBackward(x, y, dy));
}

// ---- all of them, one after another
//
// Forward, each layer hands its y on as the next one's x; backward, each hands its dx down as the dy of the one below.
// The loss is −log of the probability p₂ of the last of the classes 0, 1 and 2.

const image = random(1, 6, 6);
const [kernel, bias] = [parameter(2, 1, 3, 3), parameter(2)];
const [weight, offset] = [parameter(3, 8), parameter(3)];

const convolved = nn.conv2d(image.reshape(1, 1, 6, 6), kernel, { bias }); // [1×2×4×4]
const pooled = nn.maxPool2d(convolved, 2); // [1×2×2×2]
const active = pooled.relu();
const logits = nn.linear(active.flatten(1), weight, offset); // [1×3]
const probabilities = logits.softmax();
const classTwo = tensor([[0, 0, 1]]);
const L = probabilities.mul(classTwo).sum().log().neg();
const gradients = grad(L, [kernel, bias, weight, offset]);

console.log('convolution → max-pooling → ReLU → linear → softmax, L = −log p₂');
{
  const c = convForward(image, kernel, bias);
  const m = poolForward(c);
  const r = m.gt(0).where(m, 0).reshape(8, 1);
  const u = weight.matmul(r).add(offset.reshape(3, 1)); // the logits, as a column
  const p = u.exp().div(u.exp().sum());
  equal('p', probabilities, p.T);

  const one = classTwo.T; // 1 at class 2, 0 elsewhere
  const dp = one.neg().div(p); // of −log p₂: −1/p₂ at class 2, 0 elsewhere
  const du = p.mul(dp.sub(dp.mul(p).sum()));
  equal('du = p − class 2', du, p.sub(one)); // as the p in dp cancels
  const dr = weight.T.matmul(du).reshape(2, 2, 2);
  const dm = m.gt(0).where(dr, 0);
  const dc = poolBackward(c, m, dm);
  const { dW, db } = convBackward(image, kernel, dc);
  equal('kernel', gradients[0], dW);
  equal('its bias', gradients[1], db);
  equal('weight', gradients[2], du.matmul(r.T));
  equal('its bias', gradients[3], du.reshape(3));
}

// ---- the picture: the network, with the shape and range of each step and of its adjoint

if (process.argv.includes('--draw')) {
  const steps = { convolved, pooled, active, logits, probabilities };
  const names = { image, kernel, bias, weight, offset, classTwo, ...steps };
  const wrt = [kernel, bias, weight, offset];
  const picture = await toSVG({ L }, { names, values: true, gradients: { of: L, wrt }, direction: 'TB' });
  writeFileSync(new URL('pictures/04-layer-by-layer.svg', import.meta.url), picture);
}
