// The phases in their order: stable first, small second, fused third.
import type { Node } from '../graph/node.ts';
import { byAge, walk } from '../graph/walk.ts';
import { fuse } from './fuse.ts';
import { type Options, type Rule, rebuild, rewrite } from './match.ts';
import { simplify } from './simplify.ts';
import { stabilise } from './stabilise.ts';

export { type Rule, rebuild, rewrite } from './match.ts';

/** The named phases; `fuse` also lays out what a kernel cannot read as it is, so it always runs. */
export const phases: readonly { name: string; rules: readonly Rule[] }[] = [
  { name: 'stabilise', rules: stabilise },
  { name: 'simplify', rules: simplify },
  { name: 'fuse', rules: fuse },
];

/** Only the stable forms: what a graph goes through before it is differentiated. */
export function stabilised(roots: readonly Node[], keep: ReadonlySet<Node>): Node[] {
  return rewrite(roots, stabilise, { keep, deep: true });
}

/** The rules a kernel cannot do without. */
const layoutRules = fuse.filter((rule) => rule.name.includes(' over '));

/** The whole graph, forward and backward together, through every phase; `off` keeps only what kernels need. */
export function optimise(roots: readonly Node[], off = false, options: Options = {}): Node[] {
  const bare = unwrapped(roots);
  if (off) return rewrite(bare, layoutRules, options);
  return phases.reduce((current, phase) => rewrite(current, phase.rules, options), bare);
}

/** Nodes that are there for their derivatives alone, replaced by what they stand for. */
function unwrapped(roots: readonly Node[]): Node[] {
  const becomes = new Map<Node, Node>();
  const order = byAge(walk(roots));
  if (order.some(({ op }) => op.wraps)) {
    for (const old of order) {
      const node = rebuild(old, becomes);
      const now = node.op.wraps && node.value === null ? (node.inputs[0] as Node) : node;
      if (now !== old) becomes.set(old, now);
    }
  }
  return roots.map((root) => becomes.get(root) ?? root);
}
