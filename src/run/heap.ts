// Wasm memory: a cache of values, and one arena that all programs share. A value's home is in JavaScript; the heap
// only holds what programs work on, and gives back what was used least recently.
import { SCRATCH_BYTES } from '../../assembly/abi.ts';
import type { DType, Elements } from '../dtype.ts';
import { NablaError } from '../error.ts';
import type { Residence, Value } from '../graph/value.ts';
import {
  chooseSimd,
  compileKernels,
  instantiate,
  type Kernels,
  kernelImports,
  MAX_PAGES,
  PAGE_BYTES,
  type Simd,
} from './wasm.ts';

const LINE = 64;
const PAGE = 4096;
/** The last line of all is never given out: a kernel may read a vector past the end of an array. */
const LIMIT = MAX_PAGES * PAGE_BYTES - LINE;
/** Resident values are kept up to this many bytes, or twice what one program needed, whichever is more. */
const MIN_RESIDENT_BYTES = 64 << 20;

interface Region {
  offset: number;
  nBytes: number;
}

class Block implements Residence {
  readonly address: number;
  readonly nBytes: number;
  readonly value: Value;
  lastRun = 0;
  readonly #heap: Heap;

  constructor(heap: Heap, value: Value, region: Region) {
    this.#heap = heap;
    this.value = value;
    this.address = region.offset;
    this.nBytes = region.nBytes;
  }

  read(): Elements {
    return this.#heap.copyOut(this.address, this.value.nElems, this.value.dtype);
  }

  release(): void {
    this.#heap.drop(this);
  }
}

export class Heap {
  readonly simd: Simd;
  readonly kernels: Kernels;
  readonly scratch: number;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** Free regions by offset, none touching another. */
  readonly #free: Region[];
  readonly #blocks = new Set<Block>();
  /** Views of the whole memory, made anew when it grows. */
  f32!: Float32Array;
  i32!: Int32Array;
  f64!: Float64Array;
  /** The arena's address; when it moves, `arenaVersion` changes. */
  arena = 0;
  arenaVersion = 0;
  /** How many regions were ever asked for. */
  allocations = 0;
  #arenaBytes = 0;
  #residentBytes = 0;
  #largestRun = 0;
  #runBytes = 0;
  #run = 0;

  constructor() {
    this.simd = chooseSimd();
    this.memory = new WebAssembly.Memory({ initial: 128, maximum: MAX_PAGES, shared: true });
    this.module = compileKernels(this.simd);
    this.kernels = instantiate(this.module, kernelImports(this.memory));
    this.#look();
    const base = Math.ceil(this.kernels.heapBase() / PAGE) * PAGE;
    this.#free = [{ offset: base, nBytes: this.memory.buffer.byteLength - base }];
    this.scratch = this.allocate(SCRATCH_BYTES);
  }

  /** Bytes of Wasm memory in all, and of resident values and arena in it. */
  get usage(): { totalBytes: number; residentBytes: number; arenaBytes: number } {
    return {
      totalBytes: this.memory.buffer.byteLength,
      residentBytes: this.#residentBytes,
      arenaBytes: this.#arenaBytes,
    };
  }

  #look(): void {
    this.f32 = new Float32Array(this.memory.buffer);
    this.i32 = new Int32Array(this.memory.buffer);
    this.f64 = new Float64Array(this.memory.buffer);
  }

  // ---- a run

  /** Starts a run: what it touches from now on stays until the next. */
  begin(): void {
    this.#run++;
    this.#runBytes = 0;
  }

  /** Makes the arena at least this large. */
  reserveArena(nBytes: number): void {
    if (nBytes <= this.#arenaBytes) return;
    if (this.#arenaBytes > 0) this.free({ offset: this.arena, nBytes: this.#arenaBytes });
    const want = Math.ceil((nBytes * 1.125) / PAGE) * PAGE;
    this.#arenaBytes = 0;
    this.arena = this.allocate(want);
    this.#arenaBytes = want;
    this.arenaVersion++;
  }

  /** Address of a value in Wasm memory, copied in if it is not there (and `fill` asks for its elements). */
  resident(value: Value, fill = true): number {
    value.check();
    let block = value.residence as Block | null;
    if (block === null) {
      const nBytes = heldBytes(value.nBytes);
      const spare = Math.max(MIN_RESIDENT_BYTES, 2 * this.#largestRun) - nBytes;
      if (this.#residentBytes > spare) this.#evict(this.#residentBytes - spare);
      block = new Block(this, value, { offset: this.allocate(nBytes), nBytes });
      this.#blocks.add(block);
      this.#residentBytes += nBytes;
      value.residence = block;
      if (fill && value.host !== null) this.copyIn(block.address, value.host);
    }
    if (block.lastRun !== this.#run) {
      block.lastRun = this.#run;
      this.#runBytes += block.nBytes;
      if (this.#runBytes > this.#largestRun) this.#largestRun = this.#runBytes;
    }
    return block.address;
  }

  copyIn(address: number, elements: Elements): void {
    if (elements instanceof Int32Array) this.i32.set(elements, address >>> 2);
    else if (elements instanceof Float64Array) this.f64.set(elements, address >>> 3);
    else this.f32.set(elements, address >>> 2);
  }

  copyOut(address: number, nElems: number, dtype: DType): Elements {
    if (dtype === 'float64') return this.f64.slice(address >>> 3, (address >>> 3) + nElems);
    const at = address >>> 2;
    return dtype === 'int32' ? this.i32.slice(at, at + nElems) : this.f32.slice(at, at + nElems);
  }

  /** Writes a number as an element of `dtype`. */
  put(address: number, value: number, dtype: DType): void {
    if (dtype === 'float64') this.f64[address >>> 3] = value;
    else if (dtype === 'int32') this.i32[address >>> 2] = value;
    else this.f32[address >>> 2] = value;
  }

  // ---- regions

  /** Address of `nBytes` of memory, after growing it or taking back resident values where it must. */
  allocate(nBytes: number): number {
    this.allocations++;
    const size = Math.ceil(nBytes / LINE) * LINE;
    const found = this.#take(size) ?? (this.#grow(size) ? this.#take(size) : null);
    if (found !== null) return found;
    const before = this.#residentBytes;
    this.#evict(Number.POSITIVE_INFINITY);
    const afterEviction = this.#residentBytes < before ? this.#take(size) : null;
    if (afterEviction !== null) return afterEviction;
    const used = this.#free.reduce((bytes, region) => bytes - region.nBytes, this.memory.buffer.byteLength);
    throw new NablaError(
      'memory',
      `out of memory: asked for ${megabytes(size)}, ${megabytes(used)} in use, ${megabytes(LIMIT)} possible; ` +
        'use smaller batches or dispose tensors',
      { asked: size, used, possible: LIMIT },
    );
  }

  /** Best fit. */
  #take(size: number): number | null {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { nBytes } = this.#free[i] as Region;
      if (nBytes >= size && (best < 0 || nBytes < (this.#free[best] as Region).nBytes)) best = i;
    }
    if (best < 0) return null;
    const region = this.#free[best] as Region;
    const { offset } = region;
    if (region.nBytes === size) this.#free.splice(best, 1);
    else this.#free[best] = { offset: offset + size, nBytes: region.nBytes - size };
    return offset;
  }

  free({ offset, nBytes }: Region): void {
    const size = Math.ceil(nBytes / LINE) * LINE;
    let i = this.#free.findIndex((r) => r.offset > offset);
    if (i < 0) i = this.#free.length;
    this.#free.splice(i, 0, { offset, nBytes: size });
    for (const at of [i, i - 1]) {
      const [a, b] = [this.#free[at], this.#free[at + 1]];
      if (a && b && a.offset + a.nBytes === b.offset) {
        this.#free.splice(at, 2, { offset: a.offset, nBytes: a.nBytes + b.nBytes });
      }
    }
  }

  #grow(size: number): boolean {
    const total = this.memory.buffer.byteLength;
    const need = Math.ceil(size / PAGE_BYTES);
    const possible = MAX_PAGES - total / PAGE_BYTES;
    if (need > possible) return false;
    const pages = Math.min(possible, Math.max(need, Math.ceil(total / PAGE_BYTES / 4)));
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#look();
    const end = Math.min(total + pages * PAGE_BYTES, LIMIT);
    this.free({ offset: total, nBytes: end - total });
    return true;
  }

  /** Sends values home, the least recently used first, until `nBytes` are free; never one of the present run. */
  #evict(nBytes: number): void {
    let left = nBytes;
    for (const block of [...this.#blocks].sort((a, b) => a.lastRun - b.lastRun)) {
      if (left <= 0 || block.lastRun === this.#run) return;
      block.value.host ??= block.read();
      block.value.residence = null;
      left -= block.nBytes;
      this.drop(block);
    }
  }

  /** Forgets a block. */
  drop(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    this.#residentBytes -= block.nBytes;
    this.free({ offset: block.address, nBytes: block.nBytes });
  }
}

/** What the heap takes for a value of `nBytes`. */
export function heldBytes(nBytes: number): number {
  const lines = Math.ceil(Math.max(nBytes, 4) / LINE) * LINE;
  // Equal addresses modulo 4,096 halve the speed of streams.
  return lines >= PAGE ? lines + LINE * 5 : lines;
}

function megabytes(n: number): string {
  return `${(n / 1048576).toFixed(1)} MiB`;
}

let heap: Heap | null = null;

/** The one heap, made at first use. */
export function theHeap(): Heap {
  heap ??= new Heap();
  return heap;
}
