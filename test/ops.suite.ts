// What every row of the op table must satisfy; run once for each of the two binaries.
// biome-ignore-all lint/style/noNonNullAssertion: places are counted from the arrays they index.
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLAG_SOLO } from '../assembly/abi.ts';
import { tensor } from '../src/create.ts';
import { isFloat } from '../src/dtype.ts';
import type { Node } from '../src/graph/node.ts';
import type { Op } from '../src/graph/op.ts';
import { mul } from '../src/ops/elementwise.ts';
import { placeholder } from '../src/ops/leaf.ts';
import { sum } from '../src/ops/reduce.ts';
import { observePlans, type Plan } from '../src/plan/plan.ts';
import { shareAll } from '../src/plan/threads.ts';
import { optimise } from '../src/rewrite/index.ts';
import { theHeap } from '../src/run/heap.ts';
import { workersReady } from '../src/run/pool.ts';
import { untilReady } from './helpers.ts';
import { interpret, interpreter, largestOf, nodesOf } from './interpret.ts';
import { generator } from './kernels/data.ts';
import { compiled, edge, leaves, type Prepared, runs, sampled } from './ops.case.ts';
import { differs, PRECISE, type Precision, SINGLE, withinDouble, withinNoise, withinUlp } from './ops.compare.ts';
import { extremes, randomGraphs, updates } from './ops.graphs.ts';
import { kernels } from './ops.kernels.ts';
import { randomOps } from './ops.random.ts';
import { inFloat64, type Row } from './ops.row.ts';
import { table } from './ops.table.ts';

/** Elements of an input that are differenced; the rest of a larger one are not. */
const DIFFERENCED = 8;
const STEP = 1e-3;

const precise = table.flatMap((row) => inFloat64(row) ?? []);
const precisionOf = (c: Prepared): Precision => (c.inputs.some((i) => i.dtype === 'float64') ? PRECISE : SINGLE);

let cases = 0;

export function suite(simd: 'baseline' | 'relaxed'): void {
  beforeAll(startThreads);
  test('the binary is the one asked for', () => expect(theHeap().simd).toBe(simd));
  test('plans are shared by two threads, to the last instruction', sharesAll);
  test('every op has a row, and every row its op', everyOp);
  describe('table', () => {
    for (const row of table) test(row.name, () => checkRow(row));
  });
  describe('table in float64', () => {
    for (const row of precise) test(row.name, () => checkRow(row));
  });
  describe('random numbers', randomOps);
  describe('updates', updates);
  describe('extremes', extremes);
  describe('random graphs', () => randomGraphs((n) => (cases += n)));
  afterAll(() => {
    const ops = new Set(table.flatMap((row) => row.ops)).size;
    const counts = `${ops} ops, ${Object.keys(kernels).length} with a kernel of their own`;
    console.log(`${simd}: ${counts}, ${table.length} rows, ${precise.length} in float64 too, ${cases} cases`);
  });
}

/** So that every row runs on two threads, however small its cases are. */
function startThreads(): void {
  shareAll();
  workersReady(1);
  untilReady(2);
}

function sharesAll(): void {
  const plans: Plan[] = [];
  observePlans((plan) => plans.push(plan));
  tensor([1, 2, 3]).add(1).data();
  observePlans(null);
  expect(plans.map((plan) => plan.parallel)).toEqual([true]);
  expect(plans[0]!.instructions.map(({ flags }) => flags & FLAG_SOLO)).toEqual([0]);
}

const isOp = (x: unknown): x is Op =>
  typeof x === 'object' && x !== null && 'name' in x && 'shape' in x && 'dtype' in x;

/** Ops without a reference: see ops.random.ts. */
const RANDOM = ['uniform', 'normal'];

async function everyOp(): Promise<void> {
  const folder = new URL('../src/ops/', import.meta.url);
  const covered = new Set(table.flatMap((row) => row.ops.map((op) => op.name)));
  const all: Op[] = [];
  for (const file of readdirSync(folder)) {
    for (const op of Object.values(await import(new URL(file, folder).href)).filter(isOp)) {
      all.push(op);
      if (!covered.has(op.name) && !RANDOM.includes(op.name))
        expect.fail(`${file}: ${op.name} has no row in ops.table.ts`);
    }
  }
  const own = all.filter((op) => op.lower !== undefined).map((op) => op.name);
  expect(own.sort(), 'ops.kernels.ts says why an op has a kernel').toEqual(Object.keys(kernels).sort());
  for (const row of table) {
    const used = new Set(
      row.cases.flatMap((c) => {
        const x = c.shapes.map((shape, k) => placeholder(shape, (c.domains ?? row.domains)[k]!.dtype, k));
        return nodesOf([(c.build ?? row.build)(...x)]).map((node) => node.op);
      }),
    );
    for (const op of row.ops) expect(used.has(op), `${row.name} is built without ${op.name}`).toBe(true);
  }
}

function checkRow(row: Row): void {
  const random = generator(row.name.length * 7919 + row.cases.length);
  const failures: string[] = [];
  const fail = (c: Prepared, what: string, why: string | null) =>
    why !== null && failures.push(`${c.label}: ${what}: ${why}`);
  for (const c of row.cases) checkCase(row, sampled(row, c, random), fail);
  for (const e of row.edges ?? []) checkEdge(row, edge(row, e), fail);
  if (failures.length > 0) expect.fail(`${failures.length} failures\n${failures.slice(0, 12).join('\n')}`);
}

type Fail = (c: Prepared, what: string, why: string | null) => void;

/** Results, gradients and second derivatives, by kernels and by float64. */
function checkCase(row: Row, c: Prepared, fail: Fail): void {
  cases++;
  const x = leaves(c.inputs);
  const values = new Map(x.map((node, k) => [node, c.inputs[k]!.values]));
  const nodes = c.build(x);
  const evaluate = interpreter(nodes, x);
  const exact = evaluate(values);
  checkOracle(row, c, x, nodes[0]!, exact[0]!, fail);
  const rewritten = interpret(optimise(nodes), values);
  for (const [j, y] of exact.entries()) fail(c, `rewritten, part ${j}`, doubles(rewritten[j]!, y));
  const precision = precisionOf(c);
  const noise = withinNoise(exact, (n) => evaluate(values, n), 1, precision);
  const first = tolerance(row, c, exact[0]!, noise[0]!.allowed);
  const ways = runs(c);
  fail(c, 'one thread and two', differentBits(ways));
  for (const [way, results] of ways) {
    results.forEach((got, j) => {
      fail(c, `${way}, part ${j}`, differs(got, exact[j]!, j === 0 ? first : noise[j]!.allowed, false, precision));
    });
  }
  if (row.smooth === 0) return;
  if (precision === SINGLE) checkDifferences(row, c, exact, fail);
  else checkKernels(c, exact, fail);
}

/** An expression's graph against its formula, both in float64. */
function checkOracle(row: Row, c: Prepared, x: readonly Node[], y: Node, exact: Float64Array, fail: Fail): void {
  if (row.oracle === undefined) return;
  const shapes = { inputs: x.slice(0, c.arity), shape: y.shape, nElems: y.nElems, dtype: y.dtype } as unknown as Node;
  const values = c.inputs.slice(0, c.arity).map((input) => input.values);
  fail(c, 'the formula', doubles(exact, row.oracle(values, shapes)));
}

/** Where the first two ways differ at all. */
function differentBits(ways: ReturnType<typeof runs>): string | null {
  const [on2, on1] = ways.map(([, results]) => results) as [ArrayLike<number>[], ArrayLike<number>[]];
  for (const [j, expected] of on1.entries()) {
    const at = Array.from(expected).findIndex((v, i) => !Object.is(v, on2[j]![i]));
    if (at >= 0) return `part ${j}, element ${at}: ${on2[j]![at]} on two, ${expected[at]} on one`;
  }
  return null;
}

function doubles(got: Float64Array, exact: Float64Array): string | null {
  const allowed = withinDouble(exact, 1e-9);
  const at = exact.findIndex((v, i) => !(Math.abs(got[i]! - v) <= allowed(i)) && !Object.is(got[i], v));
  return at < 0 ? null : `element ${at}: ${got[at]}, not ${exact[at]}`;
}

function tolerance(row: Row, c: Prepared, exact: Float64Array, noise: (i: number) => number): (i: number) => number {
  const { ulp, of, absolute = 0 } = row.tolerance;
  const precision = precisionOf(c);
  if (of === undefined) return withinUlp(exact, ulp, absolute, undefined, precision);
  if (of === 'noise') return noise;
  const magnitudes = c.inputs.map(({ dtype, values }) => (isFloat(dtype) ? values.map(Math.abs) : values));
  const x = leaves(c.inputs);
  const [terms] =
    of === 'terms'
      ? interpret([c.build(x)[0]!], new Map(x.map((node, k) => [node, magnitudes[k]!])))
      : [exact.map(() => (of === 'inputs' ? largestOf(magnitudes[0]!) : of))];
  return withinUlp(exact, ulp, absolute, terms!.map(Math.abs), precision);
}

/** The elements where an op meets ∞, NaN, −0, ties: forward only. */
function checkEdge(row: Row, c: Prepared, fail: Fail): void {
  cases++;
  const x = leaves(c.inputs);
  const nodes = c.build(x);
  const [exact] = interpret(nodes);
  checkOracle(row, c, x, nodes[0]!, exact!, fail);
  const allowed = tolerance(row, c, exact!, () => 0);
  const ways = runs(c);
  fail(c, 'one thread and two', differentBits(ways));
  for (const [way, [got]] of ways) fail(c, way, differs(got!, exact!, allowed, row.signedZero, precisionOf(c)));
}

/** Gradients, and gradients of gradients, against differences of fourth order of what they differentiate. */
function checkDifferences(row: Row, c: Prepared, exact: Float64Array[], fail: Fail): void {
  const x = leaves(c.inputs);
  const nodes = c.build(x);
  const { arity, floats } = c;
  for (let order = 1; order <= row.smooth; order++) {
    const first = order === 1 ? 0 : 1;
    const outputs = order === 1 ? 1 : floats.length;
    const weights = c.inputs.slice(arity + first);
    const evaluate = interpreter(nodes.slice(first, first + outputs), x);
    const f = (values: Map<(typeof x)[number], Float64Array>) => {
      const y = evaluate(values);
      let total = 0;
      for (let j = 0; j < outputs; j++) for (const [i, v] of y[j]!.entries()) total += v * weights[j]!.values[i]!;
      return total;
    };
    floats.forEach((k, j) => {
      const analytic = exact[1 + (order - 1) * floats.length + j]!;
      fail(c, `order ${order}, input ${k}, by differences`, differenced(f, x, c, k, analytic));
    });
  }
}

/** The gradients against differences of what the kernels themselves compute, where they do so in float64. */
function checkKernels(c: Prepared, exact: Float64Array[], fail: Fail): void {
  const x = leaves(c.inputs);
  const f = compiled(c, (nodes, given) => sum(mul(nodes[0]!, given[c.arity]!)));
  c.floats.forEach((k, j) => {
    const by = (values: Map<Node, Float64Array>) => f(x.map((node) => values.get(node)!));
    fail(c, `input ${k}, by differences of kernels`, differenced(by, x, c, k, exact[1 + j]!));
  });
}

function differenced(
  f: (values: Map<ReturnType<typeof leaves>[number], Float64Array>) => number,
  x: ReturnType<typeof leaves>,
  c: Prepared,
  k: number,
  analytic: Float64Array,
): string | null {
  const at = (i: number, h: number) => {
    const values = new Map(x.map((node, j) => [node, c.inputs[j]!.values]));
    const moved = c.inputs[k]!.values.slice();
    moved[i]! += h;
    return f(values.set(x[k]!, moved));
  };
  const top = analytic.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const stride = Math.max(1, Math.floor(analytic.length / DIFFERENCED));
  for (let i = 0; i < analytic.length; i += stride) {
    const slope = (8 * (at(i, STEP) - at(i, -STEP)) - (at(i, 2 * STEP) - at(i, -2 * STEP))) / (12 * STEP);
    const room = 1e-6 * Math.max(Math.abs(slope), 0.05 * top, 1e-2);
    if (!(Math.abs(slope - analytic[i]!) <= room))
      return `element ${i}: gradient ${analytic[i]}, slope ${slope} ± ${room}`;
  }
  return null;
}
