// The phases in their order: stable first, small second, fused third.
import type { Node } from '../graph/node.ts';
import { currentTrace, type Rewrites } from '../graph/trace.ts';
import { byAge, walk } from '../graph/walk.ts';
import { type Options, type Rule, rebuild, rewrite } from './match.ts';
import { type Phase, phases, selected } from './select.ts';

export { type Rule, rebuild, rewrite } from './match.ts';
export { checkRewrites, phases, selectionNumber } from './select.ts';

/** Only the stable forms: what a graph goes through before it is differentiated. */
export function stabilised(roots: readonly Node[], keep: ReadonlySet<Node>): Node[] {
  const rules = selected(phases[0] as Phase, currentTrace()?.rewrites);
  return rules.length === 0 ? [...roots] : rewrite(roots, rules, { keep, deep: true });
}

/** What a phase did. */
export interface PhaseReport {
  name: string;
  /** The graph after it. */
  roots: readonly Node[];
  /** How often each rule fired. */
  fired: ReadonlyMap<Rule, number>;
  /** Nodes that gave way to equal ones. */
  shared: number;
}

/** The whole graph, forward and backward together, through every phase, with the rules that are asked for. */
export function optimise(
  roots: readonly Node[],
  rewrites: Rewrites = true,
  report?: (phase: PhaseReport) => void,
): Node[] {
  let current = unwrapped(roots);
  for (const phase of phases) {
    const rules = selected(phase, rewrites).filter((rule) => !rule.forDerivatives);
    // All that is left would be to share equal nodes, which the last phase does anyway.
    if (rules.length === 0) continue;
    const fired = new Map<Rule, number>();
    const merged = new Set<Node>();
    const watch: Options = {
      fired: (rule) => fired.set(rule, (fired.get(rule) ?? 0) + 1),
      shared: (node) => merged.add(node),
    };
    current = rewrite(current, rules, report ? watch : {});
    report?.({ name: phase.name, roots: current, fired, shared: merged.size });
  }
  return current;
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
