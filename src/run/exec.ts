// Runs a plan: binds values to its table, makes the one Wasm call, takes the results home.
import { FAULT_INDEX, FAULT_LOST, FAULT_TRAP, STATUS_OK } from '../../assembly/abi.ts';
import { checkBelow, type Elements } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { Value, type Writer } from '../graph/value.ts';
import type { Buffer } from '../plan/memory.ts';
import type { Plan } from '../plan/plan.ts';
import { programBytes } from '../plan/usage.ts';
import { countProgram } from './counters.ts';
import { type Heap, theHeap } from './heap.ts';
import { getThreads, runProgram } from './pool.ts';
import { makeKnown } from './probe.ts';
import { drain, enqueue, Task, type Work } from './queue.ts';
import { record, recording } from './record.ts';

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
    this.nBytes = programBytes(plan);
    this.own = heap.allocate(this.nBytes);
    this.program = (this.own + plan.ownBytes + 7) & ~7;
    if (this.program < 0) this.program += 2 ** 32;
    this.table = this.program + plan.words.length * 4;
    heap.i32.set(plan.words, this.program >>> 2);
    for (const { byteOffset, value, dtype } of plan.constants) heap.put(this.own + byteOffset, value, dtype);
  }
}

const installed = new WeakMap<Plan, Installed>();

/** Frees what was installed for a plan that nobody holds: one that the cache dropped may run on in a compiled function. */
const collected = new FinalizationRegistry((there: Installed) => release(there));

function release({ own, nBytes }: Installed): void {
  theHeap().free({ offset: own, nBytes });
}

/** Gives back the memory of a plan that no cache holds any more. */
export function uninstall(plan: Plan): void {
  drain();
  const there = installed.get(plan);
  if (there === undefined) return;
  release(there);
  collected.unregister(there);
  installed.delete(plan);
}

function install(plan: Plan, heap: Heap): Installed {
  let there = installed.get(plan);
  if (there === undefined) {
    there = new Installed(plan, heap);
    installed.set(plan, there);
    collected.register(plan, there, there);
  }
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
  drain();
  return new Run(plan, leaves, targets).now();
}

/**
 * Queues a run of `plan` for the workers. What it reads is as it is now: values are, and numbers are asked for. The
 * outputs can be bound at once; who reads one, or a variable that the plan overwrites, waits for the run.
 */
export function runLater(plan: Plan, leaves: readonly Binding[]): { outputs: Value[]; done: Promise<unknown> } {
  checkIndices(plan, leaves, (value) => value.writer === null);
  const later = new Run(plan, leaves.map(snapshot), []);
  // What is recorded runs here, when its turn comes.
  const work = { threads: 0, finish: () => later.now(), ended: (failed: boolean) => later.ended(failed) };
  const task = new Task(recording() ? work : later);
  later.claim(task);
  return { outputs: later.outputs, done: enqueue(task).result };
}

/** The elements of a value once its turn has come: what was queued before has run, what is queued after has not. */
export function readLater(value: Value): Promise<Elements> {
  return enqueue(new Task({ threads: 0, finish: () => value.elements() })).result;
}

/** Numbers are read at the call. */
function snapshot(leaf: Binding): Binding {
  if (typeof leaf !== 'function') return leaf;
  const numbers = [...leaf()];
  return () => numbers;
}

/** One run of a plan. */
export class Run implements Work<Value[]> {
  readonly plan: Plan;
  readonly leaves: readonly Binding[];
  readonly targets: readonly Value[];
  readonly outputs: Value[];
  #writer: Writer | null = null;

  constructor(plan: Plan, leaves: readonly Binding[], targets: readonly Value[]) {
    this.plan = plan;
    this.leaves = leaves;
    this.targets = targets;
    this.outputs = plan.outputs.map(({ dtype, nElems }) => new Value(dtype, nElems, null));
  }

  get threads(): number {
    return this.plan.parallel ? getThreads() : 1;
  }

  /** The variables it gives new elements. */
  get #updated(): readonly Value[] {
    const { plan, leaves, targets } = this;
    return plan.overwrite ? plan.targets.map(({ leaf }) => leaves[leaf] as Value) : targets;
  }

  /** From now on `writer` stands for what the run will write. */
  claim(writer: Writer): void {
    this.#writer = writer;
    for (const value of [...this.outputs, ...this.#updated]) value.writer = writer;
  }

  /** A variable keeps its elements where the run failed; an output never gets any. */
  ended(failed: boolean): void {
    for (const value of failed ? this.#updated : [...this.outputs, ...this.#updated]) {
      if (value.writer === this.#writer) value.writer = null;
    }
  }

  /** Runs on this thread and those that help it. */
  now(): Value[] {
    const { program, table } = this.prepare();
    const { plan, threads } = this;
    return this.finish(recording() ? record(plan, table) : runProgram({ program, table, threads }));
  }

  /** Checks indices, and puts everything where the program will look for it. */
  prepare(): { program: number; table: number } {
    const { plan, leaves, targets, outputs } = this;
    checkIndices(plan, leaves);
    makeKnown();
    const heap = theHeap();
    const { allocations } = heap;
    heap.begin();
    // Everything that may allocate comes first, since growing and evicting move things.
    heap.reserveArena(plan.arenaBytes);
    const at = install(plan, heap);
    const leafAddresses = leaves.map((leaf, k) => place(plan, k, leaf, at, heap));
    const targetAddresses = targets.map((value) => heap.resident(value, false));
    const outputAddresses = plan.outputs.map(({ slot }, k) =>
      slot < 0 ? heap.resident(outputs[k] as Value, false) : 0,
    );
    const addresses = { leaf: leafAddresses, target: targetAddresses, output: outputAddresses };
    const table = at.table >>> 2;
    for (const { entry, kind, index, byteOffset } of plan.externals) {
      heap.i32[table + entry] = (addresses[kind][index] as number) + byteOffset;
    }
    countProgram(plan, heap.allocations - allocations);
    return { program: at.program, table: at.table };
  }

  /** The elements in Wasm memory are the newest now; small outputs go home. */
  finish(status: number): Value[] {
    const { plan, outputs } = this;
    if (status !== STATUS_OK) throw fault(plan, status);
    const heap = theHeap();
    for (const value of this.#updated) {
      value.host = null;
      value.checkedBelow = Number.POSITIVE_INFINITY;
    }
    plan.outputs.forEach(({ slot, nElems, dtype }, k) => {
      if (slot >= 0) (outputs[k] as Value).host = heap.copyOut(heap.arena + slot, nElems, dtype);
    });
    return outputs;
  }
}

/** Puts a leaf where the program will read it; returns its address. */
function place(plan: Plan, k: number, leaf: Binding, at: Installed, heap: Heap): number {
  const { slot, dtype } = plan.leaves[k] as Plan['leaves'][number];
  if (typeof leaf === 'function') {
    const numbers = leaf();
    for (let i = 0; i < numbers.length; i++) heap.put(at.own + slot + 4 * i, numbers[i] as number, dtype);
    return at.own + slot;
  }
  if (slot < 0 || leaf.residence !== null) return heap.resident(leaf);
  leaf.check();
  heap.copyIn(heap.arena + slot, leaf.host as Elements);
  return heap.arena + slot;
}

function checkIndices(plan: Plan, leaves: readonly Binding[], known: (value: Value) => boolean = () => true): void {
  for (const { leaf, below, what } of plan.checks) {
    const value = leaves[leaf] as Value;
    if (value.checkedBelow <= below || !known(value)) continue;
    checkBelow(value.elements(), below, what);
    value.checkedBelow = below;
  }
}

/** What no program and no input should bring about, so that no step pays for going back on it. */
const CRASHES = new Map([
  [FAULT_TRAP, 'a kernel trapped'],
  [FAULT_LOST, 'a worker thread died'],
]);
const HALF_UPDATED = 'the variables that it updates in place may be half updated: load saved ones; the next run works';

/** The error that a program's status other than STATUS_OK means. */
export function fault(plan: Plan, status: number): NablaError {
  const crash = CRASHES.get(status & 0xff);
  if (crash !== undefined) {
    const inPlace = plan.overwrite && plan.targets.length > 0;
    return new NablaError(
      'internal',
      `${crash} while a program ran; ${inPlace ? HALF_UPDATED : 'nothing was updated'}`,
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
