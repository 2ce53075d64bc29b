// Runs a plan: binds values to its table, makes the one Wasm call, takes the results home.
import { FAULT_INDEX, FAULT_TRAP, STATUS_OK } from '../../assembly/abi.ts';
import { checkBelow, type Elements } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { Value } from '../graph/value.ts';
import type { Buffer } from '../plan/memory.ts';
import type { Plan } from '../plan/plan.ts';
import { type Heap, theHeap } from './heap.ts';
import { runProgram } from './pool.ts';

/** What a plan's leaf stands for in one run: elements, or the numbers of an operand. */
export type Binding = Value | (() => readonly number[]);

/** A plan laid into Wasm memory: its words, its table, its constants. */
class Installed {
  readonly program: number;
  readonly table: number;
  readonly own: number;
  readonly nBytes: number;
  arenaVersion = -1;

  constructor(plan: Plan, heap: Heap) {
    const [words, entries] = [plan.words.length * 4, plan.table.length * 4];
    this.nBytes = words + entries + plan.ownBytes + 24;
    this.own = heap.allocate(this.nBytes);
    this.program = (this.own + plan.ownBytes + 7) & ~7;
    if (this.program < 0) this.program += 2 ** 32;
    this.table = this.program + words;
    heap.i32.set(plan.words, this.program >>> 2);
    for (const { byteOffset, value, float } of plan.constants) {
      const at = (this.own + byteOffset) >>> 2;
      if (float) heap.f32[at] = value;
      else heap.i32[at] = value;
    }
  }
}

const installed = new WeakMap<Plan, Installed>();

/** Gives back the memory of a plan that no cache holds any more. */
export function uninstall(plan: Plan): void {
  const there = installed.get(plan);
  if (there !== undefined) theHeap().free({ offset: there.own, nBytes: there.nBytes });
  installed.delete(plan);
}

function install(plan: Plan, heap: Heap): Installed {
  const there = installed.get(plan) ?? new Installed(plan, heap);
  installed.set(plan, there);
  if (there.arenaVersion !== heap.arenaVersion) {
    plan.table.forEach(({ buffer, byteOffset }, i) => {
      const { kind, offset, index } = buffer as Buffer;
      const base = kind === 'own' ? there.own + index : heap.arena + Math.max(offset, 0);
      heap.i32[(there.table >>> 2) + i] = base + byteOffset;
    });
    there.arenaVersion = heap.arenaVersion;
  }
  return there;
}

/**
 * Runs `plan` on one value or operand a leaf; `targets` hold the new versions of the variables it updates, in a
 * plan that does not overwrite. Returns the outputs. On an error no value has changed.
 */
export function run(plan: Plan, leaves: readonly Binding[], targets: readonly Value[]): Value[] {
  checkIndices(plan, leaves);
  const heap = theHeap();
  heap.begin();
  // Everything that may allocate comes first, since growing and evicting move things.
  heap.reserveArena(plan.arenaBytes);
  const at = install(plan, heap);
  const leafAddresses = leaves.map((leaf, k) => place(plan, k, leaf, at, heap));
  const targetAddresses = targets.map((value) => heap.resident(value, false));
  const outputs = plan.outputs.map(({ dtype, nElems }) => new Value(dtype, nElems, null));
  const outputAddresses = plan.outputs.map(({ slot }, k) => (slot < 0 ? heap.resident(outputs[k] as Value, false) : 0));
  const addresses = { leaf: leafAddresses, target: targetAddresses, output: outputAddresses };
  const table = at.table >>> 2;
  for (const { entry, kind, index, byteOffset } of plan.externals) {
    heap.i32[table + entry] = (addresses[kind][index] as number) + byteOffset;
  }
  const status = runProgram(at.program, at.table, plan.parallel);
  if (status !== STATUS_OK) throw fault(plan, status);
  commit(plan, leaves, targets);
  plan.outputs.forEach(({ slot, nElems, dtype }, k) => {
    if (slot >= 0) (outputs[k] as Value).host = heap.copyOut(heap.arena + slot, nElems, dtype);
  });
  return outputs;
}

/** Puts a leaf where the program will read it; returns its address. */
function place(plan: Plan, k: number, leaf: Binding, at: Installed, heap: Heap): number {
  const { slot } = plan.leaves[k] as Plan['leaves'][number];
  if (typeof leaf === 'function') {
    const numbers = leaf();
    const float = plan.leaves[k]?.dtype !== 'int32';
    const memory = float ? heap.f32 : heap.i32;
    for (let i = 0; i < numbers.length; i++) memory[((at.own + slot) >>> 2) + i] = numbers[i] as number;
    return at.own + slot;
  }
  if (slot < 0 || leaf.residence !== null) return heap.resident(leaf);
  if (leaf.disposed) return heap.resident(leaf);
  heap.copyIn(heap.arena + slot, leaf.host as Elements);
  return heap.arena + slot;
}

/** The elements in Wasm memory are the newest now. */
function commit(plan: Plan, leaves: readonly Binding[], targets: readonly Value[]): void {
  const written = plan.overwrite ? plan.targets.map(({ leaf }) => leaves[leaf] as Value) : targets;
  for (const value of written) {
    value.host = null;
    value.checkedBelow = Number.POSITIVE_INFINITY;
  }
}

function checkIndices(plan: Plan, leaves: readonly Binding[]): void {
  for (const { leaf, below, what } of plan.checks) {
    const value = leaves[leaf] as Value;
    if (value.checkedBelow <= below) continue;
    checkBelow(value.read(), below, what);
    value.checkedBelow = below;
  }
}

function fault(plan: Plan, status: number): NablaError {
  if ((status & 0xff) === FAULT_TRAP) {
    return new NablaError(
      'internal',
      'a kernel trapped while a program ran on several threads; the workers were replaced',
    );
  }
  const instruction = plan.instructions[status >>> 8];
  const name = instruction?.computes ?? 'a program';
  if ((status & 0xff) === FAULT_INDEX) {
    return new NablaError('index', `${name}: a computed index is out of range; nothing was updated`, { op: name });
  }
  return new NablaError(
    'internal',
    `${name}: the kernels cannot run this (instruction ${instruction?.opcode}, status ${status})`,
  );
}
