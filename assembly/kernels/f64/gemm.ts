// OP_GEMM with FLAG_F64: panels of B packed four columns wide, four rows of A at a time.
import { ACT_NONE, FAULT_OPCODE, GEMM_BIAS_ROWS, GEMM_TRANS_A, GEMM_TRANS_B, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { fma64 } from '../../simd';
import { knowsActivation } from '../activate';
import { activated } from './activate';

const MR: i32 = 4;
const NR: i32 = 4;
/** Depth of a run of k: a panel of B (16 KiB) stays in L1. */
const KC: i32 = 512;

// @ts-ignore: decorator
@unmanaged
class Product {
  a: usize;
  b: usize;
  c: usize;
  d: usize;
  bias: usize;
  biasRows: bool;
  m: i32;
  n: i32;
  k: i32;
  /** Bytes from an element of A to the next below and to the next of its sum; of B to the next of its sum and to the right. */
  aRow: usize;
  aDepth: usize;
  bDepth: usize;
  bColumn: usize;
  cRow: usize;
  alpha: f64;
  beta: f64;
  act: i32;
  panel: usize;
}

/** Words as in abi.ts. Any alignment; D may be C. Threads share matrices, columns or rows; no sum depends on which. */
export function gemm64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const p = changetype<Product>(scratch);
  if (!knowsActivation(word(ins, 19))) return FAULT_OPCODE;
  readProduct(p, ins, table);
  p.panel = scratch + 256;
  const batch = word(ins, 13);
  const strideA = <usize>word(ins, 14) << 3, strideB = <usize>word(ins, 15) << 3, strideC = <usize>word(ins, 16) << 3;
  let first = 0, last = batch, m0 = 0, m1 = p.m, n0 = 0, n1 = p.n;
  if (batch >= threads) {
    first = shareStart(batch, thread, threads, 1);
    last = shareStart(batch, thread + 1, threads, 1);
  } else if (p.n >= p.m) {
    n0 = shareStart(p.n, thread, threads, NR);
    n1 = shareStart(p.n, thread + 1, threads, NR);
  } else {
    m0 = shareStart(p.m, thread, threads, MR);
    m1 = shareStart(p.m, thread + 1, threads, MR);
  }
  p.a += <usize>first * strideA;
  p.b += <usize>first * strideB;
  p.c += <usize>first * strideC;
  if (p.d) p.d += <usize>first * strideC;
  for (let i = first; i < last; i++) {
    multiply(p, m0, m1, n0, n1);
    p.a += strideA;
    p.b += strideB;
    p.c += strideC;
    if (p.d) p.d += strideC;
  }
  return STATUS_OK;
}

function readProduct(p: Product, ins: usize, table: usize): void {
  p.c = operand(ins, table, 1);
  p.a = operand(ins, table, 2);
  p.b = operand(ins, table, 3);
  p.bias = operand(ins, table, 4);
  p.d = operand(ins, table, 5);
  p.m = word(ins, 6);
  p.n = word(ins, 7);
  p.k = word(ins, 8);
  const lda = <usize>word(ins, 9) << 3, ldb = <usize>word(ins, 10) << 3;
  p.cRow = <usize>word(ins, 11) << 3;
  const flags = word(ins, 12);
  p.aRow = flags & GEMM_TRANS_A ? 8 : lda;
  p.aDepth = flags & GEMM_TRANS_A ? lda : 8;
  p.bDepth = flags & GEMM_TRANS_B ? 8 : ldb;
  p.bColumn = flags & GEMM_TRANS_B ? ldb : 8;
  p.biasRows = (flags & GEMM_BIAS_ROWS) != 0;
  const alpha = operand(ins, table, 17), beta = operand(ins, table, 18);
  p.alpha = alpha ? load<f64>(alpha) : 1;
  p.beta = beta ? load<f64>(beta) : 1;
  p.act = word(ins, 19);
}

/** Rows [m0, m1) and columns [n0, n1) of one matrix, run of k by run of k (at least one, which scales D where K is 0). */
function multiply(p: Product, m0: i32, m1: i32, n0: i32, n1: i32): void {
  let k = 0;
  do {
    const kc = min(KC, p.k - k);
    for (let j = n0; j < n1; j += NR) {
      const nr = min(NR, n1 - j);
      packB(p.panel, p.b + <usize>k * p.bDepth + <usize>j * p.bColumn, p.bDepth, p.bColumn, nr, kc);
      for (let i = m0; i < m1; i += MR) tile(p, i, j, k, min(MR, m1 - i), nr, kc);
    }
    k += kc;
  } while (k < p.k);
}

/** panel[kc, 4] from nr columns of B, and zeros. */
function packB(panel: usize, b: usize, depth: usize, column: usize, nr: i32, kc: i32): void {
  for (let k = 0; k < kc; k++, b += depth, panel += NR * 8) {
    for (let j = 0; j < NR; j++) {
      store<f64>(panel + (<usize>j << 3), j < nr ? load<f64>(b + <usize>j * column) : 0);
    }
  }
}

/** mr × nr elements of C from row i, column j: the sum over the run at k. Rows past mr are computed from the last one. */
function tile(p: Product, i: i32, j: i32, k: i32, mr: i32, nr: i32, kc: i32): void {
  const top = p.a + <usize>i * p.aRow + <usize>k * p.aDepth;
  let a0 = top, a1 = top + <usize>min(1, mr - 1) * p.aRow;
  let a2 = top + <usize>min(2, mr - 1) * p.aRow, a3 = top + <usize>min(3, mr - 1) * p.aRow;
  const depth = p.aDepth, zero = f64x2.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  let b = p.panel;
  for (let q = kc; q > 0; q--, b += NR * 8) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load64_splat(a0), x1 = v128.load64_splat(a1);
    c00 = fma64(x0, b0, c00);
    c01 = fma64(x0, b1, c01);
    c10 = fma64(x1, b0, c10);
    c11 = fma64(x1, b1, c11);
    const x2 = v128.load64_splat(a2), x3 = v128.load64_splat(a3);
    c20 = fma64(x2, b0, c20);
    c21 = fma64(x2, b1, c21);
    c30 = fma64(x3, b0, c30);
    c31 = fma64(x3, b1, c31);
    a0 += depth;
    a1 += depth;
    a2 += depth;
    a3 += depth;
  }
  row(p, i, j, k, nr, c00, c01, kc);
  if (mr > 1) row(p, i + 1, j, k, nr, c10, c11, kc);
  if (mr > 2) row(p, i + 2, j, k, nr, c20, c21, kc);
  if (mr > 3) row(p, i + 3, j, k, nr, c30, c31, kc);
}

/** Writes nr sums of row i: the first run of k brings D, the last bias and activation. */
function row(p: Product, i: i32, j: i32, k: i32, nr: i32, low: v128, high: v128, kc: i32): void {
  const offset = <usize>i * p.cRow + (<usize>j << 3);
  const isLast = k + kc >= p.k;
  for (let q = 0; q < nr; q++) {
    const at = p.c + offset + (<usize>q << 3);
    const pair = q < 2 ? low : high;
    let x = p.alpha * (q & 1 ? f64x2.extract_lane(pair, 1) : f64x2.extract_lane(pair, 0));
    if (k > 0) x += load<f64>(at);
    else if (p.d) x += p.beta * load<f64>(p.d + offset + (<usize>q << 3));
    if (isLast) {
      if (p.bias) x += load<f64>(p.bias + (<usize>(p.biasRows ? i : j + q) << 3));
      if (p.act != ACT_NONE) x = activated(x, p.act);
    }
    store<f64>(at, x);
  }
}
