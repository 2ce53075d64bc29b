// A thousand random graphs of extreme numbers, with rewrites and without: the same values within what float32 arithmetic
// may be off by, NaN and ∞ in the same places.
import { expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { gradients } from '../../src/grad.ts';
import { evaluator } from '../../src/graph/evaluate.ts';
import { withTrace } from '../../src/graph/trace.ts';
import type { Value } from '../../src/graph/value.ts';
import { optimise } from '../../src/rewrite/index.ts';
import { Tensor } from '../../src/tensor.ts';
import { interpreter, type Noise } from '../interpret.ts';
import './checked.ts';
import { extremeExpressions, extremeTensor, generator } from './randomGraph.ts';

/** NABLA_GRAPHS asks for a longer hunt, NABLA_SEED for another one. */
const GRAPHS = Number(process.env.NABLA_GRAPHS ?? 1000);
const FIRST = Number(process.env.NABLA_SEED ?? 0);
const PARTS = 4;

/**
 * The stated tolerance: four times as far as an element moves when every node's result is disturbed by float32's
 * rounding, and by no less than 2⁻²⁰ of itself. Where that moves it by more than 1 %, or between numbers, ∞ and NaN, the
 * graph as written is not well-posed there and says nothing.
 */
const SHARE = 2 ** -20;
const SMALLEST = 2 ** -126;
const CONDITION = 0.01;
const SAMPLES = 6;

const SHAPES = [
  [3, 4],
  [1, 4],
  [3, 1],
  [4, 3],
];

function build(seed: number): { leaves: Tensor[]; fn: Program } {
  const leaves = SHAPES.map((shape, k) => extremeTensor(generator(seed * 10 + k), shape));
  const fn = (...x: Tensor[]) => {
    const random = generator(seed + 1);
    const outputs = extremeExpressions(random, x, 6 + Math.floor(random() * 10)).slice(-4);
    if (random() < 0.5) return outputs;
    const loss = (outputs.at(-1) as Tensor).sum();
    const found = gradients(
      loss.node,
      x.map((t) => t.node),
    );
    return [...outputs, ...found.flatMap((g) => (g === null ? [] : [new Tensor(g)]))];
  };
  return { leaves, fn };
}

type Program = (...leaves: Tensor[]) => Tensor[];

/** What a graph computes, in float64: of the leaves' elements, with each node's result rounded or left as it is. */
function evaluation(leaves: readonly Tensor[], fn: Program, rewrites: boolean) {
  const context = { heads: new Map(), grads: new Map(), guards: [], rewrites };
  const written = withTrace(context, () => fn(...leaves).map((t) => t.node));
  const roots = rewrites ? optimise(written) : written;
  const nodes = leaves.map((t) => t.node);
  const values = new Map(nodes.map((node) => [node, Float64Array.from((node.value as Value).read())]));
  const [evaluate, disturb] = [evaluator(roots, nodes), interpreter(roots, nodes)];
  return {
    exact: () => evaluate(values),
    disturbed: (noise: Noise) => disturb(values, noise),
    /** Whether every step of it is a number in float32. */
    isFinite: () => {
      let finite = true;
      evaluate(values, (_, y) => {
        const rounded = y.map(Math.fround);
        if (!rounded.every(Number.isFinite)) finite = false;
        return rounded;
      });
      return finite;
    },
  };
}

/** Equal but for rounding; below the normal range nothing but the size is. */
const near = (a: number, b: number, moved: number) =>
  kind(a) === kind(b) && !(Math.abs(a - b) > 4 * moved + SHARE * Math.abs(b) + SMALLEST);

const kind = (x: number) => (Number.isFinite(x) ? 'number' : Number.isNaN(x) ? 'NaN' : '∞');

interface Found {
  failures: string[];
  compared: number;
  endless: number;
  /** Graphs all of whose steps are numbers as written. */
  finite: number;
}

function tryGraph(seed: number, found: Found): void {
  const { leaves, fn } = build(seed);
  const [plain, stable] = [evaluation(leaves, fn, false), evaluation(leaves, fn, true)];
  const random = generator(seed);
  const samples = Array.from({ length: SAMPLES }, (_, k) =>
    plain.disturbed(k === 0 ? () => 0 : () => 2 * random() - 1),
  );
  const run = (rewrites: boolean | string[]) => compile(fn, { rewrites })(...leaves).map((t) => t.data());
  const [off, small, all] = [run(false), run(['simplify', 'fuse']), run(true)];
  const references = [plain.exact(), stable.exact()];
  const finite = plain.isFinite();
  if (finite) found.finite++;
  off.forEach((y, j) => {
    y.forEach((value, i) => {
      const seen = samples.map((s) => (s[j] as Float64Array)[i] as number);
      const [first] = seen as [number];
      if (seen.some((v) => kind(v) !== kind(first)) || kind(value) !== kind(first)) return;
      const moved = Math.max(...seen.map((v) => Math.abs(v - first)), Math.abs(value - first));
      if (kind(first) === 'number' && moved > CONDITION * Math.abs(first)) return;
      found.compared++;
      if (kind(first) !== 'number') found.endless++;
      const fail = (way: string, got: number) =>
        found.failures.push(`seed ${seed}, ${way}, part ${j}, element ${i}: ${got} instead of ${value}`);
      const [less, most] = [small[j]?.[i] as number, all[j]?.[i] as number];
      if (!near(less, value, moved)) fail('simplify and fuse', less);
      // A stable form may give a number where the one as written overflows on its way, or the digits that it lost.
      if (near(most, value, moved) || (!finite && kind(value) !== kind(most))) return;
      if (!references.some((r) => near(most, (r[j] as Float64Array)[i] as number, moved))) fail('all', most);
    });
  });
}

const total = { compared: 0, endless: 0, finite: 0 };
for (let part = 0; part < PARTS; part++) {
  test(`graphs ${(part * GRAPHS) / PARTS} …`, () => {
    const found: Found = { failures: [], compared: 0, endless: 0, finite: 0 };
    for (let k = (part * GRAPHS) / PARTS; k < ((part + 1) * GRAPHS) / PARTS; k++) tryGraph(FIRST + k, found);
    total.compared += found.compared;
    total.endless += found.endless;
    total.finite += found.finite;
    expect(found.failures).toEqual([]);
  }, 600_000);
}

test('enough of their elements are well-posed, numbers as well as NaN and ∞', () => {
  expect(total.compared).toBeGreaterThan(GRAPHS * 15);
  expect(total.endless).toBeGreaterThan(GRAPHS * 3);
  expect(total.finite).toBeGreaterThan(GRAPHS / 10);
});
