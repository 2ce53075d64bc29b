// A variable: something whose elements change, by new versions. The version before an update can be read until the
// next one; a compiled program updates in place and keeps none.
import { NablaError } from '../error.ts';
import { NO_ATTRS, Node } from './node.ts';
import type { Op } from './op.ts';
import { currentTrace, withTrace } from './trace.ts';
import { Value } from './value.ts';

/** A node whose elements are known from the start. */
export const leafOp: Op = { name: 'leaf', shape: () => [], dtype: () => 'float32' };

/** A leaf belongs to no trace: its elements are known outside. */
export function leaf(value: Value, shape: readonly number[]): Node {
  const node = withTrace(null, () => new Node(leafOp, [], NO_ATTRS, shape, value.dtype));
  node.value = value;
  return node;
}

export class State {
  #requiresGrad: boolean;
  /** The elements of the newest realised version. */
  value: Value;
  #head: Node;
  /** The realised version before the head, while it can still be read. */
  #previous: Node | null = null;
  #grad: Node | null = null;
  /** A compiled program wrote over the head; the next look at it makes a new leaf. */
  #overwritten = false;

  constructor(value: Value, shape: readonly number[], requiresGrad: boolean) {
    value.lasting = true;
    this.value = value;
    this.#requiresGrad = requiresGrad;
    this.#head = this.#leaf(shape);
  }

  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(on: boolean) {
    this.#requiresGrad = on;
    this.#head.requiresGrad = on;
  }

  /** The newest version: realised, or still to be computed. */
  get head(): Node {
    const traced = currentTrace()?.heads.get(this);
    if (traced !== undefined) return traced;
    if (this.#overwritten) {
      this.#head = this.#leaf(this.#head.shape);
      this.#overwritten = false;
    }
    return this.#head;
  }

  /** Whether the newest version is still to be computed. */
  get isPending(): boolean {
    return !this.#overwritten && this.#head.value === null;
  }

  /** The leaf of the last realised version. */
  get realised(): Node {
    return this.#before ?? this.head;
  }

  /** The gradient accumulated so far. */
  get grad(): Node | null {
    const trace = currentTrace();
    return trace === null ? this.#grad : (trace.grads.get(this) ?? null);
  }

  set grad(node: Node | null) {
    const trace = currentTrace();
    if (trace === null) this.#grad = node;
    else trace.grads.set(this, node);
  }

  /** Makes `node` the next version; it is computed when it is needed or a step is made. */
  assign(node: Node): void {
    node.state = this;
    node.requiresGrad = this.#requiresGrad;
    const trace = currentTrace();
    if (trace !== null) {
      trace.heads.set(this, node);
      return;
    }
    const head = this.head;
    if (head.value !== null) this.#before = head;
    this.#head = node;
  }
  /** The last realised version, while the head is not realised. */
  #before: Node | null = null;

  /** Memory for the next version: never that of the last one, nor of a value in `inUse`. */
  target(inUse: ReadonlySet<Value>): Value {
    const old = this.#previous?.value ?? null;
    return old !== null && !inUse.has(old) ? old : new Value(this.value.dtype, this.value.nElems, null);
  }

  /** `target` now holds the elements of `node`, the head; of the older versions only the last stays. */
  commit(node: Node, target: Value): void {
    if (this.#previous !== null) this.#previous.value = null;
    this.#previous = this.#before;
    this.#before = null;
    target.lasting = true;
    this.value = target;
    node.value = target;
    node.cut();
    node.requiresGrad = this.#requiresGrad;
  }

  /** Takes back an assignment that could not be computed. */
  revert(): void {
    if (this.#before === null) return;
    this.#head.state = null;
    this.#head = this.#before;
    this.#before = null;
  }

  /** A compiled program wrote a new version over the head. */
  overwrite(): void {
    this.#previous = null;
    this.#overwritten = true;
  }

  /** Whether the elements of `node`, a version of this variable, are still there or to come. */
  isReadable(node: Node): boolean {
    return (node === this.#head && !this.#overwritten) || node === this.#previous || node === this.#before;
  }

  /** Throws unless `node`, a version of this variable, can still be read. */
  checkReadable(node: Node): void {
    if (this.value.disposed) throw new NablaError('disposed', 'this tensor was disposed; its memory is gone');
    if (this.isReadable(node)) return;
    throw new NablaError(
      'stale',
      `a value that depends on an old version of a parameter [${node.shape.join(',')}] was read after a later update ` +
        'wrote over it; read it before the next step, or return it from the compiled function',
    );
  }

  #leaf(shape: readonly number[]): Node {
    const node = leaf(this.value, shape);
    node.state = this;
    node.requiresGrad = this.#requiresGrad;
    return node;
  }
}
