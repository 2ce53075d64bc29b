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
    // Inputs come before their users, so what is taken in has its own chain already.
    const taken = inputsOf(box).find((input) => users.get(input)?.length === 1 && canJoin(input, box));
    if (taken === undefined) continue;
    gone.add(taken);
    box.steps = joined(taken.steps, box.steps.map((s) => ({ ...s, args: s.args.map((a) => (a === taken ? BEFORE : a)) })));
  }
  return boxes.filter((b) => !gone.has(b));
}

/** A reshape of a reshape is one: the box shows the last shape. */
function joined(before: readonly Step[], steps: readonly Step[]): Step[] {
  const [first, ...rest] = steps as [Step, ...Step[]];
  const isAgain = first.name === 'reshape' && before.at(-1)?.name === 'reshape';
  return isAgain ? [...before, ...rest] : [...before, first, ...rest];
}

function canJoin(a: Box, b: Box): boolean {
  const plain = a.kind === 'op' && !a.isOutput && a.names.length === 0;
  const isChain = b.folds === 'view' || (a.folds !== 'never' && b.folds !== 'never');
  return plain && isChain && a.layer === b.layer && a.isBackward === b.isBackward;
}

/** The boxes that the steps of this one read, each once. */
export function inputsOf({ steps }: { steps: readonly Step[] }): Box[] {
  return [...new Set(steps.flatMap((s) => s.args).filter((a): a is Box => typeof a !== 'string'))];
}
