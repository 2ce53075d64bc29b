// What the tests of products know of each activation an epilogue applies.
import { ACT_NONE, ACT_RELU, ACT_SIGMOID, ACT_TANH } from '../../assembly/abi.ts';

/** The formula; how much of an error of its input it passes on at most; its own error in ulp, as stated above it. */
export const ACTIVATIONS: Record<number, { of(x: number): number; slope: number; ulp: number }> = {
  [ACT_NONE]: { of: (x) => x, slope: 1, ulp: 0 },
  [ACT_RELU]: { of: (x) => Math.max(x, 0), slope: 1, ulp: 0 },
  [ACT_SIGMOID]: { of: (x) => 1 / (1 + Math.exp(-x)), slope: 0.25, ulp: 2.5 },
  [ACT_TANH]: { of: Math.tanh, slope: 1, ulp: 1.6 },
};
