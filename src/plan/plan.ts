// A plan: the program of one graph, every byte of its memory decided. It holds no tensor; a run hands it values.

import * as abi from '../../assembly/abi.ts';
import { OP_COPY } from '../../assembly/abi.ts';
import type { DType } from '../dtype.ts';
import type { Node } from '../graph/node.ts';
import type { Ref } from '../graph/op.ts';
import { walk } from '../graph/walk.ts';
import { copy } from '../ops/elementwise.ts';
import { assemble, Encoder, type Instruction } from './encode.ts';
import { group, isComputed, storage } from './group.ts';
import { type Buffer, place } from './memory.ts';
import { schedule, type Update } from './schedule.ts';
import { divide } from './threads.ts';

/** Values up to this size are copied into a slot of the arena and out of it; larger ones stay in Wasm memory. */
export const SMALL_BYTES = 1 << 20;

/** What a plan needs to know of each leaf. */
export interface LeafSpec {
  node: Node;
  kind: 'value' | 'operand';
  /** Kept in Wasm memory between runs. */
  lasting: boolean;
}

export interface PlanInput {
  leaves: readonly LeafSpec[];
  outputs: readonly Node[];
  /** New versions of variables; `leaf` is one of the leaves, the version before. */
  updates: readonly { leaf: number; node: Node }[];
  /** Updates go over the old elements; otherwise to memory of their own. */
  overwrite: boolean;
}

/** An operand of the table that lies outside arena and program: filled in for each run. */
export interface External {
  entry: number;
  kind: 'leaf' | 'output' | 'target';
  index: number;
  byteOffset: number;
}

/** An `id` is the number of the node whose elements are meant; a program does not need it, a check does. */
export interface Plan {
  readonly words: Int32Array;
  readonly table: readonly Ref[];
  readonly externals: readonly External[];
  readonly constants: Encoder['constants'];
  readonly ownBytes: number;
  readonly arenaBytes: number;
  /** Whether threads gain by it. */
  readonly parallel: boolean;
  /** For each leaf: its slot in the arena (−1: none) or, for an operand, in the program's own block. */
  readonly leaves: readonly {
    kind: LeafSpec['kind'];
    slot: number;
    nBytes: number;
    dtype: DType;
    lasting: boolean;
    id: number;
  }[];
  /** For each output: its place in the arena, −1 if it stays in Wasm memory. */
  readonly outputs: readonly { slot: number; nElems: number; dtype: DType; id: number }[];
  readonly targets: readonly { leaf: number; nBytes: number; id: number }[];
  readonly overwrite: boolean;
  /** Leaves that hold indices, with the size they must stay below. */
  readonly checks: readonly { leaf: number; below: number; what: string }[];
  readonly instructions: readonly Instruction[];
  readonly buffers: readonly Buffer[];
}

export function makePlan(input: PlanInput): Plan {
  const { outputs, updates } = ownResults(input);
  const roots = [...outputs, ...updates.map((u) => u.node)];
  const order = walk(roots);
  const kept = new Set(roots);
  const { groups, inPlace } = schedule(group(order), input.overwrite ? updates : []);
  const encoder = new Encoder(groups, kept);
  const leaves = bindLeaves(encoder, input.leaves);
  const outBuffers = outputs.map((node, k) =>
    node.nBytes <= SMALL_BYTES ? encoder.bind(node, 'arena', k, 'to the end') : encoder.bind(node, 'output', k, 'used'),
  );
  for (const [k, update] of updates.entries()) {
    if (inPlace.has(update)) encoder.alias(update.node, update.leaf);
    else if (!input.overwrite) encoder.bind(update.node, 'target', k, 'used');
  }
  for (const g of groups) encoder.lower(g);
  if (input.overwrite) {
    for (const u of updates) if (!inPlace.has(u)) encoder.copy(u.node, u.leaf, OP_COPY);
  }
  const { buffers, instructions } = encoder;
  const arena = buffers.filter((b) => (b.kind === 'arena' && b.last >= 0) || (b.kind === 'leaf' && b.offset === 0));
  const arenaBytes = place(arena);
  const parallel = divide(instructions);
  const { words, table } = assemble(instructions);
  const plan: Plan = {
    words,
    table,
    externals: externalsOf(table),
    constants: encoder.constants,
    ownBytes: encoder.ownBytes,
    arenaBytes,
    parallel,
    leaves: leaves.map((b, k) => ({
      kind: (input.leaves[k] as LeafSpec).kind,
      slot: b.kind === 'own' ? b.index : b.offset,
      nBytes: b.nBytes,
      dtype: (input.leaves[k] as LeafSpec).node.dtype,
      lasting: (input.leaves[k] as LeafSpec).lasting,
      id: (input.leaves[k] as LeafSpec).node.id,
    })),
    outputs: outputs.map((node, k) => ({
      slot: (outBuffers[k] as Buffer).offset,
      nElems: node.nElems,
      dtype: node.dtype,
      id: node.id,
    })),
    targets: input.updates.map((u, k) => ({
      leaf: u.leaf,
      nBytes: u.node.nBytes,
      id: (updates[k] as Update).node.id,
    })),
    overwrite: input.overwrite,
    checks: checksOf(order, input.leaves),
    instructions,
    buffers,
  };
  observer?.(plan, roots);
  return plan;
}

let observer: ((plan: Plan, roots: readonly Node[]) => void) | null = null;

/** Calls `fn` with every plan built from now on and what it computes: how tests check them all. */
export function observePlans(fn: typeof observer): void {
  observer = fn;
}

/** Outputs and updates as nodes that instructions write: what is a leaf or wanted twice is copied. */
function ownResults(input: PlanInput): { outputs: Node[]; updates: (Update & { leaf: Node })[] } {
  const taken = new Set<Node>();
  const own = (node: Node): Node => {
    const stored = storage(node);
    const result = taken.has(stored) || !isComputed(stored) ? copy(node) : stored;
    taken.add(result);
    return result;
  };
  return {
    outputs: input.outputs.map(own),
    updates: input.updates.map((u) => ({ leaf: (input.leaves[u.leaf] as LeafSpec).node, node: own(u.node) })),
  };
}

/** A small value has a slot in the arena, marked by offset 0 until it is placed. */
function bindLeaves(encoder: Encoder, leaves: readonly LeafSpec[]): Buffer[] {
  return leaves.map(({ node, kind, lasting }, k) => {
    if (kind === 'operand') return encoder.own(node, 8);
    const small = !lasting && node.nBytes <= SMALL_BYTES;
    const buffer = encoder.bind(node, 'leaf', k, small ? 'from the start' : 'all');
    if (small) buffer.offset = 0;
    return buffer;
  });
}

function externalsOf(table: readonly Ref[]): External[] {
  return table.flatMap(({ buffer, byteOffset }, entry) => {
    const { kind, index } = buffer as Buffer;
    return kind === 'leaf' || kind === 'output' || kind === 'target' ? [{ entry, kind, index, byteOffset }] : [];
  });
}

function checksOf(order: readonly Node[], leaves: readonly LeafSpec[]): Plan['checks'] {
  const place = new Map(leaves.map((l, k) => [l.node, k]));
  return order.flatMap((node) =>
    (node.op.indices?.(node) ?? []).flatMap(({ input, below, what }) => {
      const leaf = place.get(storage(node.inputs[input] as Node));
      return leaf === undefined ? [] : [{ leaf, below, what }];
    }),
  );
}

/** Names of instructions by opcode: `gemm`, `map`, … */
export const OPCODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(abi).flatMap(([name, value]) =>
    name.startsWith('OP_') ? [[value, name.slice(3).toLowerCase()] as const] : [],
  ),
);

/** A plan as text: its instructions with what each computes, then its memory. */
export function printPlan(plan: Plan): string {
  const name = new Map(plan.buffers.map((b, i) => [b, `${b.kind}${i}`]));
  const lines = plan.instructions.map(({ opcode, words, flags, computes }, i) => {
    const operands = words.flatMap((w) => (w !== null && typeof w === 'object' ? [name.get(w.buffer as Buffer)] : []));
    const instruction = `${OPCODE_NAMES.get(opcode) ?? '?'}${flags & abi.FLAG_F64 ? ' f64' : ''}`;
    return `${String(i).padStart(3)}  ${instruction.padEnd(14)} ${computes}  (${operands.join(' ')})`;
  });
  const sizes = `${plan.instructions.length} instructions, ${plan.words.length} words, arena ${plan.arenaBytes} bytes`;
  return [...lines, sizes].join('\n');
}
