// A side as the runner sees it: a process that answers one request at a time, started when it is first asked.
import { fileURLToPath } from 'node:url';
import { Child, ChildError } from '../../build/src/bench/child.js';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** What a side answered instead of a result. */
export class SideError extends Error {}

export const NOT_INSTALLED = 'not installed';

/** Longest wait for one answer, in seconds: a step of a slow peer takes half a minute. */
const PATIENCE = 300;

/** What runs a side: the environment may say where it is. */
const PROGRAMS = {
  node: () => [process.execPath],
  deno: () => [process.env.NABLA_DENO ?? 'deno', 'run', '--allow-all'],
  bun: () => [process.env.NABLA_BUN ?? 'bun'],
  python: () => [process.env.NABLA_PYTHON ?? 'python3'],
};

export class SideProcess {
  #child = null;
  #isMissing = false;
  version = '';

  /** @param {import('./sides.js').SideInfo} side @param {number} threads */
  constructor({ name, file = name, python = false, runtime }, threads) {
    this.name = name;
    this.threads = threads;
    this.label = `${name} (${threads})`;
    this.command = python
      ? [...PROGRAMS.python(), path(`sides/${file}.py`), `${threads}`]
      : [...PROGRAMS[runtime ?? 'node'](), path('side.js'), file, `${threads}`];
  }

  /** The answer to a request; starts the process if it does not run. Fails with a SideError. */
  async ask(request, options = {}) {
    if (this.#isMissing) throw new SideError(NOT_INSTALLED);
    try {
      if (this.#child === null) await this.#start();
      return await this.#child.ask(request, options);
    } catch (error) {
      if (!(error instanceof ChildError)) throw error;
      if (error.kind !== 'answer' || this.version === '') this.close();
      this.#isMissing = error.kind === 'missing' || error.answer.isMissing === true;
      throw new SideError(this.#isMissing ? NOT_INSTALLED : error.message);
    }
  }

  /** Ends the process; the next request starts a new one. */
  close() {
    this.#child?.close();
    this.#child = null;
  }

  async #start() {
    const env = { ...process.env, NABLA_THREADS: `${this.threads}`, OMP_NUM_THREADS: `${this.threads}` };
    this.#child = new Child(this.command, { env, patience: PATIENCE });
    const { version } = await this.#child.ask('start');
    this.version = version;
  }
}
