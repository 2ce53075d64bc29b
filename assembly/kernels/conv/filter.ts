// Packs filters into the panels [k][6] of the direct convolution, k = (row of taps, channel, column of taps).
import { joinHigh, joinLow, zipHigh, zipLow } from '../../simd';
import { MR } from './micro';
import { Window } from './window';

/** Bytes a k: always six floats, also where tiles have five rows. */
export const STEP: usize = 24;

/**
 * Filters of mc output channels, `rowF` bytes apart, and nc channels, `channelF` bytes apart; a filter itself is
 * contiguous. Rows past the last repeat it; no tile stores those.
 */
export function packFilter(v: Window, dst: usize, filter: usize, rowF: usize, channelF: usize, mc: i32, nc: i32): void {
  // Bytes from a row of taps to the next, and from a channel to the next, in a panel.
  const channelStep = <usize>v.nColTaps * STEP;
  const rowStep = channelStep * <usize>nc;
  for (let i = 0; i < mc; i += MR) {
    const rows = min(MR, mc - i);
    for (let c = 0; c < nc; c++) {
      let to = dst + <usize>c * channelStep;
      for (let r = 0; r < v.nRowTaps; r++, to += rowStep) {
        const element = <usize>load<i32>(v.rowTaps + (<usize>r << 3), 4);
        packRow(v, to, filter + <usize>c * channelF + (element << 2), rowF, rows);
      }
    }
    dst += <usize>v.nRowTaps * rowStep;
    filter += <usize>MR * rowF;
  }
}

/** One row of taps of one channel. */
function packRow(v: Window, dst: usize, src: usize, rowF: usize, rows: i32): void {
  const r1 = rowF * <usize>min<i32>(rows - 1, 1), r2 = rowF * <usize>min<i32>(rows - 1, 2);
  const r3 = rowF * <usize>min<i32>(rows - 1, 3), r4 = rowF * <usize>min<i32>(rows - 1, 4);
  const r5 = rowF * <usize>(rows - 1);
  for (let q = 0; q < v.nColTaps; q++, dst += STEP) {
    const p = src + (<usize>load<i32>(v.colTaps + (<usize>q << 3), 4) << 2);
    store<u32>(dst, load<u32>(p));
    store<u32>(dst, load<u32>(p + r1), 4);
    store<u32>(dst, load<u32>(p + r2), 8);
    store<u32>(dst, load<u32>(p + r3), 12);
    store<u32>(dst, load<u32>(p + r4), 16);
    store<u32>(dst, load<u32>(p + r5), 20);
  }
}
