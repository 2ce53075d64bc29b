// A value: elements with a home. Home is a JavaScript typed array, which the garbage collector frees in any loop;
// while a kernel works on it the heap may hold it instead (a residence).
import { allocate, bytesOf, type DType, type Elements } from '../dtype.ts';
import { NablaError } from '../error.ts';

/** Where a value lives while it is in Wasm memory; run/heap.ts makes these. */
export interface Residence {
  /** Byte address of the first element. */
  readonly address: number;
  read(): Elements;
  /** Gives the memory back without copying. */
  release(): void;
}

/** A program still to run, or under way, that writes a value; run/queue.ts makes these. */
export interface Writer {
  /** Why it failed, and the value will never be known. */
  readonly error: unknown;
  /** Returns once it has run. */
  wait(): void;
}

export class Value {
  readonly dtype: DType;
  readonly nElems: number;
  /** The home; null while only the residence is up to date. */
  host: Elements | null;
  residence: Residence | null = null;
  /** The last queued program that writes it, until that has run. */
  writer: Writer | null = null;
  /** Bound again and again (a parameter, a constant of a compiled function): worth keeping in Wasm memory. */
  lasting = false;
  disposed = false;
  /** The least bound these indices were found to be below, so that they are checked once. */
  checkedBelow = Number.POSITIVE_INFINITY;

  constructor(dtype: DType, nElems: number, host: Elements | null) {
    this.dtype = dtype;
    this.nElems = nElems;
    this.host = host;
  }

  static of(dtype: DType, host: Elements): Value {
    return new Value(dtype, host.length, host);
  }

  get nBytes(): number {
    return this.nElems * bytesOf(this.dtype);
  }

  /** The elements once every program queued before has run; not to be kept or written. */
  read(): Elements {
    this.writer?.wait();
    return this.elements();
  }

  /** The elements as they are now, for a program whose turn has come: what is queued after it may write them again. */
  elements(): Elements {
    this.check();
    return this.host ?? this.residence?.read() ?? allocate(this.dtype, this.nElems);
  }

  /** Throws where there are no elements, nor any to come. */
  check(): void {
    if (this.disposed) throw new NablaError('disposed', 'this tensor was disposed; its memory is gone');
    if (this.writer !== null && this.writer.error !== null) throw this.writer.error;
  }

  /** Replaces the elements. */
  write(elements: Elements): void {
    this.residence?.release();
    this.residence = null;
    this.host = elements;
    this.checkedBelow = Number.POSITIVE_INFINITY;
  }

  /** Frees the memory at once. */
  dispose(): void {
    this.residence?.release();
    this.residence = null;
    this.host = null;
    this.disposed = true;
  }
}
