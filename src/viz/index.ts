// Pictures of graphs and of memory: `nabla/viz`.
export { toDot } from './dot.ts';
export { memorySVG, memoryText } from './memory.ts';
export type { DrawOptions, Gradients, Outputs } from './options.ts';
export { toSVG } from './svg.ts';
export { toText } from './text.ts';
