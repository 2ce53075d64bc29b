// Mistakes with losses: the exact message, at the line that makes the mistake.
import { describe, test } from 'vitest';
import { compile, nn, type Tensor, tensor, zeros } from '../src/index.ts';
import { expectMistake, type Mistake } from './helpers.ts';

/** What TypeScript would not let through; users of JavaScript get the message alone. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (x: unknown): any => x;
const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));
const z = (...shape: number[]) => zeros(shape);
const labels = (...values: number[]) => tensor(Int32Array.from(values));

/** Losses of a prediction and a target of its shape. */
const PAIRS = { l1Loss: 'prediction', huberLoss: 'prediction', smoothL1Loss: 'prediction', hingeLoss: 'prediction' };
const INPUTS = { klDiv: 'input', hingeEmbeddingLoss: 'input' };

const shapes = mistakes('shape', [
  ...Object.entries({ ...PAIRS, ...INPUTS }).map(([name, first]): [string, () => unknown, string] => [
    name,
    () => wrong(nn)[name](z(4, 1), z(4)),
    `${name}: ${first} [4,1] and target [4] differ; expected equal shapes (reshape or flatten one)`,
  ]),
  [
    'marginRankingLoss',
    () => nn.marginRankingLoss(z(4), z(4), z(4, 1)),
    'marginRankingLoss: input1 [4], input2 [4] and target [4,1] differ; expected equal shapes (reshape or flatten one)',
  ],
  [
    'tripletMarginLoss',
    () => nn.tripletMarginLoss(z(4, 3), z(4, 3), z(4, 2)),
    'tripletMarginLoss: anchor [4,3], positive [4,3] and negative [4,2] differ; expected equal shapes (reshape or flatten one)',
  ],
  [
    'tripletMarginLoss of numbers',
    () => nn.tripletMarginLoss(z(), z(), z()),
    'tripletMarginLoss: anchor is [], a single number; expected rows [.., D]',
  ],
  [
    'cosineEmbeddingLoss',
    () => nn.cosineEmbeddingLoss(z(4, 3), z(4, 2), z(4)),
    'cosineEmbeddingLoss: input1 [4,3] and input2 [4,2] differ; expected equal shapes (reshape or flatten one)',
  ],
  [
    'cosineEmbeddingLoss, target',
    () => nn.cosineEmbeddingLoss(z(4, 3), z(4, 3), z(3)),
    'cosineEmbeddingLoss: target [3] does not fit inputs [4,3]; expected [4]',
  ],
  [
    'binaryCrossEntropy, weight',
    () => nn.binaryCrossEntropy(z(4, 3), z(4, 3), { weight: z(4) }),
    "binaryCrossEntropy: weight [4] does not stretch to the losses' [4,3]",
  ],
  [
    'binaryCrossEntropyWithLogits, posWeight',
    () => nn.binaryCrossEntropyWithLogits(z(4), z(4), { posWeight: z(2, 4) }),
    "binaryCrossEntropyWithLogits: posWeight [2,4] does not stretch to the losses' [4]",
  ],
  [
    'crossEntropy, weight',
    () => nn.crossEntropy(z(2, 3), labels(0, 1), { weight: z(2) }),
    'crossEntropy: weight is [2], expected [3], one a class',
  ],
  [
    'crossEntropy, labels beside options',
    () => nn.crossEntropy(z(2, 3), labels(0, 1, 2), { labelSmoothing: 0.1 }),
    'crossEntropy: labels [3] do not fit logits [2,3]; expected [2]',
  ],
  [
    'nllLoss, labels',
    () => nn.nllLoss(z(2, 3), labels(0, 1, 2)),
    'nllLoss: labels [3] do not fit log-probabilities [2,3]; expected [2]',
  ],
  [
    'nllLoss of probabilities',
    () => nn.nllLoss(z(2, 3), z(2, 3)),
    'nllLoss: labels [2,3] do not fit log-probabilities [2,3]; expected int32 [2]',
  ],
  [
    'labels of another dtype',
    () => nn.nllLoss(z(2, 3), z(2).eq(0)),
    'nllLoss: labels [2] do not fit log-probabilities [2,3]; expected int32 [2]',
  ],
  [
    'classes on axis 1',
    () => nn.crossEntropy(z(2, 3, 4), labels(0, 1, 2, 0, 1, 2, 0, 1).reshape(2, 4)),
    'crossEntropy: labels [2,4] do not fit logits [2,3,4]; expected [2,3]; where the classes are on axis 1 say { axis: 1 }',
  ],
  [
    'nllLoss, weight',
    () => nn.nllLoss(z(2, 3), labels(0, 1), { weight: z(3, 1) }),
    'nllLoss: weight is [3,1], expected [3], one a class',
  ],
]);

const later = (of: (y: Tensor) => Tensor) => compile((y: Tensor) => of(y))(labels(0, 7)).item();
const indices = mistakes('index', [
  ['nllLoss', () => nn.nllLoss(z(2, 3), labels(0, 3)), 'nllLoss: label 3 at position 1 is out of range 0…2'],
  [
    'a label beside the one to ignore',
    () => nn.crossEntropy(z(3, 3), labels(0, -100, -1), { ignoreIndex: -100 }),
    'crossEntropy: label -1 at position 2 is out of range 0…2',
  ],
  [
    "PyTorch's default label to ignore",
    () => nn.crossEntropy(z(2, 3), labels(0, -100)),
    'crossEntropy: label -100 at position 1 is out of range 0…2',
  ],
  [
    'nllLoss in a compiled function',
    () => later((y) => nn.nllLoss(z(2, 3), y)),
    'gather from [2,3] along axis 1: index 7 at position 1 is out of range 0…2',
  ],
  [
    'crossEntropy in a compiled function',
    () => later((y) => nn.crossEntropy(z(2, 3), y, { weight: z(3) })),
    'crossEntropy: label 7 at position 1 is out of range 0…2',
  ],
  [
    'crossEntropy that ignores, in a compiled function',
    () => later((y) => nn.crossEntropy(z(2, 3), y, { ignoreIndex: 0 })),
    'crossEntropy: a computed index is out of range; nothing was updated',
  ],
]);

const options = mistakes('option', [
  [
    'huberLoss',
    () => nn.huberLoss(z(2), z(2), { delta: 0 }),
    'huberLoss: delta is 0; expected a finite number above 0',
  ],
  [
    'smoothL1Loss',
    () => nn.smoothL1Loss(z(2), z(2), { beta: -1 }),
    'smoothL1Loss: beta is -1; expected a finite number from 0',
  ],
  [
    'smoothL1Loss, a name',
    () => nn.smoothL1Loss(z(2), z(2), wrong({ delta: 1 })),
    "smoothL1Loss: unknown option 'delta'; expected beta or reduction",
  ],
  [
    'crossEntropy, labelSmoothing',
    () => nn.crossEntropy(z(2, 3), labels(0, 1), { labelSmoothing: 1.5 }),
    'crossEntropy: labelSmoothing is 1.5; expected a number from 0 to 1',
  ],
  [
    'crossEntropy, a name',
    () => nn.crossEntropy(z(2, 3), labels(0, 1), wrong({ smoothing: 0.1 })),
    "crossEntropy: unknown option 'smoothing'; expected weight, ignoreIndex, labelSmoothing, axis or reduction",
  ],
  [
    'crossEntropy of probabilities, ignoreIndex',
    () => nn.crossEntropy(z(2, 3), z(2, 3), { ignoreIndex: 0 }),
    'crossEntropy: ignoreIndex is 0, but the target [2,3] is of probabilities; expected labels',
  ],
  [
    'nllLoss, reduction',
    () => nn.nllLoss(z(2, 3), labels(0, 1), { reduction: wrong('avg') }),
    "nllLoss: reduction is 'avg'; expected 'mean', 'sum' or 'none'",
  ],
  [
    'klDiv, reduction',
    () => nn.klDiv(z(2, 3), z(2, 3), { reduction: wrong('batch') }),
    "klDiv: reduction is 'batch'; expected 'mean', 'sum', 'none' or 'batchmean'",
  ],
  [
    'klDiv, a name',
    () => nn.klDiv(z(2), z(2), wrong({ log: true })),
    "klDiv: unknown option 'log'; expected logTarget or reduction",
  ],
  [
    'hingeEmbeddingLoss',
    () => nn.hingeEmbeddingLoss(z(2), z(2), { margin: Number.NaN }),
    'hingeEmbeddingLoss: margin is NaN; expected a finite number',
  ],
  [
    'tripletMarginLoss',
    () => nn.tripletMarginLoss(z(2), z(2), z(2), { p: 0 }),
    'tripletMarginLoss: p is 0; expected a number above 0',
  ],
]);

const dtypes = mistakes('dtype', [
  [
    'nllLoss, labels that are no whole numbers',
    () => nn.nllLoss(z(2, 3), tensor([0, 1.5])),
    "nllLoss: labels [2] are float32; expected whole numbers, made with { dtype: 'int32' }",
  ],
  [
    'binaryCrossEntropy of int32',
    () => nn.binaryCrossEntropy(z(2), labels(0, 1)),
    "binaryCrossEntropy: got int32, expected float32; convert with .to('float32')",
  ],
  [
    'l1Loss of int32',
    () => nn.l1Loss(z(2), labels(0, 1)),
    "sub: dtypes differ: float32 and int32; convert one with .to('float32') or .to('int32')",
  ],
]);

describe.each([...shapes, ...indices, ...options, ...dtypes])('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.losses.test.ts'));
});
