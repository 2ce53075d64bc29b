// What the instructions of a plan took, as a table.
import { costOf } from '../plan/cost.ts';
import { OPCODE_NAMES, type Plan } from '../plan/plan.ts';

export interface ProfileRow {
  /** Its place in the program, as `explain` numbers it. */
  index: number;
  /** What runs: `gemm`, `map`, … */
  instruction: string;
  /** The operations of the graph that it computes. */
  computes: string;
  /** Path of the layer, such as `encoder.0`; empty where it is not known. */
  layer: string;
  /** M×N×K of a product, images ⋆ weights of a convolution, elements · micro-operations of a map, rows×columns, … */
  sizes: string;
  ms: number;
  /** Of products and convolutions; 0 elsewhere. */
  flops: number;
  /** Read and written, each element of an operand once. */
  bytes: number;
  /** Part of the whole time, from 0 to 1. */
  share: number;
}

/** Times of one plan; `toString()` is a table. */
export class Profile {
  /** In the order of the program. */
  readonly rows: readonly ProfileRow[];
  /** One run on one thread: the sum over the rows. */
  readonly totalMs: number;
  /** How many runs were timed. */
  readonly runs: number;

  /** `times`: milliseconds of each instruction and, last, of an empty one, which is taken off. */
  constructor(plan: Plan, times: Float64Array, runs: number) {
    const idle = times[plan.instructions.length] as number;
    const ms = plan.instructions.map((_, i) => Math.max((times[i] as number) - idle, 0));
    const total = ms.reduce((a, b) => a + b, 0);
    this.rows = plan.instructions.map((instruction, index) => ({
      index,
      instruction: OPCODE_NAMES.get(instruction.opcode) ?? '?',
      computes: instruction.computes,
      layer: instruction.layer,
      ...costOf(instruction),
      ms: ms[index] as number,
      share: total > 0 ? (ms[index] as number) / total : 1 / plan.instructions.length,
    }));
    this.totalMs = total;
    this.runs = runs;
  }

  toString(): string {
    return this.table(this.rows);
  }

  /** Some rows, in an order of the caller's, and the totals of all. */
  table(rows: readonly ProfileRow[]): string {
    const flops = this.rows.reduce((sum, r) => sum + r.flops, 0);
    const bytes = this.rows.reduce((sum, r) => sum + r.bytes, 0);
    const total = ['', `${this.rows.length} in all`, '', '', micro(this.totalMs), rate(flops, bytes, this.totalMs)];
    const lines = [HEAD, ...rows.map(cells), [...total, '100.0 %']];
    const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
    const text = lines.map((line) =>
      line.map((cell, k) => (LEFT.has(k) ? cell.padEnd(widths[k] as number) : cell.padStart(widths[k] as number))),
    );
    return text.map((line) => line.join('  ').trimEnd()).join('\n');
  }
}

const HEAD = ['#', 'instruction', 'computes', 'sizes', 'µs', 'rate', 'share'];
/** Columns of words; the others are numbers. */
const LEFT = new Set([1, 2, 3]);
const MAX_NAMES = 44;

function cells(row: ProfileRow): string[] {
  const names = row.layer === '' ? row.computes : `${row.layer}: ${row.computes}`;
  const short = names.length > MAX_NAMES ? `${names.slice(0, MAX_NAMES - 1)}…` : names;
  const speed = rate(row.flops, row.flops > 0 ? 0 : row.bytes, row.ms);
  return [`${row.index}`, row.instruction, short, row.sizes, micro(row.ms), speed, `${(row.share * 100).toFixed(1)} %`];
}

const micro = (ms: number) => (ms * 1000).toFixed(1);

function rate(flops: number, bytes: number, ms: number): string {
  if (ms <= 0) return '';
  const [amount, unit] = flops > 0 ? [flops, 'GFLOP/s'] : [bytes, 'GB/s   '];
  return `${(amount / ms / 1e6).toFixed(1)} ${unit}`;
}
