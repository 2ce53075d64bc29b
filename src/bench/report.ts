// Results and comparisons as text: for a terminal, for a pull request, for a dashboard.
import type { Comparison, noise, Report } from './compare.ts';
import type { Counters, Limits, Measured, Result } from './result.ts';
import { median, quantile } from './statistics.ts';

// ---- one result

/** A line for each benchmark: time, rate, share of the limit, memory, instructions. */
export function resultTable(result: Result): string {
  const rows = result.benchmarks.map((measured) => {
    const { name, counters } = measured;
    const timed = timing(measured);
    return [
      name,
      ...(timed === null ? ['', ''] : [duration(timed.seconds), `± ${percent(timed.spread / 2)}`]),
      timed === null ? '' : rateOf(measured, timed.seconds),
      timed === null ? '' : share(result, counters, timed.seconds),
      counters === null || counters.programs === 0 ? '' : bytes(counters.peakBytes),
      counters === null ? '' : `${counters.instructions}`,
    ];
  });
  return table(['benchmark', 'a call', '', 'rate', 'of the limit', 'peak memory', 'instructions'], rows);
}

/** Where and how it was measured. */
export function heading({ machine, runtime, settings, limits }: Result): string {
  const { threads, simd } = settings;
  const nabla = simd === undefined ? '' : `, ${simd} SIMD, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const most = limits === undefined ? '' : `; one core's limit: ${giga(limits.flopsPerSecond)} GFLOP/s`;
  return `${runtime.name} ${runtime.version} on ${machine.cores} × ${machine.cpu}${nabla}${most}`;
}

/** Median seconds a call, and from the 10 to the 90 % quantile as a share of it. */
function timing({ rounds }: Measured): { seconds: number; spread: number } | null {
  const samples = rounds.flat();
  if (samples.length === 0) return null;
  const seconds = median(samples);
  return { seconds, spread: (quantile(samples, 0.9) - quantile(samples, 0.1)) / seconds };
}

function rateOf({ items, unit, counters }: Measured, seconds: number): string {
  if (items !== undefined) return `${amount(items / seconds)} ${unit ?? 'items'}/s`;
  if (counters !== null && counters.flops > 0) return `${giga(counters.flops / seconds)} GFLOP/s`;
  return `${amount(1 / seconds)} calls/s`;
}

/**
 * How near the time is to the roofline (Williams, Waterman, Patterson 2009): FLOPs at the rate of registers, or bytes at
 * the rate of a stream as large as an instruction's, whichever takes longer, on as many cores as there are threads.
 */
function share({ limits, settings }: Result, counters: Counters | null, seconds: number): string {
  if (limits === undefined || counters === null || counters.programs === 0) return '';
  const least = Math.max(
    counters.flops / limits.flopsPerSecond,
    counters.bytes / streamRate(limits, counters.bytes / counters.instructions),
  );
  return percent(least / (settings.threads ?? 1) / seconds);
}

function streamRate({ streams }: Limits, nBytes: number): number {
  const fitting = streams.findLast((s) => s.nBytes <= nBytes) ?? streams[0];
  return (fitting as Limits['streams'][number]).bytesPerSecond;
}

// ---- comparisons

export interface Verdict {
  report: Report;
  /** Two processes of the same code, measured in the same turns. */
  noise: ReturnType<typeof noise>;
  threshold: number;
  /** How the two sides are called. */
  before: string;
  now: string;
}

export const regressions = ({ comparisons }: Report): Comparison[] => comparisons.filter((c) => c.verdict === 'slower');

/** What got slower, faster or other; then all of it; then the machine's noise. */
export function comparisonText(verdict: Verdict): string {
  return [summary(verdict), table(HEAD, comparisonRows(verdict.report)), ...details(verdict)].join('\n\n');
}

/** The same for a pull request's comment: what did not change is folded away. */
export function comparisonMarkdown(verdict: Verdict): string {
  const { comparisons } = verdict.report;
  const changed = comparisons.filter((c) => c.verdict !== 'same');
  const rows = (list: Comparison[]) => markdownTable(HEAD, comparisonRows({ ...verdict.report, comparisons: list }));
  return [
    `### Benchmarks: ${verdict.now} against ${verdict.before}`,
    summary(verdict),
    ...(changed.length > 0 ? [rows(changed)] : []),
    `<details><summary>all ${comparisons.length}</summary>\n\n${rows(comparisons)}\n\n</details>`,
    ...details(verdict),
  ].join('\n\n');
}

const HEAD = ['benchmark', 'time', '95 % interval', 'p', ''];

function comparisonRows({ comparisons }: Report): string[][] {
  const sorted = comparisons.toSorted((a, b) => (b.ratio || 1) - (a.ratio || 1));
  return sorted.map(({ name, ratio, low, high, p, verdict }) => {
    if (Number.isNaN(ratio)) return [name, '', '', '', ''];
    return [name, signed(ratio), `${signed(low)} … ${signed(high)}`, probability(p), verdict === 'same' ? '' : verdict];
  });
}

function summary({ report, threshold, before }: Verdict): string {
  const { comparisons } = report;
  const count = (verdict: string) => comparisons.filter((c) => c.verdict === verdict).length;
  const [slower, faster] = [count('slower'), count('faster')];
  if (slower + faster === 0) {
    return `No benchmark of ${comparisons.length} differs from ${before} by more than ${percent(threshold)} and more than chance.`;
  }
  return `Of ${comparisons.length} benchmarks ${slower} slower, ${faster} faster than ${before} (more than ${percent(threshold)}, and more than chance).`;
}

function details({ report, noise: { typical, largest, alarms } }: Verdict): string[] {
  const changes = changesText(report);
  const timed = report.comparisons.some(({ ratio }) => !Number.isNaN(ratio));
  return [
    ...(changes === '' ? [] : [`Counters that changed (exact):\n\n${changes}`]),
    ...(report.added.length > 0 ? [`Only now: ${report.added.join(', ')}`] : []),
    ...(report.removed.length > 0 ? [`Only before: ${report.removed.join(', ')}`] : []),
    ...(timed
      ? [
          `Noise of this machine (the same code against itself, in the same turns): ${percent(typical, 1)} typically, ` +
            `${percent(largest, 1)} at most, ${alarms} of ${report.comparisons.length} beyond chance.`,
        ]
      : []),
  ];
}

/** A line for each counter that differs. */
export function changesText({ comparisons }: Report): string {
  const lines = comparisons.flatMap(({ name, changes }) =>
    changes.map(({ counter, from, to }) => `- ${name}: ${counter} ${whole(from)} → ${whole(to)}`),
  );
  return lines.join('\n');
}

/** github-action-benchmark's `customSmallerIsBetter`: milliseconds a call. */
export function dashboard({ benchmarks }: Result): string {
  const entries = benchmarks.flatMap((measured) => {
    const timed = timing(measured);
    if (timed === null) return [];
    const ms = timed.seconds * 1000;
    return [
      { name: measured.name, unit: 'ms', value: ms, range: `± ${percent(timed.spread / 2)}`, extra: extra(measured) },
    ];
  });
  return `${JSON.stringify(entries, null, 1)}\n`;
}

function extra({ counters }: Measured): string {
  if (counters === null) return '';
  return Object.entries(counters)
    .map(([name, value]) => `${name}: ${whole(value)}`)
    .join('\n');
}

// ---- numbers and tables as text

const whole = (x: number) => x.toLocaleString('en-US');
const giga = (x: number) => (x / 1e9).toPrecision(3);
const percent = (x: number, digits = 0) => `${(100 * x).toFixed(digits)} %`;
const signed = (ratio: number) => `${ratio >= 1 ? '+' : '−'}${Math.abs(100 * (ratio - 1)).toFixed(1)} %`;
const probability = (p: number) => (p < 0.0005 ? '< 0.001' : p.toFixed(3));
const amount = (x: number) => (x < 1000 ? x.toPrecision(3) : Math.round(x).toLocaleString('en-US'));
const bytes = (x: number) => `${(x / 2 ** 20).toFixed(1)} MiB`;

function duration(seconds: number): string {
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  return seconds >= 1e-3 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${(seconds * 1e6).toPrecision(3)} µs`;
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, k) => Math.max(...[head, ...rows].map((row) => (row[k] as string).length)));
  const line = (row: string[]) =>
    row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k] as number) : cell.padStart(widths[k] as number))).join('  ');
  return [head, ...rows].map((row) => line(row).trimEnd()).join('\n');
}

function markdownTable(head: string[], rows: string[][]): string {
  const line = (row: string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map((_, k) => (k === 0 ? ' --- |' : ' ---: |')).join('')}`, ...rows.map(line)].join(
    '\n',
  );
}
