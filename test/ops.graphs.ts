// Random expressions, run by the kernels with and without rewrites and step by step, against float64. They find what
// biome-ignore-all lint/style/noNonNullAssertion: places are counted from the arrays they index.
// single ops cannot: faults of grouping, of tapes, of memory taken over and of views.
import { expect, test } from 'vitest';
import { compile } from '../src/compile.ts';
import { state, tensor } from '../src/create.ts';
import { isFloat } from '../src/dtype.ts';
import { grad } from '../src/functions.ts';
import { gradients } from '../src/grad.ts';
import type { Node } from '../src/graph/node.ts';
import { Value } from '../src/graph/value.ts';
import { mul } from '../src/ops/elementwise.ts';
import { mean } from '../src/ops/reduce.ts';
import { optimise } from '../src/rewrite/index.ts';
import { Tensor } from '../src/tensor.ts';
import { interpret, interpreter, largestOf } from './interpret.ts';
import { generator } from './kernels/data.ts';
import { type Input, leaves } from './ops.case.ts';
import { differs, PRECISE, SINGLE, withinDouble, withinNoise } from './ops.compare.ts';
import { grow, type Recipe } from './ops.grow.ts';

/** NABLA_GRAPHS asks for a longer hunt, NABLA_SEED for another one. */
const GRAPHS = Number(process.env.NABLA_GRAPHS ?? 200);
const FIRST = Number(process.env.NABLA_SEED ?? 0);
/** A graph whose float32 results may be off by more than this share is too ill-conditioned to tell anything. */
const CONDITION = 1e-3;

export function randomGraphs(count: (n: number) => void): void {
  const failures: string[] = [];
  let skipped = 0;
  for (let part = 0; part < 4; part++) {
    test(`graphs ${part * (GRAPHS / 4)} …`, () => {
      for (let seed = (part * GRAPHS) / 4; seed < ((part + 1) * GRAPHS) / 4; seed++) {
        const found = tryGraph(FIRST + seed);
        if (found === null) skipped++;
        else if (found !== '') failures.push(`seed ${FIRST + seed}: ${found}`);
      }
      count(GRAPHS / 4);
      if (failures.length > 0) expect.fail(failures.splice(0).join('\n\n'));
    }, 600_000);
  }
  test('most graphs are well-conditioned', () => expect(skipped).toBeLessThan(GRAPHS / 10));
}

/** Updates that cannot be made in place, though they are as large as what they replace. */
export function updates(): void {
  for (const rewrites of [true, false]) {
    for (const name of ['sum', 'max', 'min'] as const) {
      test(`${name} of a variable over an axis of one${rewrites ? '' : ', without rewrites'}`, () => {
        const v = state(tensor([[3, -1, 2, 5, -7]]));
        compile(() => v.assign(v.mul(2)[name](0, true)), { rewrites })();
        expect([...v.data()]).toEqual([6, -2, 4, 10, -14]);
      });
    }
  }
}

/** An extreme that was read before its gradient is asked for may have been rounded by another program. */
export function extremes(): void {
  for (const name of ['max', 'min'] as const) {
    test(`gradient of a ${name} that was rounded elsewhere`, () => {
      const x = tensor([0.1, 0.7, -0.3]).mul(0.9);
      const y = x[name]();
      const [read] = y.data() as Float32Array;
      y.node.value = Value.of('float32', Float32Array.of((read as number) * (1 + 2 ** -23)));
      expect([...grad(y, [x])[0].data()]).toEqual(name === 'max' ? [0, 1, 0] : [0, 0, 1]);
    });
  }
}

/** What is wrong with graph `seed`: '' for nothing, null where it cannot be told. */
function tryGraph(seed: number): string | null {
  const grown = grow(generator(seed + 1), seed % 20 === 7);
  const recipe = seed % 4 === 1 ? grown.inFloat64() : grown;
  const wrong = check(recipe);
  if (!wrong) return wrong;
  return `${wrong}\n${shrunk(recipe).text()}`;
}

/** The same failure with fewer outputs and updates. */
function shrunk(recipe: Recipe): Recipe {
  let small = recipe;
  for (let again = true; again; ) {
    again = false;
    for (const fewer of small.smaller()) {
      if (!fails(fewer)) continue;
      small = fewer;
      again = true;
      break;
    }
  }
  return small;
}

const fails = (recipe: Recipe) => !!check(recipe);

/** Outputs, then gradients. */
function resultsOf(recipe: Recipe, x: readonly Node[]): { outputs: Node[]; updates: Node[] } {
  const nodes = recipe.build(x);
  const outputs = recipe.outputs.map((k) => nodes[k] as Node);
  const updates = recipe.updates.map((k) => nodes[k] as Node);
  if (!recipe.gradient) return { outputs, updates };
  const floats = outputs.filter((y) => isFloat(y.dtype));
  const xs = x.filter((n) => isFloat(n.dtype));
  if (floats.length === 0) return { outputs, updates };
  const found = floats.flatMap((y) => gradients(mean(mul(y, y)), xs)).filter((g) => g !== null);
  return { outputs: [...outputs, ...found], updates };
}

function check(recipe: Recipe): string | null {
  const { inputs } = recipe;
  const precision = inputs.some((i) => i.dtype === 'float64') ? PRECISE : SINGLE;
  const x = leaves(inputs);
  const { outputs, updates } = resultsOf(recipe, x);
  const roots = [...outputs, ...updates];
  const evaluate = interpreter(roots, x);
  const given = (values: readonly ArrayLike<number>[]) => new Map(x.map((n, k) => [n, Float64Array.from(values[k]!)]));
  const allowedFor = (values: readonly ArrayLike<number>[]) => {
    const at = given(values);
    const exact = evaluate(at);
    return { exact, noise: withinNoise(exact, (n) => evaluate(at, n), 3, precision) };
  };
  const start = inputs.map((i) => i.values);
  const known = allowedFor(start);
  if (known.exact.some((y, j) => !y.every(Number.isFinite) || !told(y, known.noise[j]!.room))) return null;
  const rewritten = interpret(optimise(roots), given(start));
  for (const [j, y] of known.exact.entries()) {
    const allowed = withinDouble(y, 1e-9);
    if (rewritten[j]!.some((v, i) => Math.abs(v - y[i]!) > allowed(i))) return `rewritten, part ${j}: another value`;
  }
  for (const way of [compiled(recipe, true), compiled(recipe, false), lazy(recipe)]) {
    let values: readonly ArrayLike<number>[] = start;
    for (let step = 0; step < (recipe.updates.length > 0 ? 2 : 1); step++) {
      const { exact, noise } = step === 0 ? known : allowedFor(values);
      let got: ArrayLike<number>[];
      try {
        got = way.run();
      } catch (error) {
        return `${way.name}: ${(error as Error).stack}`;
      }
      for (const [j, y] of exact.entries()) {
        if (step > 0 && !told(y, noise[j]!.room)) break;
        const why = differs(got[j]!, y, noise[j]!.allowed, false, precision);
        if (why) return `${way.name}, call ${step}, ${j < outputs.length ? 'output' : 'update'} ${j}: ${why}`;
      }
      values = values.map((v, k) => (k < recipe.updates.length ? got[outputs.length + k]! : v));
    }
  }
  return '';
}

const told = (exact: Float64Array, room: Float64Array) =>
  room.every(Number.isFinite) && largestOf(room) <= CONDITION * Math.max(largestOf(exact), 1e-3);

const tensorOf = ({ dtype, shape, values }: Input) => tensor(values, { shape, dtype });

/** The first inputs are variables, one for each update; a run gives outputs, then the variables' new elements. */
function compiled(recipe: Recipe, rewrites: boolean) {
  const variables = recipe.inputs.slice(0, recipe.updates.length).map((i) => state(tensorOf(i)));
  const rest = recipe.inputs.slice(variables.length).map(tensorOf);
  const f = compile(
    (...x: Tensor[]) => {
      const { outputs, updates } = resultsOf(
        recipe,
        [...variables, ...x].map((t) => t.node),
      );
      for (const [k, node] of updates.entries()) variables[k]!.assign(new Tensor(node));
      return outputs.map((node) => new Tensor(node));
    },
    { rewrites },
  );
  const run = () => [...f(...rest).map((t) => t.data()), ...variables.map((v) => v.data())];
  return { name: rewrites ? 'compiled' : 'compiled without rewrites', run };
}

function lazy(recipe: Recipe) {
  const variables = recipe.inputs.slice(0, recipe.updates.length).map((i) => state(tensorOf(i)));
  const rest = recipe.inputs.slice(variables.length).map(tensorOf);
  const run = () => {
    const { outputs, updates } = resultsOf(
      recipe,
      [...variables, ...rest].map((t) => t.node),
    );
    for (const [k, node] of updates.entries()) variables[k]!.assign(new Tensor(node));
    // The first half is read before the update is, the rest after.
    const before = outputs.slice(0, outputs.length / 2).map((node) => new Tensor(node).data());
    const now = variables.map((v) => v.data());
    return [...before, ...outputs.slice(before.length).map((node) => new Tensor(node).data()), ...now];
  };
  return { name: 'lazy', run };
}
