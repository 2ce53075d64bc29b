// What is measured: matrix products, convolutions and whole training steps, on seeded data. Each says what one call
// does, so a rate can be given: FLOPs for kernels, samples for steps.
import { compile, manualSeed, nn, optim, rand, type Tensor, tensor } from '../src/index.ts';

export interface Workload {
  name: string;
  /** What `amount` counts. */
  unit: 'GFLOP/s' | 'samples/s';
  /** FLOPs or samples of one call. */
  amount: number;
  /** Makes everything the call needs; the call itself is what is timed. */
  prepare(): () => void;
}

/** A tensor whose elements are known: lazy ones would be computed inside the timing. */
function data(...shape: number[]): Tensor {
  return tensor(rand(shape).sub(0.5).data(), { shape });
}

function labels(n: number, classes: number): Tensor {
  const values = rand([n]).data();
  return tensor(Int32Array.from(values, (v) => Math.floor(v * classes)));
}

/** Sums its result to one number, so that a large output is not copied out within the timing. */
function product(name: string, m: number, n: number, k: number, transpose: 'none' | 'a' | 'b' = 'none'): Workload {
  return {
    name,
    unit: 'GFLOP/s',
    amount: 2 * m * n * k,
    prepare: () => {
      const a = nn.parameter(transpose === 'a' ? data(k, m) : data(m, k));
      const b = nn.parameter(transpose === 'b' ? data(n, k) : data(k, n));
      const run = compile(() => (transpose === 'a' ? a.T : a).matmul(transpose === 'b' ? b.T : b).slice({ stop: 1 }));
      return () => run();
    },
  };
}

/** W4: 3×3, 64 → 64 channels, 32×32, batch 16. */
const CONV = { n: 16, c: 64, o: 64, size: 32, kernel: 3 };
const convFlops = 2 * CONV.n * CONV.o * CONV.size ** 2 * CONV.c * CONV.kernel ** 2;

function convolution(name: string, what: 'forward' | 'dx' | 'dw'): Workload {
  return {
    name,
    unit: 'GFLOP/s',
    amount: convFlops,
    prepare: () => {
      const x = nn.parameter(data(CONV.n, CONV.c, CONV.size, CONV.size));
      const w = nn.parameter(data(CONV.o, CONV.c, CONV.kernel, CONV.kernel));
      const dy = nn.parameter(data(CONV.n, CONV.o, CONV.size, CONV.size));
      const run = compile(() => {
        const y = nn.conv2d(x, w, { padding: 1 });
        if (what === 'forward') return y.slice({ stop: 1 }, { stop: 1 });
        return gradientOf(y, dy, what === 'dx' ? x : w).slice({ stop: 1 }, { stop: 1 });
      });
      return () => run();
    },
  };
}

/** dy sent back through y: the gradient of Σ y·dy. */
function gradientOf(y: Tensor, dy: Tensor, x: Tensor): Tensor {
  y.mul(dy).sum().backward();
  return x.grad as Tensor;
}

function training(name: string, batch: number, model: () => nn.Module, shape: readonly number[]): Workload {
  return {
    name,
    unit: 'samples/s',
    amount: batch,
    prepare: () => {
      const net = model();
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const [x, y] = [data(batch, ...shape), labels(batch, 10)];
      const step = compile((images: Tensor, digits: Tensor) => {
        const loss = nn.crossEntropy(net.forward(images), digits);
        optimizer.minimize(loss);
        return loss;
      });
      return () => step(x, y);
    },
  };
}

const mlp = (...sizes: number[]) => {
  const layers = sizes.slice(1).flatMap((out, i) => [new nn.Linear(sizes[i] as number, out), new nn.ReLU()]);
  return new nn.Sequential(...layers.slice(0, -1));
};

const cnn = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(512, 10),
  );

export function workloads(): Workload[] {
  manualSeed(0);
  return [
    ...[64, 256, 512, 1024].map((n) => product(`W1 GEMM n=${n}`, n, n, n)),
    product('W1 A·Bᵀ n=256', 256, 256, 256, 'b'),
    product('W1 Aᵀ·B n=256', 256, 256, 256, 'a'),
    training('W2 MLP 784-256-128-10, batch 64', 64, () => mlp(784, 256, 128, 10), [784]),
    training('W2b MLP 784-32-10, batch 1', 1, () => mlp(784, 32, 10), [784]),
    training('W3 CNN, batch 64', 64, cnn, [1, 28, 28]),
    convolution('W4 convolution forward', 'forward'),
    convolution('W4 convolution dx', 'dx'),
    convolution('W4 convolution dw', 'dw'),
  ];
}
