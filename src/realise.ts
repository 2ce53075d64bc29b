// From a graph to elements: finds or builds the plan of what is asked, runs it, and cuts what was computed.
import type { Elements } from './dtype.ts';
import { NablaError } from './error.ts';
import { type Node, nextEpoch } from './graph/node.ts';
import { leaf, type State } from './graph/state.ts';
import { currentTrace, withTrace } from './graph/trace.ts';
import type { Value } from './graph/value.ts';
import { openEnds, walk } from './graph/walk.ts';
import { type Canonical, canonical, PlanCache, type Request } from './plan/cache.ts';
import { type LeafSpec, makePlan, type Plan } from './plan/plan.ts';
import { optimise, type PhaseReport, rewrite } from './rewrite/index.ts';
import { type Binding, readLater, run, runLater, uninstall } from './run/exec.ts';

const cache = new PlanCache(uninstall);
let built = 0;

/** How many plans were ever built: one that is found again is not counted. */
export function planCount(): number {
  return built;
}

/** The plan of a request in canonical form. */
export function planOf(request: Request, { words, leaves }: Canonical): Plan {
  const known = cache.find(words);
  if (known !== null) return known;
  const key = words.slice();
  const plan = withTrace(null, () => build(request, leaves));
  built++;
  cache.add(key, plan);
  return plan;
}

/** A plan built anew, and the graph on its way there. */
export interface Account {
  /** As it was written, gradients included. */
  roots: readonly Node[];
  phases: readonly PhaseReport[];
  plan: Plan;
}

/** How the plan of a request comes about; no cache knows of it. */
export function accountOf(request: Request, { leaves }: Canonical): Account {
  const phases: PhaseReport[] = [];
  let written: readonly Node[] = [];
  const plan = withTrace(null, () =>
    build(request, leaves, {
      before: (roots) => {
        written = roots;
      },
      after: (phase) => phases.push(phase),
    }),
  );
  return { roots: written, phases, plan };
}

interface Watch {
  before: (roots: readonly Node[]) => void;
  after: (phase: PhaseReport) => void;
}

function build(request: Request, leaves: readonly LeafSpec[], watch?: Watch): Plan {
  const { outputs, updates } = request;
  const known = standIns(leaves);
  const asked = [...outputs, ...updates.map((u) => u.node)];
  const roots = known.size > 0 ? rewrite(asked, [], { replace: known }) : asked;
  const written = expandRequests(roots);
  watch?.before(written);
  const real = optimise(written, request.rewrites, watch?.after);
  const place = new Map(leaves.map((l, k) => [l.node, k]));
  return makePlan({
    leaves: leaves.map((l) => ({ ...l, node: known.get(l.node) ?? l.node })),
    outputs: real.slice(0, outputs.length),
    updates: updates.map((u, k) => ({ leaf: place.get(u.leaf) as number, node: real[outputs.length + k] as Node })),
    overwrite: request.overwrite,
  });
}

/** Bare leaves for nodes whose elements are known, since no rule may look behind those: nothing there is bound. */
function standIns(leaves: readonly LeafSpec[]): Map<Node, Node> {
  const computed = leaves.filter(({ node }) => node.value !== null && node.inputs.length > 0);
  return new Map(computed.map(({ node }) => [node, leaf(node.value as Value, node.shape)]));
}

/** Puts real nodes in place of those that only ask for them (gradients). */
function expandRequests(roots: readonly Node[]): readonly Node[] {
  const asking = walk(roots).filter((n) => n.value === null && n.op.expand !== undefined);
  if (asking.length === 0) return roots;
  const replace = (asking[0] as Node).op.expand?.(asking) as Map<Node, Node>;
  return expandRequests(rewrite(roots, [], { replace }));
}

/**
 * Computes `wanted`. A node that hangs together with a loss and its gradients brings them all, and whatever else
 * hangs on that graph and that nobody has consumed, so that nothing is computed twice. `step` says that variables
 * are about to change, so what depends on them is not differentiated again.
 */
export function realise(wanted: readonly Node[], step = false): void {
  const open = wanted.filter((n) => n.value === null);
  if (open.length === 0) return;
  const group = groupOf(open);
  if (group.length > 0) reopen(group);
  const reached = walk([...open, ...group]);
  const pending = group.length > 0 ? openEnds(reached) : [];
  const kept = reached.filter((n) => isNewVersion(n) || worthKeeping(n));
  const all = [...new Set([...open, ...group, ...pending, ...kept])].filter((n) => n.value === null);
  const states = new Map(all.flatMap((n) => (n.state?.head === n ? [[n, n.state] as const] : [])));
  try {
    compute(
      all.filter((n) => !states.has(n)),
      states,
    );
  } catch (error) {
    for (const state of states.values()) state.revert();
    throw error;
  }
  nextEpoch();
  for (const node of reached) {
    node.timesComputed++;
    if (group.length > 0) node.forgetUsers();
  }
  const members = new Set(group);
  for (const node of [...group, ...all]) if (node.state === null && mayCut(node, members, step)) node.cut();
}

/**
 * A loss is done with once it has gone back, and after a step so is all that hung on it; what can still be
 * differentiated stays.
 */
function mayCut(node: Node, group: ReadonlySet<Node>, step: boolean): boolean {
  if (!node.differentiable || group.has(node)) return true;
  return group.size > 0 && (step || !node.inputs.some((i) => i.requiresGrad));
}

/** Most realisations that an expression may reach back over before its older part is computed and forgotten. */
const MAX_SPAN = 32;
/** Most nodes without gradient that may pile up before they are computed. */
const MAX_WEIGHT = 1024;

/**
 * Keeps an expression that grows from step to step (`total = total.add(loss)`) from holding every step alive: where
 * no gradient is wanted its older part is computed and cut.
 */
export function bound(node: Node): Node {
  if (node.span <= MAX_SPAN && node.weight <= MAX_WEIGHT) return node;
  if (node.requiresGrad || currentTrace() !== null) return node;
  const old = node.inputs.filter((i) => i.inputs.length > 0 && !i.requiresGrad && i.state === null);
  realise(old);
  for (const input of old) input.cut();
  node.span = 0;
  node.weight = 1;
  return node;
}

/** The loss and gradients that any node below `open` belongs to. */
function groupOf(open: readonly Node[]): Node[] {
  const groups = new Set(walk(open).flatMap((n) => (n.group === null ? [] : [n.group])));
  return [...groups].flat();
}

/** A value read before backward() is forgotten where a gradient must flow through it: it is computed again. */
function reopen(group: readonly Node[]): void {
  for (const node of walk(group, (n) => n.inputs.length > 0)) {
    const again = node.inputs.length > 0 && node.requiresGrad && node.state === null;
    // A snapshot of a version that is gone stays what it was.
    if (again && node.inputs.every((i) => i.state?.isReadable(i) ?? true)) node.value = null;
  }
}

/**
 * Computes the next version of a variable with all others that hang on the same graph: one program, where a version at a
 * time would compute what they share again and again.
 */
export function realiseVersion(node: Node): void {
  realise([node, ...openEnds(walk([node])).filter(isNewVersion)]);
}

/** The next version of a variable is kept whoever asks for it. */
function isNewVersion(node: Node): boolean {
  return node.state?.head === node;
}

/** What was computed twice without being kept, and needs no gradient, is worth a home. */
function worthKeeping(node: Node): boolean {
  return node.timesComputed >= 2 && node.value === null && node.inputs.length > 0 && !node.requiresGrad;
}

let deferred = false;

/**
 * Runs `fn` with programs queued instead of run: what it computes has values that will be written. But a pending
 * assignment runs at once, after all that is queued, since only its outcome says which version a variable has.
 */
export function deferring<T>(fn: () => T): T {
  const before = deferred;
  deferred = true;
  try {
    return fn();
  } finally {
    deferred = before;
  }
}

/** Elements of a node as it is now, once they are known. */
export function elementsLater(node: Node): Promise<Elements> {
  return readLater(deferring(() => realised(node)));
}

/** Runs one program for `nodes` and the next versions of `states`. */
function compute(nodes: readonly Node[], states: ReadonlyMap<Node, State>): void {
  const updates = [...states].map(([node, state]) => ({ node, leaf: state.realised, state }));
  const request: Request = { outputs: nodes, updates, overwrite: false };
  const form = canonical(request);
  const leaves = form.leaves.map(({ node }) => bindingOf(node));
  const inUse = new Set(leaves.filter((l): l is Value => typeof l !== 'function'));
  const targets = updates.map(({ state }) => {
    const target = state.target(inUse);
    inUse.add(target);
    return target;
  });
  const plan = planOf(request, form);
  const outputs = deferred && updates.length === 0 ? runLater(plan, leaves).outputs : run(plan, leaves, targets);
  nodes.forEach((node, k) => {
    node.value = outputs[k] as Value;
  });
  updates.forEach(({ node, state }, k) => {
    state.commit(node, targets[k] as Value);
  });
}

const ESCAPED =
  'a tensor made inside compile() was used outside; its elements exist only in the compiled program: return it from the function';

/** What a leaf of the uncompiled program stands for; throws where it is too old to be read. */
export function bindingOf(node: Node): Binding {
  if (node.operands !== null && node.value === null) return node.operands;
  node.state?.checkReadable(node);
  if (node.value === null) {
    throw new NablaError('trace', ESCAPED);
  }
  return node.value;
}

/** Elements of a node, computed if they are not known. */
export function realised(node: Node): Value {
  if (currentTrace() !== null) {
    throw new NablaError(
      'trace',
      'a value cannot be read while compile() traces: its elements are not known yet; read it before, or return the tensor from the function',
    );
  }
  if (node.trace !== null) throw new NablaError('trace', ESCAPED);
  if (node.value === null) realise([node]);
  node.state?.checkReadable(node);
  return node.value as Value;
}
