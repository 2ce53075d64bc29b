// compile(fn): traces fn once for the shapes it is given, then runs one program a call. What fn read of the outside
// that may change is guarded; numbers among its arguments are operands, not structure.
import type { DType } from './dtype.ts';
import { NablaError } from './error.ts';
import { Explanation } from './explanation.ts';
import { type Node, nextEpoch } from './graph/node.ts';
import type { State } from './graph/state.ts';
import { leaf } from './graph/state.ts';
import { currentTrace, type Guard, type Rewrites, type Trace, withTrace } from './graph/trace.ts';
import type { Value } from './graph/value.ts';
import { operand, placeholder } from './ops/leaf.ts';
import { checkFunction, checkNames } from './options.ts';
import { canonical, type Request } from './plan/cache.ts';
import { type MemoryPlan, memoryPlan } from './plan/layout.ts';
import { type Plan, printPlan } from './plan/plan.ts';
import { type MemoryUse, memoryUse } from './plan/usage.ts';
import { keepingKeys } from './random.ts';
import { accountOf, bindingOf, deferring, planOf, realised } from './realise.ts';
import { checkRewrites } from './rewrite/index.ts';
import { type Binding, run, runLater } from './run/exec.ts';
import { heldBytes } from './run/heap.ts';
import { measure } from './run/measure.ts';
import { getThreads } from './run/pool.ts';
import type { Profile } from './run/profile.ts';
import { type Shape, sameShape } from './shape.ts';
import { Tensor } from './tensor.ts';
import { flattened, isLeaf, mapped } from './tree.ts';

export { planCount } from './realise.ts';

export interface CompileOptions {
  /**
   * The rules that the graph goes through (docs/rewrites.md): all by default; false leaves it as it was written, for
   * comparison; a list names phases (`'stabilise'`, `'simplify'`, `'fuse'`) and single rules.
   */
  rewrites?: Rewrites;
}

/** A compiled function: call it like the original. */
export interface Compiled<A extends unknown[], R> {
  (...args: A): R;
  /**
   * The same on the worker threads, while this one is free. Calls take their arguments, and all else they read, as
   * they are when made, and run in that order; whatever is done synchronously waits for them first, so all is as if
   * each call had run when it was made. One that fails rejects and leaves every variable as it was.
   */
  async(...args: A): Promise<R>;
  /** The plan for these arguments as text: its instructions and its memory. `explain(fn, …)` says how it came about. */
  explain(...args: A): string;
  /** Bytes of Wasm memory that a call with these arguments holds, by kind. Nothing is computed. */
  memory(...args: A): MemoryUse;
  /** Where and when each buffer of the plan for these arguments lies: what `memorySVG` of nabla/viz draws. */
  memoryPlan(...args: A): MemoryPlan;
  /**
   * Runs the plan for these arguments over and over for about half a second, on one thread, with every instruction
   * timed: print it for a table. Nothing changes by it: variables are put back, random numbers go on as before.
   */
  profile(...args: A): Profile;
  /** How many times the function was traced. */
  readonly traces: number;
}

/** One trace of the function: its program, and how each leaf is bound at a call. */
interface Traced {
  pattern: Pattern;
  guards: readonly Guard[];
  plan: Plan;
  /** From the arguments of a call to the elements or numbers a leaf stands for. */
  bind: readonly ((args: readonly unknown[]) => Binding)[];
  /** Which argument each leaf is, counted through lists and objects; −1 for those that are none. */
  argumentOf: readonly number[];
  updates: readonly State[];
  /** Builds the result out of the outputs. */
  result: (outputs: readonly Tensor[]) => unknown;
  shapes: readonly (readonly number[])[];
}

/** Most traces one function keeps; the least recently used goes first. */
const MAX_TRACES = 64;

/**
 * A function that runs as one program. `fn` takes tensors, numbers, and arrays or plain objects of them, and returns
 * the same; it must do the same work whenever shapes, modes and flags are the same. Each call is one Wasm call.
 */
export function compile<A extends unknown[], R>(fn: (...args: A) => R, options: CompileOptions = {}): Compiled<A, R> {
  checkFunction('compile', fn);
  checkNames('compile', options, ['rewrites']);
  checkRewrites('compile', options.rewrites);
  let known: Traced[] = [];
  let traces = 0;
  const find = (args: A): Traced => {
    const newest = known[known.length - 1];
    if (newest !== undefined && serves(newest, args)) return newest;
    let traced = known.find((t) => serves(t, args));
    if (traced === undefined) {
      traced = trace(fn, args, options);
      traces++;
    }
    known = [...known.filter((t) => t !== traced).slice(-MAX_TRACES + 1), traced];
    return traced;
  };
  const compiled = (...args: A): R => {
    if (currentTrace() !== null) return fn(...args);
    return call(find(args), flattened(args)) as R;
  };
  const others = {
    async: async (...args: A): Promise<R> => {
      if (currentTrace() !== null) throw new NablaError('trace', ASYNC_INSIDE);
      return (await callLater(() => find(args), flattened(args))) as R;
    },
    explain: (...args: A) => printPlan(find(args).plan),
    memory: (...args: A) => memoryUse(find(args).plan, getThreads(), heldBytes),
    memoryPlan: (...args: A) => {
      const { plan, argumentOf } = find(args);
      return memoryPlan(plan, (leaf) => argumentOf[leaf] as number);
    },
    profile: (...args: A) => {
      const traced = find(args);
      return keepingKeys(() => measure(traced.plan, bindings(traced, flattened(args))));
    },
  };
  sources.set(compiled, { fn, options });
  return Object.defineProperty(Object.assign(compiled, others), 'traces', { get: () => traces }) as Compiled<A, R>;
}

/** What compiled functions were made of, for `explain`. */
const sources = new WeakMap<object, { fn: unknown; options: CompileOptions }>();

/**
 * How a function's program comes about: the graph before and after each phase of rewriting, the rules that fired and
 * how often, the plan and its memory. `fn` is one that `compile` takes, or one that it gave, with its options; nothing
 * is computed. Print it, or read its fields.
 */
export function explain<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): Explanation {
  checkFunction('explain', fn);
  if (currentTrace() !== null) throw new NablaError('trace', 'explain: it cannot be part of a compiled function');
  const source = sources.get(fn) ?? { fn, options: {} };
  const traced = keepingKeys(() => traceOf(source.fn as (...args: A) => unknown, args, source.options));
  const account = accountOf(traced.request, canonical(traced.request));
  return new Explanation(account, memoryUse(account.plan, getThreads(), heldBytes));
}

const holds = ({ read, value }: Guard) => Object.is(read(), value);
const serves = ({ pattern, guards }: Traced, args: readonly unknown[]) => fits(pattern, args) && guards.every(holds);

const ASYNC_INSIDE = 'an asynchronous call cannot be part of a compiled function; call the inner one without async';

function call(traced: Traced, args: readonly unknown[]): unknown {
  const outputs = run(traced.plan, bindings(traced, args), []);
  overwrite(traced);
  return results(traced, outputs);
}

/** Returns once the call is queued; the promise, once it has run. */
async function callLater(find: () => Traced, args: readonly unknown[]): Promise<unknown> {
  const traced = deferring(find);
  const { outputs, done } = deferring(() => runLater(traced.plan, bindings(traced, args)));
  overwrite(traced);
  await done;
  return results(traced, outputs);
}

function bindings({ bind }: Traced, args: readonly unknown[]): Binding[] {
  return bind.map((b) => b(args));
}

function overwrite({ updates }: Traced): void {
  for (const state of updates) state.overwrite();
  nextEpoch();
}

function results(traced: Traced, outputs: readonly Value[]): unknown {
  const tensors = outputs.map((value, k) => new Tensor(leaf(value, traced.shapes[k] as readonly number[])));
  return traced.result(tensors);
}

// ---- arguments

/** What an argument must be for a trace to serve it: of a tensor dtype and shape count, of a number that it is one. */
interface Pattern {
  kind: 'tensor' | 'number' | 'list' | 'object' | 'other';
  dtype?: DType;
  shape?: Shape;
  keys?: readonly string[];
  items?: readonly Pattern[];
  value?: unknown;
}

function patternOf(x: unknown): Pattern {
  if (x instanceof Tensor) return { kind: 'tensor', dtype: x.dtype, shape: x.shape };
  if (typeof x === 'number') return { kind: 'number' };
  if (isLeaf(x)) return { kind: 'other', value: x };
  const items = Object.values(x as object).map(patternOf);
  return Array.isArray(x) ? { kind: 'list', items } : { kind: 'object', keys: Object.keys(x as object), items };
}

/** Allocates nothing where arguments are tensors and numbers: it runs at every call. */
function fits(p: Pattern, x: unknown): boolean {
  switch (p.kind) {
    case 'tensor':
      return x instanceof Tensor && x.dtype === p.dtype && sameShape(x.shape, p.shape as Shape);
    case 'number':
      return typeof x === 'number';
    case 'other':
      return Object.is(x, p.value);
    case 'list':
      return Array.isArray(x) && fitAll(p.items as Pattern[], x);
    case 'object': {
      if (isLeaf(x) || Array.isArray(x)) return false;
      const keys = Object.keys(x as object);
      return sameList(keys, p.keys as string[]) && fitAll(p.items as Pattern[], Object.values(x as object));
    }
  }
}

function fitAll(patterns: readonly Pattern[], list: readonly unknown[]): boolean {
  return patterns.length === list.length && patterns.every((p, i) => fits(p, list[i]));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

// ---- tracing

/** What one run of the function asks of a program. */
interface Asked {
  request: Request;
  context: Trace;
  /** Which argument a leaf is. */
  argument: ReadonlyMap<Node | Node['operands'], number>;
  returned: unknown;
  /** The node behind each tensor that was returned. */
  nodes: readonly Node[];
  updates: readonly State[];
}

function traceOf<A extends unknown[]>(
  fn: (...args: A) => unknown,
  args: A,
  { rewrites = true }: CompileOptions,
): Asked {
  const context: Trace = { heads: new Map(), grads: new Map(), guards: [], rewrites };
  const argument = new Map<Node | Node['operands'], number>();
  let returned: unknown;
  withTrace(context, () => {
    let k = 0;
    const tracers = mapped(args, (x) => tracer(x, k++, argument));
    returned = fn(...(tracers as A));
  });
  if (returned instanceof Promise) {
    throw new NablaError('trace', 'compile: the function is async; expected one that returns tensors without waiting');
  }
  const tensors = flattened([returned]).filter((x): x is Tensor => x instanceof Tensor);
  const nodes = withTrace(context, () => tensors.map((t) => t.node));
  const updates = [...context.heads].filter(([state, node]) => node !== state.realised);
  const request: Request = {
    outputs: [...new Set(nodes)],
    updates: updates.map(([state, node]) => ({ leaf: state.realised, node })),
    overwrite: true,
    rewrites,
  };
  return { request, context, argument, returned, nodes, updates: updates.map(([state]) => state) };
}

function trace<A extends unknown[], R>(fn: (...args: A) => R, args: A, options: CompileOptions): Traced {
  const { request, context, argument, returned, nodes, updates } = traceOf(fn, args, options);
  const { outputs } = request;
  const place = new Map(outputs.map((node, k) => [node, k]));
  const form = canonical(request);
  return {
    pattern: patternOf(args),
    guards: context.guards,
    plan: planOf(request, form),
    bind: form.leaves.map(({ node }) => binder(node, argument)),
    argumentOf: form.leaves.map(({ node }) => argument.get(node) ?? -1),
    updates,
    shapes: outputs.map((n) => n.shape),
    result: (found) => {
      let next = 0;
      return mapped(returned, (x) => (x instanceof Tensor ? found[place.get(nodes[next++] as Node) as number] : x));
    },
  };
}

function tracer(x: unknown, k: number, argument: Map<Node | Node['operands'], number>): unknown {
  if (x instanceof Tensor) {
    const node = placeholder(x.shape, x.dtype, k);
    argument.set(node, k);
    return new Tensor(node);
  }
  if (typeof x !== 'number') return x;
  const node = operand(() => []);
  // By what it reads: in an operation with float64 another node stands for the same number.
  argument.set(node.operands, k);
  return new Tensor(node);
}

/** How the elements behind a leaf are found at each call. */
function binder(
  node: Node,
  argument: ReadonlyMap<Node | Node['operands'], number>,
): (args: readonly unknown[]) => Binding {
  const k = argument.get(node) ?? (node.operands && argument.get(node.operands));
  if (typeof k === 'number') {
    if (node.operands !== null) return (args) => () => [args[k] as number];
    return (args) => realised((args[k] as Tensor).node);
  }
  const { state, operands } = node;
  if (state !== null) return () => (state.isPending ? realised(state.head) : state.value);
  if (operands !== null) return () => operands;
  const value = bindingOf(node) as Value;
  return () => value;
}
