// Runs a program one instruction at a time, on the calling thread, with a clock around each.
import { OP_END, STATUS_OK } from '../../assembly/abi.ts';
import type { Plan } from '../plan/plan.ts';
import { theHeap } from './heap.ts';

/** Milliseconds of each instruction, then of a program with none: what a clock and a call cost. */
export function newTimes(plan: Plan): Float64Array {
  return new Float64Array(plan.instructions.length + 1);
}

/**
 * Runs `plan`, whose operands are at `table`, and writes to `times`. Each instruction is made a program of its own,
 * so the kernels' loop has no part in it. Returns what the kernels' `run` does.
 */
export function runTimed(plan: Plan, table: number, times: Float64Array): number {
  const heap = theHeap();
  const { words, starts } = separated(plan);
  const block = { offset: heap.allocate(words.length * 4), nBytes: words.length * 4 };
  heap.i32.set(words, block.offset >>> 2);
  const { kernels, scratch } = heap;
  try {
    for (const [i, start] of starts.entries()) {
      const program = block.offset + start * 4;
      const before = performance.now();
      const status = kernels.run(program, table, scratch, 0, 1, 0);
      times[i] = performance.now() - before;
      if (status !== STATUS_OK) return status | (i << 8);
    }
    return STATUS_OK;
  } finally {
    heap.free(block);
  }
}

/** The words of a plan with an end behind every instruction, and where each begins; last, a program that is empty. */
function separated({ words, instructions }: Plan): { words: Int32Array; starts: number[] } {
  const apart = new Int32Array(words.length + instructions.length);
  const starts: number[] = [];
  let [from, to] = [0, 0];
  for (const instruction of instructions) {
    const nWords = instruction.words.length + 1;
    apart.set(words.subarray(from, from + nWords), to);
    apart[to + nWords] = OP_END;
    starts.push(to);
    from += nWords;
    to += nWords + 1;
  }
  return { words: apart, starts: [...starts, to] };
}
