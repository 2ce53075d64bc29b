// The phases in their order: stable first, then names spelled out, small second, fused third.
import type { Node } from '../graph/node.ts';
import { isName } from '../graph/op.ts';
import { currentTrace, type Rewrites } from '../graph/trace.ts';
import { byAge, walk } from '../graph/walk.ts';
import { transparent } from './arithmetic.ts';
import { type Options, type Rule, rebuild, rewrite } from './match.ts';
import { type Phase, phases, selected } from './select.ts';
import { spelled } from './spell.ts';

export { type Rule, rebuild, rewrite } from './match.ts';
export { checkRewrites, phases, selectionNumber } from './select.ts';

/** Only the stable forms: what a graph goes through before it is differentiated. */
export function stabilised(roots: readonly Node[], keep: ReadonlySet<Node>): Node[] {
  const rules = selected(phases[0] as Phase, currentTrace()?.rewrites);
  return rules.length === 0 ? [...roots] : rewrite(roots, rules, { keep, deep: true });
}

/** What a phase did. */
export interface PhaseReport {
  /** `spell` is where names gave way to their expressions; the stable forms of those follow. */
  name: Phase['name'] | 'spell';
  /** The graph after it. */
  roots: readonly Node[];
  /** How often each rule fired, or each name was spelled out. */
  fired: ReadonlyMap<{ readonly name: string }, number>;
  /** Nodes that gave way to equal ones. */
  shared: number;
}

/**
 * The whole graph, forward and backward together, through every phase, with the rules that are asked for. Names are
 * spelled out whatever is asked. Some stable forms are of names, others of what these stand for.
 */
export function optimise(
  roots: readonly Node[],
  rewrites: Rewrites = true,
  report?: (phase: PhaseReport) => void,
): Node[] {
  const apply = (phase: Phase, current: readonly Node[]) => {
    const rules = rulesOf(phase, rewrites);
    // All that is left would be to share equal nodes, which the last phase does anyway.
    if (rules.length === 0) return [...current];
    return reported(phase.name, (watch) => rewrite(current, rules, watch), report);
  };
  const [stabilise, ...rest] = phases as [Phase, ...Phase[]];
  let current = apply(stabilise, unwrapped(roots));
  if (walk(current).some((node) => isOpenName(node))) {
    current = reported('spell', (watch) => spelled(current, watch), report);
    current = apply(stabilise, current);
  }
  for (const phase of rest) current = apply(phase, current);
  return current;
}

const isOpenName = ({ op, value }: Node) => value === null && isName(op);

/** What `phase` does to what is differentiated already. */
function rulesOf(phase: Phase, rewrites: Rewrites): readonly Rule[] {
  const rules = selected(phase, rewrites).filter((rule) => !rule.forDerivatives);
  if (phase.name !== 'stabilise' || rules.length === 0) return rules;
  // A copy or a detached node hides no form any more.
  const simplify = phases.find(({ name }) => name === 'simplify') as Phase;
  return [...selected(simplify, rewrites).filter((rule) => transparent.includes(rule)), ...rules];
}

function reported(
  name: PhaseReport['name'],
  work: (watch: Options) => Node[],
  report: ((phase: PhaseReport) => void) | undefined,
): Node[] {
  if (report === undefined) return work({});
  const fired = new Map<{ readonly name: string }, number>();
  const merged = new Set<Node>();
  const roots = work({
    fired: (rule) => fired.set(rule, (fired.get(rule) ?? 0) + 1),
    shared: (node) => merged.add(node),
  });
  report({ name, roots, fired, shared: merged.size });
  return roots;
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
