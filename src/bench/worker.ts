// The process that runs a suite: reads requests as lines of JSON, answers each with one. It is started by
// `nabla bench`, and stopped while another has its turn.
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { probe } from '../run/probe.ts';
import type { Counters, Limits } from './result.ts';
import { Sampler } from './sampler.ts';
import { type Benchmark, readSuite } from './suite.ts';

/** What the process answers to each request. */
export interface Answers {
  /** Loads the suite. */
  start: { names: string[] };
  /** Sets a benchmark up and lets it settle. The counters are of one call after that, null without nabla. */
  open: { items?: number; unit?: string; counters: Counters | null };
  /** Seconds a call. */
  time: { samples: number[] };
  close: object;
  /** Nothing where the suite does not use nabla; limits where they are asked for. */
  about: { simd?: string; threads?: number; limits?: Limits };
}

interface Open {
  benchmark: Benchmark;
  context: unknown;
  call: () => unknown;
  isAsync: boolean;
}

/** Serves the requests on stdin until it ends. */
export async function serve(file: string): Promise<void> {
  const answer = (reply: object) => process.stdout.write(`${JSON.stringify(reply)}\n`);
  console.log = console.error; // a suite may print; stdout is for answers
  const requests = handlers(file);
  for await (const line of createInterface({ input: process.stdin })) {
    const { request, ...options } = JSON.parse(line);
    try {
      answer(await requests[request as keyof Answers](options as never));
    } catch (error) {
      answer({ error: messageOf(error, file) });
    }
  }
  process.exit(); // whatever the suite left running
}

type Handlers = { [R in keyof Answers]: (options: never) => Promise<Answers[R]> };

function handlers(file: string): Handlers {
  let suite = new Map<string, Benchmark>();
  let sampler: Sampler;
  let open: Open | null = null;
  return {
    async start() {
      sampler = await Sampler.load();
      suite = await readSuite(await import(pathToFileURL(file).href), relative(process.cwd(), file));
      return { names: [...suite.keys()] };
    },

    async open({ name, warmUp }: { name: string; warmUp: number }) {
      const benchmark = suite.get(name) as Benchmark;
      const context = await benchmark.setup?.();
      const call = () => benchmark.run(context);
      const first = call();
      const isAsync = typeof (first as PromiseLike<unknown> | null | undefined)?.then === 'function';
      open = { benchmark, context, call, isAsync };
      await first;
      await settle(open, warmUp);
      const { items, unit } = benchmark;
      return { ...(items && { items }), ...(unit && { unit }), counters: await count(open) };
    },

    async time({ seconds }: { seconds: number }) {
      const { call, isAsync } = open as Open;
      return { samples: await sampler.sample(call, isAsync, seconds) };
    },

    async close() {
      await open?.benchmark.teardown?.(open.context);
      open = null;
      return {};
    },

    async about({ withLimits }: { withLimits: boolean }) {
      const nabla = probe();
      if (nabla === undefined) return {};
      const settings = { simd: nabla.simd(), threads: nabla.threads() };
      return withLimits ? { ...settings, limits: nabla.measureLimits() } : settings;
    },
  };
}

/** Calls until the time is over, so that the runtime has replaced what runs by its optimised code; at least twice. */
async function settle({ call, isAsync }: Open, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let calls = 0;
  do {
    const returned = call();
    if (isAsync) await returned;
    calls++;
  } while (performance.now() < end || calls < 2);
}

/** The counters of one call. What returns a tensor and runs no program only wrote down what it might compute. */
async function count({ call }: Open): Promise<Counters | null> {
  let returned: unknown;
  const once = () => {
    returned = call();
    return returned;
  };
  const nabla = probe();
  const counted = nabla === undefined ? null : await nabla.counters(once);
  if (nabla === undefined) await once();
  const tensor = (await returned) as { dataAsync?: unknown } | null | undefined;
  if (!counted?.programs && typeof tensor?.dataAsync === 'function') {
    throw new Error('computes nothing: it returns a lazy tensor; read it with .data(), or compile the function');
  }
  return counted;
}

/** The error, and the line of the suite it came from. */
export function messageOf(error: unknown, file: string): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const line = error.stack?.split('\n').find((text) => text.includes(file) && /:\d+/.test(text));
  const at = line?.match(/:(\d+):\d+\)?\s*$/)?.[1];
  return at === undefined ? error.message : `${error.message} (line ${at} of ${relative(process.cwd(), file)})`;
}
