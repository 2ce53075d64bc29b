// Layers, losses and their functions, under one name.
export * from './activations.ts';
export * from './attention.ts';
export * from './classLoss.ts';
export * from './convLayers.ts';
export {
  bilinear,
  dropout,
  dropout1d,
  dropout2d,
  embedding,
  linear,
  logSoftmax,
  softmax,
} from './functional.ts';
export * as init from './init.ts';
export * from './layers.ts';
export * from './loss.ts';
export * from './marginLoss.ts';
export { Module, parameter } from './module.ts';
export * from './normLayers.ts';
export {
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  instanceNorm,
  type LayerNormOptions,
  layerNorm,
  type RmsNormOptions,
  rmsNorm,
} from './norms.ts';
export * from './poolLayers.ts';
export type { LossOptions, Reduction } from './reduction.ts';
export {
  type AvgPool1dOptions,
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  type Conv1dOptions,
  type ConvOptions,
  type ConvTranspose1dOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type InterpolateOptions,
  interpolate,
  type MaxPool1dOptions,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type OutputSize,
  type Pair,
  type WindowOptions,
  type WindowOptions1d,
} from './windows.ts';
