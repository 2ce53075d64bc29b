// What holds for every row, move and random kernel: an output element is written by one thread alone, and memory
// past 2 GiB is like any other.
import { describe, expect, test } from 'vitest';
import {
  CE_PROBABILITIES,
  NONE,
  OP_ADD_ALONG,
  OP_ARGMAX,
  OP_BAND,
  OP_COPY,
  OP_CROSS_ENTROPY,
  OP_END,
  OP_GATHER,
  OP_MAXPOOL,
  OP_MAXPOOL_GRAD,
  OP_MAXPOOL_PICK,
  OP_RANDOM,
  OP_SCAN,
  OP_SCATTER_ADD,
  OP_SOFTMAX,
  OP_SOFTMAX_GRAD,
  OP_SORT,
  OP_TAKE_ALONG,
  SCRATCH_BYTES,
} from '../../assembly/abi.ts';
import { chooseSimd, compileKernels, instantiate, kernelImports } from '../../src/run/wasm.ts';
import { BOTH, expectSame, uniform, whole } from './data.ts';

/** Operands are: 0 and 1 outputs of `sizes`, 2 floats, 3 floats, 4 whole numbers under 7. */
interface Example {
  name: string;
  sizes: [number, number];
  words: number[];
}

const N = 8192;
const EXAMPLES: Example[] = [
  { name: 'pool', sizes: [1500, 1500], words: [OP_MAXPOOL, 0, 1, 2, 20, 10, 30, 2, 2, 2, 2, 0, 0, 1, 1, 5, 15] },
  { name: 'pool, padded', sizes: [1140, 1140], words: [OP_MAXPOOL, 0, 1, 2, 20, 6, 21, 3, 3, 2, 1, 1, 0, 1, 1, 3, 19] },
  { name: 'pool, small', sizes: [60, 60], words: [OP_MAXPOOL, 0, 1, 2, 20, 2, 6, 2, 2, 2, 2, 0, 0, 1, 1, 1, 3] },
  { name: 'pool gradient', sizes: [420, 0], words: [OP_MAXPOOL_GRAD, 0, 2, 4, 20, 21, 40] },
  { name: 'pool gradient, small', sizes: [700, 0], words: [OP_MAXPOOL_GRAD, 0, 2, 4, 100, 7, 3] },
  { name: 'pool pick', sizes: [800, 0], words: [OP_MAXPOOL_PICK, 0, 2, 4, 20, 21, 40] },
  { name: 'pool pick, small', sizes: [300, 0], words: [OP_MAXPOOL_PICK, 0, 2, 4, 100, 7, 3] },
  { name: 'band of rows', sizes: [990, 0], words: [OP_BAND, 0, 2, 4, 3, 10, 13, 9, 11, 7] },
  { name: 'band of elements', sizes: [909, 0], words: [OP_BAND, 0, 2, 4, 3, 101, 13, 9, 1, 7] },
  { name: 'softmax', sizes: [1111, 0], words: [OP_SOFTMAX, 0, 2, 101, 11, 0] },
  { name: 'log-softmax, long', sizes: [1111, 0], words: [OP_SOFTMAX, 0, 2, 11, 101, 1] },
  { name: 'softmax gradient', sizes: [1111, 0], words: [OP_SOFTMAX_GRAD, 0, 2, 3, 101, 11, 0] },
  { name: 'log-softmax gradient', sizes: [1111, 0], words: [OP_SOFTMAX_GRAD, 0, 2, 3, 11, 101, 1] },
  { name: 'cross-entropy, labels', sizes: [101, 1111], words: [OP_CROSS_ENTROPY, 0, 1, 2, 4, 3, 101, 11, 0] },
  { name: 'cross-entropy', sizes: [11, 1111], words: [OP_CROSS_ENTROPY, 0, 1, 2, 3, 3, 11, 101, CE_PROBABILITIES] },
  { name: 'argmax of rows', sizes: [101, 0], words: [OP_ARGMAX, 0, 2, 101, 13, 1, 0] },
  { name: 'argmax, middle axis', sizes: [202, 0], words: [OP_ARGMAX, 0, 2, 2, 5, 101, 1] },
  { name: 'argmax, short inner', sizes: [303, 0], words: [OP_ARGMAX, 0, 2, 101, 5, 3, 1] },
  { name: 'copy', sizes: [1001, 0], words: [OP_COPY, 0, 2, 1, 0, 3, 1001, 1, 1] },
  { name: 'copy of rows', sizes: [909, 0], words: [OP_COPY, 0, 2, 2, 0, 0, 101, 9, 10, 9, 1, 1] },
  { name: 'copy of short, wide', sizes: [909, 0], words: [OP_COPY, 0, 2, 2, 0, 0, 9, 101, 102, 101, 1, 1] },
  { name: 'transpose', sizes: [1313, 0], words: [OP_COPY, 0, 2, 2, 0, 0, 101, 13, 1, 13, 1, 101] },
  { name: 'transpose, wide', sizes: [1313, 0], words: [OP_COPY, 0, 2, 2, 0, 0, 13, 101, 1, 101, 1, 13] },
  { name: 'flip', sizes: [1001, 0], words: [OP_COPY, 0, 2, 1, 0, 1000, 1001, 1, -1] },
  { name: 'gather', sizes: [1111, 0], words: [OP_GATHER, 0, 2, 4, 101, 11, 7] },
  { name: 'gather, long', sizes: [1111, 0], words: [OP_GATHER, 0, 2, 4, 11, 101, 7] },
  { name: 'scatter-add of rows', sizes: [1111, 0], words: [OP_SCATTER_ADD, 0, 2, 4, 101, 11, 101] },
  { name: 'scatter-add of few rows', sizes: [147, 0], words: [OP_SCATTER_ADD, 0, 2, 4, 101, 21, 7] },
  { name: 'scatter-add of columns', sizes: [2121, 0], words: [OP_SCATTER_ADD, 0, 2, 4, 11, 303, 7] },
  { name: 'scan of rows', sizes: [1111, 0], words: [OP_SCAN, 0, NONE, 2, 101, 11, 1, 0] },
  { name: 'scan of columns', sizes: [1001, 0], words: [OP_SCAN, 0, 2, 3, 11, 7, 13, 1] },
  { name: 'sort', sizes: [1111, 0], words: [OP_SORT, 0, 2, NONE, 101, 11, 0] },
  { name: 'sort, long', sizes: [1111, 0], words: [OP_SORT, 0, 2, NONE, 11, 101, 1] },
  { name: 'take along', sizes: [1111, 0], words: [OP_TAKE_ALONG, 0, 2, 4, 11, 101, 1, 7] },
  { name: 'add along', sizes: [1001, 0], words: [OP_ADD_ALONG, 0, 2, 4, 11, 50, 13, 7] },
  { name: 'add along, rows', sizes: [707, 0], words: [OP_ADD_ALONG, 0, 2, 4, 101, 11, 1, 7] },
  { name: 'uniform', sizes: [1001, 0], words: [OP_RANDOM, 0, 4, 1001, 0] },
  { name: 'normal', sizes: [1001, 0], words: [OP_RANDOM, 0, 4, 1001, 1] },
];

const UNWRITTEN = 0x43123457; // 146.2: no kernel makes it here, and adding to it shows
const PAGES = 2 ** 15 + 256; // 2 GiB and 16 MiB

/** Lays an example out from `base` on; the result runs one thread's part and gives both outputs' words. */
function place(simd: 'baseline' | 'relaxed', memory: WebAssembly.Memory, base: number, { words, sizes }: Example) {
  const { run } = instantiate(compileKernels(chooseSimd(simd)), kernelImports(memory));
  const [table, program, scratch] = [base, base + 64, base + 1024];
  const first = scratch + SCRATCH_BYTES;
  const at = [0, 1, 2, 3, 4].map((i) => first + i * (4 * N + 64));
  new Uint32Array(memory.buffer, table, 5).set(at);
  new Int32Array(memory.buffer, program, words.length + 1).set([
    (words[0] as number) | (words.length << 16),
    ...words.slice(1),
    OP_END,
  ]);
  new Float32Array(memory.buffer, at[2], N).set(uniform(N, 1));
  new Float32Array(memory.buffer, at[3], N).set(uniform(N, 2));
  new Int32Array(memory.buffer, at[4], N).set(whole(N, 3, 7));
  return (thread: number, threads: number) => {
    const outputs = [0, 1].map((i) => new Int32Array(memory.buffer, at[i], N).fill(UNWRITTEN));
    expect(run(program, table, scratch, thread, threads, 0)).toBe(0);
    return Int32Array.from(outputs.flatMap((o, i) => [...o.subarray(0, sizes[i])]));
  };
}

describe.each(BOTH)('placement, %s', (simd) => {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });

  test.each(EXAMPLES)('$name: threads share the outputs, and get what one alone gets', (example) => {
    const run = place(simd, memory, 1 << 20, example);
    const alone = run(0, 1);
    expect(alone.includes(UNWRITTEN)).toBe(false);
    for (const threads of [2, 3, 7]) {
      const merged = new Int32Array(alone.length).fill(UNWRITTEN);
      for (let t = 0; t < threads; t++) {
        run(t, threads).forEach((word, i) => {
          if (word === UNWRITTEN) return;
          if (merged[i] !== UNWRITTEN) expect.fail(`element ${i} is written by two of ${threads} threads`);
          merged[i] = word;
        });
      }
      expectSame(merged, alone);
    }
  });

  test.each(EXAMPLES)('$name: the same past 2 GiB, and across it', (example) => {
    const alone = place(simd, memory, 1 << 20, example)(0, 1);
    expectSame(place(simd, memory, 2 ** 31 + 65536, example)(0, 1), alone);
    // The first output, or the first input, straddles the middle of the address space.
    for (const operand of [0, 2]) {
      const base = 2 ** 31 - 1024 - SCRATCH_BYTES - operand * (4 * N + 64) - 256;
      expectSame(place(simd, memory, base, example)(0, 1), alone);
    }
  });
});
