// `npm run bench [name part]`: prints the rate of each workload, median of the samples. NABLA_THREADS and
// NABLA_SIMD choose threads and kernels.
import { theHeap } from '../src/run/heap.ts';
import { getThreads } from '../src/run/pool.ts';
import { measure } from './measure.ts';
import { SCALE, workloads } from './workloads/index.ts';

const { bun, deno } = process.versions;
const runtime = bun ? `bun ${bun}` : deno ? `deno ${deno}` : `node ${process.versions.node}`;
const filter = process.argv[2] ?? '';
console.log(`${runtime}, ${theHeap().simd} SIMD, threads: ${getThreads()}; median, 10–90 % spread`);
for (const { name, unit, amount, prepare } of workloads().filter((w) => w.name.includes(filter))) {
  const { seconds, spread } = measure(prepare());
  const rate = (amount * SCALE[unit]) / seconds;
  const shown = rate < 1000 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en-US');
  console.log(`${name.padEnd(42)} ${shown.padStart(10)} ${unit.padEnd(10)} ± ${(spread * 50).toFixed(1)} %`);
}
