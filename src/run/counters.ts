// Counts the work that programs do, without a clock: the same on every run, so any change in it is a change in nabla or
// in the caller's code.
import { costOf } from '../plan/cost.ts';
import type { Plan } from '../plan/plan.ts';
import { memoryUse } from '../plan/usage.ts';
import { heldBytes } from './heap.ts';
import { getThreads } from './pool.ts';

/** The work of some programs. */
export interface Counters {
  /** Programs that ran: one for each call of a compiled function. */
  programs: number;
  /** Instructions of those programs. */
  instructions: number;
  /** Floating-point operations of products and convolutions; a multiply-add counts as two. */
  flops: number;
  /** Bytes read and written, each element of an instruction's operands once. */
  bytes: number;
  /** The largest `peakBytes` of a program: see `step.memory`. It depends on the number of threads. */
  peakBytes: number;
  /** Regions of Wasm memory that programs asked for: none in a loop that has settled. */
  allocations: number;
}

let open: Counters | null = null;

/** Called for every program that is about to run, for which so many regions were asked for. */
export function countProgram(plan: Plan, allocations: number): void {
  if (open === null) return;
  open.programs++;
  open.allocations += allocations;
  open.instructions += plan.instructions.length;
  for (const instruction of plan.instructions) {
    const { flops, bytes } = costOf(instruction);
    open.flops += flops;
    open.bytes += bytes;
  }
  open.peakBytes = Math.max(open.peakBytes, memoryUse(plan, getThreads(), heldBytes).peakBytes);
}

/**
 * Calls `fn` and counts the work of the programs that run meanwhile. Call `fn` a few times before: the first call
 * traces, and its tensors take their places in memory. What `fn` leaves lazy is not computed, so not counted.
 *
 * @returns the counters, or a promise of them where `fn` returns a promise
 */
export function counters<R>(fn: () => R): R extends PromiseLike<unknown> ? Promise<Counters> : Counters;
export function counters(fn: () => unknown): Counters | Promise<Counters> {
  const outer = open;
  const own: Counters = { programs: 0, instructions: 0, flops: 0, bytes: 0, peakBytes: 0, allocations: 0 };
  const close = () => {
    open = outer;
    if (outer !== null) add(outer, own);
    return own;
  };
  open = own;
  try {
    const returned = fn();
    if (isPromise(returned))
      return Promise.resolve(returned)
        .finally(close)
        .then(() => own);
  } catch (error) {
    close();
    throw error;
  }
  return close();
}

/** Counters within counters count for both. */
function add(to: Counters, { programs, instructions, flops, bytes, peakBytes, allocations }: Counters): void {
  to.programs += programs;
  to.instructions += instructions;
  to.flops += flops;
  to.bytes += bytes;
  to.allocations += allocations;
  to.peakBytes = Math.max(to.peakBytes, peakBytes);
}

function isPromise(x: unknown): x is PromiseLike<unknown> {
  return typeof (x as PromiseLike<unknown> | null)?.then === 'function';
}
