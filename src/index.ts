// The public surface of nabla.
export { checkpoint } from './checkpoint.ts';
export { type Compiled, type CompileOptions, compile, explain } from './compile.ts';
export { arange, full, ones, rand, randn, type Source, state, type TensorOptions, tensor, zeros } from './create.ts';
export { customGradient, type GradientRule } from './customGradient.ts';
export {
  type ArgumentOptions,
  hessian,
  hessianVectorProduct,
  jacobian,
  jvp,
  valueAndGrad,
  vjp,
} from './derivatives.ts';
export type { DType } from './dtype.ts';
export { type ErrorCode, NablaError } from './error.ts';
export type { Explanation, PhaseOf } from './explanation.ts';
export { concat, type GradOptions, grad, noGrad, where } from './functions.ts';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export type { MemoryUse } from './plan/usage.ts';
export { manualSeed } from './random.ts';
export { type Counters, counters } from './run/counters.ts';
export { getThreads, setThreads } from './run/pool.ts';
export type { Profile, ProfileRow } from './run/profile.ts';
export { type Nested, type Operand, Tensor } from './tensor.ts';
