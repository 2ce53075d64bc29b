// Which instructions are worth sharing between threads, and where threads must wait for each other.
import * as abi from '../../assembly/abi.ts';
import { costOf, refsOf } from './cost.ts';
import type { Instruction } from './encode.ts';
import type { Buffer } from './memory.ts';

/** One thread's rates: FLOPs and bytes a nanosecond, elements of a micro-operation a nanosecond. */
const FLOPS = 50;
const BYTES = 30;
const MICRO = 4;
/** An element of a row of a thousand that is sorted. */
const SORT_NS = 50;
/** Of the rate of a stream, what is left where elements go one by one. */
const SCATTERED = 1 / 4;
/** How much slower all are in float64. */
const DOUBLE = 4;
/** An instruction shorter than this many nanoseconds is done by one thread: waiting for others would cost as much. */
let shareNs = 4000;
/** A program with less than this to share runs on the caller alone. */
let parallelNs = 20000;

/** For tests: plans made from now on share every instruction between threads, however short it is. */
export function shareAll(): void {
  shareNs = 0;
  parallelNs = 0;
}

/**
 * Marks each instruction: FLAG_SOLO where it is too short to share, FLAG_BARRIER where it reads what another thread
 * may be writing, or writes what one may be reading. True if the program gains by threads at all.
 */
export function divide(instructions: readonly Instruction[]): boolean {
  const costs = instructions.map(nanoseconds);
  const shared = costs.reduce((sum, ns) => sum + (ns < shareNs ? 0 : ns), 0);
  if (shared < parallelNs) return false;
  // Since the last barrier: by all threads, and by the first alone, which does not wait for itself.
  let [together, alone]: [Access[], Access[]] = [[], []];
  for (const [i, instruction] of instructions.entries()) {
    const solo = (costs[i] as number) < shareNs;
    const own = accesses(instruction);
    const waits = own.some((a) => together.some((b) => collide(a, b)) || (!solo && alone.some((b) => collide(a, b))));
    if (waits) [together, alone] = [[], []];
    (solo ? alone : together).push(...own);
    instruction.flags |= (solo ? abi.FLAG_SOLO : 0) | (waits ? abi.FLAG_BARRIER : 0);
  }
  return true;
}

/** Bytes that an instruction reads or writes since the last barrier. */
interface Access {
  /** The arena, or a buffer outside it. */
  space: object;
  start: number;
  end: number;
  writes: boolean;
}

const ARENA = {};

function accesses({ words }: Instruction): Access[] {
  return refsOf(words).map(({ buffer, writes }) => {
    const { offset, nBytes } = buffer as Buffer;
    const inArena = offset >= 0;
    const start = inArena ? offset : 0;
    return { space: inArena ? ARENA : buffer, start, end: start + nBytes, writes };
  });
}

/** Whether two instructions touch the same bytes, one to write them. */
function collide(a: Access, b: Access): boolean {
  return a.space === b.space && a.start < b.end && b.start < a.end && (a.writes || b.writes);
}

/** What an instruction takes on one thread, roughly. */
function nanoseconds(instruction: Instruction): number {
  const { opcode, words } = instruction;
  const { flops, bytes } = costOf(instruction);
  const slower = instruction.flags & abi.FLAG_F64 ? DOUBLE : 1;
  if (flops > 0) return (flops / FLOPS) * slower;
  switch (opcode) {
    case abi.OP_MAP:
      return (((words[0] as number) * (words[3] as number)) / MICRO) * slower + bytes / BYTES / 4;
    case abi.OP_CROSS_ENTROPY:
    case abi.OP_SOFTMAX:
    case abi.OP_SOFTMAX_GRAD:
    case abi.OP_RANDOM:
      return (bytes / 4 / 0.5) * slower;
    case abi.OP_SORT:
      return (words[3] as number) * (words[4] as number) * SORT_NS;
    case abi.OP_SCAN:
    case abi.OP_TAKE_ALONG:
    case abi.OP_ADD_ALONG:
      return bytes / BYTES / SCATTERED;
    default:
      return bytes / BYTES;
  }
}
