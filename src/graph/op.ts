// The contract of an op: all that any pass may ask of it. Passes read these fields and never test an op's name.
import type { DType } from '../dtype.ts';
import type { Shape } from '../shape.ts';
import type { Node } from './node.ts';

/** What distinguishes two nodes of one op, beside their inputs: plain data that JSON can hold. */
export type Attrs = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/**
 * One way to write an elementwise op as a micro-operation of a tape (assembly/abi.ts): `args` has a letter an
 * input, in the micro-operation's order, `v` for a vector and `s` for a scalar's address; `order` says which input
 * stands at each place. The first form whose scalars are scalars is taken, so the last must be all vectors.
 */
export interface Form {
  code: number;
  args: string;
  order?: readonly number[];
  /** It gives all parts of the op's `joint`, in their order: taken where the tape computes every one of them. */
  joint?: boolean;
}

/** A region of memory as an instruction sees it: made by `Lowering`, turned into a table index by the encoder. */
export interface Ref {
  readonly buffer: object;
  readonly byteOffset: number;
  /** Number of the node whose elements lie there, and whether the instruction writes them: what a plan's check reads. */
  readonly id: number;
  readonly writes: boolean;
}

/** What an op may use to write its instructions. */
export interface Lowering {
  /** Where the elements of a node are read. */
  read(node: Node): Ref;
  /** Where the elements of a node are to be written. */
  write(node: Node): Ref;
  /** Scratch memory that lives for the instructions of one node: floats of the precision that they work in. */
  scratch(nElems: number): Ref;
  /** One element that holds 0. */
  zero(): Ref;
  /** Adds an instruction; null stands for an operand that is not there. */
  emit(opcode: number, words: readonly (number | Ref | null)[]): void;
}

export interface Op {
  readonly name: string;
  /** Shape of the result; throws an error that names the op where the inputs do not fit. */
  shape(inputs: readonly Node[], attrs: Attrs): Shape;
  dtype(inputs: readonly Node[], attrs: Attrs): DType;
  /** Gradient with respect to each input, built of other ops; null where it is 0. Absent: a constant to derivatives. */
  vjp?(node: Node, dy: Node, wanted: readonly boolean[]): (Node | null)[];
  /** The oracle of the tests: the result in float64 from inputs in float64. */
  reference?(inputs: readonly Float64Array[], node: Node): Float64Array;

  // How it runs: exactly one of these, or none for a leaf and for a name of an expression.
  /** Elementwise, with broadcasting: its forms on a tape, by the dtype of its first input. */
  forms?: Partial<Record<DType, readonly Form[]>>;
  /** A reduction over axes: its micro-operation. */
  reduce?: number;
  /**
   * The same elements in the same order: shares its first input's memory, from this element on. Further inputs only
   * say what must be computed before it is read.
   */
  view?(node: Node): number;
  /** The input that a kernel may write its result over: it reads each element before it writes there, and never again. */
  over?: number;
  /** Writes the instructions for `parts`: this node, and where `joint` is given its companions. */
  lower?(parts: readonly (Node | undefined)[], l: Lowering): void;

  /**
   * Ops whose nodes over the same inputs share one instruction, or on a tape one micro-operation: a common name and
   * the place of this one in it.
   */
  joint?: { name: string; part: number; parts: number; inputs: number };
  /** Inputs that hold indices, each with the size they must stay below. */
  indices?(node: Node): { input: number; below: number; what: string }[];
  /**
   * An equivalent expression. An op that exists only to be fast has it for its derivatives; one without a way to run
   * is a name for it: it stands in the graph until a program is built.
   */
  expression?(node: Node): Node;
  /**
   * Stands for its first input, of which it is a view, with a derivative of its own, which goes to the other inputs
   * alone and may read what is no input at all. Programs take the first input instead.
   */
  wraps?: true;
  /** Of a name: whether its expression is elementwise. */
  elementwise?: boolean;
  /** Replaced before rewriting: a request, not a computation. */
  expand?(nodes: readonly Node[]): Map<Node, Node>;
}

/** The ways to run that an op has: see `Op`. */
export function waysToRun(op: Op): string[] {
  return (['forms', 'reduce', 'view', 'lower', 'expand'] as const).filter((way) => op[way] !== undefined);
}

/** Whether an op is a name for its expression and no more. */
export function isName(op: Op): boolean {
  return op.expression !== undefined && waysToRun(op).length === 0;
}

/** Whether each element of the result comes of one element of each input, which are broadcast. */
export function isElementwise(op: Op): boolean {
  return op.forms !== undefined || op.elementwise === true;
}
