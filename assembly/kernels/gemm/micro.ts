// The micro-kernels of GEMM: one tile of C, at most 6 × 8, in registers over a run of k.
//
//            B: kc rows of 8 (or 4) floats, `stepB` bytes apart
//          ┌────────┐
//    A     │   C    │   12 accumulators + 2 of B + 1 of A = 15 vectors; V8 keeps the sixteenth register for
//   6×kc   │  6×8   │   itself, so a larger tile would spill. Unrolling over k costs up to 25 %, so none.
//          └────────┘
//
// Every variant adds over k one by one with one accumulator an element, so an element's value does not depend on
// where tiles are cut.
import { panelTile, rowsTile } from './tile';

/**
 * Rows and columns of the largest tile. Without a fused multiply-add the product needs a register of its own: 12
 * accumulators then spill (34 GFLOP/s), 10 do not, so the baseline binary leaves the sixth row of its panels empty.
 */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
export const NR: i32 = 8;

// Where element (i, k) of A lies.
/** a + 4·i + stepA·k: a packed panel, or a transposed matrix as it is. */
export const A_COLUMNS: i32 = 0;
/** a + stepA·i + 4·k: a matrix as it is. */
export const A_ROWS: i32 = 1;
/** a + 16·i + stepA·k, four times: a packed panel of MR rows where the host wants it so. */
export const A_SPLATTED: i32 = 2;

/**
 * C[mr, 8 or 4] from A[mr, kc] and B[kc, 8 or 4]; c's rows are `ldc` bytes apart. Any alignment; C overlaps neither A
 * nor B. 2·mr·nr·kc FLOPs. With A_SPLATTED always MR rows are stored, whatever mr is.
 */
export function micro(
  layoutA: i32, mr: i32, wide: bool, kc: i32,
  a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize,
): void {
  if (layoutA == A_SPLATTED) {
    if (wide) splattedWide(kc, a, stepA, b, stepB, c, ldc);
    else splattedNarrow(kc, a, stepA, b, stepB, c, ldc);
  } else if (layoutA == A_ROWS) {
    if (wide) rowsWide(mr, kc, a, stepA, b, stepB, c, ldc);
    else rowsNarrow(mr, kc, a, stepA, b, stepB, c, ldc);
  } else {
    if (wide) panelWide(mr, kc, a, stepA, b, stepB, c, ldc);
    else panelNarrow(mr, kc, a, stepA, b, stepB, c, ldc);
  }
}

function splattedWide(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(MR, true, true, kc, a, stepA, b, stepB, c, ldc);
}

function splattedNarrow(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(MR, false, true, kc, a, stepA, b, stepB, c, ldc);
}

function panelWide(mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  switch (mr) {
    case 6: panelWide6(kc, a, stepA, b, stepB, c, ldc); break;
    case 5: panelWide5(kc, a, stepA, b, stepB, c, ldc); break;
    case 4: panelWide4(kc, a, stepA, b, stepB, c, ldc); break;
    case 3: panelWide3(kc, a, stepA, b, stepB, c, ldc); break;
    case 2: panelWide2(kc, a, stepA, b, stepB, c, ldc); break;
    default: panelWide1(kc, a, stepA, b, stepB, c, ldc);
  }
}

function panelWide1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(1, true, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelWide2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(2, true, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelWide3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(3, true, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelWide4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(4, true, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelWide5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(5, true, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelWide6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(6, true, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelNarrow(mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  switch (mr) {
    case 6: panelNarrow6(kc, a, stepA, b, stepB, c, ldc); break;
    case 5: panelNarrow5(kc, a, stepA, b, stepB, c, ldc); break;
    case 4: panelNarrow4(kc, a, stepA, b, stepB, c, ldc); break;
    case 3: panelNarrow3(kc, a, stepA, b, stepB, c, ldc); break;
    case 2: panelNarrow2(kc, a, stepA, b, stepB, c, ldc); break;
    default: panelNarrow1(kc, a, stepA, b, stepB, c, ldc);
  }
}

function panelNarrow1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(1, false, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelNarrow2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(2, false, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelNarrow3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(3, false, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelNarrow4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(4, false, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelNarrow5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(5, false, false, kc, a, stepA, b, stepB, c, ldc);
}

function panelNarrow6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  panelTile(6, false, false, kc, a, stepA, b, stepB, c, ldc);
}

function rowsWide(mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  switch (mr) {
    case 6: rowsWide6(kc, a, stepA, b, stepB, c, ldc); break;
    case 5: rowsWide5(kc, a, stepA, b, stepB, c, ldc); break;
    case 4: rowsWide4(kc, a, stepA, b, stepB, c, ldc); break;
    case 3: rowsWide3(kc, a, stepA, b, stepB, c, ldc); break;
    case 2: rowsWide2(kc, a, stepA, b, stepB, c, ldc); break;
    default: rowsWide1(kc, a, stepA, b, stepB, c, ldc);
  }
}

function rowsWide1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(1, true, kc, a, stepA, b, stepB, c, ldc);
}

function rowsWide2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(2, true, kc, a, stepA, b, stepB, c, ldc);
}

function rowsWide3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(3, true, kc, a, stepA, b, stepB, c, ldc);
}

function rowsWide4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(4, true, kc, a, stepA, b, stepB, c, ldc);
}

function rowsWide5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(5, true, kc, a, stepA, b, stepB, c, ldc);
}

function rowsWide6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(6, true, kc, a, stepA, b, stepB, c, ldc);
}

function rowsNarrow(mr: i32, kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  switch (mr) {
    case 6: rowsNarrow6(kc, a, stepA, b, stepB, c, ldc); break;
    case 5: rowsNarrow5(kc, a, stepA, b, stepB, c, ldc); break;
    case 4: rowsNarrow4(kc, a, stepA, b, stepB, c, ldc); break;
    case 3: rowsNarrow3(kc, a, stepA, b, stepB, c, ldc); break;
    case 2: rowsNarrow2(kc, a, stepA, b, stepB, c, ldc); break;
    default: rowsNarrow1(kc, a, stepA, b, stepB, c, ldc);
  }
}

function rowsNarrow1(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(1, false, kc, a, stepA, b, stepB, c, ldc);
}

function rowsNarrow2(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(2, false, kc, a, stepA, b, stepB, c, ldc);
}

function rowsNarrow3(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(3, false, kc, a, stepA, b, stepB, c, ldc);
}

function rowsNarrow4(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(4, false, kc, a, stepA, b, stepB, c, ldc);
}

function rowsNarrow5(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(5, false, kc, a, stepA, b, stepB, c, ldc);
}

function rowsNarrow6(kc: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, ldc: usize): void {
  rowsTile(6, false, kc, a, stepA, b, stepB, c, ldc);
}
