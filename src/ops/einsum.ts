// Einstein's sums: operands are contracted two by two, the cheapest pair first, each pair a product of matrices.
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { sizeOf } from '../shape.ts';
import { diagonal } from './diagonal.ts';
import { mul } from './elementwise.ts';
import { product } from './matmul.ts';
import { permute, reshape, transpose } from './move.ts';
import { sum } from './reduce.ts';
import { readSubscripts } from './subscripts.ts';

/** A tensor with a label for each of its axes, all different. */
interface Term {
  node: Node;
  labels: readonly string[];
}
type Sizes = ReadonlyMap<string, number>;

const volume = (labels: Iterable<string>, sizes: Sizes) =>
  sizeOf([...labels].map((label) => sizes.get(label) as number));

/**
 * Σ of products of the operands' elements over every subscript that the output lacks: 'ij,jk->ik' is a matrix product.
 * '...' stands for axes that broadcast; a subscript twice in one operand takes its diagonal; without '->' the output has
 * the subscripts that stand once, in the order of the alphabet. Sizes of a subscript must be equal: 1 does not stretch.
 */
export function einsum(equation: string, operands: readonly Node[]): Node {
  const wrong = operands.findIndex(({ dtype }) => dtype === 'int32' || dtype === 'bool');
  if (wrong >= 0) {
    const { dtype } = operands[wrong] as Node;
    throw new NablaError(
      'dtype',
      `einsum: operand ${wrong} is ${dtype}, expected float32; convert with .to('float32')`,
    );
  }
  const { inputs, output, sizes } = readSubscripts(
    equation,
    operands.map((n) => n.shape),
  );
  let terms = operands.map((node, k) => unstretched(diagonals({ node, labels: inputs[k] as string[] }), sizes));
  while (terms.length > 1) {
    const [i, j] = cheapest(terms, sizes);
    const rest = terms.filter((_, k) => k !== i && k !== j);
    const needed = new Set([...output, ...rest.flatMap(({ labels }) => labels)]);
    const both = contract(terms[i] as Term, terms[j] as Term, needed, sizes);
    terms = terms.flatMap((term, k) => (k === i ? [both] : k === j ? [] : [term]));
  }
  const last = summed(terms[0] as Term, new Set(output));
  return ordered(last, output);
}

/** Every label once: two axes of one label become their diagonal. */
function diagonals({ node, labels }: Term): Term {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return { node, labels };
  const label = labels[second] as string;
  const first = labels.indexOf(label);
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return diagonals({ node: diagonal(node, 0, first, second), labels: [...rest, label] });
}

/** Without the axes of size 1 that another operand stretches. */
function unstretched({ node, labels }: Term, sizes: Sizes): Term {
  const own = labels.filter((label, i) => node.shape[i] === sizes.get(label));
  return own.length === labels.length
    ? { node, labels }
    : {
        node: reshape(
          node,
          own.map((l) => sizes.get(l) as number),
        ),
        labels: own,
      };
}

/** The pair whose product takes the fewest multiplications; of equal ones the first. */
function cheapest(terms: readonly Term[], sizes: Sizes): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Number.POSITIVE_INFINITY;
  terms.forEach((a, i) => {
    terms.slice(i + 1).forEach((b, k) => {
      const cost = volume(new Set([...a.labels, ...b.labels]), sizes);
      if (cost >= least) return;
      least = cost;
      best = [i, i + 1 + k];
    });
  });
  return best;
}

/** The sum over all axes but `kept`. */
function summed({ node, labels }: Term, kept: ReadonlySet<string>): Term {
  const axes = labels.flatMap((label, i) => (kept.has(label) ? [] : [i]));
  return axes.length === 0 ? { node, labels } : { node: sum(node, axes), labels: labels.filter((l) => kept.has(l)) };
}

/** The axes in the order of `labels`, which are the term's own. */
function ordered(term: Term, labels: readonly string[]): Node {
  return permute(
    term.node,
    labels.map((label) => term.labels.indexOf(label)),
  );
}

/** The product of two terms, summed over what nobody else needs. */
function contract(left: Term, right: Term, needed: ReadonlySet<string>, sizes: Sizes): Term {
  const a = summed(left, new Set([...needed, ...right.labels]));
  const b = summed(right, new Set([...needed, ...a.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const inner = shared.filter((label) => !needed.has(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const cols = b.labels.filter((label) => !shared.includes(label));
  // No rows or columns, or nothing to add up: a product of elements, which fuses with its neighbours.
  if (inner.length === 0 || rows.length + cols.length === 0) {
    const labels = [...a.labels, ...cols];
    return summed({ node: mul(aligned(a, labels), aligned(b, labels)), labels }, needed);
  }
  const batch = shared.filter((label) => needed.has(label));
  const y = product(matrices(a, batch, rows, inner, sizes), matrices(b, batch, inner, cols, sizes));
  const labels = [...batch, ...rows, ...cols];
  return {
    node: reshape(
      y,
      labels.map((label) => sizes.get(label) as number),
    ),
    labels,
  };
}

/** The term with its axes in the order of `labels`, of size 1 where it has none. */
function aligned(term: Term, labels: readonly string[]): Node {
  const own = labels.filter((label) => term.labels.includes(label));
  const node = ordered(term, own);
  return reshape(
    node,
    labels.map((label) => (own.includes(label) ? (term.node.shape[term.labels.indexOf(label)] as number) : 1)),
  );
}

/** The term as matrices [batch, rows, cols]; where it lies transposed, a transpose that the product reads as it is. */
function matrices(
  term: Term,
  batch: readonly string[],
  rows: readonly string[],
  cols: readonly string[],
  sizes: Sizes,
): Node {
  const head = batch.length === 0 ? [] : [volume(batch, sizes)];
  const [m, n] = [volume(rows, sizes), volume(cols, sizes)];
  const turned = [...batch, ...cols, ...rows];
  if (rows.length > 0 && cols.length > 0 && turned.every((label, i) => label === term.labels[i])) {
    return transpose(reshape(term.node, [...head, n, m]), -1, -2);
  }
  return reshape(ordered(term, [...batch, ...rows, ...cols]), [...head, m, n]);
}
