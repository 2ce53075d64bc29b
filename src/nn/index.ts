// Layers, losses and their functions, under one name.
export * from './activations.ts';
export * from './attention.ts';
export * from './classLoss.ts';
export {
  type AttentionOptions,
  type ConvOptions,
  conv2d,
  dropout,
  embedding,
  type LayerNormOptions,
  layerNorm,
  linear,
  maxPool2d,
  type Pair,
  scaledDotProductAttention,
  type WindowOptions,
} from './functional.ts';
export * as init from './init.ts';
export * from './layers.ts';
export * from './loss.ts';
export * from './marginLoss.ts';
export { Module, parameter } from './module.ts';
export type { LossOptions, Reduction } from './reduction.ts';
