// Grows a random expression: steps, each an op on earlier nodes, that can be built again over any leaves.
import type { Node } from '../src/graph/node.ts';
import { silu, softsign } from '../src/ops/activations.ts';
import { conv2d } from '../src/ops/conv.ts';
import * as e from '../src/ops/elementwise.ts';
import { asinh, atan, atan2, clampMax } from '../src/ops/functions.ts';
import { indexSelect } from '../src/ops/gather.ts';
import { constant, operand } from '../src/ops/leaf.ts';
import { matmul } from '../src/ops/matmul.ts';
import * as m from '../src/ops/move.ts';
import { maxPool2d } from '../src/ops/pool.ts';
import * as r from '../src/ops/reduce.ts';
import { crossEntropy, logSoftmax, softmax } from '../src/ops/softmax.ts';
import { type Shape, sameShape, sizeOf } from '../src/shape.ts';
import { interpret, largestOf } from './interpret.ts';
import { type Input, leaves } from './ops.case.ts';
import { ALONG, type Along } from './ops.grow.more.ts';
import type { Random } from './ops.row.ts';

interface Step {
  name: string;
  /** Places of its operands: inputs first, then steps. */
  of: number[];
  build: (...x: Node[]) => Node;
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17];
/** Results beyond this are not kept: nothing is learned from overflow. */
const LARGEST = 50;

export class Recipe {
  readonly inputs: Input[];
  readonly steps: readonly Step[];
  readonly outputs: readonly number[];
  /** What the first inputs become. */
  readonly updates: readonly number[];
  readonly gradient: boolean;

  constructor(inputs: Input[], steps: readonly Step[], outputs: number[], updates: number[], gradient: boolean) {
    this.inputs = inputs;
    this.steps = steps;
    this.outputs = outputs;
    this.updates = updates;
    this.gradient = gradient;
  }

  /** The same with float64 for float32. */
  inFloat64(): Recipe {
    const inputs = this.inputs.map((i): Input => (i.dtype === 'float32' ? { ...i, dtype: 'float64' } : i));
    return new Recipe(inputs, this.steps, [...this.outputs], [...this.updates], this.gradient);
  }

  /** All nodes over these leaves. */
  build(x: readonly Node[]): Node[] {
    const nodes = [...x];
    for (const { of, build } of this.steps) nodes.push(build(...of.map((k) => nodes[k] as Node)));
    return nodes;
  }

  /** The same with something left out. */
  smaller(): Recipe[] {
    const { inputs, steps, outputs, updates, gradient } = this;
    const made: Recipe[] = [];
    const last = inputs.length + steps.length - 1;
    for (const k of outputs) {
      const rest = outputs.filter((o) => o !== k);
      if (rest.length + updates.length > 0) made.push(new Recipe(inputs, steps, rest, [...updates], gradient));
      // An operand in its place.
      for (const below of steps[k - inputs.length]?.of ?? []) {
        if (!outputs.includes(below)) made.push(new Recipe(inputs, steps, [...rest, below], [...updates], gradient));
      }
    }
    if (gradient) made.push(new Recipe(inputs, steps, [...outputs], [...updates], false));
    if (updates.length > 0) made.push(new Recipe(inputs, steps, [...outputs], updates.slice(0, -1), gradient));
    if (steps.length > 0 && !outputs.includes(last) && !updates.includes(last)) {
      made.unshift(new Recipe(inputs, steps.slice(0, -1), [...outputs], [...updates], gradient));
    }
    return made;
  }

  text(): string {
    const nodes = this.build(leaves(this.inputs));
    const used = new Set<number>();
    const visit = (k: number): void => {
      if (used.has(k)) return;
      used.add(k);
      this.steps[k - this.inputs.length]?.of.forEach(visit);
    };
    [...this.outputs, ...this.updates].forEach(visit);
    const lines = nodes.flatMap((node, k) => {
      if (!used.has(k)) return [];
      const step = this.steps[k - this.inputs.length];
      return [`  ${k}: ${step ? `${step.name}(${step.of})` : 'input'} [${node.shape}] ${node.dtype}`];
    });
    return [...lines, `  outputs ${this.outputs}, updates ${this.updates}, gradient ${this.gradient}`].join('\n');
  }
}

const one = constant(1);
const half = () => operand(() => [0.5625]);

/** Functions of one node. */
const UNARY: Record<string, (x: Node) => Node> = {
  neg: e.neg,
  abs: e.abs,
  square: e.square,
  tanh: e.tanh,
  sigmoid: e.sigmoid,
  sin: e.sin,
  cos: e.cos,
  relu: e.relu,
  exp: e.exp,
  softplus: e.softplus,
  silu,
  softsign,
  atan,
  asinh,
  erf: e.erf,
  expm1: e.expm1,
  copy: e.copy,
  detach: e.detach,
  log1p: (x) => e.log(e.add(one, e.abs(x))),
  root: (x) => e.sqrt(e.add(e.square(x), constant(0.5))),
  inverse: (x) => e.reciprocal(e.add(one, e.square(x))),
  oneMinus: (x) => e.sub(one, x),
  logSigmoid: (x) => e.log(e.sigmoid(x)),
  half: (x) => e.mul(x, half()),
  shift: (x) => e.add(half(), x),
  minus: (x) => e.mul(x, constant(-1)),
  sum: (x) => r.sum(x),
  mean: (x) => r.mean(x),
  flat: (x) => m.reshape(x, [-1]),
  wrap: (x) => m.reshape(x, [1, ...x.shape]),
  column: (x) => m.reshape(x, [...x.shape, 1]),
  turn: (x) =>
    m.permute(
      x,
      x.shape.map((_, i) => x.shape.length - 1 - i),
    ),
  twice: (x) => e.expand(x, [2, ...x.shape]),
  positive: (x) => e.cast(e.gt(x, constant(0)), x.dtype),
};

/** Of two that broadcast. */
const BINARY: Record<string, (a: Node, b: Node) => Node> = {
  add: e.add,
  sub: e.sub,
  mul: e.mul,
  maximum: e.maximum,
  minimum: e.minimum,
  clampMax,
  atan2: (a, b) => atan2(a, e.add(one, e.square(b))),
  div: (a, b) => e.div(a, e.add(one, e.square(b))),
  pick: (a, b) => e.where(e.lt(a, b), a, b),
  reluGrad: (y, dy) => e.where(e.gt(y, constant(0)), dy, constant(0)),
  tanhGrad: (y, dy) => e.mul(dy, e.sub(one, e.square(y))),
  sigmoidGrad: (y, dy) => e.mul(dy, e.mul(y, e.sub(one, y))),
  lerp: (a, b) => e.add(a, e.mul(half(), e.sub(b, a))),
  lerpByMean: (a, b) => e.add(a, e.mul(r.mean(b), e.sub(b, a))),
  madd: (a, b) => e.add(e.mul(a, b), b),
  nmadd: (a, b) => e.sub(a, e.mul(a, b)),
  centred: (a, b) => e.sub(a, r.mean(b, undefined, true)),
};

const REDUCTIONS = [
  ['sum', r.sum],
  ['mean', r.mean],
  ['max', r.max],
  ['min', r.min],
] as const;

/** A step on nodes of these shapes, or null where the draw does not fit. */
function draw(random: Random, nodes: readonly Node[]): Step | null {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  // Late nodes are drawn more often, so that chains grow.
  const k = () => Math.floor(Math.sqrt(random()) * nodes.length);
  const float = () => {
    for (;;) {
      const at = k();
      if ((nodes[at] as Node).dtype === 'float32') return at;
    }
  };
  const [a, b, c] = [float(), float(), float()];
  const x = nodes[a] as Node;
  const axis = x.shape.length > 0 ? Math.floor(random() * x.shape.length) : -1;
  const step = (name: string, of: number[], build: Step['build']): Step => ({ name, of, build });
  const kind = random();
  if (kind < 0.3) {
    const name = pick(Object.keys(UNARY));
    return step(name, [a], UNARY[name] as Step['build']);
  }
  if (kind < 0.6) {
    const name = pick(Object.keys(BINARY));
    return step(name, [a, b], BINARY[name] as Step['build']);
  }
  if (kind < 0.64) return step('madd3', [a, b, c], (p, q, s) => e.add(e.mul(p as Node, q as Node), s as Node));
  if (axis < 0) return null;
  if (random() < 0.3) {
    const name = pick(Object.keys(ALONG));
    const axes = x.shape.map((_, i) => i).filter((i) => i === axis || random() < 0.3);
    return step(`${name} along ${axis} of ${axes}`, [a], (p) => (ALONG[name] as Along)(p as Node, axis, axes));
  }
  if (kind < 0.76) {
    const [name, of] = pick(REDUCTIONS);
    const axes = x.shape.map((_, i) => i).filter((i) => i === axis || random() < 0.3);
    const keep = random() < 0.5;
    return step(`${name} over ${axes}${keep ? ' kept' : ''}`, [a], (p) => of(p as Node, axes, keep));
  }
  if (kind < 0.8) {
    const of = random() < 0.5 ? softmax : logSoftmax;
    return step(`${of.name} ${axis}`, [a], (p) => of(p as Node, axis));
  }
  if (kind < 0.83) {
    const range = { start: Math.floor(random() * (x.shape[axis] as number)), step: random() < 0.3 ? -1 : 1 };
    return step(`slice ${axis} ${range.start} by ${range.step}`, [a], (p) =>
      m.slice(
        p as Node,
        (p as Node).shape.map((_, i) => (i === axis ? range : {})),
      ),
    );
  }
  if (kind < 0.85)
    return step(`pad ${axis}`, [a], (p) =>
      m.pad(
        p as Node,
        (p as Node).shape.map((_, i) => (i === axis ? [1, 2] : [0, 0])),
      ),
    );
  if (kind < 0.87)
    return step(`concat ${axis}`, [a, b, a], (p, q, s) => m.concat([p as Node, q as Node, s as Node], axis));
  if (kind < 0.89) {
    const to = x.shape.map((_, i) => i).sort(() => random() - 0.5);
    return step(`permute ${to}`, [a], (p) => m.permute(p as Node, to));
  }
  if (kind < 0.9)
    return step(`rows of argmax ${axis}`, [a], (p) =>
      indexSelect(p as Node, axis, m.reshape(r.argmax(p as Node, axis), [-1])),
    );
  if (kind < 0.91) return step('argmax', [a], (p) => r.argmax(p as Node, axis));
  if (kind < 0.93) return step('crossEntropy', [a], (p) => crossEntropy(p as Node, r.argmin(p as Node, -1)));
  if (kind < 0.95 && x.shape.length === 3) {
    return step('conv', [a], (p) => {
      const image = m.reshape(p as Node, [1, ...(p as Node).shape]);
      return conv2d(image, m.slice(image, [{}, {}, { stop: 2 }, { stop: 2 }]), { padding: 1 });
    });
  }
  if (kind < 0.96 && x.shape.length === 3)
    return step('pool', [a], (p) => maxPool2d(m.reshape(p as Node, [1, ...(p as Node).shape]), 2, { stride: 1 }));
  const transposed = random() < 0.5;
  const layer = random();
  return step(`matmul${transposed ? ' of transpose' : ''}${layer < 0.3 ? ' + bias' : ''}`, [a, b, c], (p, q, bias) => {
    const right = transposed && (q as Node).shape.length > 1 ? m.transpose(q as Node, -1, -2) : (q as Node);
    const product = matmul(p as Node, right);
    return layer < 0.3 ? e.relu(e.add(product, bias as Node)) : product;
  });
}

/** A random recipe; a large one has few steps on matrices past every block and slice. */
export function grow(random: Random, large: boolean): Recipe {
  const size = () => (large ? 250 + Math.floor(random() * 40) : (SIZES[Math.floor(random() * SIZES.length)] as number));
  const [a, b, c] = [size(), size(), large ? 2 : size()];
  const shapes: Shape[] = [[a, b], [b], [a, 1], [], [1, b], [c, a, b], [c, 1, b], [c, 1, 1], [b, c], [1]];
  const nLeaves = 2 + Math.floor(random() * 4);
  const inputs = Array.from({ length: nLeaves }, (_, k): Input => {
    const shape = shapes[k === 0 ? 0 : Math.floor(random() * (shapes.length - (large ? 3 : 0)))] as Shape;
    const values = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(3 * random() - 1.5));
    return { shape, dtype: 'float32', values };
  });
  const nodes = leaves(inputs);
  const values = new Map(nodes.map((n, k) => [n, (inputs[k] as Input).values]));
  const steps: Step[] = [];
  const wanted = large ? 6 : 4 + Math.floor(random() * 22);
  for (let tries = 0; steps.length < wanted && tries < 300; tries++) {
    const step = draw(random, nodes);
    // A large product in float64 takes longer than all else.
    if (step === null || (large && step.name.startsWith('matmul'))) continue;
    let node: Node;
    try {
      node = step.build(...step.of.map((k) => nodes[k] as Node));
    } catch {
      continue; // These shapes do not fit.
    }
    if (node.nElems > (large ? 80_000 : 4000) || node.shape.length > 5) continue;
    const [y] = interpret([node], values) as [Float64Array];
    if (!y.every(Number.isFinite) || largestOf(y) > LARGEST) continue;
    values.set(node, y);
    nodes.push(node);
    steps.push(step);
  }
  return finished(random, inputs, nodes, steps);
}

function finished(random: Random, inputs: Input[], nodes: readonly Node[], steps: Step[]): Recipe {
  const outputs = new Set([nodes.length - 1]);
  const more = Math.floor(random() * 4);
  for (let k = 0; k < more; k++) outputs.add(Math.floor(random() * nodes.length));
  const updates: number[] = [];
  if (random() < 0.4) {
    for (const k of [0, 1]) {
      const fit = nodes.flatMap((n, i) =>
        sameShape(n.shape, (nodes[k] as Node).shape) && n.dtype === 'float32' && i !== k ? [i] : [],
      );
      if (fit.length === 0) break;
      updates.push(fit[Math.floor(random() * fit.length)] as number);
    }
  }
  return new Recipe(inputs, steps, [...outputs], updates, random() < 0.5);
}
