// A value: elements with a home. Home is a JavaScript typed array, which the garbage collector frees in any loop;
// while a kernel works on it the heap may hold it instead (a residence).
import { allocate, type DType, ELEMENT_BYTES, type Elements } from '../dtype.ts';
import { NablaError } from '../error.ts';

/** Where a value lives while it is in Wasm memory; run/heap.ts makes these. */
export interface Residence {
  /** Byte address of the first element. */
  readonly address: number;
  read(): Elements;
  /** Gives the memory back without copying. */
  release(): void;
}

let settle = () => {};

/** `fn` finishes all queued calls; it is called before elements are read or freed that one of them writes or reads. */
export function onSettle(fn: () => void): void {
  settle = fn;
}

export class Value {
  readonly dtype: DType;
  readonly nElems: number;
  /** The home; null while only the residence is up to date. */
  host: Elements | null;
  residence: Residence | null = null;
  /** Bound again and again (a parameter, a constant of a compiled function): worth keeping in Wasm memory. */
  lasting = false;
  /** Why the elements cannot be had: the tensor was disposed, or the call failed that should have computed them. */
  lost: (() => Error) | null = null;
  /** Queued calls that read or write the elements, and those that write them. */
  queuedUses = 0;
  queuedWrites = 0;
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
    return this.nElems * ELEMENT_BYTES;
  }

  /** The elements, after all queued calls that write them; not to be kept or written. */
  read(): Elements {
    if (this.queuedWrites > 0) settle();
    return this.elements();
  }

  /** The elements as they are in this moment. */
  elements(): Elements {
    if (this.lost !== null) throw this.lost();
    return this.host ?? this.residence?.read() ?? allocate(this.dtype, this.nElems);
  }

  /** Frees the memory at once. */
  dispose(): void {
    if (this.queuedUses > 0) settle();
    this.lose(() => new NablaError('disposed', 'this tensor was disposed; its memory is gone'));
  }

  /** Frees the memory; reading the elements throws `why` from now on. */
  lose(why: () => Error): void {
    this.residence?.release();
    this.residence = null;
    this.host = null;
    this.lost = why;
  }
}
