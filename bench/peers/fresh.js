// W9 and W10, which need a fresh process each: memory over a loop in which nothing is freed by hand, and the time from
// the start of a process to the end of its first step.
import { failure } from './interleave.js';
import { growth, summary } from './statistics.js';

/** As many steps as fit into the time, up to this many. */
const LOOP = { seconds: 15, most: 10_000 };

/** @typedef {{ median: number, low: number, high: number } | { error: string }} Measured */

/**
 * Megabytes by which resident memory grows at each step.
 *
 * @returns {Promise<Record<string, Measured>>} by the sides' labels
 */
export function memoryGrowth(workload, sides) {
  return eachFresh(sides, async (side) => {
    await side.ask('open', { workload, warmUp: 0 });
    const { resident } = await side.ask('memory', LOOP);
    return summary([growth(resident) / 1e6]);
  });
}

/**
 * Milliseconds from the start of a process to the end of its first step, sides in turn.
 *
 * @returns {Promise<Record<string, Measured>>} by the sides' labels
 */
export async function startTimes(workload, sides, rounds) {
  const times = Object.fromEntries(sides.map(({ label }) => [label, []]));
  let last;
  for (let round = 0; round < rounds; round++) {
    last = await eachFresh(sides, async (side) => {
      const start = performance.now();
      await side.ask('open', { workload, warmUp: 0 });
      times[side.label].push(performance.now() - start);
      return summary(times[side.label]);
    });
  }
  return last;
}

async function eachFresh(sides, measure) {
  const measured = {};
  for (const side of sides) {
    side.close();
    const error = await failure(async () => {
      measured[side.label] = await measure(side);
    });
    if (error !== null) measured[side.label] = { error };
    side.close();
  }
  return measured;
}
