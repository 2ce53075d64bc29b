// The trace under way, if any: `compile` runs the user's function once inside one. What is read of the outside
// that may change later becomes a guard.
import type { Node } from './node.ts';
import type { State } from './state.ts';

/** Something read while tracing, and what it was. */
export interface Guard {
  read: () => unknown;
  value: unknown;
}

/** Which rewrites a program goes through: all, none, or those of these names. */
export type Rewrites = boolean | readonly string[];

export interface Trace {
  /** The newest version of each variable assigned in this trace. */
  readonly heads: Map<State, Node>;
  /** Gradients accumulated in this trace. */
  readonly grads: Map<State, Node | null>;
  readonly guards: Guard[];
  /** What the graph goes through before it is differentiated. */
  readonly rewrites?: Rewrites;
}

let current: Trace | null = null;

export function currentTrace(): Trace | null {
  return current;
}

/** Runs `fn` inside `trace`; null runs it outside any. */
export function withTrace<T>(trace: Trace | null, fn: () => T): T {
  const before = current;
  current = trace;
  try {
    return fn();
  } finally {
    current = before;
  }
}

/** Reads something that may change between calls of a compiled function: a change makes a new trace. */
export function guard<T>(read: () => T): T {
  const value = read();
  current?.guards.push({ read, value });
  return value;
}
