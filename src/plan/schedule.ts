// The order of groups: after what they read, and an update in place after every reader of the old value.
import type { Node } from '../graph/node.ts';
import { awaited, type Group, isComputed, storage } from './group.ts';

/** A variable and the node that becomes its next version. */
export interface Update {
  /** The leaf with the elements before. */
  leaf: Node | null;
  node: Node;
}

export interface Schedule {
  groups: Group[];
  /** Updates whose node is written straight over the old elements. */
  inPlace: Set<Update>;
}

/** No output is a leaf or a node of an update: makePlan gives each a node of its own. */
export function schedule(groups: readonly Group[], updates: readonly Update[]): Schedule {
  const edges = new Edges(groups);
  const inPlace = new Set<Update>();
  const fallible = groups.filter((g) => g.nodes.some(isFallible));
  for (const update of updates) {
    const writer = edges.of.get(update.node);
    if (writer === undefined) continue;
    // A program that fails must leave every variable as it was: what can fail comes before, or the update goes last.
    if (fallible.some((g) => edges.reaches(writer, g))) continue;
    for (const g of fallible) edges.add(g, writer);
    if (update.leaf !== null && canOverwrite(update as Update & { leaf: Node }, writer, edges)) inPlace.add(update);
  }
  return { groups: edges.order(), inPlace };
}

/** Whether its indices are computed, so that only the kernel can find one out of range. */
function isFallible(node: Node): boolean {
  return (node.op.indices?.(node) ?? []).some(({ input }) => isComputed(storage(node.inputs[input] as Node)));
}

/** Whether `writer` may write over the leaf; orders it after every other reader if so. */
function canOverwrite({ leaf, node }: { leaf: Node; node: Node }, writer: Group, edges: Edges): boolean {
  const readers = edges.readersOf(leaf);
  for (const reader of readers) {
    if (reader !== writer) {
      if (edges.reaches(writer, reader)) return false;
    } else if (!readsInStep(writer, leaf, node)) return false;
  }
  for (const reader of readers) if (reader !== writer) edges.add(reader, writer);
  return true;
}

/** A tape that reads the leaf element by element, no later than `node` writes it. */
function readsInStep(tape: Group, leaf: Node, node: Node): boolean {
  // A reduction clears its result before it reads.
  if (tape.space === null || node.op.reduce !== undefined) return false;
  return tape.nodes.every((n) =>
    n.inputs.every(
      (i) => storage(i) !== leaf || (n.nElems === leaf.nElems && n.op.reduce === undefined && n.id <= node.id),
    ),
  );
}

class Edges {
  readonly of = new Map<Node, Group>();
  readonly #groups: readonly Group[];
  /** For each group, those that must run before it. */
  readonly #before = new Map<Group, Set<Group>>();
  readonly #readers = new Map<Node, Set<Group>>();

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
    for (const g of groups) for (const node of g.nodes) this.of.set(node, g);
    for (const g of groups) {
      const before = new Set<Group>();
      for (const node of g.nodes) {
        for (const input of node.inputs) {
          for (const needed of awaited(input)) {
            const from = this.of.get(needed);
            if (from !== undefined && from !== g) before.add(from);
          }
          const stored = storage(input);
          if (!this.of.has(stored)) this.#readers.set(stored, (this.#readers.get(stored) ?? new Set()).add(g));
        }
      }
      this.#before.set(g, before);
    }
  }

  readersOf(leaf: Node): Set<Group> {
    return this.#readers.get(leaf) ?? new Set();
  }

  add(first: Group, then: Group): void {
    this.#before.get(then)?.add(first);
  }

  /** Whether `to` runs after `from` by necessity. */
  reaches(from: Group, to: Group): boolean {
    const seen = new Set<Group>();
    const stack = [to];
    while (stack.length > 0) {
      const at = stack.pop() as Group;
      if (at === from) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      stack.push(...(this.#before.get(at) ?? []));
    }
    return false;
  }

  /** Every group after those it waits for, otherwise by the age of its last node; one that waits for none, when asked for. */
  order(): Group[] {
    const ages = new Map(this.#groups.map((g) => [g, g.nodes.reduce((age, n) => Math.max(age, n.id), 0)]));
    const byAge = (a: Group, b: Group) => (ages.get(b) as number) - (ages.get(a) as number);
    const free = (g: Group) => this.#before.get(g)?.size === 0;
    const done = new Set<Group>();
    const order: Group[] = [];
    const stack = [...this.#groups.filter(free), ...this.#groups.filter((g) => !free(g)).sort(byAge)];
    while (stack.length > 0) {
      const g = stack[stack.length - 1] as Group;
      const waits = done.has(g) ? [] : [...(this.#before.get(g) ?? [])].filter((b) => !done.has(b)).sort(byAge);
      if (waits.length > 0) {
        for (const b of waits) stack.push(b);
        continue;
      }
      stack.pop();
      if (done.has(g)) continue;
      done.add(g);
      order.push(g);
    }
    return order;
  }
}
