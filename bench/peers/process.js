// A side as the runner sees it: a child process that answers one request at a time and is stopped in between, so
// that nobody's idle threads, timers or compilers take time from the side whose turn it is.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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

const canBeStopped = process.platform !== 'win32';

export class SideProcess {
  #child = null;
  #answers = null;
  #closed = null;
  #complaints = '';
  #missing = null;
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
    if (this.#missing !== null) throw this.#missing;
    if (this.#child === null) await this.#start();
    return this.#exchange(request, options);
  }

  /** Ends the process; the next request starts a new one. */
  close() {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  async #start() {
    const [program, ...args] = this.command;
    const env = { ...process.env, NABLA_THREADS: `${this.threads}`, OMP_NUM_THREADS: `${this.threads}` };
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#complaints = '';
    this.#closed = new Promise((resolve) => child.on('close', resolve));
    child.on('error', (error) => {
      if (error.code === 'ENOENT') this.#missing = new SideError(NOT_INSTALLED);
    });
    child.stdin.on('error', () => {}); // it ended; the missing answer tells
    child.stderr.on('data', (text) => {
      this.#complaints = `${this.#complaints}${text}`.slice(-2000);
    });
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    try {
      const { version } = await this.#exchange('start', {});
      this.version = version;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #exchange(request, options) {
    const child = this.#child;
    if (canBeStopped) child.kill('SIGCONT');
    child.stdin.write(`${JSON.stringify({ request, ...options })}\n`);
    const timer = setTimeout(() => {
      this.#complaints = `no answer within ${PATIENCE} s`;
      child.kill('SIGKILL');
    }, PATIENCE * 1000);
    const { value, done } = await this.#answers.next();
    clearTimeout(timer);
    if (done) throw await this.#ended();
    if (canBeStopped) child.kill('SIGSTOP');
    const { error, isMissing, ...answer } = JSON.parse(value);
    if (error === undefined) return answer;
    if (isMissing) this.#missing = new SideError(NOT_INSTALLED);
    throw this.#missing ?? new SideError(error);
  }

  /** Why the process is no more: what it wrote to stderr, as far as one line tells it. */
  async #ended() {
    this.#child = null;
    await this.#closed;
    const lines = this.#complaints.trim().split('\n');
    const line = lines.find((text) => /error/i.test(text)) ?? lines.at(-1);
    return this.#missing ?? new SideError(line || 'the process ended');
  }
}
