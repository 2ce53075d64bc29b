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
  const taken = new Occupancy(buffers);
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.nBytes - a.nBytes || a.first - b.first)) {
    const size = padded(buffer.nBytes);
    buffer.offset = bestGap(taken.during(buffer), size);
    taken.add(buffer, buffer.offset + size);
    total = Math.max(total, buffer.offset + size);
  }
  return total;
}

/** Bytes that are taken: start and end of each run of them, in order; no two runs touch. */
type Runs = number[];

function addRun(runs: Runs, start: number, end: number): void {
  let [low, high] = [0, runs.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[2 * middle + 1] as number) < start) low = middle + 1;
    else high = middle;
  }
  let [from, to, next] = [start, end, low];
  for (; 2 * next < runs.length && (runs[2 * next] as number) <= end; next++) {
    from = Math.min(from, runs[2 * next] as number);
    to = Math.max(to, runs[2 * next + 1] as number);
  }
  if (next === low + 1 && from === runs[2 * low] && to === runs[2 * low + 1]) return;
  runs.splice(2 * low, 2 * (next - low), from, to);
}

/** The offset of the smallest gap of at least `size` between runs; where the last one ends if there is none. */
function bestGap(runs: Runs, size: number): number {
  let [best, bestSize, end] = [-1, Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < runs.length; i += 2) {
    const gap = (runs[i] as number) - end;
    if (gap >= size && gap < bestSize) [best, bestSize] = [end, gap];
    end = runs[i + 1] as number;
  }
  return best >= 0 ? best : end;
}

/**
 * Which bytes are taken when: a segment tree over the instructions, so that a question costs their logarithm however
 * many buffers are alive. A node of it stands for a span of instructions; node k has the halves 2k and 2k + 1.
 */
class Occupancy {
  readonly #size: number;
  /** What is taken during the whole span of a node and not during that of its parent. */
  readonly #throughout: Runs[] = [];
  /** What is taken at any time of its span; complete where nothing is taken throughout a node above. */
  readonly #ever: Runs[] = [];
  readonly #end: number;

  constructor(buffers: readonly Buffer[]) {
    const times = buffers.flatMap(({ first, last }) => [first, last]).filter((t) => t < Number.MAX_SAFE_INTEGER);
    // Places 0 and the last are before the first instruction and after the last one.
    this.#end = times.reduce((a, b) => Math.max(a, b), 0) + 2;
    this.#size = 2 ** Math.ceil(Math.log2(this.#end + 1));
  }

  /** What is taken at any time while `buffer` is alive. */
  during(buffer: Buffer): Runs {
    const found: Runs = [];
    const addAll = (runs: Runs | undefined) => {
      for (let i = 0; runs !== undefined && i < runs.length; i += 2) {
        addRun(found, runs[i] as number, runs[i + 1] as number);
      }
    };
    const [first, last] = this.#span(buffer);
    this.#cover(first, last, (node) => addAll(this.#ever[node]));
    for (const leaf of [first, last]) for (let node = leaf; node > 0; node >>= 1) addAll(this.#throughout[node]);
    return found;
  }

  /** Takes the bytes from the offset of `buffer` to `end` while it is alive. */
  add(buffer: Buffer, end: number): void {
    const take = (runs: Runs[], node: number) => {
      let own = runs[node];
      if (own === undefined) runs[node] = own = [];
      addRun(own, buffer.offset, end);
    };
    const [first, last] = this.#span(buffer);
    this.#cover(first, last, (node) => {
      take(this.#throughout, node);
      take(this.#ever, node);
    });
    for (const leaf of [first, last]) for (let node = leaf; node > 0; node >>= 1) take(this.#ever, node);
  }

  #span({ first, last }: Buffer): [number, number] {
    return [this.#size + first + 1, this.#size + Math.min(last + 1, this.#end)];
  }

  /** Calls `visit` for the fewest nodes whose spans make up that of the leaves from `first` to `last`. */
  #cover(first: number, last: number, visit: (node: number) => void): void {
    for (let [low, high] = [first, last + 1]; low < high; low >>= 1, high >>= 1) {
      if (low & 1) visit(low++);
      if (high & 1) visit(--high);
    }
  }
}
