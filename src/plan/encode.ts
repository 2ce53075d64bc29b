// Writes a scheduled graph as instructions over symbolic buffers, noting when each buffer is first and last used.
import { NONE } from '../../assembly/abi.ts';
import { ELEMENT_BYTES } from '../dtype.ts';
import type { Node } from '../graph/node.ts';
import type { Lowering, Op, Ref } from '../graph/op.ts';
import { type Group, storage } from './group.ts';
import type { Buffer } from './memory.ts';
import { emitTape, type TapeContext } from './tape.ts';

export interface Instruction {
  opcode: number;
  words: readonly (number | Ref | null)[];
  /** FLAG_*: who runs it and whether threads wait before it. */
  flags: number;
  /** Names of the nodes it computes. */
  computes: string;
  nodes: readonly { id: number; name: string }[];
  /** Paths of the layers they belong to, where known. */
  layer: string;
}

const FOREVER = Number.MAX_SAFE_INTEGER;

export class Encoder implements Lowering, TapeContext {
  readonly instructions: Instruction[] = [];
  readonly buffers: Buffer[] = [];
  /** Numbers that every run finds in the program's own block: byte offset and value. */
  readonly constants: { byteOffset: number; value: number; float: boolean }[] = [];
  ownBytes = 0;
  readonly #of = new Map<Node, Buffer>();
  readonly #members = new Map<Node, Group>();
  readonly #readers = new Map<Node, Set<Group>>();
  readonly #kept: ReadonlySet<Node>;
  /** The tape that last wrote one of its results over a buffer. */
  readonly #takenBy = new Map<Buffer, Group | null>();
  #group: Group | null = null;
  #done = new Set<Group>();
  #zero: Ref | null = null;

  /** `kept`: nodes whose elements must outlive the program. */
  constructor(groups: readonly Group[], kept: ReadonlySet<Node>) {
    this.#kept = kept;
    for (const g of groups) {
      for (const node of g.nodes) {
        this.#members.set(node, g);
        for (const input of node.inputs) {
          const stored = storage(input);
          this.#readers.set(stored, (this.#readers.get(stored) ?? new Set()).add(g));
        }
      }
    }
  }

  /** Gives a node a buffer of a certain kind before anything is lowered. */
  bind(
    node: Node,
    kind: Buffer['kind'],
    index: number,
    lives: 'all' | 'used' | 'to the end' | 'from the start',
  ): Buffer {
    const buffer = this.#buffer(kind, index, node.nElems * ELEMENT_BYTES);
    if (lives === 'all' || lives === 'from the start') buffer.first = -1;
    if (lives === 'all' || lives === 'to the end') buffer.last = FOREVER;
    this.#of.set(node, buffer);
    return buffer;
  }

  /** Lets `node` be written to the memory of `other`. */
  alias(node: Node, other: Node): void {
    this.#of.set(node, this.#of.get(other) as Buffer);
  }

  /** `words` numbers in the program's own block, for a run to fill in. */
  own(node: Node | null, words: number): Buffer {
    const buffer = this.#buffer('own', this.ownBytes, words * ELEMENT_BYTES);
    this.ownBytes += 8;
    if (node !== null) this.#of.set(node, buffer);
    return buffer;
  }

  constant(node: Node): void {
    const { index } = this.own(node, 1);
    this.constants.push({ byteOffset: index, value: node.attrs.value as number, float: node.dtype !== 'int32' });
  }

  lower(g: Group): void {
    this.#group = g;
    if (g.space !== null) emitTape(g, this);
    else this.#lowerKernel(g);
    this.#done.add(g);
  }

  #lowerKernel(g: Group): void {
    const { op } = g.nodes[0] as Node;
    const parts: (Node | undefined)[] = op.joint ? new Array(op.joint.parts).fill(undefined) : [g.nodes[0]];
    if (op.joint) for (const node of g.nodes) parts[(node.op.joint as NonNullable<Op['joint']>).part] = node;
    if (op.lower === undefined) throw new Error(`${op.name} cannot run: it has neither forms nor a kernel`);
    op.lower(parts, this);
  }

  /** A strided copy at the end: an update that could not be made in place. */
  copy(from: Node, to: Node, opcode: number): void {
    this.#group = null;
    const n = from.nElems;
    this.emit(opcode, [{ ...this.#ref(to), id: from.id, writes: true }, this.#ref(from), 1, 0, 0, n, 1, 1]);
  }

  // ---- Lowering

  read(node: Node): Ref {
    return this.#ref(node);
  }

  write(node: Node, over: readonly Node[] = []): Ref {
    if (!this.#of.has(node)) {
      const old = over.map(storage).find((s) => this.#canTake(s, node));
      if (old !== undefined) this.#take(node, old);
      else this.#of.set(node, this.#buffer('arena', 0, node.nElems * ELEMENT_BYTES));
    }
    return { ...this.#ref(node), writes: true };
  }

  scratch(nElems: number): Ref {
    const buffer = this.#buffer('arena', 0, nElems * ELEMENT_BYTES);
    return { buffer, byteOffset: 0, id: -this.buffers.length, writes: true };
  }

  zero(): Ref {
    if (this.#zero === null) {
      const buffer = this.own(null, 1);
      this.constants.push({ byteOffset: buffer.index, value: 0, float: true });
      this.#zero = { buffer, byteOffset: 0, id: 0, writes: false };
    }
    return this.#zero;
  }

  emit(opcode: number, words: readonly (number | Ref | null)[]): void {
    const at = this.instructions.length;
    for (const word of words) {
      if (word === null || typeof word === 'number') continue;
      const buffer = word.buffer as Buffer;
      buffer.first = Math.min(buffer.first, at);
      buffer.last = Math.max(buffer.last, at);
    }
    const nodes = this.#group?.nodes ?? [];
    const computes = nodes.map((n) => n.op.name).join(' ') || 'update';
    const layer = [...new Set(nodes.map((n) => n.layer).filter(Boolean))].join(' ');
    const known = nodes.map(({ id, op }) => ({ id, name: op.name }));
    this.instructions.push({ opcode, words, flags: 0, computes, nodes: known, layer });
  }

  // ---- TapeContext

  escapes(node: Node): boolean {
    if (this.#kept.has(node)) return true;
    for (const reader of this.#readers.get(node) ?? []) if (reader !== this.#group) return true;
    return false;
  }

  /** Whether the memory of `old` is free once the present tape has read it in step. */
  #canTake(old: Node, node: Node): boolean {
    const buffer = this.#of.get(old);
    if (buffer?.kind !== 'arena' || buffer.last === FOREVER || old.nElems !== node.nElems || this.#kept.has(old))
      return false;
    if (this.#members.get(old) === this.#group) return false;
    for (const reader of this.#readers.get(old) ?? []) {
      if (reader !== this.#group && !this.#done.has(reader)) return false;
    }
    return this.#takenBy.get(buffer) !== this.#group;
  }

  #take(node: Node, old: Node): void {
    this.alias(node, old);
    this.#takenBy.set(this.#of.get(old) as Buffer, this.#group);
  }

  #ref(node: Node): Ref {
    let [at, byteOffset] = [node, 0];
    while (at.op.view !== undefined && at.value === null) {
      byteOffset += at.op.view(at) * ELEMENT_BYTES;
      at = at.inputs[0] as Node;
    }
    if (!this.#of.has(at) && at.attrs.value !== undefined) this.constant(at);
    const buffer = this.#of.get(at);
    if (buffer === undefined) throw new Error(`${at.op.name} [${at.shape}] is read before it is computed`);
    return { buffer, byteOffset, id: at.id, writes: false };
  }

  #buffer(kind: Buffer['kind'], index: number, nBytes: number): Buffer {
    const buffer: Buffer = { kind, index, nBytes, first: FOREVER, last: -1, offset: -1 };
    this.buffers.push(buffer);
    return buffer;
  }
}

/** The words of a program and the buffers its operands name, in the order of its table. */
export function assemble(instructions: readonly Instruction[]): { words: Int32Array; table: Ref[] } {
  const table: Ref[] = [];
  const indices = new Map<Buffer, Map<number, number>>();
  const indexOf = (ref: Ref): number => {
    const buffer = ref.buffer as Buffer;
    const offsets = indices.get(buffer) ?? new Map<number, number>();
    indices.set(buffer, offsets);
    const known = offsets.get(ref.byteOffset);
    if (known !== undefined) return known;
    offsets.set(ref.byteOffset, table.length);
    return table.push(ref) - 1;
  };
  const words: number[] = [];
  for (const { opcode, flags, words: list } of instructions) {
    words.push(opcode | (flags << 8) | ((list.length + 1) << 16));
    for (const word of list) words.push(word === null ? NONE : typeof word === 'number' ? word : indexOf(word));
  }
  words.push(0);
  return { words: Int32Array.from(words), table };
}
