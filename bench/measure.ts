// Times one call: warmed up, median of the samples of the `benchmark` package.
import Benchmark from 'benchmark';

/** Calls before timing: V8 replaces a function by its optimised code after some milliseconds of work. */
const WARM_UP_MS = 300;

/** Median seconds of a call, and the distance from the 10th to the 90th percentile as a share of it. */
export function measure(call: () => void): { seconds: number; spread: number } {
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) call();
  const bench = new Benchmark({ fn: call, minSamples: 15, maxTime: 1.5 });
  bench.run();
  const samples = [...bench.stats.sample].sort((a, b) => a - b);
  const at = (q: number) => samples[Math.floor(q * (samples.length - 1))] as number;
  return { seconds: at(0.5), spread: (at(0.9) - at(0.1)) / at(0.5) };
}
