// The process of one side: `node side.js <name> <threads>` reads requests as lines of JSON and answers each with one.
// sides/torch.py speaks the same language.
import { createInterface } from 'node:readline';
import { materialise, sample } from './data.js';

/**
 * What a file of sides/ exports as `start(threads)`; fails if its package is not installed.
 *
 * @typedef {object} Side
 * @property {string} version
 * @property {Record<string, (workload, data) => Job>} kinds one function for each kind of workload it can do
 * @property {string} [lacks] why it cannot do the others
 */

/**
 * @typedef {object} Job
 * @property {(i: number) => unknown} step the i-th call; a promise is waited for
 * @property {() => ArrayLike<number>[] | null} result the arrays the last call computed, null if none; may be a promise
 */

/** Calls step(first), step(first + 1) … at least once, until the time is over or `most` calls are done. */
async function repeat(job, first, { seconds = 0, most = Number.POSITIVE_INFINITY, after = () => {} }) {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    const pending = job.step(first + calls);
    if (pending instanceof Promise) await pending;
    calls++;
    after();
    elapsed = (performance.now() - start) / 1000;
  } while (elapsed < seconds && calls < most);
  return { calls, seconds: elapsed };
}

const [name, threads] = process.argv.slice(2);
let side;
let job;
let done = 0;

const requests = {
  /** Loads the side. */
  async start() {
    const { start } = await import(`./sides/${name}.js`);
    side = await start(Number(threads));
    return { version: side.version };
  },

  /** Makes a workload, does the calls that all sides are compared after, and lets the compiler settle. */
  async open({ workload, warmUp }) {
    job = null; // the last workload's memory may go
    const kind = side.kinds[workload.kind];
    if (kind === undefined) throw new Error(side.lacks ?? `no ${workload.kind}`);
    job = await kind(workload, materialise(workload.data));
    const started = performance.now();
    for (done = 0; done < workload.checkCalls; done++) await job.step(done);
    const values = (await job.result())?.map((array) => sample(array)) ?? null;
    const seconds = warmUp - (performance.now() - started) / 1000;
    if (seconds > 0) done += (await repeat(job, done, { seconds })).calls;
    return { values };
  },

  async time({ seconds }) {
    const timed = await repeat(job, done, { seconds });
    done += timed.calls;
    return timed;
  },

  /** Resident bytes after each of `most` calls, or as many as there is time for. */
  async memory({ seconds, most }) {
    const resident = [];
    await repeat(job, done, { seconds, most, after: () => resident.push(process.memoryUsage.rss()) });
    return { resident };
  },
};

const answer = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);
console.log = console.error; // libraries greet on stdout, which is for answers

for await (const line of createInterface({ input: process.stdin })) {
  const { request, ...options } = JSON.parse(line);
  try {
    answer(await requests[request](options));
  } catch (error) {
    const isMissing = error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND';
    answer({ error: String(error?.message ?? error), isMissing: request === 'start' && isMissing });
  }
}
process.exit(); // worker threads of a peer may live on
