// Proves a plan's memory right by running it on names: every byte holds the number of the node whose element lies
// there, so a read that finds another number sees memory reused too early, an update made too soon, or nothing yet.
// No product path pays for it: tests run it on every plan they build.
import { OP_GEMM, OP_MAP, SLOT_OUT } from '../../assembly/abi.ts';
import type { Ref } from '../graph/op.ts';
import { checkTape, slotsOf } from './checkTape.ts';
import type { Instruction } from './encode.ts';
import type { Buffer } from './memory.ts';
import type { Plan } from './plan.ts';

/** Throws at the first instruction that reads what is not there, or the first result that is not there at the end. */
export function checkPlan(plan: Plan): void {
  checkRanges(plan.buffers);
  const memory = new Memory();
  plan.leaves.forEach(({ id }, k) => {
    for (const buffer of plan.buffers) if (buffer.kind === 'leaf' && buffer.index === k) memory.write(buffer, 0, id);
  });
  plan.instructions.forEach((instruction, i) => {
    const fail = (why: string) => {
      throw new Error(`checkPlan: instruction ${i} (${instruction.computes}): ${why}`);
    };
    const { reads, writes } = accesses(instruction);
    for (const { buffer, byteOffset, id } of reads) {
      const found = memory.find(buffer as Buffer, byteOffset, id);
      if (found !== null) fail(`reads #${id} where ${found} lies`);
    }
    if (instruction.opcode === OP_MAP) checkTape(instruction, overlap, fail);
    else {
      const inStep = over(instruction);
      if (reads.some((r) => r !== inStep && writes.some((w) => overlap(r, w)))) fail('writes over what it reads');
    }
    for (const { buffer, byteOffset, id } of writes) {
      if ((buffer as Buffer).kind === 'own') fail('writes to a constant');
      memory.write(buffer as Buffer, byteOffset, id);
    }
  });
  checkEnd(plan, memory);
}

/** Buffers alive at one time lie apart, and none lies outside the arena. */
function checkRanges(buffers: readonly Buffer[]): void {
  const placed = buffers.filter((b) => b.offset >= 0 && b.nBytes > 0);
  for (const [i, a] of placed.entries()) {
    for (const b of placed.slice(0, i)) {
      const together = a.first <= b.last && b.first <= a.last;
      if (!together || a.offset >= b.offset + b.nBytes || b.offset >= a.offset + a.nBytes) continue;
      const show = (x: Buffer) => `${x.nBytes} bytes at ${x.offset}, alive ${x.first}…${x.last}`;
      throw new Error(`checkPlan: two buffers share bytes: ${show(a)}; ${show(b)}`);
    }
  }
}

/** Outputs and new versions are where a run will look for them, and every other lasting leaf is as it was. */
function checkEnd(plan: Plan, memory: Memory): void {
  const expectIn = (what: string, buffer: Buffer | undefined, id: number) => {
    const found = buffer === undefined ? 'no memory' : memory.find(buffer, 0, id);
    if (found !== null) throw new Error(`checkPlan: at the end ${found} lies where ${what} (#${id}) should`);
  };
  const find = (kind: Buffer['kind'], k: number) => plan.buffers.find((b) => b.kind === kind && b.index === k);
  plan.outputs.forEach(({ slot, id, nElems }, k) => {
    const inArena = plan.buffers.find(
      (b) => b.kind === 'arena' && b.offset === slot && b.last > plan.instructions.length,
    );
    if (nElems > 0) expectIn(`output ${k}`, slot < 0 ? find('output', k) : inArena, id);
  });
  const updated = new Map(plan.targets.map(({ leaf, id }) => [leaf, id]));
  plan.leaves.forEach(({ kind, slot, id }, k) => {
    if (kind === 'operand' || slot >= 0) return;
    expectIn(`leaf ${k}`, find('leaf', k), plan.overwrite ? (updated.get(k) ?? id) : id);
  });
  if (plan.overwrite) return;
  for (const [k, { id }] of plan.targets.entries()) expectIn(`the new version ${k}`, find('target', k), id);
}

/** What an instruction may write over as it reads it: a product the matrix that it adds to, exactly. */
function over({ opcode, words }: Instruction): Ref | null {
  if (opcode !== OP_GEMM) return null;
  const [c, , , , d] = words as (Ref | null)[];
  return c?.buffer === d?.buffer && c?.byteOffset === d?.byteOffset ? (d as Ref) : null;
}

/** What an instruction reads and writes; of a tape, its slots say so. */
function accesses({ opcode, words }: Instruction): { reads: Ref[]; writes: Ref[] } {
  if (opcode === OP_MAP) {
    const slots = slotsOf(words);
    const pick = (writes: boolean) => slots.flatMap((s) => (s.ref && s.mode >= SLOT_OUT === writes ? [s.ref] : []));
    return { reads: pick(false), writes: pick(true) };
  }
  const refs = words.filter((w): w is Ref => w !== null && typeof w === 'object');
  return { reads: refs.filter((r) => !r.writes), writes: refs.filter((r) => r.writes) };
}

/** Where a buffer lies: in the arena or in memory of its own. */
function placeOf(buffer: Buffer): { space: string; from: number } {
  return buffer.offset >= 0
    ? { space: 'arena', from: buffer.offset }
    : { space: `${buffer.kind} ${buffer.index}`, from: 0 };
}

/** Whether two operands share bytes. */
function overlap(a: Ref, b: Ref): boolean {
  const [x, y] = [a.buffer as Buffer, b.buffer as Buffer];
  const [p, q] = [placeOf(x), placeOf(y)];
  return p.space === q.space && p.from + a.byteOffset < q.from + y.nBytes && q.from + b.byteOffset < p.from + x.nBytes;
}

interface Region {
  from: number;
  to: number;
  id: number;
}

/** Which node's elements lie where. */
class Memory {
  readonly #spaces = new Map<string, Region[]>();

  write(buffer: Buffer, byteOffset: number, id: number): void {
    const { space, from: base } = placeOf(buffer);
    const [from, to] = [base + byteOffset, base + buffer.nBytes];
    const others = (this.#spaces.get(space) ?? []).flatMap((r) => [
      ...(r.from < from ? [{ ...r, to: Math.min(r.to, from) }] : []),
      ...(r.to > to ? [{ ...r, from: Math.max(r.from, to) }] : []),
    ]);
    this.#spaces.set(
      space,
      [...others, { from, to, id }].sort((a, b) => a.from - b.from),
    );
  }

  /** Null if a buffer, from byteOffset on, holds node `id`; else what is there instead. */
  find(buffer: Buffer, byteOffset: number, id: number): string | null {
    if (buffer.kind === 'own') return null;
    const { space, from: base } = placeOf(buffer);
    let at = base + byteOffset;
    const end = base + buffer.nBytes;
    for (const r of this.#spaces.get(space) ?? []) {
      if (r.to <= at || at >= end) continue;
      if (r.from > at) return 'nothing';
      if (r.id !== id) return `#${r.id}`;
      at = r.to;
    }
    return at < end ? 'nothing' : null;
  }
}
