// `npm run bench [name part]`: prints the rate of each workload, median of the samples. NABLA_THREADS and
// NABLA_SIMD choose threads and kernels.
import Benchmark from 'benchmark';
import { theHeap } from '../src/run/heap.ts';
import { getThreads } from '../src/run/pool.ts';
import { SCALE, type Workload, workloads } from './workloads/index.ts';

/** Calls before timing: V8 replaces a function by its optimised code after some milliseconds of work. */
const WARM_UP_MS = 300;

function measure({ amount, unit, prepare }: Workload): { rate: number; spread: number } {
  const call = prepare();
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) call();
  const bench = new Benchmark({ fn: call, minSamples: 15, maxTime: 1.5 });
  bench.run();
  const seconds = [...bench.stats.sample].sort((a, b) => a - b);
  const at = (q: number) => seconds[Math.floor(q * (seconds.length - 1))] as number;
  return { rate: (amount * SCALE[unit]) / at(0.5), spread: (at(0.9) - at(0.1)) / at(0.5) };
}

const filter = process.argv[2] ?? '';
console.log(
  `${process.release.name} ${process.versions.node}, ${theHeap().simd} SIMD, threads: ${getThreads()}; median, 10–90 % spread`,
);
for (const workload of workloads().filter((w) => w.name.includes(filter))) {
  const { rate, spread } = measure(workload);
  const shown = rate < 1000 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en-US');
  console.log(
    `${workload.name.padEnd(42)} ${shown.padStart(10)} ${workload.unit.padEnd(10)} ± ${(spread * 50).toFixed(1)} %`,
  );
}
