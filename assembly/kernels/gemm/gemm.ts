// OP_GEMM: chooses a path by shape alone, cuts the outputs between threads, and runs the five loops of BLIS.
import { FAULT_OPCODE, GRAIN, STATUS_OK } from '../../abi';
import { SPLATTED } from '../../host';
import { shareStart } from '../../program';
import { knowsActivation } from '../activate';
import { DOT_ROWS, dotRows } from './dot';
import { finish, tile } from './epilogue';
import { A_COLUMNS, A_SPLATTED, MR, NR } from './micro';
import { STEP_A, STEP_B, STEP_SPLATTED, packA, packB, packSplatted } from './pack';
import { Blend, PANELS, Problem, blendAt, readProblem } from './problem';
import { outer, rowTimesMatrix, unpacked } from './small';

/** Depth of a run of k: a panel of B (12 KiB) and one of A (9 or, splatted, 36 KiB) stay near. Flat from 256 to 512. */
const KC: i32 = 384;
/** Rows of A packed at once (144 or, splatted, 576 KiB, in L2). */
const MC: i32 = 16 * MR;
/** Columns of B packed at once (1.1 MiB). */
const NC: i32 = 768;
/** Matrices B up to this many elements are read where they are: packing them costs more than it saves. */
const UNPACKED_B: i64 = 0;
/** With at most so many rows packing B costs more than it saves, whatever its size … */
const UNPACKED_ROWS: i32 = 96;
/** … or so many where B's rows lie whole pages apart, so that a panel of it falls on few sets of the L1 cache. */
const UNPACKED_ROWS_ALIASED: i32 = 12;

const PATH_PACKED: i32 = 0;
const PATH_UNPACKED: i32 = 1;
const PATH_ROW: i32 = 2;
const PATH_DOT: i32 = 3;
const PATH_OUTER: i32 = 4;

/**
 * C[M,N] = act(alpha·op(A)·op(B) + beta·D + bias), batched; words as in abi.ts. Any alignment. D may be C, C overlaps
 * nothing else. 2·M·N·K FLOPs a matrix. Each thread owns some matrices of the batch, or some columns or rows of each.
 */
export function gemm(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const p = readProblem(ins, table, scratch);
  if (!knowsActivation(p.act)) return FAULT_OPCODE;
  standUpright(p);
  const path = choosePath(p);
  let first = 0, last = p.batch, m0 = 0, m1 = p.m, n0 = 0, n1 = p.n;
  if (p.batch % threads == 0 || p.batch >= 4 * threads) {
    first = shareStart(p.batch, thread, threads, 1);
    last = shareStart(p.batch, thread + 1, threads, 1);
  } else if (cutsColumns(p, threads)) {
    n0 = shareStart(p.n, thread, threads);
    n1 = shareStart(p.n, thread + 1, threads);
  } else {
    m0 = shareStart(p.m, thread, threads, MR);
    m1 = shareStart(p.m, thread + 1, threads, MR);
  }
  if (m0 == m1 || n0 == n1) return STATUS_OK;
  p.a += <usize>first * p.strideA;
  p.b += <usize>first * p.strideB;
  p.c += <usize>first * p.strideC;
  for (let i = first; i < last; i++) {
    multiply(p, path, m0, m1, n0, n1);
    p.a += p.strideA;
    p.b += p.strideB;
    p.c += p.strideC;
  }
  return STATUS_OK;
}

/** Whether cutting columns leaves the largest share no more tiles than cutting rows would. */
function cutsColumns(p: Problem, threads: i32): bool {
  const rows = ceilDiv(p.m, MR);
  const columns = ceilDiv(p.n, NR);
  const pairs = ceilDiv(p.n, GRAIN);
  return <i64>ceilDiv(pairs, threads) * (GRAIN / NR) * rows <= <i64>ceilDiv(rows, threads) * columns;
}

function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

/** A column C[M,1] that lies in a row becomes the row C[1,M] = Bᵀ·Aᵀ, which has kernels of its own. */
function standUpright(p: Problem): void {
  if (p.n != 1 || p.m == 1 || p.ldc != 4) return;
  const a = p.a, lda = p.lda, strideA = p.strideA, transA = p.transA;
  p.a = p.b;
  p.lda = p.ldb;
  p.strideA = p.strideB;
  p.transA = i32(!p.transB);
  p.b = a;
  p.ldb = lda;
  p.strideB = strideA;
  p.transB = i32(!transA);
  p.n = p.m;
  p.m = 1;
  p.biasRows ^= 1;
}

/** By the shape of the whole product, never by a thread's share of it. */
function choosePath(p: Problem): i32 {
  // A row stored as a column is still a row where its elements touch, and so for B.
  if (p.m == 1 && p.transA && p.lda == 4) p.transA = 0;
  if (p.n == 1 && !p.transB && p.ldb == 4) p.transB = 1;
  if (p.m == 1 && !p.transB) return PATH_ROW;
  if (p.k == 1 && (!p.transB || p.ldb == 4)) return PATH_OUTER;
  if (p.transB) return p.m <= DOT_ROWS && !p.transA ? PATH_DOT : PATH_PACKED;
  if (p.m <= UNPACKED_ROWS_ALIASED) return PATH_UNPACKED;
  if (isAliased(p.ldb, p.k) || (p.transA && isAliased(p.lda, p.k))) return PATH_PACKED;
  return p.m <= UNPACKED_ROWS || <i64>p.n * p.k <= UNPACKED_B ? PATH_UNPACKED : PATH_PACKED;
}

/** Whether k rows `ld` bytes apart are more than the ways of the few sets of L1 that they fall on. */
function isAliased(ld: usize, k: i32): bool {
  return (ld & 4095) == 0 && k > 16;
}

function multiply(p: Problem, path: i32, m0: i32, m1: i32, n0: i32, n1: i32): void {
  switch (path) {
    case PATH_ROW: rowTimesMatrix(p, n0, n1); break;
    case PATH_DOT: dotRows(p, m0, m1, n0, n1); break;
    case PATH_OUTER: outer(p, m0, m1, n0, n1); break;
    case PATH_UNPACKED: unpacked(p, m0, m1, n0, n1); break;
    default: return packed(p, m0, m1, n0, n1);
  }
  finish(p, m0, m1, n0, n1);
}

/** Loops five to three: NC columns, KC of k (at least one run, which scales D where K is 0), MC rows. */
function packed(p: Problem, m0: i32, m1: i32, n0: i32, n1: i32): void {
  const panelB = p.scratch + PANELS;
  const panelA = panelB + <usize>KC * NC * 4;
  for (let j = n0; j < n1; j += NC) {
    const nc = min(NC, n1 - j);
    let k = 0;
    do {
      const kc = runOfK(p.k, k);
      const blend = blendAt(p, k);
      packB(panelB, at(p.b, p.ldb, p.transB, k, j), p.ldb, p.transB != 0, nc, kc);
      for (let i = m0; i < m1; i += MC) {
        const mc = min(MC, m1 - i);
        const a = at(p.a, p.lda, p.transA, i, k);
        if (SPLATTED) packSplatted(panelA, a, p.lda, p.transA != 0, mc, kc);
        else packA(panelA, a, p.lda, p.transA != 0, mc, kc);
        tiles(p, panelA, panelB, mc, nc, kc, p.c + <usize>i * p.ldc + (<usize>j << 2), blend);
        if (k + kc >= p.k) finish(p, i, i + mc, j, j + nc);
      }
      k += kc;
    } while (k < p.k);
  }
}

/** Runs of equal depth, so that none is short and wasteful. */
function runOfK(k: i32, k0: i32): i32 {
  const runs = ceilDiv(k, KC);
  if (runs <= 1) return k;
  const kc = ceilDiv(k, runs);
  return min(kc, k - k0);
}

/** Loops two and one: every 8 columns of the packed B meet every 6 rows of the packed A. */
function tiles(p: Problem, a: usize, b: usize, mc: i32, nc: i32, kc: i32, c: usize, blend: Blend): void {
  const layoutA = SPLATTED ? A_SPLATTED : A_COLUMNS;
  const stepA = SPLATTED ? STEP_SPLATTED : STEP_A;
  for (let j = 0; j < nc; j += NR) {
    const nr = min(NR, nc - j);
    let panel = a;
    let row = c + (<usize>j << 2);
    for (let i = 0; i < mc; i += MR) {
      tile(p, layoutA, min(MR, mc - i), nr, kc, panel, stepA, b, STEP_B, row, blend);
      panel += <usize>kc * stepA;
      row += <usize>MR * p.ldc;
    }
    b += <usize>kc * STEP_B;
  }
}

/** Address of element (i, j) of a matrix, or of (j, i) where it is stored transposed. */
function at(base: usize, ld: usize, trans: i32, i: i32, j: i32): usize {
  return trans ? base + <usize>j * ld + (<usize>i << 2) : base + <usize>i * ld + (<usize>j << 2);
}
