// The plan cache: keyed by the structure of a graph, with an equality check behind the hash. It holds no tensor.
import type { Node } from '../graph/node.ts';
import { walk } from '../graph/walk.ts';
import { constantOp, operandOp } from '../ops/leaf.ts';
import type { LeafSpec, Plan } from './plan.ts';

/** Most plans kept; the least recently used go first. */
const CAPACITY = 256;

/** What is asked of a graph. */
export interface Request {
  outputs: readonly Node[];
  /** New versions of variables, each with the leaf of the version before. */
  updates: readonly { leaf: Node; node: Node }[];
  overwrite: boolean;
  /** Rewrites off: for tests that compare. */
  plain?: boolean;
}

/** A graph in canonical form: what makes two requests the same program, and their leaves in the same order. */
export interface Canonical {
  words: number[];
  leaves: LeafSpec[];
  order: Node[];
}

const LEAF_KINDS = { operand: 1, lasting: 2, passing: 3 } as const;

/** A node whose elements a run is handed; one without inputs or value is too old to be read, or escaped its trace. */
function isLeaf(node: Node): boolean {
  return node.value !== null || (node.inputs.length === 0 && node.op !== constantOp);
}

/** `isLasting` says whether a placeholder or value is bound again and again. */
export function canonical(request: Request): Canonical {
  const { outputs, updates } = request;
  const order = walk([...outputs, ...updates.map((u) => u.node), ...updates.map((u) => u.leaf)]);
  const leaves: LeafSpec[] = [];
  const words: number[] = [outputs.length, updates.length, request.overwrite ? 1 : 0, request.plain ? 1 : 0];
  for (const node of order) {
    if (isLeaf(node)) {
      const kind = node.op === operandOp && node.value === null ? 'operand' : 'value';
      const lasting = node.value?.lasting ?? false;
      words.push(-(kind === 'operand' ? LEAF_KINDS.operand : lasting ? LEAF_KINDS.lasting : LEAF_KINDS.passing));
      words.push(node.dtype === 'float32' ? 0 : node.dtype === 'int32' ? 1 : 2, node.shape.length, ...node.shape);
      leaves.push({ node, kind, lasting });
    } else {
      words.push(node.signature, node.inputs.length);
      for (const input of node.inputs) words.push(input.index);
    }
  }
  for (const node of outputs) words.push(node.index);
  for (const { leaf, node } of updates) words.push(leaf.index, node.index);
  return { words, leaves, order };
}

function hash(words: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const w of words) h = Math.imul(h ^ w, 0x01000193);
  return h;
}

interface Entry {
  words: readonly number[];
  plan: Plan;
}

export class PlanCache {
  /** Entries by hash, the least recently used first. */
  readonly #entries = new Map<number, Entry[]>();
  readonly #dropped: (plan: Plan) => void;
  #size = 0;

  constructor(dropped: (plan: Plan) => void) {
    this.#dropped = dropped;
  }

  find(words: readonly number[]): Plan | null {
    const key = hash(words);
    const list = this.#entries.get(key);
    const entry = list?.find((e) => e.words.length === words.length && e.words.every((w, i) => w === words[i]));
    if (list === undefined || entry === undefined) return null;
    this.#entries.delete(key);
    this.#entries.set(key, list);
    return entry.plan;
  }

  add(words: readonly number[], plan: Plan): void {
    const key = hash(words);
    this.#entries.set(key, [...(this.#entries.get(key) ?? []), { words, plan }]);
    this.#size++;
    while (this.#size > CAPACITY) this.#dropOldest();
  }

  #dropOldest(): void {
    const [key, list] = this.#entries.entries().next().value as [number, Entry[]];
    this.#entries.delete(key);
    this.#size -= list.length;
    for (const { plan } of list) this.#dropped(plan);
  }
}
