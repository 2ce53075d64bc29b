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

/** A tape or a kernel that reads the leaf element by element, no later than `node` writes it. */
function readsInStep(group: Group, leaf: Node, node: Node): boolean {
  if (group.space === null) {
    return group.nodes.every((n) => n.inputs.every((i, k) => storage(i) !== leaf || (n === node && k === n.op.over)));
  }
  // A reduction clears its result before it reads.
  if (node.op.reduce !== undefined) return false;
  return group.nodes.every((n) =>
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
  /** Place of each group in an order that keeps to every edge; null where a new edge went against it. */
  #places: Map<Group, number> | null = null;

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
    if (this.#places !== null && this.#place(first) > this.#place(then)) this.#places = null;
  }

  #place(g: Group): number {
    this.#places ??= new Map(this.order().map((other, k) => [other, k]));
    return this.#places.get(g) as number;
  }

  /** Whether `to` runs after `from` by necessity: only what is placed between the two is looked at. */
  reaches(from: Group, to: Group): boolean {
    const start = this.#place(from);
    const seen = new Set<Group>();
    const stack = [to];
    while (stack.length > 0) {
      const at = stack.pop() as Group;
      if (at === from) return true;
      if (seen.has(at) || this.#place(at) < start) continue;
      seen.add(at);
      stack.push(...(this.#before.get(at) ?? []));
    }
    return false;
  }

  /**
   * Every group after those it waits for, otherwise by the age of its last node; but one that waits for none when it
   * is asked for, and one that none waits for as soon as it can: so less memory is held at a time.
   */
  order(): Group[] {
    const ages = new Map(this.#groups.map((g) => [g, g.nodes.reduce((age, n) => Math.max(age, n.id), 0)]));
    const byAge = (a: Group, b: Group) => (ages.get(b) as number) - (ages.get(a) as number);
    const free = (g: Group) => this.#before.get(g)?.size === 0;
    const ends = this.#ends();
    const done = new Set<Group>();
    const stack = [...this.#groups.filter(free), ...this.#groups.filter((g) => !free(g)).sort(byAge)];
    while (stack.length > 0) {
      const g = stack[stack.length - 1] as Group;
      const waits = done.has(g) ? [] : [...(this.#before.get(g) ?? [])].filter((b) => !done.has(b)).sort(byAge);
      for (const b of waits) stack.push(b);
      if (waits.length > 0) continue;
      stack.pop();
      if (done.has(g)) continue;
      done.add(g);
      for (const end of ends.get(g) ?? []) if (--end.waits === 0) done.add(end.group);
    }
    return [...done];
  }

  /** For each group, those that wait for it and that none waits for, each with how many it waits for in all. */
  #ends(): Map<Group, { group: Group; waits: number }[]> {
    const awaited = new Set([...this.#before.values()].flatMap((before) => [...before]));
    const ends = new Map<Group, { group: Group; waits: number }[]>();
    for (const [group, before] of this.#before) {
      if (awaited.has(group)) continue;
      const end = { group, waits: before.size };
      for (const b of before) {
        const list = ends.get(b);
        if (list === undefined) ends.set(b, [end]);
        else list.push(end);
      }
    }
    return ends;
  }
}
