// The built package trains alike on every runtime: the same losses, on threads, in flat memory, to an end of its own.
// What is not installed is skipped and says so.
// It tests build/nabla: `npm run build` after a change when running this file alone.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { RUNTIMES, type Runtime } from './runtimes.ts';

interface Report {
  losses: number[];
  /** Programs that ran on several threads. */
  shared: number;
  /** Growth of resident memory after the first fifth of the steps. */
  grownMB: number;
  /** From the script's last line to the end of the process. */
  lingeredMs: number;
  stderr: string;
}

const CHILD = fileURLToPath(new URL('./runtimes.child.js', import.meta.url));
const TIMEOUT = 120_000;

async function train(runtime: Runtime, steps: number, settings: Record<string, string> = {}): Promise<Report> {
  const { NABLA_SIMD: _, NABLA_THREADS: __, ...env } = process.env;
  const more = Object.keys(settings).length > 0 ? runtime.settings : [];
  const flags = [...runtime.flags, ...more, CHILD, `${steps}`];
  const started = promisify(execFile)(runtime.binary as string, flags, { env: { ...env, ...settings } });
  started.child.stdin?.end(); // a prompt for a permission would find nobody
  const { stdout, stderr } = await started;
  const { endedAt, ...report } = JSON.parse(stdout);
  return { ...report, lingeredMs: Date.now() - endedAt, stderr };
}

const reference = train(RUNTIMES[0] as Runtime, 20, { NABLA_SIMD: 'baseline', NABLA_THREADS: '1' });

async function expectClose(losses: readonly number[]): Promise<void> {
  const expected = (await reference).losses;
  expect(losses.length).toBe(20);
  losses.forEach((loss, i) => {
    expect(Math.abs(loss / (expected[i] as number) - 1), `loss of step ${i}`).toBeLessThan(1e-4);
  });
}

describe.each(RUNTIMES)('$name', (runtime) => {
  if (runtime.binary === undefined) {
    test.skip('is not installed in build/runtimes: .ci/run installs it', () => {});
    return;
  }

  test('2,000 steps without flags: on threads, in flat memory, and the process ends by itself', {
    timeout: TIMEOUT,
  }, async () => {
    const report = await train(runtime, 2500);
    await expectClose(report.losses);
    expect(report.stderr).toBe('');
    if (availableParallelism() > 1) expect(report.shared).toBeGreaterThan(100);
    // Kept inputs would come to 400 MB; a collector that is free to choose lets up to 45 lie.
    expect(report.grownMB).toBeLessThan(100);
    expect(report.lingeredMs).toBeLessThan(5000);
  });

  test('baseline kernels give the same bits everywhere, on one thread and on two', { timeout: TIMEOUT }, async () => {
    for (const threads of ['1', '2']) {
      const { losses } = await train(runtime, 300, { NABLA_SIMD: 'baseline', NABLA_THREADS: threads });
      expect(losses).toEqual((await reference).losses);
    }
  });

  // Relaxed means that a runtime may round once or twice: V8 fuses, JavaScriptCore does not, so bits may differ.
  test('relaxed kernels, switched on where they are off, give the same losses', { timeout: TIMEOUT }, async () => {
    const [one, two] = [
      await train(runtime, 300, { NABLA_SIMD: 'relaxed', NABLA_THREADS: '1' }),
      await train(runtime, 300, { NABLA_SIMD: 'relaxed', NABLA_THREADS: '2' }),
    ];
    await expectClose(one.losses);
    expect(two.losses).toEqual(one.losses);
    if (runtime.name !== 'Bun') expect(one.losses).not.toEqual((await reference).losses); // the other binary did run
  });
});
