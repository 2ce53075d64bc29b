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
  words: Words;
  leaves: LeafSpec[];
}

/** A growing run of words that is filled anew for each request, so a step that finds its plan leaves no garbage. */
class Words {
  #array = new Int32Array(1024);
  length = 0;

  clear(): this {
    this.length = 0;
    return this;
  }

  push(word: number): void {
    if (this.length === this.#array.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#array);
      this.#array = larger;
    }
    this.#array[this.length++] = word;
  }

  /** FNV-1a over words. */
  hash(): number {
    let h = 0x811c9dc5;
    for (let i = 0; i < this.length; i++) h = Math.imul(h ^ (this.#array[i] as number), 0x01000193);
    return h;
  }

  equals(other: Int32Array): boolean {
    if (other.length !== this.length) return false;
    for (let i = 0; i < this.length; i++) if (other[i] !== this.#array[i]) return false;
    return true;
  }

  copy(): Int32Array {
    return this.#array.slice(0, this.length);
  }
}

const words = new Words();
const KIND = { operand: -1, lasting: -2, passing: -3 } as const;
const DTYPE = { float32: 0, int32: 1, bool: 2 } as const;

/** A node whose elements a run is handed; one without inputs or value is too old to be read, or escaped its trace. */
function isLeaf(node: Node): boolean {
  return node.value !== null || (node.inputs.length === 0 && node.op !== constantOp);
}

/** The words hold until the next call. */
export function canonical(request: Request): Canonical {
  const { outputs, updates } = request;
  const order = walk([...outputs, ...updates.map((u) => u.node), ...updates.map((u) => u.leaf)]);
  const leaves: LeafSpec[] = [];
  words.clear();
  words.push(outputs.length);
  words.push((updates.length << 2) | (request.overwrite ? 2 : 0) | (request.plain ? 1 : 0));
  for (const node of order) {
    if (isLeaf(node)) leaves.push(pushLeaf(node));
    else {
      words.push(node.signature);
      words.push(node.inputs.length);
      for (const input of node.inputs) words.push(input.index);
    }
  }
  for (const node of outputs) words.push(node.index);
  for (const { leaf, node } of updates) {
    words.push(leaf.index);
    words.push(node.index);
  }
  return { words, leaves };
}

function pushLeaf(node: Node): LeafSpec {
  const kind = node.op === operandOp && node.value === null ? 'operand' : 'value';
  const lasting = node.value?.lasting ?? false;
  words.push(kind === 'operand' ? KIND.operand : lasting ? KIND.lasting : KIND.passing);
  words.push(DTYPE[node.dtype] | (node.shape.length << 2));
  for (const d of node.shape) words.push(d);
  return { node, kind, lasting };
}

interface Entry {
  words: Int32Array;
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

  find(key: Words): Plan | null {
    const hash = key.hash();
    const list = this.#entries.get(hash);
    const entry = list?.find((e) => key.equals(e.words));
    if (list === undefined || entry === undefined) return null;
    this.#entries.delete(hash);
    this.#entries.set(hash, list);
    return entry.plan;
  }

  /** Keeps a plan under a copy of its key. */
  add(key: Int32Array, hash: number, plan: Plan): void {
    this.#entries.set(hash, [...(this.#entries.get(hash) ?? []), { words: key, plan }]);
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
