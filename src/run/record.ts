// NABLA_PROFILE=1: every program of a synchronous call runs on the calling thread with its instructions timed; when
// the process exits, tables of what took the time go to stderr.
import { STATUS_OK } from '../../assembly/abi.ts';
import type { Plan } from '../plan/plan.ts';
import { setting } from './env.ts';
import { Profile } from './profile.ts';
import { newTimes, runTimed } from './timing.ts';

interface Total {
  runs: number;
  /** Sums over the runs, as `newTimes` has them. */
  times: Float64Array;
}

/** By plan; a plan holds no tensor. */
const totals = new Map<Plan, Total>();
let asked: boolean | null = null;

export function recording(): boolean {
  if (asked === null) {
    asked = setting('NABLA_PROFILE') === '1';
    if (asked) process.on('exit', () => console.error(report()));
  }
  return asked;
}

/** Runs a program that is in place; returns its status. */
export function record(plan: Plan, table: number): number {
  const times = newTimes(plan);
  const status = runTimed(plan, table, times);
  if (status !== STATUS_OK) return status;
  const total = totals.get(plan) ?? { runs: 0, times: newTimes(plan) };
  totals.set(plan, total);
  total.runs++;
  times.forEach((ms, i) => {
    (total.times[i] as number) += ms;
  });
  return status;
}

/** Most plans, and most instructions of each, that are printed. */
const MAX_PLANS = 8;
const MAX_ROWS = 24;

function report(): string {
  const profiles = [...totals].map(([plan, { runs, times }]) => new Profile(plan, times, runs));
  const all = profiles.reduce((sum, p) => sum + p.totalMs, 0);
  const slowest = profiles.sort((a, b) => b.totalMs - a.totalMs).slice(0, MAX_PLANS);
  const tables = slowest.map((p, k) => {
    const rows = [...p.rows].sort((a, b) => b.share - a.share).slice(0, MAX_ROWS);
    const share = ((p.totalMs / (all || 1)) * 100).toFixed(1);
    return `plan ${k + 1}: ${p.runs} runs, ${p.totalMs.toFixed(1)} ms, ${share} %\n${p.table(rows)}`;
  });
  const head = `NABLA_PROFILE: ${profiles.length} plans, ${all.toFixed(1)} ms on one thread, the slowest first`;
  return [head, ...tables].join('\n\n');
}
