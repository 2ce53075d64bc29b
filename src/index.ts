// The public surface of nabla.
export { checkpoint } from './checkpoint.ts';
export { type Compiled, type CompileOptions, compile, explain } from './compile.ts';
export {
  arange,
  eye,
  full,
  linspace,
  ones,
  rand,
  randn,
  type Source,
  state,
  type TensorOptions,
  tensor,
  zeros,
} from './create.ts';
export { customGradient, type GradientRule } from './customGradient.ts';
export { hessianVectorProduct, jvp, valueAndGrad, vjp } from './derivatives.ts';
export type { ArgumentOptions } from './differentiated.ts';
export type { DType } from './dtype.ts';
export { type ErrorCode, NablaError } from './error.ts';
export type { Explanation, PhaseOf } from './explanation.ts';
export { concat, einsum, type GradOptions, grad, noGrad, stack, where } from './functions.ts';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.ts';
export { hessian, jacobian } from './matrices.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export type { MemoryPlan, PlannedBuffer } from './plan/layout.ts';
export type { MemoryUse } from './plan/usage.ts';
export { manualSeed } from './random.ts';
export { type Counters, counters } from './run/counters.ts';
export { getThreads, setThreads } from './run/pool.ts';
export type { Profile, ProfileRow } from './run/profile.ts';
export { bernoulli, multinomial, permutation, randint } from './sample.ts';
export { type Nested, type Operand, Tensor } from './tensor.ts';
