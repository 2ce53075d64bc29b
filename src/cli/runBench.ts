// What `nabla bench` does: measures, compares, tells.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { compareResults, noise, roundsFor } from '../bench/compare.ts';
import {
  changesText,
  comparisonMarkdown,
  comparisonText,
  dashboard,
  heading,
  regressions,
  resultTable,
  type Verdict,
} from '../bench/report.ts';
import { differences, newResult, type Result, readResult, writeResult } from '../bench/result.ts';
import { BrokenRun, runSession, type SessionOptions, type Side } from '../bench/session.ts';
import { suiteOf } from '../bench/worktree.ts';
import { NablaError } from '../error.ts';
import type { ProgressStream } from '../train/progress.ts';
import { usage } from './args.ts';
import { bar } from './bar.ts';
import { BENCH_HELP, type BenchOptions, parseBenchOptions } from './benchOptions.ts';

export const EXIT_OK = 0;
export const EXIT_REGRESSION = 1;
export const EXIT_BROKEN = 2;

interface Output {
  readonly out: { write(text: string): unknown };
  readonly err: ProgressStream;
}

/** Runs the command and returns its exit code; what a user can mend is one line on `err`. */
export async function runBench(args: readonly string[], { out, err }: Output): Promise<number> {
  try {
    const options = parseBenchOptions(args);
    if (options === 'help') {
      out.write(BENCH_HELP);
      return EXIT_OK;
    }
    return await bench(options, (text) => out.write(`${text}\n`), err);
  } catch (error) {
    if (!(error instanceof NablaError) && !(error instanceof BrokenRun)) throw error;
    err.write(`bench: ${error.message}\n`);
    return EXIT_BROKEN;
  }
}

async function bench(options: BenchOptions, say: (text: string) => void, err: ProgressStream): Promise<number> {
  const file = resolve(options.suite);
  if (!existsSync(file)) throw usage(`${options.suite}: no such file; expected a suite`);
  const saved = options.compare === undefined ? null : readResult(options.compare);
  const there = options.against === undefined ? null : suiteOf(options.against, file, options.build);
  const head = side(options, file, there === null ? '' : 'this tree');
  const base = there === null ? null : side(options, there, options.against as string);
  const control = options.counters || (saved ?? base) === null ? null : side(options, file, 'this tree, again');
  const sides = [base, head, control].filter((s) => s !== null);

  const progress = bar(err);
  const session = { ...sessionOptions(options), onProgress: progress.update };
  try {
    // A first look, which times nothing, tells the size of the suite, on which the number of rounds depends, and whether
    // the baseline will do.
    if (session.rounds < 0 || saved !== null) {
      await runSession([head], { ...session, rounds: 0 });
      if (saved !== null) refuseOthers(saved, head.result, options);
      if (session.rounds < 0) session.rounds = roundsFor(head.result.benchmarks.length);
    }
    if (session.rounds > 0 || head.result.benchmarks.length === 0) {
      head.result.benchmarks = [];
      await runSession(sides, session);
    }
  } finally {
    progress.stop();
  }
  if (options.save !== undefined) writeResult(options.save, head.result);
  if (options.dashboard !== undefined) writeFileSync(options.dashboard, dashboard(head.result));

  say(heading(head.result));
  const before = base?.result ?? saved;
  if (before === null) {
    say(resultTable(head.result));
    return EXIT_OK;
  }
  if (options.counters) return countersOnly(before, head.result, options, say);
  const paired = base !== null;
  const verdict: Verdict = {
    report: compareResults(before, head.result, { paired, threshold: options.threshold }),
    noise: noise(head.result, (control as Side).result),
    threshold: options.threshold,
    before: (options.against ?? options.compare) as string,
    now: options.suite,
  };
  say(comparisonText(verdict));
  if (options.markdown !== undefined) writeFileSync(options.markdown, `${comparisonMarkdown(verdict)}\n`);
  return regressions(verdict.report).length > 0 ? EXIT_REGRESSION : EXIT_OK;
}

/** Any difference is one: exit code 1 until the file is updated. */
function countersOnly(before: Result, now: Result, options: BenchOptions, say: (text: string) => void): number {
  const report = compareResults(before, now, { paired: true, threshold: options.threshold });
  const { added, removed, comparisons } = report;
  const lines = [changesText(report), ...added.map((n) => `- ${n}: new`), ...removed.map((n) => `- ${n}: gone`)];
  const text = lines.filter((line) => line !== '').join('\n');
  say(
    text === ''
      ? `All counters of ${comparisons.length} benchmarks are as they were.`
      : `Counters that changed:\n${text}`,
  );
  return text === '' ? EXIT_OK : EXIT_REGRESSION;
}

/** Counters do not depend on the machine, only on the number of threads. */
function refuseOthers(before: Result, now: Result, { counters, force, compare }: BenchOptions): void {
  const found = differences(before, now).filter((text) => !counters || text.startsWith('threads'));
  if (found.length === 0 || force) return;
  throw usage(
    `${compare}: measured elsewhere (${found.join('; ')}); save a baseline here, or compare anyway with --force`,
  );
}

function side({ suite }: BenchOptions, file: string, label: string): Side {
  const { deno } = process.versions as Record<string, string | undefined>;
  const flags = deno === undefined ? process.execArgv : ['run', '--allow-all'];
  const command = [process.execPath, ...flags, process.argv[1] as string, 'bench-worker', file];
  return { label, command, cwd: dirname(file), result: newResult(suite) };
}

function sessionOptions(options: BenchOptions): SessionOptions {
  const { threads, simd, counters, rounds, time, warmUp, timeout, filter } = options;
  const env = { ...process.env };
  if (threads !== undefined) env.NABLA_THREADS = `${threads}`;
  if (simd !== undefined) env.NABLA_SIMD = simd;
  return {
    rounds: counters ? 0 : (rounds ?? -1),
    seconds: time,
    warmUp,
    patience: timeout,
    env,
    filter: (name) => name.includes(filter),
  };
}
