// Chains of elementwise boxes as one box, so that a large network stays readable.
import type { Box, Step } from './picture.ts';

/** What stands in a folded chain for the step before. */
export const BEFORE = '·';

/**
 * A box joins its only user where both are elementwise, or the user only views it in another shape, in the same layer
 * and both forward or both backward, and nobody asked for its name or value. Each box takes in one chain at most.
 */
export function fold(boxes: readonly Box[]): Box[] {
  const users = new Map<Box, Box[]>();
  for (const box of boxes) for (const input of inputsOf(box)) users.set(input, [...(users.get(input) ?? []), box]);
  const gone = new Set<Box>();
  for (const box of boxes) {
    for (const input of inputsOf(box)) {
      if (users.get(input)?.length !== 1 || !isTranspose(input) || !isPlain(input)) continue;
      gone.add(input);
      box.steps = box.steps.map((step) => takenTransposed(step, input));
    }
    // Inputs come before their users, so what is taken in has its own chain already.
    const taken = inputsOf(box).find((input) => users.get(input)?.length === 1 && canJoin(input, box));
    if (taken === undefined) continue;
    gone.add(taken);
    box.steps = joined(
      taken.steps,
      box.steps.map((s) => ({ ...s, args: s.args.map((a) => (a === taken ? BEFORE : a)) })),
    );
  }
  return boxes.filter((b) => !gone.has(b));
}

/** A reshape of a reshape is one: the box shows the last shape. */
function joined(before: readonly Step[], steps: readonly Step[]): Step[] {
  const [first, ...rest] = steps as [Step, ...Step[]];
  const isAgain = first.name === 'reshape' && before.at(-1)?.name === 'reshape';
  return isAgain ? [...before, ...rest] : [...before, first, ...rest];
}

const isPlain = (box: Box) => box.kind === 'op' && !box.isOutput && box.names.length === 0;

/** The transpose of a matrix, which its user can write as wᵀ. */
function isTranspose({ steps, shape }: Box): boolean {
  const [step] = steps as [Step];
  return steps.length === 1 && step.name === 'permute' && shape.length === 2 && typeof step.args[0] !== 'string';
}

/** The step with the input of `transpose` in its place. */
function takenTransposed(step: Step, transpose: Box): Step {
  const places = step.args.flatMap((a, i) => (a === transpose ? [i] : []));
  const [{ args }] = transpose.steps as [Step];
  return {
    ...step,
    args: step.args.map((a) => (a === transpose ? (args[0] as Box) : a)),
    // Twice is none.
    transposed: [
      ...step.transposed.filter((i) => !places.includes(i)),
      ...places.filter((i) => !step.transposed.includes(i)),
    ],
  };
}

/** An argument as its user calls it. */
export function argument({ args, transposed }: Step, i: number, nameOf: (box: Box) => string): string {
  const arg = args[i] as Box | string;
  return `${typeof arg === 'string' ? arg : nameOf(arg)}${transposed.includes(i) ? 'ᵀ' : ''}`;
}

function canJoin(a: Box, b: Box): boolean {
  const isChain = b.folds === 'view' || (a.folds !== 'never' && b.folds !== 'never');
  return isPlain(a) && isChain && a.layer === b.layer && a.isBackward === b.isBackward;
}

/** The boxes that the steps of this one read, each once. */
export function inputsOf({ steps }: { steps: readonly Step[] }): Box[] {
  return [...new Set(steps.flatMap((s) => s.args).filter((a): a is Box => typeof a !== 'string'))];
}
