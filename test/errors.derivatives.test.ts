// Mistakes in derivatives: what has none, and arguments that do not fit. The exact message of each.
import { describe, expect, test } from 'vitest';
import {
  checkpoint,
  compile,
  customGradient,
  grad,
  gradcheck,
  gradgradcheck,
  hessian,
  hessianVectorProduct,
  jacobian,
  jvp,
  NablaError,
  nn,
  noGrad,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from '../src/index.ts';
import { expectMistake, type Mistake, thrown } from './helpers.ts';

/** What TypeScript would not let through; users of JavaScript get the message alone. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
const wrong = (x: unknown): any => x;
const mistakes = (code: string, rows: [string, () => unknown, string][]): Mistake[] =>
  rows.map(([of, run, message]) => ({ of, run, code, message }));

const x = tensor([1, 2, 3]);
const ints = tensor([1, 2, 3], { dtype: 'int32' });
const square = (t: Tensor) => t.square();

const none = mistakes('gradient', [
  ['argmax', () => grad(x.argmax(), [x]), 'grad: y is int32 [], made by argmax; only floats have derivatives'],
  ['a comparison', () => grad(x.gt(2), [x]), 'grad: y is bool [3], made by lt; only floats have derivatives'],
  [
    'integers',
    () => grad(x.sum(), [x, ints]),
    "grad: x[1] is int32 [3]; only floats have derivatives, convert it with .to('float32')",
  ],
  [
    'what argmax leads to',
    () => grad(x.argmax().to('float32').mul(2), [x]),
    'grad: y does not depend on x[0] [3] by operations that have a derivative: argmax gives int32',
  ],
  [
    'what a comparison decides',
    () => grad(x.gt(2).where(1, 2).sum(), [x]),
    'grad: y does not depend on x[0] [3] by operations that have a derivative: lt gives bool',
  ],
  [
    'what was converted to integers',
    () => grad(x.to('int32').to('float32').sum(), [x]),
    'grad: y does not depend on x[0] [3] by operations that have a derivative: cast gives int32',
  ],
  [
    'what was detached',
    () => jacobian(x.detach().mul(2), [x]),
    'jacobian: y does not depend on x[0] [3] by operations that have a derivative: detach has none',
  ],
  [
    'what was computed inside noGrad',
    () => hessian(noGrad(() => x.exp()).sum(), [x]),
    'hessian: y does not depend on x[0] [3] by operations that have a derivative: exp was computed inside noGrad',
  ],
  [
    'what has no part at all',
    () => hessianVectorProduct(x.sum(), [x, tensor([[1]])], [x, tensor([[1]])]),
    'hessianVectorProduct: y does not depend on x[1] [1,1]',
  ],
]);

const given = [
  ...mistakes('gradient', [
    [
      'grad of a vector',
      () => grad(square(x), [x]),
      'grad: the gradient of [3] is not defined; expected a scalar: reduce it first, e.g. with .sum() or .mean(), or ' +
        'give a seed of its shape',
    ],
    [
      'valueAndGrad of a vector',
      () => valueAndGrad(square)(x),
      'valueAndGrad: the gradient of [3] is not defined; expected a scalar: reduce it first, e.g. with .sum() or .mean()',
    ],
    ['x that is no list', () => grad(x.sum(), wrong(x)), 'grad: expected a list of tensors as in grad(y, [x])'],
    ['x that is no tensor', () => grad(x.sum(), [x, wrong(2)]), 'grad: x[1] is a number, expected a tensor'],
    [
      'a seed that is no tensor',
      () => grad(x, [x], wrong({ seed: 1 })),
      'grad: the seed is a number, expected a tensor',
    ],
    [
      'a function of no tensor',
      () => jacobian((k: number) => x.mul(k))(2),
      'jacobian: argument 0 is a number, expected a tensor',
    ],
    [
      'a function of integers',
      () => vjp((t: Tensor) => t.to('float32'), ints),
      "vjp: argument 0 is int32 [3]; only floats have derivatives, convert it with .to('float32')",
    ],
    [
      'a function that returns none',
      () => hessian(wrong(() => undefined))(x),
      'hessian: the function returned undefined, expected a tensor',
    ],
    [
      'a function that returns integers',
      () => jvp((t: Tensor) => t.argmax(), [x], [x]),
      'jvp: y is int32 [], made by argmax; only floats have derivatives',
    ],
    ['too few tangents', () => jvp(square, [x], []), 'jvp: got 0 tangents, expected a list of 1, one for each x'],
    [
      'vectors that are no list',
      () => hessianVectorProduct(square(x).sum(), [x], wrong(x)),
      'hessianVectorProduct: got an object for tangents, expected a list of 1, one for each x',
    ],
    ['primals that are no list', () => jvp(square, wrong(x), [x]), 'jvp: expected lists as in jvp(f, [x], [dx])'],
  ]),
  ...mistakes('shape', [
    [
      'a seed of another shape',
      () => grad(square(x), [x], { seed: tensor([1, 2]) }),
      'grad: the seed is float32 [2], expected float32 [3] as y',
    ],
    [
      'a tangent of another shape',
      () => jvp(square, [x], [tensor(1)]),
      'jvp: tangent 0 is float32 [], expected float32 [3] as x[0]',
    ],
    ['dy of another shape', () => vjp(square, x)[1](tensor(1)), 'vjp: dy is float32 [], expected float32 [3] as y'],
  ]),
  ...mistakes('option', [
    ['no function', () => valueAndGrad(wrong(x))(x), 'valueAndGrad: expected a function of tensors, got an object'],
    ['an unknown option', () => grad(x.sum(), [x], wrong({ seeds: x })), "grad: unknown option 'seeds'; expected seed"],
    [
      'an unknown option of a function',
      () => valueAndGrad(square, wrong({ argNums: 1 })),
      "valueAndGrad: unknown option 'argNums'; expected argnums",
    ],
    [
      'an argument that is not there',
      () => grad((t: Tensor) => t.sum(), wrong({ argnums: 1 }))(x),
      'grad: argnums names argument 1 of 1',
    ],
  ]),
];

const two = customGradient(
  (a, b) => a.mul(b),
  (dy) => dy,
);
const custom = [
  ...mistakes('option', [
    [
      'customGradient without a rule',
      () => customGradient(square, wrong(undefined)),
      'customGradient: expected two functions, as in customGradient((x) => …, (dy, y, x) => …)',
    ],
    [
      'customGradient of a number',
      () => two(x, wrong(2)),
      'customGradient: argument 1 is a number, expected a tensor; let the functions close over what is none',
    ],
    [
      'customGradient that returns a list',
      () =>
        wrong(customGradient)(
          (t: Tensor) => [t],
          (dy: Tensor) => dy,
        )(x),
      'customGradient: the function returned an array, expected a tensor',
    ],
    [
      'checkpoint of a tensor',
      () => checkpoint(wrong(x)),
      'checkpoint: expected a function and its arguments, as in checkpoint(fn, x)',
    ],
    [
      'checkpoint of a function that returns a list',
      () =>
        checkpoint(
          wrong((t: Tensor) => [t]),
          x,
        ),
      'checkpoint: the function returned an array, expected a tensor',
    ],
  ]),
  ...mistakes('gradient', [
    [
      'a rule with too few gradients',
      () => grad(two(x, x).sum(), [x]),
      'customGradient: the rule gave 1 gradients for 2 arguments; expected one for each, null where it is 0',
    ],
    [
      'a rule with a gradient of another shape',
      () =>
        grad(
          customGradient(
            (t) => t.sum(),
            (dy) => dy,
          )(x),
          [x],
        ),
      'customGradient: the rule gave float32 [] for argument 0, which is float32 [3]',
    ],
    [
      'a rule that gives a number',
      () =>
        grad(
          customGradient(
            square,
            wrong(() => 2),
          )(x).sum(),
          [x],
        ),
      'customGradient: the rule gave a number for argument 0; expected a tensor or null',
    ],
  ]),
];

const checks = [
  ...mistakes('gradient', [
    [
      'gradcheck of one tensor',
      () => gradcheck(square, wrong(x)),
      'gradcheck: got an object, expected a list of tensors as in gradcheck(fn, [x])',
    ],
    ['gradcheck of a number', () => gradcheck(square, [wrong(1)]), 'gradcheck: input 0 is a number, expected a tensor'],
    [
      'gradcheck of integers',
      () => gradgradcheck((t: Tensor) => t.to('float32'), [ints]),
      'gradgradcheck: none of the 1 inputs is a float; only floats have derivatives',
    ],
    [
      'gradcheck of a function that returns integers',
      () => gradcheck((t: Tensor) => t.argmax(), [x]),
      'gradcheck: the function returned int32 []; only floats have derivatives',
    ],
    [
      'gradcheck of a function that returns none',
      () =>
        gradcheck(
          wrong(() => 1),
          [x],
        ),
      'gradcheck: the function returned a number, expected a tensor or a list of them',
    ],
  ]),
  ...mistakes('option', [
    [
      'an unknown option of gradcheck',
      () => gradcheck(square, [x], wrong({ tolerance: 1 })),
      "gradcheck: unknown option 'tolerance'; expected eps, atol, rtol or raiseException",
    ],
    [
      'a step of nothing',
      () => gradcheck(square, [x], { eps: 0 }),
      'gradcheck: eps 0, atol 0.00001, rtol 0.001: expected eps above 0, the others from 0',
    ],
  ]),
];

describe.each([...none, ...given, ...custom, ...checks])('$of', (mistake) => {
  test('is named where it is made', () => expectMistake(mistake, 'errors.derivatives.test.ts'));
});

test('the gradient of a step function is 0, and no mistake', () => {
  expect(grad(x.floor().sum(), [x])[0].toArray()).toEqual([0, 0, 0]);
  expect(grad(x.sign().mul(x).sum(), [x])[0].toArray()).toEqual([1, 1, 1]);
});

test('inside compile(), and in a layer, the message is the same', () => {
  expect(() => compile((t: Tensor) => grad(t.argmax().to('float32'), [t])[0])(x)).toThrow(
    'grad: y does not depend on x[0] [3] by operations that have a derivative: argmax gives int32',
  );
  class Step extends nn.Module {
    forward(t: Tensor): Tensor {
      return checkpoint(
        wrong(() => null),
        t,
      );
    }
  }
  const error = thrown(() => new nn.Sequential(new Step()).forward(x));
  expect(error).toBeInstanceOf(NablaError);
  expect(error.message).toBe('checkpoint: the function returned null, expected a tensor (in layer 0 (Step))');
});
