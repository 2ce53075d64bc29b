// Ops that are names for expressions, spelled out: what the rules see, and what runs, is made of other ops.
import { inLayerOf, type Node } from '../graph/node.ts';
import { isName, type Op } from '../graph/op.ts';
import { walk } from '../graph/walk.ts';
import { type Options, rebuild } from './match.ts';

/** `roots` with every name replaced by its expression; those that stand in an expression are replaced in turn. */
export function spelled(roots: readonly Node[], options: Options = {}): Node[] {
  const { keep, deep = false } = options;
  const isOpen = (node: Node) => (deep || node.value === null) && node.inputs.length > 0 && !keep?.has(node);
  const becomes = new Map<Node, Node>();
  let names = 0;
  for (const old of walk(roots, isOpen)) {
    if (!isOpen(old)) continue;
    let node = rebuild(old, becomes);
    if (isName(node.op)) {
      names++;
      options.fired?.(node.op);
      const { expression } = node.op as Required<Pick<Op, 'expression'>>;
      const name = node;
      node = inLayerOf(old, () => expression(name));
    }
    if (node !== old) becomes.set(old, node);
  }
  const next = roots.map((root) => becomes.get(root) ?? root);
  return names > 0 ? spelled(next, options) : next;
}
