// Data sets: IDX and MNIST files, drawn digits, seeded batches.
export { type Batch, type BatchOptions, batches } from './batches.ts';
export { type Dataset, dataset, sampleCount, slice } from './dataset.ts';
export { drawDigits } from './digits.ts';
export { type IdxArray, parseIdx, readIdx } from './idx.ts';
export { readMnist } from './mnist.ts';
