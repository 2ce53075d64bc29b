// How a table of mistakes is written: what is called, what is done wrong, the exact message.
import { tensor, zeros } from '../src/index.ts';
import type { Mistake } from './helpers.ts';

export const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));

/** Zeros of a shape. */
export const z = (...shape: number[]) => zeros(shape);
/** Whole numbers. */
export const ints = (...values: number[]) => tensor(Int32Array.from(values));
export const bools = (...values: boolean[]) => tensor(values);
