// Bundles what tsc wrote into one file an entry and one that all share: loading a hundred small files takes 17 ms
// longer, which is more than the first training step.
import { defineConfig } from 'rolldown';

/** What the rooms that a training program may not need are built on: those make files of their own. */
const isCore = (id) => !/\/src\/(bench|cli|data|io|train|viz)\//.test(id);

export default defineConfig({
  input: {
    index: 'build/src/index.js',
    data: 'build/src/data/index.js',
    io: 'build/src/io/index.js',
    train: 'build/src/train/index.js',
    viz: 'build/src/viz/index.js',
    bench: 'build/src/bench/suite.js',
    cli: 'build/src/cli/nabla.js',
  },
  platform: 'node',
  external: ['cli-progress', 'benchmark', '@viz-js/viz'],
  output: {
    dir: 'build/nabla',
    cleanDir: true,
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: 'core', minShareCount: 2, test: isCore }] },
  },
});
