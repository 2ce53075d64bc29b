// Mistakes with the layers of networks and their functions: the exact message, at the line that makes the mistake.
import { describe, test } from 'vitest';
import { nn, tensor, zeros } from '../src/index.ts';
import { expectMistake, type Mistake } from './helpers.ts';

/** What TypeScript would not let through; users of JavaScript get the message alone. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (x: unknown): any => x;
const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));
const z = (...shape: number[]) => zeros(shape);
const ints = (...shape: number[]) => zeros(shape, { dtype: 'int32' });

const convolutions = [
  ...mistakes('shape', [
    ['conv1d, rank', () => nn.conv1d(z(3, 8), z(4, 3, 3)), 'conv1d: x [3,8], w [4,3,3]: x must be [N, C, L]'],
    [
      'conv1d, rank of w',
      () => nn.conv1d(z(1, 3, 8), z(4, 3, 3, 3)),
      'conv1d: x [1,3,8], w [4,3,3,3]: w must be [O, C/groups, K]',
    ],
    [
      'conv1d, channels',
      () => nn.conv1d(z(1, 3, 8), z(4, 2, 3), { groups: 2 }),
      'conv1d: x [1,3,8], w [4,2,3]: x has 3 channels, w expects 2 × 2 groups = 4',
    ],
    [
      'conv1d, kernel',
      () => nn.conv1d(z(1, 3, 4), z(4, 3, 3), { dilation: 2 }),
      'conv1d: a window of 3 (dilation 2) does not fit a length of 4 with padding 0',
    ],
    ['conv1d, bias', () => nn.conv1d(z(1, 3, 4), z(4, 3, 3), { bias: z(3) }), 'conv1d: bias is [3], expected [4]'],
    [
      'convTranspose1d, rank',
      () => nn.convTranspose1d(z(3, 8), z(3, 4, 3)),
      'convTranspose1d: x [3,8], w [3,4,3]: x must be [N, C, L]',
    ],
    [
      'convTranspose2d, channels',
      () => nn.convTranspose2d(z(1, 3, 8, 8), z(4, 3, 3, 3)),
      'convTranspose2d: x [1,3,8,8], w [4,3,3,3]: x has 3 channels, w expects 4',
    ],
    [
      'convTranspose2d, groups',
      () => nn.convTranspose2d(z(1, 3, 8, 8), z(3, 3, 3, 3), { groups: 2 }),
      'convTranspose2d: x [1,3,8,8], w [3,3,3,3]: 3 channels do not divide into 2 groups',
    ],
    [
      'convTranspose2d, an output of nothing',
      () => nn.convTranspose2d(z(1, 3, 1, 4), z(3, 3, 2, 2), { padding: 1 }),
      'convTranspose2d: x [1,3,1,4] gives an output of 0×3; pad it less',
    ],
    [
      'convTranspose1d, an output of nothing',
      () => nn.convTranspose1d(z(1, 3, 1), z(3, 3, 2), { padding: 1 }),
      'convTranspose1d: x [1,3,1] gives an output of 0; pad it less',
    ],
    [
      'convTranspose2d, bias',
      () => nn.convTranspose2d(z(1, 3, 4, 4), z(3, 5, 2, 2), { bias: z(3) }),
      'convTranspose2d: bias is [3], expected [5]',
    ],
  ]),
  ...mistakes('dtype', [
    [
      'conv1d of integers',
      () => nn.conv1d(ints(1, 3, 8), z(4, 3, 3)),
      "conv1d: got int32, expected float32; convert with .to('float32')",
    ],
    [
      'convTranspose2d of integers',
      () => nn.convTranspose2d(ints(1, 3, 8, 8), z(3, 3, 3, 3)),
      "convTranspose2d: got int32, expected float32; convert with .to('float32')",
    ],
  ]),
  ...mistakes('option', [
    [
      'conv1d, stride',
      () => nn.conv1d(z(1, 3, 8), z(4, 3, 3), { stride: wrong([1, 2]) }),
      'conv1d: stride is [1,2]; expected a whole number from 1',
    ],
    [
      'conv2d, same at a stride',
      () => nn.conv2d(z(1, 3, 8, 8), z(4, 3, 3, 3), { padding: 'same', stride: 2 }),
      "conv2d: padding 'same' needs stride 1, got 2,2; give it in numbers",
    ],
    [
      'conv2d, padding',
      () => nn.conv2d(z(1, 3, 8, 8), z(4, 3, 3, 3), { padding: wrong('full') }),
      "conv2d: padding is 'full'; expected whole numbers, 'same' or 'valid'",
    ],
    [
      'conv2d, an unknown option',
      () => nn.conv2d(z(1, 3, 8, 8), z(4, 3, 3, 3), wrong({ pad: 1 })),
      "conv2d: unknown option 'pad'; expected stride, padding, dilation, groups or bias",
    ],
    [
      'Conv1d, same at a stride',
      () => new nn.Conv1d(3, 4, 3, { padding: 'same', stride: 2 }),
      "Conv1d: padding 'same' needs stride 1, got 2; give it in numbers",
    ],
    ['Conv1d, kernel', () => new nn.Conv1d(3, 4, 0), 'Conv1d: kernelSize is 0; expected a whole number from 1'],
    [
      'Conv2d, padding',
      () => new nn.Conv2d(3, 4, 3, { padding: wrong('full') }),
      "Conv2d: padding is 'full'; expected whole numbers, 'same' or 'valid'",
    ],
    [
      'convTranspose2d, outputPadding',
      () => nn.convTranspose2d(z(1, 3, 8, 8), z(3, 3, 3, 3), { stride: 2, outputPadding: 2 }),
      'convTranspose2d: outputPadding 2,2 must be smaller than stride 2,2 or dilation 1,1',
    ],
    [
      'ConvTranspose1d, outputPadding',
      () => new nn.ConvTranspose1d(3, 4, 3, { outputPadding: 1 }),
      'ConvTranspose1d: outputPadding 1 must be smaller than stride 1 or dilation 1',
    ],
    [
      'ConvTranspose2d, groups',
      () => new nn.ConvTranspose2d(4, 6, 3, { groups: 4 }),
      'ConvTranspose2d: 4 → 6 channels do not divide into 4 groups',
    ],
  ]),
];

const windows = [
  ...mistakes('shape', [
    ['maxPool1d, rank', () => nn.maxPool1d(z(8, 8), 2), 'maxPool1d: x is [8,8], expected [N, C, L]'],
    [
      'maxPool1d, kernel',
      () => nn.maxPool1d(z(1, 1, 4), 5),
      'maxPool1d: a window of 5 (dilation 1) does not fit a length of 4 with padding 0',
    ],
    ['avgPool1d, rank', () => nn.avgPool1d(z(1, 1, 8, 8), 2), 'avgPool1d: x is [1,1,8,8], expected [N, C, L]'],
    ['avgPool2d, rank', () => nn.avgPool2d(z(1, 8, 8), 2), 'avgPool2d: x is [1,8,8], expected [N, C, H, W]'],
    [
      'avgPool2d, kernel',
      () => nn.avgPool2d(z(1, 1, 4, 4), [2, 5]),
      'avgPool2d: a window of 2×5 (dilation 1,1) does not fit an image of 4×4 with padding 0,0',
    ],
    [
      'adaptiveAvgPool2d, rank',
      () => nn.adaptiveAvgPool2d(z(8, 8), 2),
      'adaptiveAvgPool2d: x is [8,8], expected [N, C, H, W]',
    ],
    [
      'adaptiveMaxPool1d of nothing',
      () => nn.adaptiveMaxPool1d(z(1, 3, 0), 2),
      'adaptiveMaxPool1d: x [1,3,0] has no pixels',
    ],
    [
      'interpolate, mode',
      () => nn.interpolate(z(1, 3, 8), { size: 4, mode: 'bilinear' }),
      "interpolate: x [1,3,8] does not fit mode 'bilinear'; expected [N, C, H, W]",
    ],
    [
      'interpolate, rank',
      () => nn.interpolate(z(3, 8), { size: 4 }),
      "interpolate: x [3,8] does not fit mode 'nearest'; expected [N, C, L] or [N, C, H, W]",
    ],
    ['interpolate of nothing', () => nn.interpolate(z(1, 3, 0), { size: 4 }), 'interpolate: x [1,3,0] has no pixels'],
  ]),
  ...mistakes('dtype', [
    [
      'avgPool2d of integers',
      () => nn.avgPool2d(ints(1, 1, 4, 4), 2),
      "avgPool2d: got int32, expected float32; convert with .to('float32')",
    ],
    [
      'interpolate integers',
      () => nn.interpolate(ints(1, 1, 4, 4), { size: 2 }),
      "interpolate: got int32, expected float32; convert with .to('float32')",
    ],
  ]),
  ...mistakes('option', [
    [
      'MaxPool1d, padding',
      () => new nn.MaxPool1d(2, { padding: 2 }),
      'MaxPool1d: padding 2 is more than half of the kernel 2',
    ],
    [
      'avgPool2d, dilation',
      () => nn.avgPool2d(z(1, 1, 4, 4), 2, wrong({ dilation: 2 })),
      "avgPool2d: unknown option 'dilation'; expected stride, padding, ceilMode, countIncludePad or divisorOverride",
    ],
    [
      'AvgPool2d, divisor',
      () => new nn.AvgPool2d(2, { divisorOverride: 0 }),
      'AvgPool2d: divisorOverride is 0; expected a number other than 0',
    ],
    ['AvgPool1d, kernel', () => new nn.AvgPool1d(1.5), 'AvgPool1d: kernelSize is 1.5; expected a whole number from 1'],
    [
      'AdaptiveAvgPool2d',
      () => new nn.AdaptiveAvgPool2d([2, 0]),
      'AdaptiveAvgPool2d: outputSize is 0; expected a whole number from 1',
    ],
    [
      'adaptiveMaxPool1d',
      () => nn.adaptiveMaxPool1d(z(1, 3, 8), -1),
      'adaptiveMaxPool1d: outputSize is -1; expected a whole number from 1',
    ],
    [
      'interpolate without size',
      () => nn.interpolate(z(1, 1, 4, 4), {}),
      'interpolate: got neither size nor scaleFactor; expected one of them',
    ],
    [
      'Upsample with both',
      () => new nn.Upsample({ size: 4, scaleFactor: 2 }),
      'Upsample: got both size and scaleFactor; expected one of them',
    ],
    [
      'Upsample, mode',
      () => new nn.Upsample({ size: 4, mode: wrong('bicubic') }),
      "Upsample: mode is 'bicubic'; expected 'nearest', 'linear' or 'bilinear'",
    ],
    [
      'Upsample, alignCorners',
      () => new nn.Upsample({ size: 4, alignCorners: true }),
      "Upsample: alignCorners needs mode 'linear' or 'bilinear'",
    ],
    [
      'interpolate, size',
      () => nn.interpolate(z(1, 1, 4, 4), { size: [4, 0] }),
      'interpolate: size is [4,0]; expected whole numbers from 1',
    ],
    [
      'interpolate, how many sizes',
      () => nn.interpolate(z(1, 1, 4), { size: [4, 4] }),
      'interpolate: size has 2 numbers for 1 axis',
    ],
    [
      'interpolate, factor',
      () => nn.interpolate(z(1, 1, 4), { scaleFactor: -2 }),
      'interpolate: scaleFactor is -2; expected numbers above 0',
    ],
    [
      'interpolate to nothing',
      () => nn.interpolate(z(1, 1, 4), { scaleFactor: 0.1 }),
      'interpolate: scaleFactor 0.1 leaves nothing of x [1,1,4]',
    ],
  ]),
];

const norms = [
  ...mistakes('shape', [
    ['batchNorm, rank', () => nn.batchNorm(z(3), { training: true }), 'batchNorm: x is [3], expected [N, C, ..]'],
    [
      'batchNorm, weight',
      () => nn.batchNorm(z(4, 3), { weight: z(4), training: true }),
      'batchNorm: weight is [4], expected [3], one a channel of x [4,3]',
    ],
    [
      'batchNorm, running statistics',
      () => nn.batchNorm(z(4, 3), { runningMean: z(3), runningVar: z(1) }),
      'batchNorm: runningVar is [1], expected [3], one a channel of x [4,3]',
    ],
    [
      'batchNorm of one value a channel',
      () => new nn.BatchNorm1d(3).forward(z(1, 3)),
      'batchNorm: x [1,3] has 1 value a channel; training needs at least 2: use a larger batch, or eval()',
    ],
    [
      'BatchNorm1d',
      () => new nn.BatchNorm1d(3).forward(z(4, 2)),
      'BatchNorm1d: x is [4,2], expected [N, 3] or [N, 3, L]',
    ],
    ['BatchNorm2d', () => new nn.BatchNorm2d(3).forward(z(4, 3)), 'BatchNorm2d: x is [4,3], expected [N, 3, H, W]'],
    [
      'groupNorm, bias',
      () => nn.groupNorm(z(2, 4, 3), 2, { bias: z(2) }),
      'groupNorm: bias is [2], expected [4], one a channel of x [2,4,3]',
    ],
    [
      'instanceNorm of one value',
      () => nn.instanceNorm(z(2, 4, 1)),
      'instanceNorm: x is [2,4,1], expected [N, C, L] or [N, C, H, W] with more than one value a channel',
    ],
    [
      'InstanceNorm2d',
      () => new nn.InstanceNorm2d(3).forward(z(2, 4, 5, 5)),
      'InstanceNorm2d: x is [2,4,5,5], expected [N, 3, H, W]',
    ],
    ['rmsNorm', () => nn.rmsNorm(z(2, 3), 2), 'rmsNorm: x [2,3] does not end in normalizedShape [2]'],
    [
      'rmsNorm, weight',
      () => nn.rmsNorm(z(2, 3), 3, { weight: z(2) }),
      'rmsNorm: weight is [2], expected normalizedShape [3]',
    ],
  ]),
  ...mistakes('dtype', [
    [
      'groupNorm of integers',
      () => nn.groupNorm(ints(2, 4, 3), 2),
      "groupNorm: got int32, expected float32; convert with .to('float32')",
    ],
  ]),
  ...mistakes('option', [
    [
      'batchNorm without statistics',
      () => nn.batchNorm(z(4, 3)),
      'batchNorm: outside training it needs runningMean and runningVar; got neither',
    ],
    [
      'batchNorm with half of them',
      () => nn.batchNorm(z(4, 3), { runningMean: z(3) }),
      'batchNorm: got runningMean without runningVar; expected both or neither',
    ],
    ['groupNorm', () => nn.groupNorm(z(2, 4, 3), 3), 'groupNorm: 4 channels do not divide into 3 groups'],
    ['GroupNorm', () => new nn.GroupNorm(3, 4), 'GroupNorm: 4 channels do not divide into 3 groups'],
    [
      'BatchNorm2d, momentum',
      () => new nn.BatchNorm2d(3, { momentum: 2 }),
      'BatchNorm2d: momentum is 2; expected a number from 0 to 1, or null',
    ],
    ['BatchNorm1d', () => new nn.BatchNorm1d(0), 'BatchNorm1d: numFeatures is 0; expected a whole number from 1'],
    [
      'InstanceNorm1d, an unknown option',
      () => new nn.InstanceNorm1d(3, wrong({ trackRunningStats: true })),
      "InstanceNorm1d: unknown option 'trackRunningStats'; expected eps or affine",
    ],
  ]),
  ...mistakes('gradient', [
    [
      'running statistics that are no variables',
      () => nn.batchNorm(z(4, 3), { runningMean: z(3), runningVar: z(3), training: true }),
      'assign: only a variable can be assigned; make it with state() or nn.parameter()',
    ],
  ]),
];

const others = [
  ...mistakes('shape', [
    ['dropout2d', () => nn.dropout2d(z(3, 4)), 'dropout2d: x is [3,4], expected [N, C, H, W]'],
    ['Dropout1d', () => new nn.Dropout1d().forward(z(3, 4)), 'dropout1d: x is [3,4], expected [N, C, L]'],
    ['Softmax2d', () => new nn.Softmax2d().forward(z(3, 4)), 'Softmax2d: x is [3,4], expected [N, C, H, W]'],
    ['Unflatten', () => new nn.Unflatten(1, [2, 3]).forward(z(2, 8)), 'Unflatten: axis 1 of [2,8] is no [2,3]'],
    [
      'Unflatten with -1',
      () => new nn.Unflatten(1, [3, -1]).forward(z(2, 8)),
      'Unflatten: axis 1 of [2,8] is no [3,-1]',
    ],
    [
      'Unflatten, axis',
      () => new nn.Unflatten(2, [2, 4]).forward(z(2, 8)),
      'Unflatten: axis 2 is out of range: expected an integer from -2 to 1',
    ],
    [
      'attention, mask',
      () => nn.scaledDotProductAttention(z(2, 5, 4), z(2, 6, 4), z(2, 6, 4), { attnMask: z(6, 5) }),
      'scaledDotProductAttention: attnMask [6,5] does not broadcast to scores [2,5,6]',
    ],
  ]),
  ...mistakes('dtype', [
    [
      'attention, mask of integers',
      () => nn.scaledDotProductAttention(z(5, 4), z(5, 4), z(5, 4), { attnMask: tensor(1, { dtype: 'int32' }) }),
      'scaledDotProductAttention: attnMask is int32, expected bool, or float32 to be added',
    ],
  ]),
  ...mistakes('option', [
    ['Dropout2d', () => new nn.Dropout2d(1.5), 'Dropout2d: p is 1.5; expected a probability, from 0 to 1'],
    ['Unflatten into nothing', () => new nn.Unflatten(1, []), 'Unflatten: sizes is []; expected at least one size'],
  ]),
];

describe.each([...convolutions, ...windows, ...norms, ...others])('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.networks.test.ts'));
});
