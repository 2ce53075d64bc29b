// Mistakes with elementwise functions and activations: the exact message, at the line that makes the mistake.
import { describe, test } from 'vitest';
import { nn, tensor, zeros } from '../src/index.ts';
import { expectMistake, type Mistake } from './helpers.ts';

/** What TypeScript would not let through; users of JavaScript get the message alone. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (x: unknown): any => x;
const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));
const z = (...shape: number[]) => zeros(shape);
const ints = () => tensor([1, 2], { dtype: 'int32' });
const bools = () => tensor([true, false]);

const FLOATS = [
  'rsqrt',
  'exp2',
  'log2',
  'log10',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'asinh',
  'acosh',
] as const;
const MORE = ['atanh', 'logSigmoid', 'relu6', 'selu', 'silu', 'mish', 'hardtanh', 'hardsigmoid', 'hardswish'] as const;

const dtypes = mistakes('dtype', [
  ...[...FLOATS, ...MORE, 'softsign' as const].map((name): [string, () => unknown, string] => [
    `${name} of int32`,
    () => ints()[name](),
    `${name}: got int32, expected float32; convert with .to('float32')`,
  ]),
  ['silu of bool', () => bools().silu(), "silu: got bool, expected float32; convert with .to('float32')"],
  ['atan2 of int32', () => ints().atan2(ints()), "atan2: got int32, expected float32; convert with .to('float32')"],
  [
    'fmod of int32 and float32',
    () => ints().fmod(tensor([1.5, 2])),
    "fmod: dtypes differ: int32 and float32; convert one with .to('int32') or .to('float32')",
  ],
  [
    'remainder of int32',
    () => ints().remainder(2),
    "remainder: got int32, expected float32; convert with .to('float32')",
  ],
  [
    'clamp of int32 by a fraction',
    () => ints().clamp(0.5),
    "0.5 with an int32 tensor: expected a whole number; convert the tensor with .to('float32')",
  ],
  [
    'clamp of float32 by int32',
    () => z(2).clamp(null, ints()),
    "clampMax: dtypes differ: float32 and int32; convert one with .to('float32') or .to('int32')",
  ],
  ['clamp by text', () => z(2).clamp(wrong('0')), 'expected a tensor or a number, got string'],
  ['lerp of int32', () => ints().lerp(ints(), 0.5), "lerp: got int32, expected float32; convert with .to('float32')"],
  [
    'lerp by weights of int32',
    () => z(2).lerp(z(2), ints()),
    "lerp: got int32, expected float32; convert with .to('float32')",
  ],
  [
    'prelu by a weight of int32',
    () => z(3, 2).prelu(ints()),
    "prelu: got int32, expected float32; convert with .to('float32')",
  ],
]);

const shapes = mistakes('shape', [
  [
    'atan2',
    () => z(2, 3).atan2(z(2, 4)),
    'atan2: shapes [2,3] and [2,4] do not broadcast: axis -1 has 3 and 4; sizes must be equal or 1',
  ],
  [
    'remainder',
    () => z(2, 3).remainder(z(2)),
    'remainder: shapes [2,3] and [2] do not broadcast: axis -1 has 3 and 2; sizes must be equal or 1',
  ],
  [
    'clamp',
    () => z(3).clamp(z(2)),
    'clampMin: shapes [3] and [2] do not broadcast: axis -1 has 3 and 2; sizes must be equal or 1',
  ],
  [
    'lerp',
    () => z(3).lerp(z(3), z(2)),
    'lerp: shapes [3] and [3] and [2] do not broadcast: axis -1 has 3 and 2; sizes must be equal or 1',
  ],
  [
    'logicalAnd',
    () => bools().logicalAnd(tensor([true, true, true])),
    'logicalAnd: shapes [2] and [3] do not broadcast: axis -1 has 2 and 3; sizes must be equal or 1',
  ],
  ['prelu, channels', () => z(2, 3, 4).prelu(z(4)), 'prelu: weight [4] does not fit x [2,3,4]; expected [1] or [3]'],
  ['prelu of rows', () => z(2, 3).prelu(z(2)), 'prelu: weight [2] does not fit x [2,3]; expected [1] or [3]'],
  ['prelu of a number', () => z().prelu(z(2)), 'prelu: weight [2] does not fit x []; expected [1]'],
  [
    'PReLU in a model is named',
    () => new nn.Sequential(new nn.PReLU(4)).forward(z(2, 3)),
    'prelu: weight [4] does not fit x [2,3]; expected [1] or [3] (in layer 0 (PReLU))',
  ],
]);

const options = mistakes('option', [
  ['clamp without bounds', () => z(3).clamp(), 'clamp: got neither min nor max; expected one of them or both'],
  ['celu', () => z(3).celu(0), 'celu: alpha is 0; expected a number above 0'],
  ['hardtanh', () => z(3).hardtanh(1, -1), 'hardtanh: minVal 1 is not below maxVal -1'],
  ['LeakyReLU', () => new nn.LeakyReLU(wrong('0.1')), 'LeakyReLU: negativeSlope is 0.1; expected a finite number'],
  ['LeakyReLU, NaN', () => new nn.LeakyReLU(Number.NaN), 'LeakyReLU: negativeSlope is NaN; expected a finite number'],
  ['PReLU', () => new nn.PReLU(0), 'PReLU: numParameters is 0; expected a whole number from 1'],
  ['PReLU, init', () => new nn.PReLU(1, { init: Infinity }), 'PReLU: init is Infinity; expected a finite number'],
  ['PReLU, a name', () => new nn.PReLU(1, wrong({ slope: 1 })), "PReLU: unknown option 'slope'; expected init"],
  ['ELU', () => new nn.ELU(Number.NaN), 'ELU: alpha is NaN; expected a finite number'],
  ['CELU', () => new nn.CELU(-1), 'CELU: alpha is -1; expected a finite number above 0'],
  ['Softplus', () => new nn.Softplus(0), 'Softplus: beta is 0; expected a finite number above 0'],
  ['Hardtanh', () => new nn.Hardtanh(2, 2), 'Hardtanh: minVal 2 is not below maxVal 2'],
]);

describe.each([...dtypes, ...shapes, ...options])('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.functions.test.ts'));
});
