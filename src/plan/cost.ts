// What one instruction costs: floating-point operations, bytes moved, and its sizes as text. The one place that
// reads them out of an instruction's words: dividing work between threads and profiling both ask here.
import * as abi from '../../assembly/abi.ts';
import type { Ref } from '../graph/op.ts';
import type { Instruction } from './encode.ts';
import type { Buffer } from './memory.ts';

export interface Cost {
  /** Of products and convolutions: a multiply-add counts as two. 0 where memory is what limits. */
  flops: number;
  /** Read and written, each element of an operand once. */
  bytes: number;
  /** Such as `64×256×784` (M×N×K) of a product. */
  sizes: string;
}

type Words = Instruction['words'];
/** `float`: bytes of a float. */
type Rule = (word: (k: number) => number, words: Words, float: number) => Cost;

const INDEX_BYTES = 4;

const times = (...sizes: number[]) => sizes.join('×');
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Operands of an instruction; what is named twice is there twice. */
export function refsOf(words: Words): Ref[] {
  return words.filter((w): w is Ref => w !== null && typeof w === 'object');
}

/** Every operand once, whole. */
function operandBytes(words: Words): number {
  const buffers = new Set(refsOf(words).map(({ buffer }) => buffer as Buffer));
  return [...buffers].reduce((sum, { nBytes }) => sum + nBytes, 0);
}

const gemm: Rule = (word, words, float) => {
  const [m, n, k, batch] = [word(6), word(7), word(8), word(13)];
  const [a, b] = [m * k * (word(14) === 0 ? 1 : batch), k * n * (word(15) === 0 ? 1 : batch)];
  const bias = words[3] === null ? 0 : word(12) & abi.GEMM_BIAS_ROWS ? m : n;
  const d = words[4] === null ? 0 : m * n * (word(16) === 0 ? 1 : batch);
  return {
    flops: 2 * m * n * k * batch,
    bytes: (a + b + m * n * batch + bias + d) * float,
    sizes: (batch > 1 ? `${batch} of ` : '') + times(m, n, k),
  };
};

/** All three products of a convolution do the same work. */
const conv: Rule = (word, words) => {
  const [n, c, h, w, o, kh, kw] = [word(5), word(6), word(7), word(8), word(9), word(10), word(11)];
  const [groups, pixels] = [word(18), word(19) * word(20)];
  return {
    flops: 2 * n * pixels * o * (c / groups) * kh * kw,
    bytes: operandBytes(words),
    sizes: `${times(n, c, h, w)} ⋆ ${times(o, c / groups, kh, kw)}`,
  };
};

/** The tape's slots hold all it touches; its temporaries stay in the L1 cache. */
const map: Rule = (word, words, float) => {
  const [n, nSlots, nTape, slices] = [word(1), word(3), word(4), word(5)];
  let bytes = 0;
  for (let slot = 0; slot < nSlots; slot++) {
    const at = 5 + slot * 4;
    const [word, period] = [words[at] as number, words[at + 3] as number];
    const mode = word & abi.SLOT_MODE;
    const each = word === mode ? float : 4;
    if (mode === abi.SLOT_IN || mode === abi.SLOT_OUT) bytes += n * each;
    else if (mode === abi.SLOT_SCALAR) bytes += each;
    else if (mode === abi.SLOT_VIEW) bytes += period * each;
    else if (mode === abi.SLOT_REDUCE) bytes += slices * period * each;
  }
  return { flops: 0, bytes, sizes: `${n} · ${nTape}` };
};

const copy: Rule = (word, _, float) => {
  const sizes = Array.from({ length: word(3) }, (_, axis) => word(6 + axis * 3));
  return { flops: 0, bytes: 2 * product(sizes) * float, sizes: times(...sizes) };
};

const gather: Rule = (word, _, float) => {
  const [n, inner] = [word(4), word(5)];
  return { flops: 0, bytes: 2 * n * inner * float + n * INDEX_BYTES, sizes: times(n, inner) };
};

/** Clears the rows, then reads, adds and writes. */
const scatterAdd: Rule = (word, _, float) => {
  const [n, inner, rows] = [word(4), word(5), word(6)];
  const bytes = (rows * inner + 3 * n * inner) * float + n * INDEX_BYTES;
  return { flops: 0, bytes, sizes: times(n, inner) };
};

/** Everything else reads and writes its operands once; its sizes are the words named. */
const streams =
  (...at: number[]): Rule =>
  (word, words) => ({ flops: 0, bytes: operandBytes(words), sizes: times(...at.map(word)) });

const RULES: Readonly<Record<number, Rule>> = {
  [abi.OP_GEMM]: gemm,
  [abi.OP_CONV]: conv,
  [abi.OP_CONV_DX]: conv,
  [abi.OP_CONV_DW]: conv,
  [abi.OP_MAXPOOL]: streams(4, 5, 6),
  [abi.OP_MAXPOOL_GRAD]: streams(4, 5),
  [abi.OP_MAXPOOL_PICK]: streams(4, 6),
  [abi.OP_BAND]: streams(5, 6, 7, 8),
  [abi.OP_SOFTMAX]: streams(3, 4),
  [abi.OP_SOFTMAX_GRAD]: streams(4, 5),
  [abi.OP_CROSS_ENTROPY]: streams(6, 7),
  [abi.OP_ARGMAX]: streams(3, 4, 5),
  [abi.OP_COPY]: copy,
  [abi.OP_GATHER]: gather,
  [abi.OP_SCATTER_ADD]: scatterAdd,
  [abi.OP_RANDOM]: streams(3),
  [abi.OP_LAYER_NORM]: streams(5, 6),
  [abi.OP_LAYER_NORM_GRAD]: streams(7, 8),
  [abi.OP_SCAN]: streams(4, 5, 6),
  [abi.OP_SORT]: streams(4, 5),
  [abi.OP_TAKE_ALONG]: streams(4, 5, 6),
  [abi.OP_ADD_ALONG]: streams(4, 5, 6),
  [abi.OP_MAP]: map,
};
const OTHER = streams();

export function costOf({ opcode, words, flags }: Instruction): Cost {
  return (RULES[opcode] ?? OTHER)((k) => words[k - 1] as number, words, flags & abi.FLAG_F64 ? 8 : 4);
}
