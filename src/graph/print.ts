// A graph as text: one line a node, inputs before users.
import type { Node } from './node.ts';
import type { Attrs } from './op.ts';
import { walk } from './walk.ts';

/**
 * Number, op, inputs by number, attributes, dtype and shape, and the layer where there is one, such as
 * `3 matmul(0, 2) {transB: true} float32 [2,3] in 0 (Linear)`; last, the numbers of `roots`. What an already known
 * node was computed from is not shown.
 */
export function printGraph(roots: readonly Node[]): string {
  const order = walk(roots);
  const number = new Map(order.map((node, i) => [node, i]));
  const numbers = (nodes: readonly Node[]) => nodes.map((n) => number.get(n)).join(', ');
  const lines = order.map((node, i) => {
    const inputs = node.value === null && node.inputs.length > 0 ? `(${numbers(node.inputs)})` : '';
    const layer = node.layer === '' ? '' : ` in ${node.layer}`;
    return `${i} ${node.op.name}${inputs}${attributes(node.attrs)} ${node.dtype} [${node.shape}]${layer}`;
  });
  return [...lines, `→ ${numbers(roots)}`].join('\n');
}

/** Attributes but for those that the line ends with anyway; of a constant, its number alone. */
function attributes({ shape: _shape, dtype: _dtype, value, ...others }: Attrs): string {
  const list = Object.entries(others).map(([key, x]) => `${key}: ${Array.isArray(x) ? `[${x}]` : x}`);
  if (value !== undefined) list.unshift(String(value));
  if (list.length === 0) return '';
  return value !== undefined && list.length === 1 ? ` ${list[0]}` : ` {${list.join(', ')}}`;
}
