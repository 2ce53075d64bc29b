// Verdicts on made-up timings whose truth is known.
import { describe, expect, test } from 'vitest';
import { compareResults, noise, roundsFor } from '../../src/bench/compare.ts';
import { comparisonMarkdown, comparisonText, dashboard, regressions } from '../../src/bench/report.ts';
import { differences, type Measured, newResult, type Result } from '../../src/bench/result.ts';
import { Rng } from '../../src/data/rng.ts';

const COUNTERS = { programs: 1, instructions: 20, flops: 1e6, bytes: 2e6, peakBytes: 3e6, allocations: 0 };

/** Rounds of a benchmark of `ms`, each a process with 2 % of its own, 1 % a sample, and the drift of its round. */
function rounds(rng: Rng, ms: number, drift: readonly number[]): number[][] {
  return drift.map((d) => {
    const own = ms * d * (1 + 0.02 * rng.bell());
    return Array.from({ length: 10 }, () => own * (1 + 0.01 * rng.bell()) * 1e-3);
  });
}

function result(seed: number, times: Record<string, number>, drift: readonly number[]): Result {
  const rng = new Rng(seed);
  const benchmarks = Object.entries(times).map(
    ([name, ms]): Measured => ({ name, counters: COUNTERS, rounds: rounds(rng, ms, drift) }),
  );
  return { ...newResult('suite.js'), benchmarks };
}

const steady = new Array<number>(14).fill(1);
/** A machine that is at half its speed every now and then. */
const uneven = steady.map((_, k) => (k % 3 === 1 ? 2 : 1));
const paired = { paired: true, threshold: 0.05 };
const verdicts = (a: Result, b: Result, options = paired) =>
  compareResults(a, b, options).comparisons.map(({ verdict }) => verdict);

describe('paired rounds', () => {
  test('find 10 % in every one of 50 runs, on a machine that halves its speed now and then', () => {
    for (let seed = 0; seed < 50; seed++) {
      const [a, b] = [result(2 * seed, { x: 10, y: 5 }, uneven), result(2 * seed + 1, { x: 11, y: 5 }, uneven)];
      expect(verdicts(a, b)).toEqual(['slower', 'same']);
      expect(verdicts(b, a)).toEqual(['faster', 'same']);
    }
  });

  test('raise no alarm in 50 runs of a suite of 20 against itself', { timeout: 60_000 }, () => {
    const times = Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`b${k}`, k + 1]));
    for (let seed = 100; seed < 150; seed++) {
      const [a, b] = [result(2 * seed, times, uneven), result(2 * seed + 1, times, uneven)];
      expect(verdicts(a, b).filter((v) => v !== 'same')).toEqual([]);
    }
  });

  test('what is certain and smaller than the threshold is no regression', () => {
    const report = compareResults(result(1, { x: 100 }, steady), result(2, { x: 104 }, steady), paired);
    expect(report.comparisons[0]?.p).toBeLessThan(0.01);
    expect(report.comparisons[0]?.verdict).toBe('same');
    expect(
      verdicts(result(1, { x: 100 }, steady), result(2, { x: 104 }, steady), { paired: true, threshold: 0.02 }),
    ).toEqual(['slower']);
  });

  test('the interval holds the truth and is narrow', () => {
    const { low, high, ratio } = compareResults(result(5, { x: 10 }, uneven), result(6, { x: 12 }, uneven), paired)
      .comparisons[0]!;
    expect(low).toBeLessThan(1.2);
    expect(high).toBeGreaterThan(1.2);
    expect(high - low).toBeLessThan(0.08);
    expect(ratio).toBeGreaterThan(1.15);
  });
});

test('a saved baseline is compared by the medians of its processes', () => {
  const unpaired = { paired: false, threshold: 0.05 };
  expect(verdicts(result(1, { x: 10 }, steady), result(2, { x: 11 }, steady), unpaired)).toEqual(['slower']);
  expect(verdicts(result(1, { x: 10 }, steady), result(2, { x: 10 }, steady), unpaired)).toEqual(['same']);
  // Where the machine is uneven, rounds that are no pairs cannot tell 10 %, and the verdict does not pretend to.
  expect(verdicts(result(1, { x: 10 }, uneven), result(2, { x: 11 }, uneven), unpaired)).toEqual(['same']);
});

test('one round cannot be certain', () => {
  expect(verdicts(result(1, { x: 10 }, [1]), result(2, { x: 20 }, [1]))).toEqual(['same']);
});

test.each([1, 20, 100, 1000])('rounds for a suite of %i let a difference in all of them be certain', (n) => {
  expect((2 / 2 ** roundsFor(n)) * n).toBeLessThan(0.01);
  expect(roundsFor(n)).toBeGreaterThanOrEqual(16);
});

test('a counter that differs is a change, whatever the clock says', () => {
  const [a, b] = [result(1, { x: 10 }, steady), result(2, { x: 10 }, steady)];
  b.benchmarks[0]!.counters = { ...COUNTERS, instructions: 21 };
  const report = compareResults(a, b, paired);
  expect(report.comparisons[0]?.changes).toEqual([{ counter: 'instructions', from: 20, to: 21 }]);
  expect(report.comparisons[0]?.verdict).toBe('same');
  const fewer = compareResults(b, a, paired);
  expect(fewer.comparisons[0]?.changes).toEqual([{ counter: 'instructions', from: 21, to: 20 }]);
});

test('in a large suite a difference must be more certain than in a small one', () => {
  // Nine rounds that all say 10 %: by chance in one of 256 runs of one benchmark, in nearly every one of a thousand.
  const nine = steady.slice(0, 9);
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`b${k}`, 10]));
  expect(verdicts(result(1, { b0: 10 }, nine), result(2, { b0: 11 }, nine))).toEqual(['slower']);
  const [a, b] = [result(1, many, nine), result(2, { ...many, b0: 11 }, nine)];
  expect(verdicts(a, b).filter((v) => v !== 'same')).toEqual([]);
});

test('noise counts the benchmarks of one code that chance does not explain', () => {
  expect(noise(result(1, { x: 10, y: 5 }, steady), result(2, { x: 12, y: 5 }, steady))).toMatchObject({ alarms: 1 });
  expect(noise(result(1, { x: 10, y: 5 }, steady), result(2, { x: 10, y: 5 }, steady))).toMatchObject({ alarms: 0 });
});

test('benchmarks that only one side has are named, not compared', () => {
  const report = compareResults(result(1, { x: 1, old: 1 }, steady), result(2, { x: 1, fresh: 1 }, steady), paired);
  expect(report.comparisons.map(({ name }) => name)).toEqual(['x']);
  expect([report.added, report.removed]).toEqual([['fresh'], ['old']]);
});

test('results of another machine, runtime or setting differ in what is named', () => {
  const [a, b] = [newResult('s'), newResult('s')];
  expect(differences(a, b)).toEqual([]);
  b.machine.cores = 64;
  b.runtime.version = '99.1.0';
  b.settings.simd = 'baseline';
  expect(differences(a, b)).toEqual([
    `cores: ${a.machine.cores} there, 64 here`,
    `runtime: ${a.runtime.name} ${a.runtime.version} there, ${a.runtime.name} 99.1.0 here`,
    'simd: none there, baseline here',
  ]);
});

describe('the report', () => {
  const [a, b] = [result(1, { x: 10, 'y | z': 5 }, steady), result(2, { x: 12, 'y | z': 5 }, steady)];
  const again = result(3, { x: 12, 'y | z': 5 }, steady);
  b.benchmarks[1]!.counters = { ...COUNTERS, bytes: 4e6 };
  const report = compareResults(a, b, paired);
  const verdict = { report, noise: noise(b, again), threshold: 0.05, before: 'main', now: 'suite.js' };

  test('says what got slower by how much, which counters changed, and the noise', () => {
    const text = comparisonText(verdict);
    expect(text).toContain('Of 2 benchmarks 1 slower, 0 faster than main (more than 5 %, and more than chance).');
    expect(text).toMatch(/^x +\+\d\d\.\d % +\+\d\d\.\d % … \+\d\d\.\d % +< 0\.001 +slower$/m);
    expect(text).toContain('- y | z: bytes 2,000,000 → 4,000,000');
    expect(text).toMatch(/Noise of this machine .*: \d\.\d % typically, \d\.\d % at most, 0 of 2 beyond chance\./);
    expect(regressions(report).map(({ name }) => name)).toEqual(['x']);
  });

  test('folds away in Markdown what did not change, and no name breaks its table', () => {
    const text = comparisonMarkdown(verdict);
    expect(text).toContain('### Benchmarks: suite.js against main');
    expect(text).toContain('<details><summary>all 2</summary>');
    expect(text).toContain('| y \\| z |');
  });

  test('gives a dashboard milliseconds', () => {
    const [entry] = JSON.parse(dashboard(b));
    expect(entry).toMatchObject({ name: 'x', unit: 'ms' });
    expect(entry.value).toBeCloseTo(12, 0);
    expect(entry.extra).toContain('flops: 1,000,000');
  });
});
