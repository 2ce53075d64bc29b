// `npm run bench:growth`: how time and memory of a training step grow with width, depth, batch and image size, each
// doubled four times. Time per FLOP must not rise: it falls until the arithmetic outweighs the fixed cost of a step.

import { Sampler } from '../src/bench/sampler.ts';
import { median } from '../src/bench/statistics.ts';
import type { MemoryUse, nn } from '../src/index.ts';
import { cnn, mlp, trainingStep } from './workloads/models.ts';

const DOUBLINGS = [1, 2, 4, 8, 16];

interface Series {
  name: string;
  /** The model, batch and image of one point. */
  at(factor: number): { label: string; model: nn.Module; batch: number; shape: number[] };
}

const deep = (layers: number) => mlp(...new Array(layers).fill(256), 10);

const SERIES: Series[] = [
  {
    name: 'width of MLP 256-w-w-10, batch 64',
    at: (f) => ({ label: `${64 * f}`, model: mlp(256, 64 * f, 64 * f, 10), batch: 64, shape: [256] }),
  },
  {
    name: 'depth of MLP of 256, batch 64',
    at: (f) => ({ label: `${2 * f}`, model: deep(2 * f), batch: 64, shape: [256] }),
  },
  {
    name: 'batch of MLP 784-256-128-10',
    at: (f) => ({ label: `${16 * f}`, model: mlp(784, 256, 128, 10), batch: 16 * f, shape: [784] }),
  },
  {
    name: 'batch of the CNN, 28×28',
    at: (f) => ({ label: `${8 * f}`, model: cnn(), batch: 8 * f, shape: [1, 28, 28] }),
  },
  {
    name: 'image of the CNN, batch 4',
    at: (f) => ({ label: `${20 * f}²`, model: cnn(20 * f), batch: 4, shape: [1, 20 * f, 20 * f] }),
  },
];

const sampler = await Sampler.load();

/** V8 replaces a function by its optimised code after some milliseconds of work. */
function warmUp(call: () => void): void {
  for (const end = performance.now() + 300; performance.now() < end; ) call();
}

const mib = (nBytes: number) => (nBytes / 2 ** 20).toFixed(nBytes < 10 * 2 ** 20 ? 2 : 1);

console.log(
  '| what grows | to | µs a step | GFLOP/s | peak MiB | MFLOP a step |\n| --- | --- | --- | --- | --- | --- |',
);
for (const { name, at } of SERIES) {
  for (const factor of DOUBLINGS) {
    const { label, model, batch, shape } = at(factor);
    const { run, flops, memory } = trainingStep(model, batch, shape);
    warmUp(run);
    const seconds = median(await sampler.sample(run, false, 1.5));
    const use: MemoryUse = memory();
    const work = flops();
    console.log(
      `| ${name} | ${label} | ${(seconds * 1e6).toFixed(0)} | ${(work / seconds / 1e9).toFixed(1)} | ` +
        `${mib(use.peakBytes)} | ${(work / 1e6).toFixed(1)} |`,
    );
  }
}
