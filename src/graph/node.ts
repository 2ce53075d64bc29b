// The node: one immutable operation on other nodes. Its shape and dtype are known when it is made, and its number
// is larger than its inputs', so the order of numbers is always an order of evaluation.
import type { DType } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { type Shape, sizeOf } from '../shape.ts';
import type { Attrs, Op } from './op.ts';
import type { State } from './state.ts';
import { currentTrace, type Trace } from './trace.ts';
import type { Value } from './value.ts';

export const NO_ATTRS: Attrs = Object.freeze({});
const NO_NODES: Node[] = [];

let made = 0;
let epoch = 0;
let gradEnabled = true;
let layer = '';

export class Node {
  readonly id: number;
  readonly op: Op;
  /** Empty once the node is realised and nothing can be differentiated through it any more. */
  inputs: readonly Node[];
  readonly attrs: Attrs;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Whether a gradient flows through it. */
  requiresGrad: boolean;
  /** Path of the layer that made it, for errors and pictures. */
  readonly layer: string;

  /** Nodes that read this one, kept only until it is realised; a leaf knows none, so it holds nothing alive. */
  users: readonly Node[] = NO_NODES;
  /** How many realisations happened between the making of its oldest open ancestor and its own, at most. */
  span = 0;
  readonly epoch: number = epoch;
  /** At most so many nodes that no gradient goes through have piled up below it. */
  weight = 0;
  /** Whether a derivative may be asked for through it even once its elements are known. */
  readonly differentiable: boolean;
  /** Its elements, once known. */
  value: Value | null = null;
  /** The variable of which this node is a version, or is to become one. */
  state: State | null = null;
  /** Nodes to be realised together with this one (a loss and its gradients). */
  group: Node[] | null = null;
  /** How often it was computed inside a program without being kept. */
  timesComputed = 0;
  /** Numbers to hand to a program at each run, for a leaf that is an operand and not structure. */
  operands: (() => readonly number[]) | null = null;
  /** The trace it belongs to; null for a node of the uncompiled program. */
  readonly trace: Trace | null = currentTrace();

  // Scratch of a walk: which walk came by last, and the number it gave.
  mark = 0;
  index = 0;
  #signature = 0;

  constructor(op: Op, inputs: readonly Node[], attrs: Attrs, shape: Shape, dtype: DType) {
    this.id = ++made;
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.shape = shape;
    this.dtype = dtype;
    this.layer = layer;
    let requiresGrad = false;
    for (const input of inputs) {
      if (input.requiresGrad) requiresGrad = true;
      if (input.inputs.length === 0) continue;
      if (input.value === null) input.addUser(this);
      this.span = Math.max(this.span, input.epoch === this.epoch ? input.span : input.span + 1);
    }
    this.differentiable = gradEnabled && dtype === 'float32';
    this.requiresGrad = requiresGrad && this.differentiable && (op.vjp ?? op.expression) !== undefined;
    if (!this.differentiable) {
      this.weight = 1;
      for (const input of inputs) if (input.value === null) this.weight += input.weight;
    }
  }

  get nElems(): number {
    return sizeOf(this.shape);
  }

  /** A number that is equal for nodes of the same op, attributes, shape and dtype. */
  get signature(): number {
    if (this.#signature === 0) this.#signature = intern(this);
    return this.#signature;
  }

  private addUser(user: Node): void {
    if (this.users === NO_NODES) this.users = [user];
    else (this.users as Node[]).push(user);
  }

  /** Forgets who reads it, but for nodes up to number `last`. */
  forgetUsers(last = 0): void {
    const kept = last === 0 ? NO_NODES : this.users.filter((user) => user.id <= last);
    this.users = kept.length === 0 ? NO_NODES : kept;
  }

  /** Forgets how it was computed. */
  cut(): void {
    this.inputs = NO_NODES;
    this.users = NO_NODES;
    this.group = null;
    this.span = 0;
    this.requiresGrad = false;
  }
}

const signatures = new Map<string, number>();

/** JSON has no −0, ∞ or NaN, which are numbers as different as any. */
function exact(_: string, x: unknown): unknown {
  return typeof x === 'number' && (!Number.isFinite(x) || Object.is(x, -0)) ? `${Object.is(x, -0) ? '-0' : x}` : x;
}

function intern(node: Node): number {
  const attrs = node.attrs === NO_ATTRS ? '' : JSON.stringify(node.attrs, exact);
  const key = `${node.op.name} ${attrs} ${node.shape} ${node.dtype}`;
  let id = signatures.get(key);
  if (id === undefined) {
    id = signatures.size + 1;
    signatures.set(key, id);
  }
  return id;
}

/** A new node of `op`: its shape and dtype by the op's own rules, which throw where the inputs do not fit. */
export function apply(op: Op, inputs: readonly Node[], attrs: Attrs = NO_ATTRS): Node {
  return new Node(op, inputs, attrs, op.shape(inputs, attrs), op.dtype(inputs, attrs));
}

/** Notes that elements were computed: see `span`. */
export function nextEpoch(): void {
  epoch++;
}

/** Runs `fn` with no gradient recorded. */
export function noGrad<T>(fn: () => T): T {
  return recording(false, fn);
}

/** Runs `fn` with gradients recorded though it is called inside `noGrad`: what is differentiated again at once. */
export function withGrad<T>(fn: () => T): T {
  return recording(true, fn);
}

function recording<T>(on: boolean, fn: () => T): T {
  const before = gradEnabled;
  gradEnabled = on;
  try {
    return fn();
  } finally {
    gradEnabled = before;
  }
}

/** Runs `fn` with the nodes it makes, and the errors it throws, marked as part of layer `name`. */
export function inLayer<T>(name: string, fn: () => T): T {
  const before = layer;
  layer = before === '' ? name : `${before}.${name}`;
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof NablaError) || error.fields.layer !== undefined) throw error;
    throw new NablaError(error.code, `${error.message} (in layer ${layer})`, { ...error.fields, layer });
  } finally {
    layer = before;
  }
}

/** The number of the newest node. */
export function newestNode(): number {
  return made;
}

/** Runs `fn` with the nodes it makes in the place of `node`: of its layer, and differentiable if it is. */
export function inPlaceOf<T>(node: Node, fn: () => T): T {
  return inLayerOf(node, () => recording(node.differentiable, fn));
}

/** Runs `fn` with the nodes it makes marked as part of the layer of `node`: what stands for it, or its derivative. */
export function inLayerOf<T>(node: Node, fn: () => T): T {
  const before = layer;
  layer = node.layer;
  try {
    return fn();
  } finally {
    layer = before;
  }
}
