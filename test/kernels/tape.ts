// Writes OP_MAP instructions as words, for tests.
import * as abi from '../../assembly/abi.ts';

/** [mode, operand, inner, period] */
export type Slot = [mode: number, operand: number, inner: number, period: number];

export const streamIn = (operand: number): Slot => [abi.SLOT_IN, operand, 0, 0];
export const streamOut = (operand: number): Slot => [abi.SLOT_OUT, operand, 0, 0];
export const scalar = (operand: number): Slot => [abi.SLOT_SCALAR, operand, 0, 0];
export const temp = (): Slot => [abi.SLOT_TEMP, abi.NONE, 0, 0];
export const view = (operand: number, inner: number, period: number): Slot => [abi.SLOT_VIEW, operand, inner, period];
export const reduce = (operand: number, inner: number, period: number): Slot => [
  abi.SLOT_REDUCE,
  operand,
  inner,
  period,
];

/** One micro-operation and the slots it takes, destinations first. */
export const micro = (op: number, ...slots: number[]): number[] => [op | (slots.length << 16), ...slots];

/** The words of an OP_MAP. */
export function tape(
  n: number,
  slots: Slot[],
  micros: number[][],
  { block = abi.MAP_BLOCK, slices = 1 } = {},
): number[] {
  return [abi.OP_MAP, n, block, slots.length, micros.length, slices, ...slots.flat(), ...micros.flat()];
}
