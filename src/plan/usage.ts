// How many bytes of Wasm memory a run of a plan holds, by kind, and what planning saved.
import { SCRATCH_BYTES } from '../../assembly/abi.ts';
import { bytesOf } from '../dtype.ts';
import { refsOf } from './cost.ts';
import { type Buffer, padded } from './memory.ts';
import type { Plan } from './plan.ts';

/** Bytes of Wasm memory; `peakBytes` is the sum of the six kinds after it. */
export interface MemoryUse {
  peakBytes: number;
  /** Intermediates, and inputs and outputs of up to 1 MiB each: shared by everything that is not alive at once. */
  arenaBytes: number;
  /** Variables: parameters, what an optimizer remembers. */
  stateBytes: number;
  /** Inputs of more than 1 MiB. */
  inputBytes: number;
  /** Outputs of more than 1 MiB. */
  outputBytes: number;
  /** The program, its table of operands, its constants. */
  programBytes: number;
  /** What kernels work in: one piece a thread, whatever the plan. */
  scratchBytes: number;
  /** What the arena would be if every result of an instruction had bytes of its own. */
  unsharedBytes: number;
}

/** Bytes of a plan's block: its constants and operands, its words, its table. */
export function programBytes(plan: Plan): number {
  return plan.words.length * 4 + plan.table.length * 4 + plan.ownBytes + 24;
}

/** `held` rounds the bytes of a value outside the arena to what the heap takes for it. */
export function memoryUse(plan: Plan, threads: number, held: (nBytes: number) => number): MemoryUse {
  const sum = (values: readonly { nBytes: number }[]) => values.reduce((total, v) => total + held(v.nBytes), 0);
  const outside = plan.leaves.filter((l) => l.kind === 'value' && l.slot < 0);
  const kinds = {
    arenaBytes: plan.arenaBytes,
    stateBytes: sum(outside.filter((l) => l.lasting)) + (plan.overwrite ? 0 : sum(plan.targets)),
    inputBytes: sum(outside.filter((l) => !l.lasting)),
    outputBytes: sum(plan.outputs.filter((o) => o.slot < 0).map((o) => ({ nBytes: o.nElems * bytesOf(o.dtype) }))),
    programBytes: programBytes(plan),
    scratchBytes: (plan.parallel ? threads : 1) * SCRATCH_BYTES,
  };
  const peakBytes = Object.values(kinds).reduce((a, b) => a + b, 0);
  return { peakBytes, ...kinds, unsharedBytes: unsharedBytes(plan) };
}

/** A buffer that several nodes wrote one after another counts for each of them. */
function unsharedBytes({ leaves, instructions }: Plan): number {
  const bytes = new Map(leaves.filter((l) => l.kind === 'value' && l.slot >= 0).map((l) => [l.id, padded(l.nBytes)]));
  for (const { id, buffer } of instructions.flatMap(({ words }) => refsOf(words))) {
    const { offset, nBytes } = buffer as Buffer;
    if (offset >= 0) bytes.set(id, padded(nBytes));
  }
  return [...bytes.values()].reduce((a, b) => a + b, 0);
}
