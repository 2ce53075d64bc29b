// A process that answers one request at a time, a line of JSON each, and is stopped in between, so that its idle
// threads, timers and compilers take no time from the one whose turn it is.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Why there is no answer. */
export class ChildError extends Error {
  /** `answer`: it said so itself; `silent`: it took too long and was ended; `ended`; `missing`: no such program. */
  readonly kind: 'answer' | 'silent' | 'ended' | 'missing';
  /** The whole answer where there is one. */
  readonly answer: Record<string, unknown>;

  constructor(kind: ChildError['kind'], message: string, answer: Record<string, unknown> = {}) {
    super(message);
    this.kind = kind;
    this.answer = answer;
  }
}

/** Windows has no such signal, and Deno takes a child that is stopped for one that has ended: there they only wait. */
const canBeStopped = process.platform !== 'win32' && !('deno' in process.versions);

export interface ChildOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Longest wait for one answer, in seconds. */
  patience: number;
}

/** Those that run: a stopped process would outlive this one for ever. */
const alive = new Set<Child>();
let isWatching = false;

function endWithThisProcess(): void {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', () => {
    for (const child of alive) child.close();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
}

export class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  readonly #patience: number;
  #complaints = '';
  #isMissing = false;

  constructor([program, ...args]: readonly string[], { env = process.env, cwd, patience }: ChildOptions) {
    this.#patience = patience;
    this.#process = spawn(program as string, args, { env, ...(cwd !== undefined && { cwd }), stdio: 'pipe' });
    this.#closed = new Promise((resolve) => this.#process.on('close', resolve));
    alive.add(this);
    endWithThisProcess();
    this.#process.on('error', (error) => {
      this.#isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    });
    this.#process.stdin.on('error', () => {}); // it ended; the missing answer tells
    this.#process.stderr.on('data', (text) => {
      this.#complaints = `${this.#complaints}${text}`.slice(-4000);
    });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @throws ChildError */
  async ask<A>(request: string, options: object = {}): Promise<A> {
    if (canBeStopped) this.#process.kill('SIGCONT');
    this.#process.stdin.write(`${JSON.stringify({ request, ...options })}\n`);
    let silent = false;
    const timer = setTimeout(() => {
      silent = true;
      this.close();
    }, this.#patience * 1000);
    const { value, done } = await this.#answers.next();
    clearTimeout(timer);
    if (silent) throw new ChildError('silent', `no answer within ${this.#patience} s`);
    if (done) throw await this.#ended();
    if (canBeStopped) this.#process.kill('SIGSTOP');
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new ChildError('answer', answer.error, answer);
    return answer;
  }

  close(): void {
    alive.delete(this);
    this.#process.kill('SIGKILL');
  }

  /** Why the process is no more: what it wrote to stderr, as far as one line tells it. */
  async #ended(): Promise<ChildError> {
    await this.#closed;
    if (this.#isMissing) return new ChildError('missing', 'no such program');
    const lines = this.#complaints.trim().split('\n');
    const line = lines.find((text) => /error/i.test(text)) ?? lines.at(-1);
    return new ChildError('ended', line || 'the process ended');
  }
}
