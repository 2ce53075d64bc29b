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
  const placed = new Placed(buffers.length);
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.nBytes - a.nBytes || a.first - b.first)) {
    const size = padded(buffer.nBytes);
    buffer.offset = placed.bestGap(buffer, size);
    placed.add(buffer, size);
    total = Math.max(total, buffer.offset + size);
  }
  return total;
}

/** What is placed already, in order of offset. Plain arrays: all of it is looked through for each buffer. */
class Placed {
  #n = 0;
  readonly #start: Float64Array;
  readonly #end: Float64Array;
  readonly #first: Float64Array;
  readonly #last: Float64Array;

  constructor(most: number) {
    [this.#start, this.#end] = [new Float64Array(most), new Float64Array(most)];
    [this.#first, this.#last] = [new Float64Array(most), new Float64Array(most)];
  }

  /** The offset of the smallest gap of at least `size` between what is alive together with `buffer`; else the end. */
  bestGap({ first, last }: Buffer, size: number): number {
    let [best, bestSize] = [-1, Number.POSITIVE_INFINITY];
    let end = 0;
    for (let i = 0; i < this.#n; i++) {
      if ((this.#first[i] as number) > last || (this.#last[i] as number) < first) continue;
      const gap = (this.#start[i] as number) - end;
      if (gap >= size && gap < bestSize) [best, bestSize] = [end, gap];
      end = Math.max(end, this.#end[i] as number);
    }
    return best >= 0 ? best : end;
  }

  add({ offset, first, last }: Buffer, size: number): void {
    let [low, high] = [0, this.#n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#start[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    const columns = [this.#start, this.#end, this.#first, this.#last];
    [offset, offset + size, first, last].forEach((value, k) => {
      const column = columns[k] as Float64Array;
      column.copyWithin(low + 1, low, this.#n);
      column[low] = value;
    });
    this.#n++;
  }
}
