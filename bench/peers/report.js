// What was measured as Markdown tables, to be pasted into bench/RESULTS.md.
import { NOT_INSTALLED } from './process.js';
import { ratios, summary } from './statistics.js';

/** @typedef {{ name: string, threads: number, label: string }} Column a side on a number of threads */

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} name
 * @property {string} unit
 * @property {Record<string, { rates: number[] } | Measured | { error: string }>} outcomes by the columns' labels
 */

/** @typedef {{ median: number, low: number, high: number }} Measured */

/**
 * The whole report: where it ran, ratios, rates, other measures, and who could not do what.
 *
 * @param {{ rates: Row[], measures: Row[], machine: object, options: { rounds: number } }} found
 * @param {Column[]} columns nabla, the limit, and the peers
 */
export function report({ rates, measures, machine, options }, columns) {
  const { node, cpu, cores, versions } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const measured = columns.filter(({ label }) => measures.some(({ outcomes }) => label in outcomes));
  const parts = [
    `Node ${node}, ${cores} × ${cpu}; ${named.join(', ')}. (n) is threads; figures are medians of ${options.rounds} turns.`,
    ...(rates.length === 0
      ? []
      : [
          "Ratios are nabla's rate over the peer's in the same round, on as many threads: median (10–90 %).",
          ratioTable(rates, columns),
          'Rates of the limit and of the peers:',
          rateTable(rates, columns),
        ]),
    ...(measures.length === 0 ? [] : [measureTable(measures, measured)]),
    notes([...rates, ...measures]).join('\n'),
  ];
  return parts.join('\n\n');
}

/** nabla's rates, its share of the limit, and its rate over each peer's on as many threads. */
export function ratioTable(rows, columns) {
  const heading = ({ name, label }) =>
    name === 'nabla' ? label : name === 'limit' ? 'share of the limit' : `÷ ${label}`;
  return outcomeTable(rows, columns, heading, ({ rates }, { name, threads }, { outcomes }) => {
    if (name === 'nabla') return rate(summary(rates).median);
    const ours = columns.find((column) => column.name === 'nabla' && column.threads === threads);
    const found = ratios(outcomes[ours?.label]?.rates ?? [], rates);
    if (found.length === 0) return '';
    return name === 'limit' ? percent(summary(found).median) : spread(summary(found), ratio);
  });
}

/** Median rates of the limit and the peers. */
export function rateTable(rows, columns) {
  const others = columns.filter(({ name }) => name !== 'nabla');
  return outcomeTable(
    rows,
    others,
    ({ label }) => label,
    ({ rates }) => rate(summary(rates).median),
  );
}

/** Figures that are no rates: memory, starts, sizes. */
export function measureTable(rows, columns) {
  return outcomeTable(
    rows,
    columns,
    ({ label }) => label,
    (measured) => spread(measured, rate),
  );
}

/** One line for each side and reason: where it could not, in its own words. */
export function notes(rows) {
  const places = new Map();
  for (const { id, outcomes } of rows) {
    for (const [label, { error }] of Object.entries(outcomes)) {
      if (error === undefined) continue;
      const note = error === NOT_INSTALLED ? `${label} is not installed` : `${label} cannot: ${error}`;
      places.set(note, new Set(places.get(note)).add(id));
    }
  }
  return [...places].map(([note, ids]) => `- ${[...ids].join(', ')}: ${note}`);
}

/** A row for each workload, a column for each side: empty where a side was not asked, a word where it could not. */
function outcomeTable(rows, columns, heading, show) {
  const cell = (row, column) => {
    const outcome = row.outcomes[column.label];
    if (outcome === undefined) return '';
    if (outcome.error === undefined) return show(outcome, column, row);
    return outcome.error === NOT_INSTALLED ? '–' : 'cannot';
  };
  return table(
    ['workload', 'unit', ...columns.map(heading)],
    rows.map((row) => [`${row.id} ${row.name}`, row.unit, ...columns.map((column) => cell(row, column))]),
  );
}

// ---- numbers as text

/** Median and, if there are several values, the 10 and 90 % quantiles. */
const spread = ({ median, low, high }, show) =>
  low === high ? show(median) : `${show(median)} (${show(low)}–${show(high)})`;

/** Three digits, and three decimals at most: 0.018, 53.2, 1,280, 87,300. */
export function rate(value) {
  const rounded = Number(Number(value.toPrecision(3)).toFixed(3));
  return Math.abs(rounded) < 1000 ? `${rounded}` : rounded.toLocaleString('en-US');
}

const ratio = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : rate(value));
const percent = (value) => `${Math.round(100 * value)} %`;

/** @param {string[]} head @param {string[][]} body */
export function table(head, body) {
  const widths = head.map((_, k) => Math.max(3, ...[head, ...body].map((row) => row[k].length)));
  const line = (cells) => `| ${cells.map((text, k) => text.padEnd(widths[k])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
