// Walks over a graph. None recurses, so a chain of any length is walked.
import type { Node } from './node.ts';

let walks = 0;

/**
 * Every node that `roots` depend on, inputs before users, in an order that depends on structure alone: depth
 * first, inputs from left to right. Each node's `index` is its place. `through` false stops at a node.
 */
export function walk(roots: readonly Node[], through: (node: Node) => boolean = isOpen): Node[] {
  const mark = ++walks;
  const order: Node[] = [];
  const stack: Node[] = [];
  for (let r = roots.length - 1; r >= 0; r--) stack.push(roots[r] as Node);
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    if (node.mark === mark) {
      stack.pop();
      continue;
    }
    const below = stack.length;
    if (through(node)) {
      for (let i = node.inputs.length - 1; i >= 0; i--) {
        const input = node.inputs[i] as Node;
        if (input.mark !== mark) stack.push(input);
      }
    }
    if (stack.length > below) continue;
    node.mark = mark;
    node.index = order.length;
    order.push(node);
    stack.pop();
  }
  return order;
}

/** A node whose elements are not known yet. */
function isOpen(node: Node): boolean {
  return node.value === null;
}

/** The same nodes in the order they were made, which is an order of evaluation too. */
export function byAge(nodes: readonly Node[]): Node[] {
  return [...nodes].sort((a, b) => a.id - b.id);
}

/** Nodes that depend on `nodes`, that have no value and that nobody reads: what a step must not leave behind. */
export function openEnds(nodes: readonly Node[]): Node[] {
  const mark = ++walks;
  const ends: Node[] = [];
  const stack = [...nodes];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === mark) continue;
    node.mark = mark;
    if (node.value !== null) continue;
    if (node.users.length === 0 && node.inputs.length > 0) ends.push(node);
    for (const user of node.users) stack.push(user);
  }
  return byAge(ends);
}
