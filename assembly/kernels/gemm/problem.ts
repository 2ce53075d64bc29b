// One product as the kernels see it: addresses and byte strides read from an instruction, kept in scratch because a
// kernel has no globals.
import { GEMM_BIAS_ROWS, GEMM_TRANS_A, GEMM_TRANS_B } from '../../abi';
import { operand, word } from '../../program';

/** How a tile T becomes C: C = alpha·T, or alpha·T + beta·D where D lies `delta` bytes after C. Lives in scratch. */
// @ts-ignore: decorator
@unmanaged
export class Blend {
  alpha: f32;
  beta: f32;
  hasD: i32;
  delta: usize;
  /** C is T. */
  plain: i32;
}

/** C[m, n] = act(alpha·A[m, k]·B[k, n] + beta·D + bias). Leading sizes are in bytes. */
// @ts-ignore: decorator
@unmanaged
export class Problem {
  a: usize;
  b: usize;
  c: usize;
  /** D − C, in bytes: they share their strides. */
  delta: usize;
  hasD: i32;
  bias: usize;
  biasRows: i32;
  lda: usize;
  ldb: usize;
  ldc: usize;
  m: i32;
  n: i32;
  k: i32;
  transA: i32;
  transB: i32;
  alpha: f32;
  beta: f32;
  act: i32;
  batch: i32;
  strideA: usize;
  strideB: usize;
  strideC: usize;
  /** Where this thread may keep packed panels. */
  scratch: usize;
}

// Bytes at the head of a thread's scratch.
const BLEND: usize = 256;
const TILE: usize = 320;
export const PANELS: usize = 512;

/** The blend of the run of k at hand. */
// @ts-ignore: decorator
@inline
export function blendOf(p: Problem): Blend {
  return changetype<Blend>(p.scratch + BLEND);
}

/** Room for one 6 × 8 tile. */
// @ts-ignore: decorator
@inline
export function tileOf(p: Problem): usize {
  return p.scratch + TILE;
}

export function readProblem(ins: usize, table: usize, scratch: usize): Problem {
  const p = changetype<Problem>(scratch);
  p.scratch = scratch;
  p.c = operand(ins, table, 1);
  p.a = operand(ins, table, 2);
  p.b = operand(ins, table, 3);
  p.bias = operand(ins, table, 4);
  const d = operand(ins, table, 5);
  p.hasD = i32(d != 0);
  p.delta = d - p.c;
  p.m = word(ins, 6);
  p.n = word(ins, 7);
  p.k = word(ins, 8);
  p.lda = <usize>word(ins, 9) << 2;
  p.ldb = <usize>word(ins, 10) << 2;
  p.ldc = <usize>word(ins, 11) << 2;
  const flags = word(ins, 12);
  p.transA = i32((flags & GEMM_TRANS_A) != 0);
  p.transB = i32((flags & GEMM_TRANS_B) != 0);
  p.biasRows = i32((flags & GEMM_BIAS_ROWS) != 0);
  p.batch = word(ins, 13);
  p.strideA = <usize>word(ins, 14) << 2;
  p.strideB = <usize>word(ins, 15) << 2;
  p.strideC = <usize>word(ins, 16) << 2;
  const alpha = operand(ins, table, 17);
  const beta = operand(ins, table, 18);
  p.alpha = alpha ? load<f32>(alpha) : 1;
  p.beta = beta ? load<f32>(beta) : 1;
  p.act = word(ins, 19);
  return p;
}

/** Sets the blend for the run of k that starts at k0: the first scales D, the others add to what is there. */
export function blendAt(p: Problem, k0: i32): Blend {
  const blend = blendOf(p);
  blend.alpha = p.alpha;
  blend.beta = k0 == 0 ? p.beta : 1;
  blend.hasD = i32(k0 > 0) | p.hasD;
  blend.delta = k0 == 0 ? p.delta : 0;
  blend.plain = i32(blend.alpha == 1 && !blend.hasD);
  return blend;
}
