// Chains of elementwise boxes as one box, and all that a layer does as one, so that a large network stays readable.
import type { Box, Step } from './box.ts';

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

/**
 * What a layer does in one piece as one box. It keeps its frame and its parameters; what was asked for by name stays.
 * Boxes are joined only where nothing of another layer lies between them.
 */
export function foldLayers(boxes: readonly Box[]): Box[] {
  return pieces(boxes).reduce(joinPiece, [...boxes]);
}

/** Boxes of one layer, forward or backward, that are connected among themselves. */
function pieces(boxes: readonly Box[]): Set<Box>[] {
  const of = new Map<Box, Set<Box>>();
  for (const box of boxes) {
    if (!isPlain(box) || box.layer === '') continue;
    const piece = new Set([box]);
    for (const input of inputsOf(box)) {
      if (input.layer !== box.layer || input.isBackward !== box.isBackward) continue;
      for (const one of of.get(input) ?? []) piece.add(one);
    }
    for (const one of piece) of.set(one, piece);
  }
  return [...new Set(of.values())].filter((piece) => piece.size > 1);
}

/** The last box of a piece takes in the others; all stays as it is where a box outside would be before and after it. */
function joinPiece(boxes: Box[], piece: ReadonlySet<Box>): Box[] {
  const behind = new Set<Box>();
  for (const box of boxes) {
    const inputs = inputsOf(box);
    if (piece.has(box) && inputs.some((i) => behind.has(i))) return boxes;
    if (!piece.has(box) && inputs.some((i) => piece.has(i) || behind.has(i))) behind.add(box);
  }
  const members = boxes.filter((box) => piece.has(box));
  const last = members.at(-1) as Box;
  const steps = members.flatMap((box) => box.steps);
  const names = steps.map((step) => step.name);
  last.steps = [
    {
      name: names.length > MOST_NAMES ? `${names[0]} … ${names.at(-1)}` : names.join(', '),
      args: [...new Set(members.flatMap(inputsOf))].filter((input) => !piece.has(input)),
      transposed: [],
      attrs: names.length > MOST_NAMES ? [`${names.length} operations`] : [],
      isPiece: true,
    },
  ];
  for (const box of behind) {
    box.steps = box.steps.map((s) => ({ ...s, args: s.args.map((a) => (piece.has(a as Box) ? last : a)) }));
  }
  // Inputs before users: what reads another member comes behind the last.
  const at = boxes.indexOf(last);
  const before = boxes.slice(0, at).filter((box) => !piece.has(box));
  const early = before.filter((box) => !behind.has(box));
  return [...early, last, ...before.filter((box) => behind.has(box)), ...boxes.slice(at + 1)];
}

/** Most operations of a piece that it lists. */
const MOST_NAMES = 3;

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
