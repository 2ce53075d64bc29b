// Where each buffer of a program lies in the arena: greedy by size, best gap, no two alive at once share a byte.
// (Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020.)

/** A region a program works on. Live from instruction `first` to instruction `last`, both included. */
export interface Buffer {
  kind: 'arena' | 'leaf' | 'own' | 'output' | 'target';
  /** Which leaf, output or target it is; for 'own' the byte offset in the program's own block. */
  index: number;
  nBytes: number;
  first: number;
  last: number;
  /** Byte offset in the arena; −1 for what lies elsewhere. */
  offset: number;
}

const LINE = 64;
const PAGE = 4096;

/** Streams whose addresses are equal modulo 4,096 run at half speed, so a buffer of whole pages is followed by a few lines more. */
export function padded(nBytes: number): number {
  const lines = Math.ceil(Math.max(nBytes, 4) / LINE) * LINE;
  return lines >= PAGE && lines % PAGE < LINE * 4 ? lines + LINE * 5 : lines;
}

/** Sets the offset of each buffer; returns the bytes needed in all. */
export function place(buffers: readonly Buffer[]): number {
  const placed: Buffer[] = [];
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.nBytes - a.nBytes || a.first - b.first)) {
    const size = padded(buffer.nBytes);
    const alive = placed.filter((other) => other.first <= buffer.last && buffer.first <= other.last);
    buffer.offset = bestGap(
      alive.sort((a, b) => a.offset - b.offset),
      size,
    );
    placed.push(buffer);
    total = Math.max(total, buffer.offset + size);
  }
  return total;
}

/** The offset of the smallest gap between `alive`, in order of offset, that holds `size`; the end where none does. */
function bestGap(alive: readonly Buffer[], size: number): number {
  let [best, bestSize] = [-1, Number.POSITIVE_INFINITY];
  let end = 0;
  for (const other of alive) {
    const gap = other.offset - end;
    if (gap >= size && gap < bestSize) [best, bestSize] = [end, gap];
    end = Math.max(end, other.offset + padded(other.nBytes));
  }
  return best >= 0 ? best : end;
}
