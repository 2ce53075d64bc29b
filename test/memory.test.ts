// Memory stays flat: loops of 10,000 steps in processes of their own, with nothing freed by hand.
// They run on build/src, which `npm test` builds first; `npm run build` after a change when running this file alone.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
}
interface Report {
  before: Memory;
  after: Memory;
  first: { loss: number; accuracy: number };
  last: { loss: number; accuracy: number };
  total: number;
  expected: number;
  finite: number;
}

const MB = 1e6;
const CHILD = fileURLToPath(new URL('./memory.child.js', import.meta.url));

async function run(loop: string): Promise<Report> {
  // V8 lets its young generation grow to 2 × 16 MB over the first tens of thousands of steps of any program that
  // makes garbage; at a fixed size, resident memory shows what is held.
  const flags = ['--expose-gc', '--min-semi-space-size=4', '--max-semi-space-size=4'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, CHILD, loop]);
  return JSON.parse(stdout);
}

const grown = ({ before, after }: Report, what: keyof Memory) => (after[what] - before[what]) / MB;

describe.each(['train backward', 'train compiled'])('10,000 steps: %s', (loop) => {
  test('resident memory after the last is within 5 MB of step 1,000', { timeout: 120_000 }, async () => {
    const report = await run(loop);
    expect(grown(report, 'rss')).toBeLessThan(5);
    // Sharper than resident memory: 9,000 steps that each left 100 bytes behind would show.
    expect(grown(report, 'heapUsed')).toBeLessThan(0.9);
    expect(grown(report, 'arrayBuffers')).toBeLessThan(0.9);
    expect(report.last.loss).toBeLessThan(report.first.loss * 0.8); // it did train
    expect(report.last.accuracy).toBeGreaterThan(report.first.accuracy);
  });
});

describe.each([
  ['total before', 'written before backward()'],
  ['total after', 'written after step()'],
  ['total compiled', 'of a compiled step'],
])('total = total.add(loss) over 10,000 steps: %s', (loop, where) => {
  test(`stays flat, ${where}, and is the sum`, { timeout: 120_000 }, async () => {
    const report = await run(loop);
    expect(grown(report, 'heapUsed')).toBeLessThan(0.9);
    expect(grown(report, 'arrayBuffers')).toBeLessThan(0.9);
    expect(grown(report, 'rss')).toBeLessThan(5);
    expect(report.expected).toBeGreaterThan(1);
    // 10,000 additions in float32, each rounded: √10,000 · 6e-8 and a margin.
    expect(Math.abs(report.total / report.expected - 1)).toBeLessThan(1e-4);
  });
});

test('losses of 2,000 batches added up without any step stay flat', { timeout: 120_000 }, async () => {
  const report = await run('evaluate');
  expect(grown(report, 'heapUsed')).toBeLessThan(1);
  expect(grown(report, 'arrayBuffers')).toBeLessThan(1);
  expect(Math.abs(report.total / report.expected - 1)).toBeLessThan(1e-4);
});

describe.each(['models backward', 'models compiled'])('%s', (loop) => {
  test('1,000 models made, trained a step and dropped in one loop', { timeout: 120_000 }, async () => {
    const report = await run(loop);
    expect(report.finite).toBe(1_000);
    // 900 models of 0.8 MB would come to 720 MB; what may grow is what V8 frees late and a bounded cache.
    expect(grown(report, 'rss')).toBeLessThan(100);
    expect(grown(report, 'heapUsed')).toBeLessThan(4);
  });
});
