// Times one function: samples of seconds a call, by the `benchmark` package, which a user of `nabla bench` installs.
import type BenchmarkPackage from 'benchmark';
import { NablaError } from '../error.ts';

/** Shortest time of one sample: calls that take less are repeated within it. */
const SAMPLE_SECONDS = 0.005;
const MIN_SAMPLES = 5;

export class Sampler {
  readonly #Benchmark: typeof BenchmarkPackage;

  private constructor(benchmark: typeof BenchmarkPackage) {
    this.#Benchmark = benchmark;
  }

  static async load(): Promise<Sampler> {
    try {
      return new Sampler((await import('benchmark')).default);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      throw new NablaError('option', 'nabla bench needs a package: npm install --save-dev benchmark');
    }
  }

  /** Samples of about `seconds` in all, in the order they were taken. A promise `call` returns is waited for. */
  async sample(call: () => unknown, isAsync: boolean, seconds: number): Promise<number[]> {
    const options = { minTime: SAMPLE_SECONDS, minSamples: MIN_SAMPLES, maxTime: seconds };
    let failure: unknown = null;
    const later = (deferred: { resolve(): void }) => {
      (call() as Promise<unknown>)
        .catch((error) => {
          failure ??= error;
        })
        .finally(() => deferred.resolve());
    };
    const benchmark = new this.#Benchmark(isAsync ? { ...options, defer: true, fn: later } : { ...options, fn: call });
    const done = new Promise<void>((resolve) => benchmark.on('complete', () => resolve()));
    benchmark.run();
    await done;
    const error = failure ?? (benchmark as { error?: unknown }).error;
    if (error) throw error;
    return [...benchmark.stats.sample];
  }
}
