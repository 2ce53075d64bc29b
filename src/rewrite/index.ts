// The phases in their order: stable first, then names spelled out, small second, fused third.
import type { Node } from '../graph/node.ts';
import { fuse } from './fuse.ts';
import { type Options, type Rule, rewrite } from './match.ts';
import { simplify } from './simplify.ts';
import { spelled } from './spell.ts';
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
  if (off) return rewrite(spelled(roots, options), layoutRules, options);
  // Some stable forms are of names, others of what they stand for.
  const stable = rewrite(roots, stabilise, options);
  const written = spelled(stable, options);
  const rest = written.some((node, i) => node !== stable[i]) ? phases : phases.slice(1);
  return rest.reduce((current, phase) => rewrite(current, phase.rules, options), written);
}
