// The command line of bench:peers.
import { parseArgs } from 'node:util';

export const HELP = `npm run bench:peers -- [options]
  --only W2,W3     these workloads (W1 W2 W2b W3 W4 W5 W6 W7 W8 W9 W10); all by default
  --peers a,b      these peers (nabla-deno nabla-bun tfjs-wasm jax-js onnxruntime-web pytorch); all by
                   default
  --threads 1,2    nabla, and the peers that have threads, on each of these numbers of threads
  --rounds 9       turns of each side
  --seconds 0.3    length of a turn
  --budget 60      seconds after which a slow side sits out the remaining turns of a workload
  --json FILE      every rate of every turn
NABLA_PYTHON is the Python that has PyTorch (python3 by default), NABLA_DENO and NABLA_BUN are these runtimes (deno,
bun by default); NABLA_SIMD=baseline measures without relaxed SIMD.`;

const OPTIONS = {
  only: { type: 'string' },
  peers: { type: 'string' },
  threads: { type: 'string', default: '1,2' },
  rounds: { type: 'string', default: '9' },
  seconds: { type: 'string', default: '0.3' },
  budget: { type: 'string', default: '60' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
};

/**
 * @param {string[]} args
 * @param {{ only: string[], peers: string[] }} known the names that --only and --peers may give
 * @returns {{ only: string[], peers: string[], threads: number[], rounds: number, seconds: number, budget: number, json?: string, help?: true }}
 */
export function parseOptions(args, known) {
  const { values } = parseArgs({ args, options: OPTIONS });
  return {
    ...values,
    only: names('only', values.only, known.only),
    peers: names('peers', values.peers, known.peers),
    threads: values.threads.split(',').map((text) => count('threads', text)),
    rounds: count('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    budget: positive('budget', values.budget),
  };
}

function names(option, text, known) {
  const chosen = text?.split(',') ?? known;
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: "${unknown}" is unknown; expected some of ${known}`);
  return chosen;
}

function count(option, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option}: "${text}"; expected a whole number from 1`);
  return Number(text);
}

function positive(option, text) {
  if (!(Number(text) > 0)) throw new Error(`--${option}: "${text}"; expected a number above 0`);
  return Number(text);
}
