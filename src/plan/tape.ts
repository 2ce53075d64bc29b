// Writes one OP_MAP instruction for a group: slots, micro-operations, and how its reductions are cut.
import * as abi from '../../assembly/abi.ts';
import type { DType } from '../dtype.ts';
import type { Node } from '../graph/node.ts';
import type { Form, Ref } from '../graph/op.ts';
import { type Shape, sizeOf, type View, viewOf } from '../shape.ts';
import { type Group, isDouble, stepsOf, storage } from './group.ts';

/** Reductions over at least this many elements are cut into SLICES parts, by however many threads. */
const LONG = 65536;
const SLICES = 16;

/** What a tape needs of the encoder. */
export interface TapeContext {
  read(node: Node): Ref;
  /** Where the result goes; the memory of one of `over`, whose last readers have run, may serve. */
  write(node: Node, over?: readonly Node[]): Ref;
  scratch(nElems: number): Ref;
  emit(opcode: number, words: readonly (number | Ref | null)[]): void;
  /** Whether a node's elements are needed outside its group. */
  escapes(node: Node): boolean;
}

interface Slot {
  mode: number;
  ref: Ref | null;
  view: View;
}

/** How a tape of float64 finds the elements of a slot; one of float32 takes four bytes as they are. */
const STORED: Record<DType, number> = {
  float64: abi.STORED_F64,
  float32: abi.STORED_F32,
  bool: abi.STORED_F32,
  int32: abi.STORED_I32,
};

export function emitTape(g: Group, c: TapeContext): void {
  const reductions = g.nodes.filter((n) => n.op.reduce !== undefined);
  const cut = reductions.length > 0 ? cutReduction(reductions[0] as Node, g.space as Shape) : null;
  const tape = new Tape(g, c, cut);
  for (const [i, step] of stepsOf(g).entries()) tape.add(step, i);
  tape.emit();
  if (cut?.partial) {
    for (const node of reductions) emitCombine(node, cut, tape.partials.get(node) as Ref, c);
  }
}

/** How a reduction is done: `view` and `slices` as OP_MAP takes them; `partial` if parts are left to combine. */
interface Cut {
  view: View;
  slices: number;
  partial: boolean;
}

function cutReduction(node: Node, space: Shape): Cut {
  const n = sizeOf(space);
  const view = viewOf(node.shape, space) as View;
  if (n < LONG) return { view, slices: 1, partial: false };
  const span = view.inner * view.period;
  if (view.period === 1) {
    const run = Math.ceil(n / SLICES / abi.MAP_BLOCK) * abi.MAP_BLOCK;
    return { view: { inner: run, period: Math.ceil(n / run) }, slices: 1, partial: true };
  }
  if (span >= n || n / span < SLICES * 2) return { view, slices: 1, partial: false };
  return { view, slices: SLICES, partial: true };
}

/** Adds up the parts: [slices, period] into [period]. */
function emitCombine(node: Node, cut: Cut, partial: Ref, c: TapeContext): void {
  const whole = node.nElems === 1;
  const [rows, period] = whole ? [cut.view.period, 1] : [cut.slices, cut.view.period];
  const n = rows * period;
  c.emit(abi.OP_MAP, [
    ...[n, abi.MAP_BLOCK, 2, 1, 1],
    ...[abi.SLOT_IN, partial, 1, n],
    ...[abi.SLOT_REDUCE, c.write(node), whole ? n : 1, period],
    ...[(node.op.reduce as number) | (2 << 16), 1, 0],
  ]);
}

const modeOf = ({ mode }: Slot) => mode & abi.SLOT_MODE;

class Tape {
  readonly partials = new Map<Node, Ref>();
  readonly #group: Group;
  readonly #c: TapeContext;
  readonly #cut: Cut | null;
  readonly #n: number;
  readonly #slots: Slot[] = [];
  readonly #words: number[] = [];
  #nTape = 0;
  /** The vector slot of a member or an input, and the scalar slot of an input. */
  readonly #vector = new Map<Node, number>();
  readonly #scalar = new Map<Node, number>();
  readonly #lastUse = new Map<Node, number>();
  readonly #freeTemps: number[] = [];
  readonly #members: Set<Node>;
  readonly #double: boolean;

  constructor(g: Group, c: TapeContext, cut: Cut | null) {
    this.#group = g;
    this.#c = c;
    this.#cut = cut;
    this.#n = sizeOf(g.space as Shape);
    this.#members = new Set(g.nodes);
    this.#double = isDouble(g.nodes[0] as Node);
    stepsOf(g).forEach((step, i) => {
      for (const node of step) for (const input of node.inputs) this.#lastUse.set(input, i);
    });
  }

  /** Adds the micro-operation of a node, or of the parts that it gives together. */
  add(step: readonly Node[], at: number): void {
    const node = step[0] as Node;
    if (node.op.reduce !== undefined) {
      const source = this.#vectorOf(node.inputs[0] as Node);
      this.#micro(node.op.reduce, [this.#reduceSlot(node), source]);
      this.#retire(node.inputs[0] as Node, at);
      return;
    }
    const { code, operands } = this.#choose(node, step.length > 1);
    for (const input of new Set(node.inputs)) this.#retire(input, at);
    this.#micro(code, [...step.map((part) => this.#destination(part, at)), ...operands]);
  }

  /** The first form whose scalars are scalars here. */
  #choose(node: Node, joint: boolean): { code: number; operands: number[] } {
    const forms = node.op.forms?.[(node.inputs[0] as Node).dtype] as readonly Form[];
    const inputs = (form: Form) => [...form.args].map((_, i) => node.inputs[form.order?.[i] ?? i] as Node);
    const form = forms.find(
      (f) =>
        (f.joint ?? false) === joint &&
        [...f.args].every((kind, i) => kind === 'v' || this.#isScalar(inputs(f)[i] as Node)),
    );
    if (form === undefined) throw new Error(`${node.op.name}: no form takes these operands`);
    const operands = inputs(form).map((input, i) =>
      form.args[i] === 's' ? this.#scalarOf(input) : this.#vectorOf(input),
    );
    return { code: form.code, operands };
  }

  #isScalar(node: Node): boolean {
    return node.nElems === 1 && !this.#members.has(node);
  }

  #vectorOf(node: Node): number {
    const known = this.#vector.get(node);
    if (known !== undefined) return known;
    const view = viewOf(node.shape, this.#group.space as Shape) as View;
    const stream = view.inner === 1 && view.period === this.#n;
    const slot = this.#stored(stream ? abi.SLOT_IN : abi.SLOT_VIEW, node, this.#c.read(node), view);
    this.#vector.set(node, slot);
    return slot;
  }

  #scalarOf(node: Node): number {
    const known = this.#scalar.get(node);
    if (known !== undefined) return known;
    const slot = this.#stored(abi.SLOT_SCALAR, node, this.#c.read(node), { inner: 1, period: 1 });
    this.#scalar.set(node, slot);
    return slot;
  }

  #destination(node: Node, at: number): number {
    const whole = { inner: 1, period: this.#n };
    const slot = this.#c.escapes(node)
      ? this.#stored(abi.SLOT_OUT, node, this.#c.write(node, this.#streamsDoneBy(at)), whole)
      : (this.#freeTemps.pop() ?? this.#slot(abi.SLOT_TEMP, null, whole));
    this.#vector.set(node, slot);
    return slot;
  }

  /** Inputs that the tape reads in step and whose memory no later micro-operation reads, under whatever shape. */
  #streamsDoneBy(at: number): Node[] {
    const later = new Set<Node>();
    for (const [node, last] of this.#lastUse) if (last > at) later.add(storage(node));
    return [...this.#lastUse.keys()].filter((node) => !later.has(storage(node)) && this.#isStream(node));
  }

  #isStream(node: Node): boolean {
    const slot = this.#vector.get(node);
    return slot !== undefined && modeOf(this.#slots[slot] as Slot) === abi.SLOT_IN;
  }

  #reduceSlot(node: Node): number {
    const { view, slices, partial } = this.#cut as Cut;
    const ref = partial ? this.#c.scratch(view.period * slices) : this.#c.write(node);
    this.partials.set(node, ref);
    return this.#slot(abi.SLOT_REDUCE, ref, view);
  }

  /** A temporary block is free again after its last reader; one that reads it may write it. */
  #retire(node: Node, at: number): void {
    if (!this.#members.has(node) || this.#lastUse.get(node) !== at) return;
    const slot = this.#vector.get(node) as number;
    if ((this.#slots[slot] as Slot).mode !== abi.SLOT_TEMP || this.#freeTemps.includes(slot)) return;
    this.#freeTemps.push(slot);
  }

  /** A slot for the elements of a node in memory. */
  #stored(mode: number, node: Node, ref: Ref, view: View): number {
    return this.#slot(mode | (this.#double ? STORED[node.dtype] : 0), ref, view);
  }

  #slot(mode: number, ref: Ref | null, view: View): number {
    return this.#slots.push({ mode, ref, view }) - 1;
  }

  #micro(code: number, operands: readonly number[]): void {
    this.#words.push(code | (operands.length << 16), ...operands);
    this.#nTape++;
  }

  emit(): void {
    const slots = this.#slots.flatMap(({ mode, ref, view }) => [mode, ref, view.inner, view.period]);
    this.#c.emit(abi.OP_MAP, [
      ...[this.#n, this.#block(), this.#slots.length, this.#nTape, this.#cut?.slices ?? 1],
      ...slots,
      ...this.#words,
    ]);
  }

  /** Elements a block: a multiple of the first short row, so that its tile serves every block. */
  #block(): number {
    for (const slot of this.#slots) {
      const { view } = slot;
      if (modeOf(slot) !== abi.SLOT_VIEW || view.inner !== 1 || view.period < 2 || view.period > abi.MAP_BLOCK)
        continue;
      const whole = leastCommonMultiple(view.period, 4);
      const unit = whole <= abi.MAP_BLOCK ? whole : view.period;
      return Math.floor(abi.MAP_BLOCK / unit) * unit;
    }
    return abi.MAP_BLOCK;
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
