// Products of vectors, and the form that is linear in each of two.
import { NablaError } from '../error.ts';
import type { Node } from '../graph/node.ts';
import { formatShape, sameShape } from '../shape.ts';
import { einsum } from './einsum.ts';
import { add, mul } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { reshape } from './move.ts';

function checkVectors(op: string, a: Node, b: Node, fits: boolean, expected: string): void {
  if (a.shape.length === 1 && b.shape.length === 1 && fits) return;
  throw new NablaError(
    'shape',
    `${op}: a is ${formatShape(a.shape)}, b is ${formatShape(b.shape)}; expected ${expected}`,
    { op, shapes: [a.shape, b.shape] },
  );
}

/** Σ aᵢ·bᵢ of two vectors of one length, which do not broadcast: [n], [n] → []. */
export function dot(a: Node, b: Node): Node {
  checkVectors('dot', a, b, sameShape(a.shape, b.shape), 'two vectors of equal length; for matrices use matmul');
  return matmul(a, b);
}

/** aᵢ·bⱼ: [m], [n] → [m, n]. */
export function outer(a: Node, b: Node): Node {
  checkVectors('outer', a, b, true, 'two vectors; flatten them first');
  return mul(reshape(a, [a.nElems, 1]), b);
}

/** Σ aᵢ·wₒᵢⱼ·bⱼ + biasₒ: a [.., i], b [.., j], w [o, i, j], bias [o] → [.., o]. a and b do not broadcast. */
export function bilinear(a: Node, b: Node, weight: Node, bias: Node | null): Node {
  const [out, i, j] = weight.shape as [number, number, number];
  const fits =
    weight.shape.length === 3 &&
    a.shape.length > 0 &&
    a.shape.at(-1) === i &&
    b.shape.at(-1) === j &&
    sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1)) &&
    (bias === null || sameShape(bias.shape, [out]));
  if (!fits) {
    const shapes = [a, b, weight, ...(bias ? [bias] : [])].map((n) => n.shape);
    throw new NablaError(
      'shape',
      `bilinear: ${shapes.map(formatShape).join(', ')} do not fit; expected [.., i], [.., j], weight [o, i, j], bias [o]`,
      { op: 'bilinear', shapes },
    );
  }
  const y = einsum('...i,oij,...j->...o', [a, weight, b]);
  return bias === null ? y : add(y, bias);
}
