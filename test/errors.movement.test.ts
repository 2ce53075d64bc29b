// Mistakes in movement, indices and order: the exact message, at the line that makes the mistake.
import { describe, test } from 'vitest';
import { stack, tensor } from '../src/index.ts';
import { expectMistake } from './helpers.ts';
import { bools, ints, mistakes, z } from './mistakes.ts';

const table = (rows: number, cols: number, ...values: number[]) =>
  tensor(Int32Array.from(values), { shape: [rows, cols] });

const shapes = mistakes('shape', [
  ['squeeze', () => z(2, 1).squeeze(2), 'squeeze: axis 2 is out of range: expected an integer from -2 to 1'],
  ['unsqueeze', () => z(2, 1).unsqueeze(3), 'unsqueeze: axis 3 is out of range: expected an integer from -3 to 2'],
  ['select, axis', () => z(2).select(1, 0), 'select: axis 1 is out of range: expected an integer from -1 to 0'],
  ['index, entries', () => z(2, 3).index(0, null, 1), 'index: 3 entries for 2 axes of [2,3]'],
  [
    'gather, rank',
    () => z(2, 3).gather(1, ints(0)),
    'gather: index [1] does not fit [2,3] along axis 1; expected the same number of axes, none larger but that one',
  ],
  [
    'gather, size',
    () => z(2, 3).gather(1, table(3, 1, 0, 0, 0)),
    'gather: index [3,1] does not fit [2,3] along axis 1; expected the same number of axes, none larger but that one',
  ],
  [
    'scatterAdd, index',
    () => z(2, 3).scatterAdd(0, table(1, 4, 0, 0, 0, 0), z(1, 4)),
    'scatterAdd: index [1,4] does not fit [2,3] along axis 0; expected the same number of axes, none larger but that one',
  ],
  [
    'scatterAdd, src',
    () => z(2, 3).scatterAdd(0, table(1, 3, 0, 0, 0), z(1, 2)),
    'scatterAdd: src [1,2] is smaller than index [1,3]; expected at least its size',
  ],
  ['stack', () => stack([z(2, 3), z(3, 2)]), 'stack: shapes [2,3] and [3,2] differ; expected equal shapes'],
  ['stack of nothing', () => stack([]), 'stack: got no tensors, expected at least one'],
  ['stack, axis', () => stack([z(2)], 2), 'stack: axis 2 is out of range: expected an integer from -2 to 1'],
  ['repeat', () => z(2, 3).repeat(2), 'repeat: 1 counts for 2 axes of [2,3]; expected one an axis at least'],
  ['flip', () => z(2, 3).flip([0, 0]), 'flip: axes [0,0] name an axis twice'],
  ['roll', () => z(2, 3).roll(1, 2), 'roll: axis 2 is out of range: expected an integer from -2 to 1'],
  ['pad, widths', () => z(2).pad([1, 1], [1, 1]), 'pad: 2 widths for 1 axes of [2]; expected at most one an axis'],
  ['pad, taken away', () => z(2).pad([-2, -1]), 'pad: [-1] is no shape: expected whole numbers from 0, got -1'],
  ['tril', () => z(3).tril(), 'tril: x is [3], expected a matrix or a stack of them'],
  ['triu', () => z().triu(), 'triu: x is [], expected a matrix or a stack of them'],
  ['diagonal', () => z(2, 3).diagonal(0, 1, -1), 'diagonal: axes 1 and -1 are one; expected two'],
  ['diag', () => z(2, 3, 4).diag(), 'diag: x is [2,3,4], expected a vector or a matrix; see diagonal'],
  ['trace', () => z(3).trace(), 'trace: x is [3], expected a matrix'],
  ['maskedFill, mask', () => z(3).maskedFill(z(2, 3).eq(0), 1), 'maskedFill: mask [2,3] does not broadcast to x [3]'],
  [
    'maskedFill, value',
    () => z(3).maskedFill(z(3).eq(0), z(3)),
    'maskedFill: value is [3], expected a number; use where',
  ],
  ['sort', () => z(2, 3).sort(2), 'sort: axis 2 is out of range: expected an integer from -2 to 1'],
  ['argsort of a scalar', () => z().argsort(), 'argsort: axis -1 is out of range: a scalar has no axes'],
  ['topk, axis', () => z(2, 3).topk(1, 2), 'topk: axis 2 is out of range: expected an integer from -2 to 1'],
]);

const options = mistakes('option', [
  [
    'index by two tensors apart',
    () => z(2, 3, 4).index(ints(0), null, ints(1)),
    'index: got 2 index tensors with other entries between them; expected them side by side: permute first',
  ],
  ['split, size', () => z(4).split(0), 'split: a part of 0 elements: expected a whole number from 1'],
  ['split, sizes', () => z(2, 4).split([1, 2], 1), 'split: [1,2] does not add up to 4, the size of axis 1 of [2,4]'],
  ['chunk', () => z(4).chunk(0), 'chunk: got 0 parts, expected a whole number from 1'],
  ['tile', () => z(2).tile(-1), 'tile: [-1]: expected whole numbers from 0'],
  ['repeat', () => z(2).repeat(1.5), 'repeat: [1.5]: expected whole numbers from 0'],
  ['roll, shift', () => z(2).roll(0.5), 'roll: shifts [0.5]: expected whole numbers'],
  ['roll, shifts', () => z(2, 3).roll([1, 2], 0), 'roll: 2 shifts for 1 axes; expected one an axis'],
  [
    'pad, mode',
    () => z(2).pad([1, 1], { mode: 'mirror' as 'reflect' }),
    "pad: mode is 'mirror'; expected 'constant', 'reflect' or 'replicate'",
  ],
  ['pad, option', () => z(2).pad([1, 1], { fill: 1 } as object), "pad: unknown option 'fill'; expected mode or value"],
  [
    'pad, value',
    () => z(2).pad([1, 1], { mode: 'replicate', value: 1 }),
    "pad: value is 1, but mode 'replicate' takes none",
  ],
  [
    'pad, a width',
    () => z(2).pad([1] as unknown as [number, number]),
    'pad: [1]: expected [before, after], two whole numbers',
  ],
  [
    'pad, reflect',
    () => z(2, 3).pad([0, 0], [3, 0], { mode: 'reflect' }),
    "pad: [3,0] on axis 1 of [2,3]: mode 'reflect' takes widths from 0 to 2 there",
  ],
  [
    'pad, replicate',
    () => z(2).pad([-1, 0], { mode: 'replicate' }),
    "pad: [-1,0] on axis 0 of [2]: mode 'replicate' takes widths from 0 there",
  ],
  [
    'pad of nothing',
    () => z(0).pad([1, 0], { mode: 'replicate' }),
    "pad: [1,0] on axis 0 of [0]: mode 'replicate' takes widths from 0 to 0 there",
  ],
  ['tril, diagonal', () => z(2, 2).tril(0.5), 'tril: the diagonal is 0.5, expected a whole number'],
  ['oneHot', () => ints(0).oneHot(0), 'oneHot: classes is 0, expected a whole number from 1'],
  ['topk', () => z(2, 3).topk(4), 'topk: k is 4, expected a whole number from 0 to 3, the size of axis 1 of [2,3]'],
]);

const indices = mistakes('index', [
  [
    'select',
    () => z(2, 3).select(1, 3),
    'select: 3 is out of range on axis 1 of [2,3]: expected a whole number from -3 to 2',
  ],
  [
    'index',
    () => z(2, 3).index(null, -4),
    'index: -4 is out of range on axis 1 of [2,3]: expected a whole number from -3 to 2',
  ],
  ['index of nothing', () => z(0).index(0), 'index: 0 is out of range on axis 0 of [0]: it is empty'],
  [
    'index by a tensor',
    () => z(2, 3).index(ints(0, 2)).data(),
    'gather from [2,3]: index 2 at position 1 is out of range 0…1',
  ],
  [
    'gather',
    () =>
      z(2, 3)
        .gather(1, table(2, 1, 0, 3))
        .data(),
    'gather from [2,3] along axis 1: index 3 at position 1 is out of range 0…2',
  ],
  [
    'index by two tensors',
    () => z(2, 3).index(ints(0, 1), ints(2, 3)).data(),
    'gather from [2,3] along axis 1: index 3 at position 1 is out of range 0…2',
  ],
  [
    'gather by what is computed',
    () =>
      z(2, 3)
        .gather(1, table(1, 1, 1).mul(-1))
        .data(),
    'takeAlong: a computed index is out of range; nothing was updated',
  ],
  [
    'scatterAdd',
    () =>
      z(2, 3)
        .scatterAdd(0, table(1, 2, 0, -1), z(1, 2))
        .data(),
    'scatterAdd along axis 0: index -1 at position 1 is out of range 0…1',
  ],
  [
    'take',
    () => z(2, 3).take(ints(6)).data(),
    'gather from [6] along axis 0: index 6 at position 0 is out of range 0…5',
  ],
  ['oneHot', () => ints(0, 3).oneHot(3).data(), 'oneHot along axis 1: index 3 at position 1 is out of range 0…2'],
]);

const dtypes = mistakes('dtype', [
  [
    'gather',
    () => z(2).gather(0, z(1)),
    "gather: the index is float32, expected int32; make it with { dtype: 'int32' }",
  ],
  ['take', () => z(2).take(bools(true)), "take: the index is bool, expected int32; make it with { dtype: 'int32' }"],
  [
    'index',
    () => z(2).index(bools(true, false)),
    "index: the index is bool, expected int32; make it with { dtype: 'int32' }",
  ],
  ['oneHot', () => z(2).oneHot(2), "oneHot: the index is float32, expected int32; make it with { dtype: 'int32' }"],
  [
    'scatterAdd',
    () => ints(1).scatterAdd(0, ints(0), ints(1)),
    "scatterAdd: got int32, expected float32; convert with .to('float32')",
  ],
  ['maskedFill', () => z(2).maskedFill(z(2), 1), 'where: the condition is float32, expected bool; compare it first'],
]);

describe.each([...shapes, ...options, ...indices, ...dtypes])('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.movement.test.ts'));
});
