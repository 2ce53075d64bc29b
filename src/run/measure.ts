// Times a plan on given arguments without changing anything: the same step again and again from the same state.
import { STATUS_OK } from '../../assembly/abi.ts';
import type { Value } from '../graph/value.ts';
import type { Plan } from '../plan/plan.ts';
import { type Binding, fault, Run } from './exec.ts';
import { theHeap } from './heap.ts';
import { Profile } from './profile.ts';
import { drain } from './queue.ts';
import { newTimes, runTimed } from './timing.ts';

/** V8 compiles kernels anew in the first milliseconds that they run. */
const WARM_MS = 100;
const MEASURE_MS = 300;
const MIN_RUNS = 5;
const MAX_RUNS = 1000;

/** The median time of each instruction of a plan that overwrites the variables it updates. */
export function measure(plan: Plan, leaves: readonly Binding[]): Profile {
  drain();
  const repeat = repeatable(plan, leaves);
  const warm = performance.now() + WARM_MS;
  do repeat(newTimes(plan));
  while (performance.now() < warm);
  const runs: Float64Array[] = [];
  const end = performance.now() + MEASURE_MS;
  while (runs.length < MIN_RUNS || (performance.now() < end && runs.length < MAX_RUNS)) {
    const times = newTimes(plan);
    repeat(times);
    runs.push(times);
  }
  const medians = newTimes(plan).map((_, i) => median(runs.map((times) => times[i] as number)));
  return new Profile(plan, medians, runs.length);
}

/** One run, which leaves every variable as it was, and finds the same numbers each time. */
function repeatable(plan: Plan, leaves: readonly Binding[]): (times: Float64Array) => void {
  const fixed = leaves.map((leaf) => {
    if (typeof leaf !== 'function') return leaf;
    const numbers = leaf();
    return () => numbers;
  });
  const variables = plan.targets.map(({ leaf }) => leaves[leaf] as Value);
  const saved = variables.map((value) => value.read().slice());
  return (times) => {
    const { table } = new Run(plan, fixed, []).prepare();
    let status = STATUS_OK;
    try {
      status = runTimed(plan, table, times);
    } finally {
      const heap = theHeap();
      variables.forEach((value, i) => {
        heap.copyIn(heap.resident(value), saved[i] as (typeof saved)[number]);
      });
    }
    if (status !== STATUS_OK) throw fault(plan, status);
  };
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return ((sorted[half] as number) + (sorted[(sorted.length - 1) >> 1] as number)) / 2;
}
