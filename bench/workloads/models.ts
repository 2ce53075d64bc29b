// Whole networks: training steps and inference.
import { compile, type MemoryUse, nn, optim, type Tensor } from '../../src/index.ts';
import { data, labels, type Workload } from './workload.ts';

export const mlp = (...sizes: number[]) => {
  const layers = sizes.slice(1).flatMap((out, i) => [new nn.Linear(sizes[i] as number, out), new nn.ReLU()]);
  return new nn.Sequential(...layers.slice(0, -1));
};

/** The lecture's network: two convolutions of 5×5, each with a pool, and a linear layer; `size` × `size` images. */
export const cnn = (size = 28, channels = 1) => {
  const left = Math.floor((Math.floor((size - 4) / 2) - 4) / 2);
  return new nn.Sequential(
    new nn.Conv2d(channels, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(32 * left * left, 10),
  );
};

export interface Step {
  run(): void;
  memory(): MemoryUse;
  /** FLOPs of its products and convolutions. */
  flops(): number;
}

/** A step of SGD on cross-entropy over ten classes: forward, backward and update. */
export function trainingStep(model: nn.Module, batch: number, shape: readonly number[]): Step {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const [x, y] = [data(batch, ...shape), labels(batch, 10)];
  const step = compile((images: Tensor, digits: Tensor) => {
    const loss = nn.crossEntropy(model.forward(images), digits);
    optimizer.minimize(loss);
    return loss;
  });
  return {
    run: () => step(x, y),
    memory: () => step.memory(x, y),
    flops: () => step.profile(x, y).rows.reduce((sum, row) => sum + row.flops, 0),
  };
}

export function training(name: string, batch: number, model: () => nn.Module, shape: readonly number[]): Workload {
  return { name, unit: 'samples', items: batch, prepare: () => trainingStep(model(), batch, shape).run };
}

/** Numbers in, numbers out: the logits are read. */
export function inference(name: string, batch: number, model: () => nn.Module, shape: readonly number[]): Workload {
  return {
    name: `W7 ${name}, batch ${batch}`,
    unit: 'samples',
    items: batch,
    prepare: () => {
      const net = model().eval();
      const x = data(batch, ...shape);
      const forward = compile((images: Tensor) => net.forward(images) as Tensor);
      return () => forward(x).data();
    },
  };
}
