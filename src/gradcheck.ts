// gradcheck: a function's symbolic gradient against central differences, both in float64 and plain JavaScript, by the
// reference formulas of its ops. So it proves the rules of derivatives; that kernels compute them is for other tests.
import { tensor } from './create.ts';
import { isFloat } from './derivatives.ts';
import { NablaError } from './error.ts';
import { pullback } from './grad.ts';
import { evaluator, type Values } from './graph/evaluate.ts';
import { type Node, withGrad } from './graph/node.ts';
import { currentTrace } from './graph/trace.ts';
import { walk } from './graph/walk.ts';
import { copy } from './ops/elementwise.ts';
import { placeholder } from './ops/leaf.ts';
import { checkNames, kindOf } from './options.ts';
import { realised } from './realise.ts';
import { formatShape, type Shape, stridesOf } from './shape.ts';
import { Tensor } from './tensor.ts';

export interface GradcheckOptions {
  /** How far an element is moved to each side: 1e-6 by default. */
  eps?: number;
  /** An entry may be off by atol + rtol·|difference quotient|: by default 1e-5 and 1e-3, as PyTorch's. */
  atol?: number;
  rtol?: number;
  /** False: a disagreement gives false and no error. */
  raiseException?: boolean;
}

type Checked = (...xs: Tensor[]) => Tensor | readonly Tensor[];

/**
 * Compares every ∂y/∂x of fn(...inputs), a tensor or a list of them, with (y(x + eps) − y(x − eps))/(2·eps). True
 * where all agree; otherwise an error that names the entry that is off most, and by how much. Everything is computed
 * in float64 at the elements of the inputs, of which those that are no floats stay as they are. A kink within eps of
 * an element disagrees. Costs two evaluations for each element of the inputs and one gradient for each of y.
 */
export function gradcheck(fn: Checked, inputs: readonly Tensor[], options: GradcheckOptions = {}): boolean {
  return check('gradcheck', fn, inputs, options);
}

/** `gradcheck` of the gradient of Σ seed·y, a function of the inputs and of seeds that it chooses itself. */
export function gradgradcheck(fn: Checked, inputs: readonly Tensor[], options: GradcheckOptions = {}): boolean {
  const op = 'gradgradcheck';
  checkInputs(op, inputs);
  const seeds = called(op, fn, inputs).map(({ shape, dtype, size }) =>
    tensor(
      Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1))),
      { shape, dtype },
    ),
  );
  const gradient: Checked = (...all) => {
    const xs = all.slice(0, inputs.length);
    const ys = called(op, fn, xs).map((y) => y.node);
    const floats = xs.map((x) => x.node).filter(isFloat);
    const found = pullback(ys, floats)(all.slice(inputs.length).map((u) => u.node));
    return found.flatMap((g) => (g === null ? [] : [new Tensor(g)]));
  };
  return check(op, gradient, [...inputs, ...seeds], options);
}

function check(op: string, fn: Checked, inputs: readonly Tensor[], options: GradcheckOptions): boolean {
  const { eps, atol, rtol, raiseException } = checkedOptions(op, options);
  checkInputs(op, inputs);
  const values = inputs.map((x) => Float64Array.from(realised(x.node).read()));
  const xs = inputs.map((x) => copy(x.node));
  const ys = withGrad(() =>
    called(
      op,
      fn,
      xs.map((x) => new Tensor(x)),
    ),
  ).map((y) => y.node);
  const wanted = xs.flatMap((x, k) => (isFloat(x) ? [k] : []));
  const at = new Map(xs.map((x, k) => [x, values[k] as Float64Array]));
  const slopes = quotients(op, ys, xs, wanted, at, eps);
  const rows = gradientRows(op, ys, xs, wanted, at);
  let [worst, nWrong, nEntries]: [Entry | null, number, number] = [null, 0, 0];
  for (const entry of entries(ys, xs, wanted, slopes, rows)) {
    nEntries++;
    const room = atol + rtol * Math.abs(entry.slope);
    if (Object.is(entry.gradient, entry.slope) || Math.abs(entry.gradient - entry.slope) <= room) continue;
    nWrong++;
    if (worst === null || offBy(entry) > offBy(worst)) worst = entry;
  }
  if (worst === null) return true;
  if (!raiseException) return false;
  throw disagreement(op, worst, `${nWrong} of ${nEntries} entries`, ys, xs, atol + rtol * Math.abs(worst.slope));
}

function checkedOptions(op: string, options: GradcheckOptions): Required<GradcheckOptions> {
  checkNames(op, options, ['eps', 'atol', 'rtol', 'raiseException']);
  const all = { eps: 1e-6, atol: 1e-5, rtol: 1e-3, raiseException: true, ...options };
  if (all.eps > 0 && all.atol >= 0 && all.rtol >= 0) return all;
  throw new NablaError(
    'option',
    `${op}: eps ${all.eps}, atol ${all.atol}, rtol ${all.rtol}: expected eps above 0, the others from 0`,
    { op },
  );
}

function checkInputs(op: string, inputs: unknown): void {
  if (currentTrace() !== null) {
    throw new NablaError('trace', `${op}: it computes values, which compile() cannot while it traces; call it outside`);
  }
  if (!Array.isArray(inputs)) {
    throw new NablaError('gradient', `${op}: got ${kindOf(inputs)}, expected a list of tensors as in ${op}(fn, [x])`);
  }
  inputs.forEach((x: unknown, k) => {
    if (!(x instanceof Tensor))
      throw new NablaError('gradient', `${op}: input ${k} is ${kindOf(x)}, expected a tensor`);
  });
  if (inputs.some((x: Tensor) => isFloat(x.node))) return;
  throw new NablaError(
    'gradient',
    `${op}: none of the ${inputs.length} inputs is a float; only floats have derivatives`,
  );
}

/** The results of fn, all floats. */
function called(op: string, fn: Checked, xs: readonly Tensor[]): Tensor[] {
  const result: unknown = fn(...xs);
  const ys: unknown[] = Array.isArray(result) ? result : [result];
  return ys.map((y) => {
    if (!(y instanceof Tensor)) {
      throw new NablaError(
        'gradient',
        `${op}: the function returned ${kindOf(y)}, expected a tensor or a list of them`,
      );
    }
    if (isFloat(y.node)) return y;
    throw new NablaError(
      'gradient',
      `${op}: the function returned ${y.dtype} ${formatShape(y.shape)}; only floats have derivatives`,
      { dtype: y.dtype },
    );
  });
}

// ---- both derivatives

/** For each wanted input and each y, the derivatives as a matrix [elements of x, elements of y]. */
type Matrices = Float64Array[][][];

/** An evaluator of `roots`, with what has no formula (random numbers) taken from the kernels, if no x is behind it. */
function evaluation(op: string, roots: readonly Node[], leaves: readonly Node[]) {
  const known = new Set(leaves);
  const moving = new Set(leaves);
  const given = new Map<Node, Float64Array>();
  for (const node of walk(roots, (n) => n.inputs.length > 0 && !known.has(n))) {
    if (known.has(node)) continue;
    if (node.inputs.some((i) => moving.has(i))) moving.add(node);
    if (node.op.reference !== undefined || node.inputs.length === 0) continue;
    if (moving.has(node)) {
      throw new NablaError('gradient', `${op}: ${node.op.name} has no formula in float64, so it cannot be checked`);
    }
    given.set(node, Float64Array.from(realised(node).read()));
  }
  const evaluate = evaluator(roots, [...leaves, ...given.keys()]);
  return (values: Values) => evaluate(new Map([...given, ...values]));
}

function quotients(
  op: string,
  ys: readonly Node[],
  xs: readonly Node[],
  wanted: readonly number[],
  at: Values,
  eps: number,
): Matrices {
  const evaluate = evaluation(op, ys, xs);
  return wanted.map((k) => {
    const x = xs[k] as Node;
    const columns = Array.from({ length: x.nElems }, (_, j) => {
      const moved = (by: number) => {
        const values = (at.get(x) as Float64Array).slice();
        (values[j] as number) += by;
        return evaluate(new Map(at).set(x, values));
      };
      const [after, before] = [moved(eps), moved(-eps)];
      return ys.map((_, q) => (after[q] as Float64Array).map((v, i) => (v - (before[q]?.[i] as number)) / (2 * eps)));
    });
    return ys.map((_, q) => columns.map((column) => column[q] as Float64Array));
  });
}

function gradientRows(
  op: string,
  ys: readonly Node[],
  xs: readonly Node[],
  wanted: readonly number[],
  at: Values,
): Matrices {
  const seeds = ys.map((y, q) => placeholder(y.shape, y.dtype, q));
  const of = wanted.map((k) => xs[k] as Node);
  const found = pullback(ys, of)(seeds);
  const gradients = found.filter((g): g is Node => g !== null);
  const evaluate = evaluation(op, gradients, [...xs, ...seeds]);
  const result: Matrices = of.map((x) =>
    ys.map((y) => Array.from({ length: x.nElems }, () => new Float64Array(y.nElems))),
  );
  for (const [q, y] of ys.entries()) {
    for (let i = 0; i < y.nElems; i++) {
      const values = new Map(at);
      for (const seed of seeds) values.set(seed, new Float64Array(seed.nElems));
      (values.get(seeds[q] as Node) as Float64Array)[i] = 1;
      const rows = evaluate(values);
      let next = 0;
      found.forEach((g, k) => {
        if (g === null) return;
        rows[next++]?.forEach((v, j) => {
          (result[k]?.[q]?.[j] as Float64Array)[i] = v;
        });
      });
    }
  }
  return result;
}

// ---- comparison

interface Entry {
  /** Which y and input, and which element of each. */
  output: number;
  input: number;
  i: number;
  j: number;
  gradient: number;
  slope: number;
}

function* entries(
  ys: readonly Node[],
  xs: readonly Node[],
  wanted: readonly number[],
  slopes: Matrices,
  rows: Matrices,
): Generator<Entry> {
  for (const [w, input] of wanted.entries()) {
    for (const [output, y] of ys.entries()) {
      for (let i = 0; i < y.nElems; i++) {
        for (let j = 0; j < (xs[input] as Node).nElems; j++) {
          const [gradient, slope] = [rows, slopes].map((m) => m[w]?.[output]?.[j]?.[i] as number) as [number, number];
          yield { output, input, i, j, gradient, slope };
        }
      }
    }
  }
}

/** NaN is off by more than anything. */
function offBy({ gradient, slope }: Entry): number {
  const off = Math.abs(gradient - slope);
  return Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
}

function disagreement(
  op: string,
  entry: Entry,
  count: string,
  ys: readonly Node[],
  xs: readonly Node[],
  allowed: number,
): NablaError {
  const { input, output, gradient, slope } = entry;
  const index = [placeOf(entry.i, (ys[output] as Node).shape), placeOf(entry.j, (xs[input] as Node).shape)] as const;
  const [y, x] = [ys.length > 1 ? `output ${output}` : 'y', xs.length > 1 ? `input ${input}` : 'x'];
  const places = `∂${y}${formatPlace(index[0])} / ∂${x}${formatPlace(index[1])}`;
  const short = (v: number) => `${Number(v.toPrecision(6))}`;
  return new NablaError(
    'gradient',
    `${op}: ${count} disagree; most: ${places} is ${short(gradient)} by the gradient, ${short(slope)} by differences: ` +
      `off by ${short(Math.abs(gradient - slope))}, allowed ${short(allowed)}`,
    { op, input, output, outputIndex: index[0], inputIndex: index[1], gradient, slope },
  );
}

function placeOf(flat: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(flat / stride) % (shape[axis] as number));
}

const formatPlace = (place: readonly number[]) => (place.length === 0 ? '' : formatShape(place));
