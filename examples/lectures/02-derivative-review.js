// 2. Derivative review: partial derivatives of a formula, and the shapes of derivatives of a product
//
//    node examples/lectures/02-derivative-review.js            prints and checks
//    node examples/lectures/02-derivative-review.js --draw     also writes pictures/02-derivative-review.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { grad, jacobian, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

/** Numbers of a tensor, to four digits. */
const show = (t) => JSON.stringify(t.toArray(), (_, v) => (typeof v === 'number' ? Number(v.toPrecision(4)) : v));

/** The same shape and the same numbers, but for the rounding of float32. */
function equal(got, wanted) {
  assert.deepEqual(got.shape, wanted.shape);
  assert.ok(got.sub(wanted).abs().max().item() < 1e-4, `${show(got)}, not ${show(wanted)}`);
}

// ---- a formula of three variables
//
//    f(x, y, z) = x²y + xyz + z + eˣy³z²
//
// For a partial derivative, the other variables are constants:
//
//    ∂f/∂x = 2xy + yz + eˣy³z²
//    ∂f/∂y = x² + xz + 3eˣy²z²
//    ∂f/∂z = xy + 1 + 2eˣy³z

const [x, y, z] = [tensor(1), tensor(2), tensor(-1)];
const f = x
  .square()
  .mul(y)
  .add(x.mul(y).mul(z))
  .add(z)
  .add(x.exp().mul(y.pow(3)).mul(z.square()));
const [fx, fy, fz] = grad(f, [x, y, z]);

const [X, Y, Z, E] = [1, 2, -1, Math.E];
equal(f, tensor(X ** 2 * Y + X * Y * Z + Z + E * Y ** 3 * Z ** 2));
equal(fx, tensor(2 * X * Y + Y * Z + E * Y ** 3 * Z ** 2));
equal(fy, tensor(X ** 2 + X * Z + 3 * E * Y ** 2 * Z ** 2));
equal(fz, tensor(X * Y + 1 + 2 * E * Y ** 3 * Z));
console.log('f = x²y + xyz + z + eˣy³z² at x = 1, y = 2, z = −1');
console.log(`f = ${show(f)}   ∂f/∂x = ${show(fx)}   ∂f/∂y = ${show(fy)}   ∂f/∂z = ${show(fz)}`);

// A derivative can be differentiated again, and the order does not matter: ∂²f/∂x∂y = ∂²f/∂y∂x = 2x + z + 3eˣy²z².
const [fxy] = grad(fx, [y]);
const [fyx] = grad(fy, [x]);
equal(fxy, tensor(2 * X + Z + 3 * E * Y ** 2 * Z ** 2));
equal(fyx, fxy);
console.log(`∂²f/∂x∂y = ∂²f/∂y∂x = ${show(fxy)}`);

// ---- a product of a row and a matrix
//
//    zᵀ = yᵀx        y [n×1], x [n×p], so zᵀ [1×n]·[n×p] = [1×p]
//
// Element by element: z_j = Σᵢ yᵢ·x_ij. So
//
//    ∂z_j/∂y_i  = x_ij              as a matrix, ∂z/∂y = xᵀ   [p×n]: a row for each output, a column for each input
//    ∂z_j/∂x_kl = y_k if l = j, else 0                        [p×n×p]

const [n, p] = [3, 2];
const column = tensor([[1], [2], [3]]); // y [n×1]
const matrix = tensor([
  [1, -1],
  [0, 2],
  [4, 5],
]); // x [n×p]
const row = column.T.matmul(matrix); // zᵀ [1×p]
equal(row, tensor([[1 * 1 + 2 * 0 + 3 * 4, 1 * -1 + 2 * 2 + 3 * 5]]));

const [byY, byX] = jacobian(row, [column, matrix]);
equal(byY.reshape(p, n), matrix.T);
const wanted = Array.from({ length: p }, (_, j) =>
  [1, 2, 3].map((yk) => Array.from({ length: p }, (_, l) => (l === j ? yk : 0))),
);
equal(byX.reshape(p, n, p), tensor(wanted));

console.log('\nzᵀ = yᵀx with y [3×1], x [3×2]');
console.log(`zᵀ = ${show(row)}   ∂z/∂y = xᵀ = ${show(byY.reshape(p, n))}`);
console.log(`∂z/∂x = ${show(byX.reshape(p, n, p))}`);

// ---- backward, by matching dimensions
//
// A loss L that depends on z gives dzᵀ = ∂L/∂zᵀ, of the shape of zᵀ [1×p]. A gradient has the shape of its variable:
//
//    dy [n×1] is made of dzᵀ [1×p] and x [n×p]:     dy = x·dz       [n×p]·[p×1]
//    dx [n×p] is made of dzᵀ [1×p] and y [n×1]:     dx = y·dzᵀ      [n×1]·[1×p]
//
// No other order of the factors fits, and these are indeed Σ_j dz_j·∂z_j/∂yᵢ = Σ_j x_ij·dz_j and dz_j·yᵢ.

const target = tensor([[10, 20]]);
const loss = row.sub(target).square().sum().mul(0.5); // L = ½‖z − target‖², so dz = z − target
const dzT = row.sub(target);
const [dRow, dColumn, dMatrix] = grad(loss, [row, column, matrix]);
equal(dRow, dzT);
equal(dColumn, matrix.matmul(dzT.T));
equal(dMatrix, column.matmul(dzT));

console.log(`\nL = ½‖z − (10, 20)‖²: dzᵀ = ${show(dRow)}`);
console.log(`dy = x·dz = ${show(dColumn)}   dx = y·dzᵀ = ${show(dMatrix)}`);

// ---- the picture: f with the value of each step and, below, its adjoint

if (process.argv.includes('--draw')) {
  const picture = await toSVG({ f }, { names: { x, y, z }, values: true, gradients: { of: f, wrt: [x, y, z] } });
  writeFileSync(new URL('pictures/02-derivative-review.svg', import.meta.url), picture);
}
