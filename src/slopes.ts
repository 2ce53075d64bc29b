// A function's derivatives in float64, by differences and by its graph: what gradcheck compares.
import { NablaError } from './error.ts';
import { pullback } from './grad.ts';
import { evaluator, type Values } from './graph/evaluate.ts';
import type { Node } from './graph/node.ts';
import { walk } from './graph/walk.ts';
import { placeholder } from './ops/leaf.ts';
import { realised } from './realise.ts';

/** For each wanted input and each y, the derivatives as a matrix [elements of x, elements of y]. */
export type Matrices = Float64Array[][][];

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

/** Difference quotients of the ys. */
export function quotients(
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

/** Their derivatives by the graph: one gradient for each element of each y. */
export function gradientRows(
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
