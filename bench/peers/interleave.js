// Times sides on one workload in turn, A B C A B C …, after checking that all reach the same result.
import { SideError } from './process.js';
import { disagreement } from './statistics.js';

/** How long a side works before it is timed: V8 replaces functions by optimised code after some milliseconds. */
const WARM_UP = 0.5;

/**
 * @typedef {{ rates: number[] } | { error: string }} Outcome rates in units a second, one for each round
 */

/**
 * @param {import('./workloads.js').Workload} workload
 * @param {import('./process.js').SideProcess[]} sides the first that can do the workload says what is right
 * @param {{ rounds: number, seconds: number, budget: number, onTurn?: (turn: string) => void }} options
 * @returns {Promise<Record<string, Outcome>>} by the sides' labels
 */
export async function interleave(workload, sides, { rounds, seconds, budget, onTurn = () => {} }) {
  const outcomes = {};
  const spent = new Map(sides.map((side) => [side, 0]));
  const turn = async (side, name, work) => {
    onTurn(`${name} ${side.label}`);
    const start = performance.now();
    const error = await failure(work);
    if (error !== null) outcomes[side.label] = { error };
    spent.set(side, spent.get(side) + (performance.now() - start) / 1000);
  };

  let expected;
  for (const side of sides) {
    await turn(side, 'check', async () => {
      const { values } = await side.ask('open', { workload, warmUp: WARM_UP });
      expected ??= values;
      compare(workload, values, expected);
      outcomes[side.label] = { rates: [] };
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      const { rates } = outcomes[side.label];
      const mayRun = round === 0 || spent.get(side) < budget;
      if (rates === undefined || !mayRun) continue;
      await turn(side, `round ${round + 1}/${rounds}`, async () => {
        const timed = await side.ask('time', { seconds });
        rates.push((workload.amount * timed.calls) / timed.seconds);
      });
    }
  }
  return outcomes;
}

/** Fails unless a side's result is the expected one. The limit computes nothing and has none. */
function compare({ tolerance }, values, expected) {
  if (values === null) return;
  const difference = disagreement(values, expected);
  if (difference > tolerance) {
    throw new SideError(`another result: off by ${difference.toExponential(1)}, allowed ${tolerance.toExponential(0)}`);
  }
}

/** What a side says that cannot do its work, else null. Our own faults are not caught. */
export async function failure(work) {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof SideError) return error.message.split('\n')[0];
    throw error;
  }
}
