// compile(fn): traces fn once for the shapes it is given, then runs one program a call. What fn read of the outside
// that may change is guarded; numbers among its arguments are operands, not structure.
import { NablaError } from './error.ts';
import { type Node, nextEpoch } from './graph/node.ts';
import type { State } from './graph/state.ts';
import { leaf } from './graph/state.ts';
import { currentTrace, type Guard, type Trace, withTrace } from './graph/trace.ts';
import type { Value } from './graph/value.ts';
import { operand, placeholder } from './ops/leaf.ts';
import { canonical, type Request } from './plan/cache.ts';
import { type Plan, printPlan } from './plan/plan.ts';
import { bindingOf, planOf, realised } from './realise.ts';
import { type Binding, run } from './run/exec.ts';
import { Tensor } from './tensor.ts';

export { planCount } from './realise.ts';

export interface CompileOptions {
  /** False leaves the graph as it was written, for comparison. */
  rewrites?: boolean;
}

/** A compiled function: call it like the original. */
export interface Compiled<A extends unknown[], R> {
  (...args: A): R;
  /** The plan for these arguments as text: its instructions and its memory. */
  explain(...args: A): string;
  /** How many times the function was traced. */
  readonly traces: number;
}

/** One trace of the function: its program, and how each leaf is bound at a call. */
interface Traced {
  signature: string;
  guards: readonly Guard[];
  plan: Plan;
  /** From the arguments of a call to the elements or numbers a leaf stands for. */
  bind: readonly ((args: readonly unknown[]) => Binding)[];
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
  let known: Traced[] = [];
  let traces = 0;
  const find = (args: A): Traced => {
    const signature = signatureOf(args);
    let traced = known.find((t) => t.signature === signature && t.guards.every(holds));
    if (traced === undefined) {
      traced = trace(fn, args, signature, options);
      traces++;
      known = [...known.slice(-MAX_TRACES + 1), traced];
    } else if (known[known.length - 1] !== traced) {
      known = [...known.filter((t) => t !== traced), traced];
    }
    return traced;
  };
  const compiled = (...args: A): R => {
    if (currentTrace() !== null) return fn(...args);
    const flat: unknown[] = [];
    flatten(args, flat);
    return call(find(args), flat) as R;
  };
  return Object.defineProperty(
    Object.assign(compiled, { explain: (...args: A) => printPlan(find(args).plan) }),
    'traces',
    { get: () => traces },
  ) as Compiled<A, R>;
}

const holds = ({ read, value }: Guard) => Object.is(read(), value);

function call(traced: Traced, args: readonly unknown[]): unknown {
  const outputs = run(
    traced.plan,
    traced.bind.map((bind) => bind(args)),
    [],
  );
  for (const state of traced.updates) state.overwrite();
  nextEpoch();
  const tensors = outputs.map((value, k) => new Tensor(leaf(value, traced.shapes[k] as readonly number[])));
  return traced.result(tensors);
}

// ---- arguments and results: tensors and numbers in arrays and plain objects

function flatten(x: unknown, out: unknown[]): void {
  if (x instanceof Tensor || x === null || typeof x !== 'object') out.push(x);
  else for (const inner of Object.values(x)) flatten(inner, out);
}

/** The same arrays and objects with each leaf replaced, in the order of `flatten`. */
function map(x: unknown, f: (leaf: unknown) => unknown): unknown {
  if (x instanceof Tensor || x === null || typeof x !== 'object') return f(x);
  if (Array.isArray(x)) return x.map((inner) => map(inner, f));
  return Object.fromEntries(Object.entries(x).map(([k, inner]) => [k, map(inner, f)]));
}

function signatureOf(x: unknown): string {
  if (x instanceof Tensor) return `${x.dtype}[${x.shape}]`;
  if (typeof x === 'number') return 'n';
  if (x === null || typeof x !== 'object') return `${typeof x}:${String(x)}`;
  if (Array.isArray(x)) return `(${x.map(signatureOf).join()})`;
  return `{${Object.entries(x).map(([k, inner]) => `${k}=${signatureOf(inner)}`)}}`;
}

// ---- tracing

function trace<A extends unknown[], R>(
  fn: (...args: A) => R,
  args: A,
  signature: string,
  options: CompileOptions,
): Traced {
  const context: Trace = { heads: new Map(), grads: new Map(), guards: [] };
  const argument = new Map<Node, number>();
  let returned: unknown;
  withTrace(context, () => {
    let k = 0;
    const tracers = map(args, (x) => tracer(x, k++, argument));
    returned = fn(...(tracers as A));
  });
  if (returned instanceof Promise) {
    throw new NablaError('trace', 'compile: the function is async; expected one that returns tensors without waiting');
  }
  const flat: unknown[] = [];
  flatten(returned, flat);
  const tensors = flat.filter((x): x is Tensor => x instanceof Tensor);
  const nodes = withTrace(context, () => tensors.map((t) => t.node));
  const outputs = [...new Set(nodes)];
  const updates = [...context.heads].filter(([state, node]) => node !== state.realised);
  const request: Request = {
    outputs,
    updates: updates.map(([state, node]) => ({ leaf: state.realised, node })),
    overwrite: true,
    plain: options.rewrites === false,
  };
  const form = canonical(request);
  return {
    signature,
    guards: context.guards,
    plan: planOf(request, form),
    bind: form.leaves.map(({ node }) => binder(node, argument)),
    updates: updates.map(([state]) => state),
    shapes: outputs.map((n) => n.shape),
    result: (found) => {
      let next = 0;
      return map(returned, (x) => (x instanceof Tensor ? found[outputs.indexOf(nodes[next++] as Node)] : x));
    },
  };
}

function tracer(x: unknown, k: number, argument: Map<Node, number>): unknown {
  if (x instanceof Tensor) {
    const node = placeholder(x.shape, x.dtype, k);
    argument.set(node, k);
    return new Tensor(node);
  }
  if (typeof x !== 'number') return x;
  const node = operand(() => []);
  argument.set(node, k);
  return new Tensor(node);
}

/** How the elements behind a leaf are found at each call. */
function binder(node: Node, argument: ReadonlyMap<Node, number>): (args: readonly unknown[]) => Binding {
  const k = argument.get(node);
  if (k !== undefined) {
    if (node.operands !== null) return (args) => () => [args[k] as number];
    return (args) => realised((args[k] as Tensor).node);
  }
  const { state, operands } = node;
  if (state !== null) return () => (state.isPending ? realised(state.head) : state.value);
  if (operands !== null) return () => operands;
  const value = bindingOf(node) as Value;
  return () => value;
}
