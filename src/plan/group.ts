// Groups the nodes of a rewritten graph into what one instruction each can do: elementwise nodes and the reductions
// behind them into tapes, ops that share a kernel into one call.
import { MAP_SLOTS, MAP_TAPE } from '../../assembly/abi.ts';
import type { Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import { type Shape, sameShape, viewOf } from '../shape.ts';

export interface Group {
  /** In order of evaluation. */
  nodes: Node[];
  /** The iteration space of a tape; null for a kernel of its own. */
  space: Shape | null;
  /** Number of groups on the longest path to it: a group depends only on groups of lower levels. */
  level: number;
}

/** Nodes without instructions: leaves, and views of what another node computed. */
export const isComputed = (node: Node) => node.value === null && node.inputs.length > 0 && node.op.view === undefined;

/** What a node's elements are stored with: itself, or what it is a view of. */
export function storage(node: Node): Node {
  let at = node;
  while (at.op.view !== undefined && at.value === null) at = at.inputs[0] as Node;
  return at;
}

/** Nodes whose elements must be there before those of `node` are read: itself, or what it is a view of and waits for. */
export function awaited(node: Node): Node[] {
  const found: Node[] = [];
  const stack = [node];
  while (stack.length > 0) {
    const at = stack.pop() as Node;
    if (at.op.view !== undefined && at.value === null) stack.push(...at.inputs);
    else found.push(at);
  }
  return found;
}

/** Room left below the kernel's limits: a node may need a slot for its result and one for each of four inputs. */
const MAX_NODES = Math.min(MAP_SLOTS, MAP_TAPE) / 5;

const isTape = (node: Node) => node.op.forms !== undefined || node.op.reduce !== undefined;
const spaceOf = (node: Node): Shape => (node.op.reduce === undefined ? node.shape : (node.inputs[0] as Node).shape);

/** All groups that `order` (inputs before users) needs; `keep` are the nodes whose elements somebody outside reads. */
export function group(order: readonly Node[]): Group[] {
  const grouping = new Grouping();
  for (const node of order) grouping.add(node);
  return sink([...grouping.groups], grouping.of, order);
}

class Grouping {
  readonly groups = new Set<Group>();
  readonly of = new Map<Node, Group>();
  /** The first node of those that may share an instruction. */
  readonly #joints = new Map<string, Node>();

  /** Level at which the elements of a node are known. */
  #level(node: Node): number {
    let level = 0;
    for (const needed of awaited(node)) level = Math.max(level, this.of.get(needed)?.level ?? 0);
    return level;
  }

  add(node: Node): void {
    if (!isComputed(node)) return;
    const target = this.#jointFor(node) ?? (isTape(node) ? this.#tapeFor(node) : null) ?? this.#open(node);
    target.nodes.push(node);
    this.of.set(node, target);
    const key = jointKey(node);
    if (key !== null && !this.#joints.has(key)) this.#joints.set(key, node);
  }

  #open(node: Node): Group {
    let below = 0;
    for (const input of node.inputs) below = Math.max(below, this.#level(input));
    const made: Group = { nodes: [], space: isTape(node) ? spaceOf(node) : null, level: below + 1 };
    this.groups.add(made);
    return made;
  }

  /** A tape that computes an input of `node` and may compute `node` too: all else that it reads is known before. */
  #tapeFor(node: Node): Group | null {
    const mine = node.inputs.map((i) => this.of.get(i));
    const open = mine.filter((g): g is Group => g !== undefined && this.#fits(node, g));
    const [best] = open.sort((a, b) => b.level - a.level);
    if (best === undefined) return null;
    for (const other of new Set(open)) if (other !== best && other.level === best.level) this.#merge(other, best);
    return best;
  }

  #fits(node: Node, tape: Group): boolean {
    if (tape.space === null || !sameShape(tape.space, spaceOf(node)) || tape.nodes.length >= MAX_NODES) return false;
    if (node.op.reduce !== undefined && !sharesReduction(node, tape)) return false;
    return node.inputs.every((input) => {
      const from = this.of.get(input);
      return from === tape
        ? input.op.reduce === undefined
        : this.#mergeable(input, tape) || this.#level(input) < tape.level;
    });
  }

  /** Whether the group of `input` could become part of `tape`: equal levels never depend on each other. */
  #mergeable(input: Node, tape: Group): boolean {
    const from = this.of.get(input);
    return (
      from?.space != null &&
      from.level === tape.level &&
      sameShape(from.space, tape.space as Shape) &&
      from.nodes.length + tape.nodes.length < MAX_NODES &&
      input.op.reduce === undefined &&
      !from.nodes.some((n) => n.op.reduce !== undefined)
    );
  }

  #merge(from: Group, to: Group): void {
    if (from.nodes.some((n) => n.op.reduce !== undefined)) return;
    to.nodes.push(...from.nodes);
    for (const node of from.nodes) this.of.set(node, to);
    this.groups.delete(from);
  }

  /** Where a companion over the same inputs is computed, if this node may be computed there too. */
  #jointFor(node: Node): Group | null {
    const companion = this.#joints.get(jointKey(node) ?? '');
    const found = companion && this.of.get(companion);
    if (found === undefined) return null;
    if (found.space !== null) return this.#fits(node, found) ? found : null;
    if (found.nodes.some((n) => n.op === node.op)) return null;
    return node.inputs.every((i) => this.#level(i) < found.level) ? found : null;
  }
}

/** Equal for nodes that one call of a shared kernel can compute. */
function jointKey(node: Node): string | null {
  const { joint } = node.op;
  if (joint === undefined) return null;
  return `${joint.name} ${JSON.stringify(node.attrs)} ${node.inputs.slice(0, joint.inputs).map((i) => i.id)}`;
}

/** The nodes of a tape in the order of its micro-operations: parts that one of them gives stand together. */
export function stepsOf(tape: Group): readonly (readonly Node[])[] {
  const byKey = new Map<string, Node[]>();
  for (const node of tape.nodes) {
    const key = jointKey(node);
    if (key !== null) byKey.set(key, [...(byKey.get(key) ?? []), node]);
  }
  return tape.nodes.flatMap((node) => {
    const parts = byKey.get(jointKey(node) ?? '') ?? [];
    if (parts.length !== node.op.joint?.parts) return [[node]];
    return parts[0] === node ? [parts.sort((a, b) => partOf(a) - partOf(b))] : [];
  });
}

const partOf = (node: Node) => (node.op.joint as NonNullable<Op['joint']>).part;

/** All reductions of a tape gather into the same view. */
function sharesReduction(node: Node, tape: Group): boolean {
  const other = tape.nodes.find((n) => n.op.reduce !== undefined);
  if (other === undefined) return true;
  const space = tape.space as Shape;
  const [a, b] = [viewOf(node.shape, space), viewOf(other.shape, space)];
  return a !== null && b !== null && a.inner === b.inner && a.period === b.period;
}

/** Moves a tape into the one tape that reads it, however much later that is, so its results are never stored. */
function sink(groups: Group[], of: Map<Node, Group>, order: readonly Node[]): Group[] {
  const readers = new Map<Group, Set<Group | null>>();
  /** For each group, those it reads. */
  const sources = new Map<Group, Set<Group>>();
  for (const node of order) {
    const reader = of.get(node) ?? null;
    for (const input of node.inputs) {
      const from = of.get(input);
      if (from === undefined || from === reader) continue;
      readers.set(from, (readers.get(from) ?? new Set()).add(reader));
      if (reader !== null) sources.set(reader, (sources.get(reader) ?? new Set()).add(from));
    }
  }
  const gone = new Set<Group>();
  for (const tape of [...groups].reverse()) {
    const [reader, ...others] = [...(readers.get(tape) ?? [])];
    if (!reader || others.length > 0 || tape.space === null || reader.space === null) continue;
    if (tape.nodes.some((n) => n.op.reduce !== undefined) || !sameShape(tape.space, reader.space)) continue;
    if (tape.nodes.length + reader.nodes.length >= MAX_NODES) continue;
    reader.nodes.unshift(...tape.nodes);
    for (const source of sources.get(tape) ?? []) {
      const set = readers.get(source) as Set<Group | null>;
      set.delete(tape);
      set.add(reader);
      sources.get(reader)?.add(source);
    }
    for (const node of tape.nodes) of.set(node, reader);
    gone.add(tape);
  }
  for (const g of groups) g.nodes.sort((a, b) => a.id - b.id);
  return groups.filter((g) => !gone.has(g));
}
