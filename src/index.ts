// The public surface of nabla.
export { type Compiled, type CompileOptions, compile } from './compile.ts';
export type { DType } from './dtype.ts';
export { type ErrorCode, NablaError } from './error.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export { manualSeed } from './random.ts';
export {
  arange,
  concat,
  full,
  grad,
  noGrad,
  ones,
  rand,
  randn,
  state,
  Tensor,
  tensor,
  where,
  zeros,
} from './tensor.ts';
