// `npm run bench:compile`: what compiling costs as a graph grows, alone and with its gradient: milliseconds to trace,
// rewrite and plan it, JavaScript heap while that goes on and after it, and bytes of Wasm memory that a call takes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../src/bench/statistics.ts';
import { compile, grad, type MemoryUse, type Tensor } from '../src/index.ts';
import { chains } from './workloads/chains.ts';
import { data } from './workloads/workload.ts';

const SIZES = [100, 1_000, 10_000];
/** How often each is compiled, every time two nodes longer, so that no plan is found again. */
const REPEATS = 5;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapUsed = () => process.memoryUsage().heapUsed;
const x = data(8, 8);

interface Cost {
  ms: number;
  peak: number;
  held: number;
  use: MemoryUse;
}

function compileOne(chain: (x: Tensor) => Tensor, derive: boolean): Cost {
  collect();
  const before = heapUsed();
  const step = compile((t: Tensor) => {
    const y = chain(t).sum();
    return derive ? [y, ...grad(y, [t])] : [y];
  });
  const from = performance.now();
  const use = step.memory(x);
  const ms = performance.now() - from;
  const peak = heapUsed() - before;
  collect();
  return { ms, peak, held: heapUsed() - before, use };
}

const kib = (nBytes: number) => Math.max(0, nBytes / 1024).toFixed(0);

for (const make of Object.values(chains)) for (let k = 0; k < 5; k++) compileOne(make(900 + k), true);
console.log('| graph | | nodes | ms | µs a node | heap, peak KiB | heap, after KiB | program KiB | arena KiB |');
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const [name, make] of Object.entries(chains)) {
  for (const derive of [false, true]) {
    for (const size of SIZES) {
      const costs = Array.from({ length: REPEATS }, (_, k) => compileOne(make(size + 2 * k), derive));
      const ms = median(costs.map((c) => c.ms));
      const heap = [median(costs.map((c) => c.peak)), median(costs.map((c) => c.held))].map(kib);
      const { use } = costs[0] as Cost;
      console.log(
        `| ${name} | ${derive ? 'with gradient' : 'forward'} | ${size} | ${ms.toFixed(1)} | ` +
          `${((ms * 1000) / size).toFixed(0)} | ${heap.join(' | ')} | ${kib(use.programBytes)} | ${kib(use.arenaBytes)} |`,
      );
    }
  }
}
