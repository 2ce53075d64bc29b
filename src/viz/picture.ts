// From tensors to what a picture shows: boxes with names, operations, layers and numbers. It draws nothing.

import { isFloat } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { grad } from '../functions.ts';
import { gradients as adjointsOf } from '../grad.ts';
import type { Node } from '../graph/node.ts';
import type { State } from '../graph/state.ts';
import { currentTrace } from '../graph/trace.ts';
import { walk } from '../graph/walk.ts';
import { keepingKeys } from '../random.ts';
import { realise, realised } from '../realise.ts';
import { phases, rewrite } from '../rewrite/index.ts';
import { sameShape } from '../shape.ts';
import type { Box, Kind, Step } from './box.ts';
import { BEFORE, fold, foldLayers, inputsOf } from './fold.ts';
import { formatElements, formatNumber } from './numbers.ts';
import {
  checkOptions,
  type DrawOptions,
  type Gradients,
  type NamedOutput,
  type Outputs,
  readOutputs,
} from './options.ts';

export interface Picture {
  /** Inputs before users. */
  boxes: readonly Box[];
  /** What adjoints are derivatives of: `y`. */
  of: string;
  grouped: boolean;
  direction: 'LR' | 'TB';
  title: string;
}

/** Graphs without layers are drawn node by node up to this size; above the other one, a box is what a layer does. */
const MANY = 30;
const TOO_MANY = 100;

/** What a picture of `outputs` shows; errors begin with `who`. */
export function pictureOf(who: string, outputs: Outputs, options: DrawOptions): Picture {
  checkOptions(who, options);
  const { values = false, gradients, title = '' } = options;
  const named = readOutputs(who, outputs);
  const names = new Names(options.names ?? {}, named);
  const roots = [...new Set([...named.map((o) => o.tensor.node), ...(gradients ? [gradients.of.node] : [])])];
  const forward = new Set(walk(roots, hasInputs));
  const of = gradients ? (names.of(gradients.of.node)[0] ?? 'y') : 'y';
  const derivatives = gradients ? derivativesOf(gradients, forward) : [];
  if (gradients && !values) nameDerivatives(names, gradients, of, derivatives);
  const shown = values ? roots : [...new Set([...roots, ...derivatives])];
  const builder = new Builder(names, new Set(shown), forward);
  for (const node of walk(shown, hasInputs)) builder.add(node);
  if (values) builder.fill(who, gradients?.of.node ?? null, gradients?.wrt.map((x) => x.node) ?? []);
  const all = builder.boxes;
  placeLeaves(all);
  const grouped = options.group === undefined ? layersIn(all) > 1 : options.group === 'layer';
  const boxes = folded(all, options.fold ?? (!values && (grouped || all.length > MANY) ? 'auto' : false), grouped);
  setIds(boxes);
  const direction = options.direction ?? (grouped ? 'TB' : 'LR');
  for (const box of boxes) {
    // Adjoints are called after boxes, and what the backward pass reads of the forward one is given by name.
    if (gradients && (values || !grouped) && !box.isBackward) box.showsId = true;
    if (box.isBackward) for (const input of inputsOf(box)) if (!input.isBackward) input.showsId = true;
    box.steps.forEach(nameArguments);
  }
  return { boxes, of, grouped, direction, title };
}

function folded(all: readonly Box[], how: boolean | 'layers' | 'auto', grouped: boolean): readonly Box[] {
  if (how === false) return all;
  const chains = fold(all);
  const byLayers = how === 'layers' || (how === 'auto' && grouped && chains.length > TOO_MANY);
  return byLayers ? foldLayers(chains) : chains;
}

const hasInputs = (node: Node) => node.inputs.length > 0;

/** Ops whose arguments can change places. */
const SYMMETRIC = new Set(['add', 'mul', 'maximum', 'minimum', 'eq', 'ne']);

/** Where the edges alone do not say which argument is which, as of a difference, arguments are called by name. */
function nameArguments({ name, args, isPiece }: Step): void {
  const unnamed = new Set(args.filter((a) => (typeof a === 'string' ? a === BEFORE : !a.showsId)));
  if (isPiece || SYMMETRIC.has(name) || unnamed.size < 2) return;
  for (const a of unnamed) if (typeof a !== 'string') a.showsId = true;
}

/**
 * The gradients asked for, simplified; `grad` throws where there is none. It would differentiate a stable form of the
 * graph, whose nodes from the first changed one on are others than those drawn: these are of the graph as it is written.
 */
function derivativesOf({ of, wrt }: Gradients, forward: ReadonlySet<Node>): Node[] {
  const simplify = phases.find((phase) => phase.name === 'simplify')?.rules ?? [];
  const sources = wrt.map((x) => x.node);
  const way = between(sources, of.node);
  const adjoints = adjointsOf(of.node, way);
  const found = grad(of, wrt).map((tensor, k) => adjoints[way.indexOf(sources[k] as Node)] ?? tensor.node);
  return rewrite(found, simplify, { keep: forward, deep: true });
}

/** `∂y/∂x`; what has no name is `x`, or of several `x0`, `x1`, … */
function nameDerivatives(names: Names, { wrt }: Gradients, y: string, derivatives: readonly Node[]): void {
  wrt.forEach((tensor, k) => {
    const x = names.of(tensor.node)[0] ?? (wrt.length === 1 ? 'x' : `x${k}`);
    names.add(derivatives[k] as Node, `∂${y}/∂${x}`);
  });
}

/** Which names a node was given. A variable keeps its name from version to version. */
class Names {
  readonly #of = new Map<Node | State, string[]>();

  constructor(names: NonNullable<DrawOptions['names']>, outputs: readonly NamedOutput[]) {
    for (const [name, tensor] of Object.entries(names)) this.add(tensor.state ?? tensor.node, name);
    for (const { tensor, name, given } of outputs) {
      const key = tensor.state ?? tensor.node;
      if (given || !this.#of.has(key)) this.add(key, name);
    }
  }

  add(key: Node | State, name: string): void {
    const before = this.#of.get(key) ?? [];
    if (!before.includes(name)) this.#of.set(key, [...before, name]);
  }

  of(node: Node): readonly string[] {
    return this.#of.get(node) ?? (node.state === null ? undefined : this.#of.get(node.state)) ?? [];
  }
}

class Builder {
  readonly boxes: Box[] = [];
  readonly #of = new Map<Node, Box | string>();
  readonly #names: Names;
  readonly #outputs: ReadonlySet<Node>;
  readonly #forward: ReadonlySet<Node>;

  constructor(names: Names, outputs: ReadonlySet<Node>, forward: ReadonlySet<Node>) {
    this.#names = names;
    this.#outputs = outputs;
    this.#forward = forward;
  }

  /** A box for a node whose inputs have theirs; a number that nobody named becomes text in its users. */
  add(node: Node): void {
    const names = this.#names.of(node);
    const isOutput = this.#outputs.has(node);
    const text = names.length > 0 || isOutput ? null : this.#literal(node);
    if (text !== null) {
      this.#of.set(node, text);
      return;
    }
    const kind = kindOf(node);
    const isBackward = !this.#forward.has(node);
    const box: Box = {
      kind,
      id: '', // set once it is known what is shown
      ...{ names, isOutput, isBackward },
      showsId: names.length > 0,
      folds: node.op.view !== undefined ? 'view' : node.op.forms !== undefined ? 'elementwise' : 'never',
      steps: kind === 'op' ? [this.#step(node)] : [],
      shape: node.shape,
      dtype: node.dtype,
      layer: node.layer,
      value: kind === 'number' ? [numberOf(node)] : null,
      adjoint: null,
    };
    this.#of.set(node, box);
    this.boxes.push(box);
  }

  #step(node: Node): Step {
    const { transA, transB } = node.attrs;
    return {
      name: node.op.name,
      transposed: [...(transA === true ? [0] : []), ...(transB === true ? [1] : [])],
      args: node.inputs.map((i) => this.#of.get(i) as Box | string),
      attrs: attributesOf(node),
    };
  }

  /** A number, stretched or not. */
  #literal(node: Node): string | null {
    if (kindOf(node) === 'number') return numberOf(node);
    const [x] = node.inputs;
    if (node.inputs.length !== 1 || node.op.name !== 'expand') return null;
    const inner = this.#of.get(x as Node);
    return typeof inner === 'string' ? inner : null;
  }

  /** Computes values, and the adjoints of all that lies between `wrt` and `of`. */
  fill(who: string, of: Node | null, wrt: readonly Node[]): void {
    if (currentTrace() !== null) {
      throw new NablaError(
        'trace',
        `${who}: values are not known while compile() traces; draw outside, or without values`,
      );
    }
    const known = [...this.#of].filter((pair): pair is [Node, Box] => typeof pair[1] !== 'string');
    const way = of === null ? [] : between(wrt, of);
    const adjoints = of === null ? [] : adjointsOf(of, way);
    // All in one program.
    realise([...known.map(([node]) => node), ...adjoints.filter((a) => a !== null)]);
    const rows = (node: Node) => formatElements(realised(node).read(), node.shape, node.dtype === 'bool');
    for (const [node, box] of known) if (box.kind !== 'number') box.value = rows(node);
    way.forEach((node, k) => {
      const [box, adjoint] = [this.#of.get(node), adjoints[k]];
      if (box !== undefined && typeof box !== 'string' && adjoint) box.adjoint = rows(adjoint);
    });
  }
}

/** The nodes that `of` depends on and through which a derivative reaches some of `wrt`, both ends included. */
function between(wrt: readonly Node[], of: Node): Node[] {
  const reach = new Set(wrt);
  return walk([of], hasInputs).filter((node) => {
    if (!isFloat(node.dtype)) return false;
    const isDifferentiable = (node.op.vjp ?? node.op.expression) !== undefined;
    if (isDifferentiable && node.inputs.some((i) => reach.has(i))) reach.add(node);
    return reach.has(node);
  });
}

/** Names first come; what has none is numbered, by what it is. */
function setIds(boxes: readonly Box[]): void {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  const numbered = (name: (k: number) => string, k = 1): string =>
    taken.has(name(k)) ? numbered(name, k + 1) : name(k);
  for (const box of boxes) {
    const [name] = box.names;
    if (name === undefined) continue;
    box.id = numbered((k) => (k === 1 ? name : `${name} (${k})`));
    taken.add(box.id);
  }
  for (const box of boxes) {
    if (box.names.length > 0) continue;
    const prefix = box.isBackward ? 'g' : PREFIX[box.kind];
    box.id = numbered((k) => `${prefix}${k}`, (counts.get(prefix) ?? 0) + 1);
    counts.set(prefix, Number(box.id.slice(1)));
    taken.add(box.id);
  }
}

const PREFIX: Record<Kind, string> = { input: 'x', parameter: 'p', state: 's', number: 'c', op: 'v' };

function kindOf(node: Node): Kind {
  if (node.inputs.length > 0) return 'op';
  if (node.attrs.value !== undefined || node.operands !== null) return 'number';
  if (node.state === null) return node.value === null && node.attrs.k === undefined ? 'op' : 'input';
  return node.state.requiresGrad ? 'parameter' : 'state';
}

/** Of a key of random numbers, which changes from run to run, only what it is. */
function numberOf(node: Node): string {
  if (node.operands === null) return formatNumber(node.attrs.value as number);
  const numbers = keepingKeys(node.operands);
  if (numbers.length > 1) return 'key';
  return numbers.length === 1 ? formatNumber(numbers[0] as number) : 'number';
}

/** Attributes that go without saying where they have this value, beside those that are false. */
const USUAL: Record<string, number | boolean> = {
  ...{ stride: 1, dilation: 1, groups: 1, padding: 0, steps: 1 },
  ...{ weight: true, bias: true }, // they are inputs
};

/** Attributes but for those that a box shows anyway. */
function attributesOf({ shape, attrs }: Node): string[] {
  const { shape: _shape, dtype: _dtype, transA: _a, transB: _b, ...others } = attrs;
  return Object.entries(others).flatMap(([key, x]) => {
    const list = Array.isArray(x) ? x : [x];
    if (x === false || list.every((d) => d === USUAL[key]) || (Array.isArray(x) && sameShape(x, shape))) return [];
    if (x === true) return [key];
    const texts = list.map((d) => (typeof d === 'number' ? formatNumber(d) : d));
    return [`${key} ${texts.length === 1 ? texts[0] : `[${texts.join(',')}]`}`];
  });
}

/** A parameter belongs to the layer that uses it, or to the one around all that do. */
function placeLeaves(boxes: readonly Box[]): void {
  const paths = new Map<Box, string[]>();
  for (const user of boxes) {
    if (user.isBackward) continue;
    const path = layerPath(user.layer);
    for (const box of inputsOf(user)) {
      if (box.kind !== 'parameter' && box.kind !== 'state') continue;
      const before = paths.get(box) ?? path;
      const length = path.findIndex((name, i) => name !== before[i]);
      paths.set(box, length < 0 ? before.slice(0, path.length) : path.slice(0, length));
    }
  }
  for (const [box, path] of paths) box.layer = path.join('.');
}

/** From the outermost layer to the innermost. A dot inside a name (`blocks.0 (Block)`) parts no layers. */
export function layerPath(layer: string): string[] {
  return layer === '' ? [] : layer.split(/(?<=\))\./);
}

function layersIn(boxes: readonly Box[]): number {
  return new Set(boxes.map((b) => b.layer).filter((layer) => layer !== '')).size;
}
