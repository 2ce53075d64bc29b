// Rules as patterns, and the one driver that applies them: bottom-up, to a fixed point, equal nodes shared.
import { apply, inPlaceOf, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { byAge, walk } from '../graph/walk.ts';
import { sameShape } from '../shape.ts';

/** What a pattern's names stand for. */
export type Bindings = Record<string, Node>;

export interface Pattern {
  op?: Op;
  inputs?: readonly Pattern[];
  /** The name under which the matched node is handed to `build`; the same name twice asks for the same node. */
  name?: string;
  /** A constant of this value, stretched or not. */
  value?: number;
  /** Only where this node's one reader is the match: what it computed is not needed elsewhere. */
  once?: boolean;
  /** Only where so many inputs of other nodes are this one. */
  readers?: number;
  /** Any of these. */
  either?: readonly Pattern[];
}

export interface Rule {
  /** What `compile(fn, { rewrites: [...] })` calls it; rules of one name are one family. */
  name: string;
  /** What it is for: an input on which the form as written fails, or a program that it makes smaller. */
  motive: string;
  /** It adds or multiplies in another order, so the last digits of a result may differ. */
  reassociates?: true;
  /** Values are the same either way; it is applied only to what is about to be differentiated. */
  forDerivatives?: true;
  /** A kernel cannot do without it: it is applied with rewrites off too. */
  needed?: true;
  pattern: Pattern & { op: Op };
  /** What to put in place of the match, or null to leave it. */
  build(b: Bindings, root: Node): Node | null;
}

/** Any node. */
export const any = (name: string): Pattern => ({ name });
export const num = (value: number): Pattern => ({ value });
export const p = (op: Op, ...inputs: Pattern[]): Pattern & { op: Op } => ({ op, inputs });
/** A node of `op` that only the match reads. */
export const once = (op: Op, ...inputs: Pattern[]): Pattern => ({ op, inputs, once: true });
/** A node that any of these match, the first that does. */
export const either = (...patterns: Pattern[]): Pattern => ({ either: patterns });
/** Gives the matched node a name as well. */
export const as = (name: string, pattern: Pattern): Pattern => ({ ...pattern, name });

/** Ops whose two inputs may change places; declared with the rules, since only patterns ask. */
const commutative = new Set<Op>();
export function commutes(...ops: Op[]): void {
  for (const op of ops) commutative.add(op);
}

/** What a match asks of the graph around it. */
interface Around {
  uses: (node: Node) => number;
  /** No pattern looks behind these. */
  keep: ReadonlySet<Node> | undefined;
}

/** Whether nothing behind a node may be looked at: it is to stay as it is, or it forgot how it was computed. */
const isClosed = (node: Node, keep: ReadonlySet<Node> | undefined) =>
  node.inputs.length === 0 || keep?.has(node) === true;

/** What the rule being built may not look behind. */
let kept: ReadonlySet<Node> | undefined;

/** The op of a node, for a rule that recognises more than its pattern says; null where it may not look behind it. */
export const opOf = (node: Node): Op | null => (isClosed(node, kept) ? null : node.op);

function match(pattern: Pattern, node: Node, found: Bindings, around: Around): Bindings | null {
  if (pattern.value !== undefined) return node.attrs.value === pattern.value && node.inputs.length === 0 ? found : null;
  if (pattern.op !== undefined && (pattern.op !== node.op || isClosed(node, around.keep))) return null;
  if (pattern.once && around.uses(node) > 1) return null;
  if (pattern.readers !== undefined && around.uses(node) !== pattern.readers) return null;
  let bindings = found;
  if (pattern.name !== undefined) {
    const known = found[pattern.name];
    if (known !== undefined && known !== node) return null;
    bindings = { ...found, [pattern.name]: node };
  }
  if (pattern.either !== undefined) {
    for (const one of pattern.either) {
      const found = match(one, node, bindings, around);
      if (found !== null) return found;
    }
    return null;
  }
  const list = pattern.inputs;
  if (list === undefined) return bindings;
  if (list.length !== node.inputs.length) return null;
  const straight = matchAll(list, node.inputs, bindings, around);
  if (straight !== null || !commutative.has(node.op)) return straight;
  return matchAll(list, [node.inputs[1] as Node, node.inputs[0] as Node], bindings, around);
}

function matchAll(
  patterns: readonly Pattern[],
  nodes: readonly Node[],
  found: Bindings,
  around: Around,
): Bindings | null {
  let bindings: Bindings | null = found;
  for (let i = 0; i < patterns.length && bindings !== null; i++) {
    bindings = match(patterns[i] as Pattern, nodes[i] as Node, bindings, around);
  }
  return bindings;
}

/** Most rounds over a graph, and most rules in a row at one node; a set of rules that needs more loops. */
const MAX_ROUNDS = 16;
const MAX_CHAIN = 32;

export interface Options {
  /** Nodes that stay as they are: what is above them may change, they may not. */
  keep?: ReadonlySet<Node>;
  /** Looks behind nodes whose elements are known already. */
  deep?: boolean;
  /** Nodes to put in the place of others. */
  replace?: ReadonlyMap<Node, Node>;
  /** Called for each rule that fires, and each op that is spelled out. */
  fired?: (what: { readonly name: string }) => void;
  /** Called for each node that gives way to an equal one. */
  shared?: (node: Node) => void;
}

/** `roots` with `rules` applied until none fires. */
export function rewrite(roots: readonly Node[], rules: readonly Rule[], options: Options = {}): Node[] {
  const byOp = new Map<Op, Rule[]>();
  for (const rule of rules) byOp.set(rule.pattern.op, [...(byOp.get(rule.pattern.op) ?? []), rule]);
  let current = [...roots];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const [next, changed] = rewriteOnce(current, byOp, options);
    current = next;
    if (!changed) return current;
  }
  throw new Error(`rewrite: rules still fire after ${MAX_ROUNDS} rounds: ${rules.map((r) => r.name).join(', ')}`);
}

function rewriteOnce(roots: readonly Node[], rules: Map<Op, Rule[]>, o: Options): [Node[], boolean] {
  // By age, so that what is made anew keeps its order: a schedule of it needs memory for less at a time.
  const order = byAge(
    walk(roots, (node) => (o.deep || node.value === null) && node.inputs.length > 0 && !o.keep?.has(node)),
  );
  const counts = new Map<Node, number>();
  const count = (node: Node) => counts.set(node, (counts.get(node) ?? 0) + 1);
  for (const node of order) if (!o.keep?.has(node)) node.inputs.forEach(count);
  roots.forEach(count);
  const becomes = new Map<Node, Node>();
  const shared = new Map<string, Node>();
  let changed = false;
  for (const old of order) {
    let node = o.keep?.has(old) ? old : share(rebuild(old, becomes), shared, o);
    const instead = o.replace?.get(old);
    if (instead !== undefined) node = instead;
    for (let i = 0; ; i++) {
      const replaced = o.keep?.has(node) || node.inputs.length === 0 ? null : fire(node, rules, counts, o);
      if (replaced === null) break;
      if (i === MAX_CHAIN) throw new Error(`rewrite: more than ${MAX_CHAIN} rules fire in a row at ${old.op.name}`);
      node = share(replaced, shared, o);
      changed = true;
    }
    if (node !== old) {
      counts.set(node, (counts.get(node) ?? 0) + (counts.get(old) ?? 0));
      becomes.set(old, node);
    }
  }
  return [roots.map((root) => becomes.get(root) ?? root), changed];
}

function fire(node: Node, rules: Map<Op, Rule[]>, counts: Map<Node, number>, o: Options): Node | null {
  const around: Around = { uses: (n) => counts.get(n) ?? 1, keep: o.keep };
  kept = o.keep;
  for (const rule of rules.get(node.op) ?? []) {
    const bindings = match(rule.pattern, node, {}, around);
    const result = bindings && inPlaceOf(node, () => rule.build(bindings, node));
    if (!result || result === node) continue;
    if (result.dtype !== node.dtype || !sameShape(result.shape, node.shape)) {
      throw new Error(`rewrite: ${rule.name} made [${result.shape}] ${result.dtype} of [${node.shape}] ${node.dtype}`);
    }
    o.fired?.(rule);
    return result;
  }
  return null;
}

/** The node over the nodes its inputs became. */
export function rebuild(node: Node, becomes: ReadonlyMap<Node, Node>): Node {
  if (!node.inputs.some((i) => becomes.has(i))) return node;
  const inputs = node.inputs.map((i) => becomes.get(i) ?? i);
  return inPlaceOf(node, () => apply(node.op, inputs, node.attrs));
}

/** The first node like this one: same op, attributes and inputs, and before differentiation the same derivative. */
function share(node: Node, shared: Map<string, Node>, { deep, shared: report }: Options): Node {
  if (node.inputs.length === 0 && node.attrs.value === undefined) return node;
  if (node.value !== null) return node;
  const key = `${node.signature}(${node.inputs.map((i) => i.id)})`;
  const first = shared.get(key);
  if (first !== undefined) {
    const alike = !deep || (first.op === node.op && first.differentiable === node.differentiable);
    if (alike && first !== node) report?.(node);
    return alike ? first : node;
  }
  shared.set(key, node);
  return node;
}
