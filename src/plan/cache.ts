// The plan cache: keyed by the structure of a graph, with an equality check behind the hash. It holds no tensor.
import type { Node } from '../graph/node.ts';
import type { Rewrites } from '../graph/trace.ts';
import { walk } from '../graph/walk.ts';
import { constantOp, operandOp } from '../ops/leaf.ts';
import { selectionNumber } from '../rewrite/index.ts';
import type { LeafSpec, Plan } from './plan.ts';

/** Most plans kept; the least recently used go first. */
export const CAPACITY = 256;

/** What is asked of a graph. */
export interface Request {
  outputs: readonly Node[];
  /** New versions of variables, each with the leaf of the version before. */
  updates: readonly { leaf: Node; node: Node }[];
  overwrite: boolean;
  /** All by default. */
  rewrites?: Rewrites;
}

/** A graph in canonical form: what makes two requests the same program, and their leaves in the same order. */
export interface Canonical {
  /** Holds until the next call of `canonical`. */
  words: Int32Array;
  leaves: LeafSpec[];
}

/** Where words are gathered, filled anew for each request: a step that finds its plan leaves little garbage. */
let scratch = new Int32Array(1024);
let nWords = 0;

function push(word: number): void {
  if (nWords === scratch.length) {
    const larger = new Int32Array(nWords * 2);
    larger.set(scratch);
    scratch = larger;
  }
  scratch[nWords++] = word;
}

const KIND = { operand: -1, lasting: -2, passing: -3 } as const;
const DTYPE = { float32: 0, int32: 1, bool: 2, float64: 3 } as const;

/** A node whose elements a run is handed; one without inputs or value is too old to be read, or escaped its trace. */
function isLeaf(node: Node): boolean {
  return node.value !== null || (node.inputs.length === 0 && node.op !== constantOp);
}

export function canonical(request: Request): Canonical {
  const { outputs, updates } = request;
  const order = walk([...outputs, ...updates.map((u) => u.node), ...updates.map((u) => u.leaf)]);
  const leaves: LeafSpec[] = [];
  nWords = 0;
  push(outputs.length);
  push((updates.length << 1) | (request.overwrite ? 1 : 0));
  push(selectionNumber(request.rewrites));
  for (const node of order) {
    if (isLeaf(node)) leaves.push(pushLeaf(node));
    else {
      push(node.signature);
      push(node.inputs.length);
      for (const input of node.inputs) push(input.index);
    }
  }
  for (const node of outputs) push(node.index);
  for (const { leaf, node } of updates) {
    push(leaf.index);
    push(node.index);
  }
  return { words: scratch.subarray(0, nWords), leaves };
}

function pushLeaf(node: Node): LeafSpec {
  const kind = node.op === operandOp && node.value === null ? 'operand' : 'value';
  const lasting = node.value?.lasting ?? false;
  push(kind === 'operand' ? KIND.operand : lasting ? KIND.lasting : KIND.passing);
  push(DTYPE[node.dtype] | (node.shape.length << 2));
  for (const d of node.shape) push(d);
  return { node, kind, lasting };
}

/** FNV-1a over words. */
function hash(words: ArrayLike<number>): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) h = Math.imul(h ^ (words[i] as number), 0x01000193);
  return h;
}

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

interface Entry {
  words: ArrayLike<number>;
  plan: Plan;
}

export class PlanCache {
  /** Entries by hash, the least recently used first. */
  readonly #entries = new Map<number, Entry[]>();
  readonly #dropped: (plan: Plan) => void;
  readonly #hash: (words: ArrayLike<number>) => number;
  #size = 0;

  constructor(dropped: (plan: Plan) => void, hashOf = hash) {
    this.#dropped = dropped;
    this.#hash = hashOf;
  }

  find(words: ArrayLike<number>): Plan | null {
    const key = this.#hash(words);
    const list = this.#entries.get(key);
    const entry = list?.find((e) => equal(e.words, words));
    if (list === undefined || entry === undefined) return null;
    this.#entries.delete(key);
    this.#entries.set(key, list);
    return entry.plan;
  }

  /** Keeps a plan; `words` must not change afterwards. */
  add(words: ArrayLike<number>, plan: Plan): void {
    const key = this.#hash(words);
    const list = [...(this.#entries.get(key) ?? []), { words, plan }];
    this.#entries.delete(key);
    this.#entries.set(key, list);
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
