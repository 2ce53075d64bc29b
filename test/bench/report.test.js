// The tables of the side-by-side bench.
import { describe, expect, test } from 'vitest';
import { notes, rate, report, table } from '../../bench/peers/report.js';

const column = (name, threads) => ({ name, threads, label: `${name} (${threads})` });
const columns = [column('nabla', 1), column('nabla', 2), column('limit', 1), column('peer', 1), column('peer', 2)];
const row = {
  id: 'W1',
  name: 'product',
  unit: 'GFLOP/s',
  outcomes: {
    'nabla (1)': { rates: [50, 60, 70] },
    'nabla (2)': { rates: [100, 120, 140] },
    'limit (1)': { rates: [100, 100, 100] },
    'peer (1)': { rates: [25, 20] },
    'peer (2)': { error: 'not installed' },
  },
};
const machine = { node: '24.0.0', cpu: 'a processor', cores: 2, versions: { nabla: '0.1.0' } };
const lines = (rates, measures = []) =>
  report({ rates, measures, machine, options: { rounds: 3 } }, columns)
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' '));

test('numbers have three digits', () => {
  expect([0.01234, -0.0001, 5, 53.21, 999.6, 1284, 87_345].map(rate)).toEqual([
    '0.012',
    '0',
    '5',
    '53.2',
    '1,000',
    '1,280',
    '87,300',
  ]);
});

test('columns are as wide as their widest cell', () => {
  expect(table(['a', 'title'], [['long cell', 'x']])).toBe(
    ['| a         | title |', '| --------- | ----- |', '| long cell | x     |'].join('\n'),
  );
});

describe('the report', () => {
  test('says where it ran', () => {
    expect(lines([row])[0]).toContain('Node 24.0.0, 2 × a processor; nabla 0.1.0');
  });

  test('compares with a side on as many threads, round by round', () => {
    expect(lines([row])).toContain('| W1 product | GFLOP/s | 60 | 120 | 60 % | 2.50 (2.10–2.90) | – |');
  });

  test('compares two threads with two', () => {
    const both = { ...row, outcomes: { ...row.outcomes, 'peer (2)': { rates: [50, 60, 70] } } };
    expect(lines([both])).toContain('| W1 product | GFLOP/s | 60 | 120 | 60 % | 2.50 (2.10–2.90) | 2.00 |');
  });

  test('gives the rates of the others', () => {
    expect(lines([row])).toContain('| W1 product | GFLOP/s | 100 | 22.5 | – |');
  });

  test('leaves ratios out where nabla has no rate', () => {
    const failed = { ...row, outcomes: { ...row.outcomes, 'nabla (1)': { error: 'no product' } } };
    expect(lines([failed])).toContain('| W1 product | GFLOP/s | cannot | 120 | | | – |');
  });

  test('shows measures for those that were asked', () => {
    const start = {
      id: 'W10',
      name: 'start',
      unit: 'ms',
      outcomes: { 'nabla (1)': { median: 100, low: 98, high: 103 } },
    };
    const found = lines([], [start]);
    expect(found).toContain('| workload | unit | nabla (1) |');
    expect(found).toContain('| W10 start | ms | 100 (98–103) |');
  });
});

test('notes give each reason once, with the workloads it stopped', () => {
  const other = {
    ...row,
    id: 'W2',
    outcomes: { 'peer (1)': { error: 'no gradient' }, 'peer (2)': { error: 'not installed' } },
  };
  expect(notes([row, row, other])).toEqual([
    '- W1, W2: peer (2) is not installed',
    '- W2: peer (1) cannot: no gradient',
  ]);
});
