// The lectures' calculus: derivatives worked out by hand, against grad() and backward().
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, optim, type Tensor, tensor } from '../src/index.ts';
import { close, fill, initialise, random, uniform } from './helpers.ts';

// Written in float32 and compared with float64: a handful of roundings of 6e-8 each, functions of 2 ulp among them.
const REL = 1e-6;

describe('f(x, z) = exp(xz) + xz/log(x) + sin(log(x))/(xz) at (2, 3)', () => {
  const [A, B] = [6, Math.log(2)];
  const expected = {
    y: Math.exp(A) + A / B + Math.sin(B) / A,
    a: Math.exp(A) + 1 / B - Math.sin(B) / A ** 2,
    b: -A / B ** 2 + Math.cos(B) / A,
  };
  const dx = expected.a * 3 + expected.b / 2;
  const dz = expected.a * 2;

  test('the numbers of the lecture', () => {
    close([expected.y, dx, dz], [412.1914573, 1208.3812151, 809.7074792], 1e-9);
  });

  test('the value, and the partial derivative of everything on the way', () => {
    const [x, z] = [tensor(2), tensor(3)];
    const a = x.mul(z);
    const b = x.log();
    const c = a.exp();
    const d = a.div(b);
    const s = b.sin();
    const e = s.div(a);
    const y = c.add(d).add(e);
    const gradients = grad(y, [x, z, a, b, c, d, s, e, y]);
    const wanted = [dx, dz, expected.a, expected.b, 1, 1, 1 / A, 1, 1];
    close(y, expected.y, REL, 'y');
    close([a.item(), b.item(), c.item()], [A, B, Math.exp(A)], REL, 'intermediates');
    gradients.forEach((g, i) => {
      expect(g.shape).toEqual([]);
      close(g, wanted[i] as number, REL, `partial derivative ${'x z a b c d s e y'.split(' ')[i]}`);
    });
  });

  test('as the design writes it', () => {
    const [x, z] = [tensor(2), tensor(3)];
    const a = x.mul(z);
    const b = x.log();
    const y = a.exp().add(a.div(b)).add(b.sin().div(a));
    const [gx, gz] = grad(y, [x, z]);
    close(
      [gx, gz].map((g) => g.item()),
      [dx, dz],
      REL,
    );
  });

  test('by backward, and compiled', () => {
    const f = (x: Tensor, z: Tensor) => {
      const a = x.mul(z);
      const b = x.log();
      return a.exp().add(a.div(b)).add(b.sin().div(a));
    };
    const [x, z] = [tensor(2, { requiresGrad: true }), tensor(3, { requiresGrad: true })];
    f(x, z).backward();
    close(
      [x.grad as Tensor, z.grad as Tensor].map((g) => g.item()),
      [dx, dz],
      REL,
      'backward',
    );
    const compiled = compile((x: Tensor, z: Tensor) => {
      const y = f(x, z);
      return [y, ...grad(y, [x, z])];
    });
    const got = compiled(tensor(2), tensor(3)).map((t) => t.item());
    close(got, [expected.y, dx, dz], REL, 'compiled');
  });
});

describe('f = x²y + xyz + z + eˣy³z²', () => {
  const points = [
    [0, 1, 2],
    [1, 2, -1],
    [-0.5, 1.5, 0.25],
  ];
  const f = (x: Tensor, y: Tensor, z: Tensor) => {
    const last = x.exp().mul(y.pow(3)).mul(z.square());
    return x.square().mul(y).add(x.mul(y).mul(z)).add(z).add(last);
  };

  test.each(points)('value, gradient and second derivatives at (%d, %d, %d)', (x, y, z) => {
    const at = [tensor(x), tensor(y), tensor(z)] as const;
    const e = Math.exp(x);
    const value = f(...at);
    const gradient = grad(value, [...at]);
    close(value, x * x * y + x * y * z + z + e * y ** 3 * z * z, REL, 'value');
    const wanted = [
      2 * x * y + y * z + e * y ** 3 * z ** 2,
      x * x + x * z + 3 * e * y ** 2 * z ** 2,
      x * y + 1 + 2 * e * y ** 3 * z,
    ];
    close(
      gradient.map((g) => g.item()),
      wanted,
      REL,
      'gradient',
    );
    const xx = 2 * y + e * y ** 3 * z ** 2;
    const xy = 2 * x + z + 3 * e * y ** 2 * z ** 2;
    const xz = y + 2 * e * y ** 3 * z;
    const yy = 6 * e * y * z ** 2;
    const yz = x + 6 * e * y ** 2 * z;
    const zz = 2 * e * y ** 3;
    const hessian = gradient.flatMap((g) => grad(g, [...at]).map((h) => h.item()));
    close(hessian, [xx, xy, xz, xy, yy, yz, xz, yz, zz], REL, 'second derivatives');
  });
});

describe('the derivative of ReLU at 0 is 0', () => {
  const values = [-1, -1e-30, -0, 0, 1e-30, 1];
  const wanted = [0, 0, 0, 0, 1, 1];
  test('by grad', () => {
    const x = tensor(values);
    const [g] = grad(x.relu().sum(), [x]);
    expect([...g.data()]).toEqual(wanted);
  });
  test('by backward, through the layer', () => {
    const x = tensor(values, { requiresGrad: true });
    new nn.ReLU().forward(x).sum().backward();
    expect([...(x.grad as Tensor).data()]).toEqual(wanted);
  });
  test('compiled, and scaled by what comes from above', () => {
    const g = compile((x: Tensor, dy: Tensor) => grad(x.relu().mul(dy).sum(), [x])[0])(tensor(values), tensor(3));
    expect([...g.data()]).toEqual(wanted.map((v) => v * 3));
  });
});

describe('SGD with an L2 regulariser λ‖θ‖²', () => {
  const lambda = 0.05;
  const x = random(710, [6, 3]);
  const y = random(711, [6, 2]);
  const train = (weightDecay: number, explicit: boolean, steps: number) => {
    const model = new nn.Linear(3, 2);
    initialise(model, 700);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, weightDecay });
    for (let i = 0; i < steps; i++) {
      let loss = nn.mseLoss(model.forward(x), y);
      if (explicit) for (const p of model.parameters()) loss = loss.add(p.square().sum().mul(lambda));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    return model.parameters().flatMap((p) => [...p.data()]);
  };

  test('weightDecay = 2λ is the term written into the loss', () => {
    const written = train(0, true, 10);
    close(train(2 * lambda, false, 10), written, 1e-5);
    expect(() => close(train(0, false, 10), written, 1e-2)).toThrow();
  });

  test('one step is θ − η(∇L + 2λθ)', () => {
    const before = train(0, false, 0);
    const plain = train(0, false, 1);
    const wanted = plain.map((v, i) => v - 0.1 * 2 * lambda * (before[i] as number));
    close(train(2 * lambda, false, 1), wanted, REL);
  });
});

test('the average gradient over T examples is the gradient of the batch', () => {
  const T = 7;
  const images = uniform(720, T * 5);
  const labels = [0, 3, 1, 2, 2, 0, 3];
  const model = new nn.Sequential(new nn.Linear(5, 6), new nn.Tanh(), new nn.Linear(6, 4));
  initialise(model, 730);
  const gradients = (x: Tensor, label: Tensor) =>
    grad(nn.crossEntropy(model.forward(x), label), model.parameters()).map((g) => [...g.data()]);
  const singly = labels.map((label, t) => {
    const x = tensor(images.slice(5 * t, 5 * t + 5), { shape: [1, 5] });
    return gradients(x, tensor(Int32Array.of(label), { shape: [1] }));
  });
  const batch = gradients(tensor(images, { shape: [T, 5] }), tensor(Int32Array.from(labels), { shape: [T] }));
  expect(batch.length).toBe(4);
  batch.forEach((g, p) => {
    const average = g.map((_, i) => singly.reduce((s, one) => s + ((one[p] as number[])[i] as number), 0) / T);
    close(g, average, 1e-5, `parameter ${p}`);
  });
});

test('a parameter can be filled and read back', () => {
  const layer = new nn.Linear(2, 1);
  fill(layer.weight, [3, 4]);
  expect(layer.weight.toArray()).toEqual([[3, 4]]);
  expect(
    layer
      .forward(tensor([[1, 1]]))
      .sub(layer.bias as Tensor)
      .item(),
  ).toBe(7);
});
