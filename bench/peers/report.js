// What was measured as Markdown tables, to be pasted into bench/RESULTS.md.
import { ratios, summary } from './statistics.js';

/** @typedef {{ name: string, threads: number, label: string }} Column a side on a number of threads */
/** @typedef {{ id: string, name: string, unit: string, outcomes: Record<string, import('./interleave.js').Outcome> }} Row */

/** nabla's rates, its share of the limit, and its rate over each peer's on as many threads: median (10–90 %). */
export function ratioTable(rows, columns) {
  const reference = (threads) => columns.find((c) => c.name === 'nabla' && c.threads === threads);
  const cells = ({ outcomes }, column) => {
    const { name, threads, label } = column;
    if (name === 'nabla') return cell(outcomes[label], ({ rates }) => rate(summary(rates).median));
    const own = outcomes[reference(threads)?.label]?.rates;
    return cell(outcomes[label], ({ rates }) => {
      const found = own === undefined ? [] : ratios(own, rates);
      if (found.length === 0) return '';
      return name === 'limit' ? percent(summary(found).median) : spread(summary(found), ratio);
    });
  };
  const heading = ({ name, label }) =>
    name === 'nabla' ? label : name === 'limit' ? 'share of the limit' : `÷ ${label}`;
  return table(
    ['workload', 'unit', ...columns.map(heading)],
    rows.map((row) => [title(row), row.unit, ...columns.map((column) => cells(row, column))]),
  );
}

/** Median rates of the peers. */
export function rateTable(rows, columns) {
  const peers = columns.filter(({ name }) => name !== 'nabla');
  return table(
    ['workload', 'unit', ...peers.map(({ label }) => label)],
    rows.map((row) => [
      title(row),
      row.unit,
      ...peers.map(({ label }) => cell(row.outcomes[label], ({ rates }) => rate(summary(rates).median))),
    ]),
  );
}

/**
 * Figures that need a process of their own: memory, starts, sizes.
 *
 * @param {{ name: string, unit: string, measured: Record<string, import('./fresh.js').Measured> }[]} rows
 */
export function freshTable(rows, columns) {
  const labels = columns.map(({ label }) => label);
  return table(
    ['', 'unit', ...labels],
    rows.map(({ name, unit, measured }) => [
      name,
      unit,
      ...labels.map((label) => cell(measured[label], (m) => spread(m, rate))),
    ]),
  );
}

/** One line for each side and reason: where it could not, in its own words. */
export function notes(rows) {
  const places = new Map();
  for (const { name, outcomes } of rows) {
    for (const [label, { error }] of Object.entries(outcomes)) {
      if (error === undefined || label.startsWith('limit')) continue;
      const line = error === 'not installed' ? `${label} is not installed` : `${label} cannot: ${error}`;
      places.set(line, [...(places.get(line) ?? []), name]);
    }
  }
  return [...places].map(([line, names]) =>
    line.endsWith('not installed') ? `- ${line}` : `- ${line} · ${names.join('; ')}`,
  );
}

const title = ({ id, name }) => `${id} ${name}`;

/** Empty where a side was not asked, a word where it could not. */
function cell(outcome, show) {
  if (outcome === undefined) return '';
  if (outcome.error === undefined) return show(outcome);
  return outcome.error === 'not installed' ? '–' : 'cannot';
}

const spread = ({ median, low, high }, show) =>
  low === high ? show(median) : `${show(median)} (${show(low)}–${show(high)})`;

/** Three digits: 53.2, 1,280, 87,300. */
export function rate(value) {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) < 1000 ? `${rounded}` : rounded.toLocaleString('en-US');
}

const ratio = (value) => (value < 10 ? value.toFixed(2) : rate(value));
const percent = (value) => `${Math.round(100 * value)} %`;

/** @param {string[]} head @param {string[][]} body */
export function table(head, body) {
  const widths = head.map((_, k) => Math.max(3, ...[head, ...body].map((row) => row[k].length)));
  const line = (cells) => `| ${cells.map((text, k) => text.padEnd(widths[k])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
