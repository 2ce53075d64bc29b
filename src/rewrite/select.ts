// Which rules are applied: all, none but those that kernels need, or the named ones.
import { NablaError } from '../error.ts';
import type { Rewrites } from '../graph/trace.ts';
import { fuse } from './fuse.ts';
import type { Rule } from './match.ts';
import { simplify } from './simplify.ts';
import { stabilise } from './stabilise.ts';

export interface Phase {
  readonly name: 'stabilise' | 'simplify' | 'fuse';
  readonly rules: readonly Rule[];
}

/** The phases in their order. A name is a phase's, or that of a rule or a family of rules. */
export const phases: readonly Phase[] = [
  { name: 'stabilise', rules: stabilise },
  { name: 'simplify', rules: simplify },
  { name: 'fuse', rules: fuse },
];

/** Throws where a name is no phase's and no rule's. */
export function checkRewrites(op: string, rewrites: unknown): void {
  if (rewrites === undefined || typeof rewrites === 'boolean') return;
  if (!Array.isArray(rewrites)) {
    throw new NablaError(
      'option',
      `${op}: rewrites is ${String(rewrites)}; expected true, false or a list of names such as ['stabilise', 'x · 1']`,
      { op, rewrites },
    );
  }
  const rules = new Set(phases.flatMap((phase) => phase.rules.map((rule) => rule.name)));
  const unknown = rewrites.find((name) => !rules.has(name) && !phases.some((phase) => phase.name === name));
  if (unknown === undefined) return;
  throw new NablaError(
    'option',
    `${op}: unknown rewrite '${unknown}'; expected a phase (${phases.map((p) => p.name).join(', ')}) or a rule ` +
      `(${[...rules].join(', ')})`,
    { op, rewrite: unknown },
  );
}

/** The rules of a phase that are asked for, and those that kernels need. */
export function selected({ name, rules }: Phase, rewrites: Rewrites = true): readonly Rule[] {
  if (rewrites === true || (rewrites !== false && rewrites.includes(name))) return rules;
  return rules.filter((rule) => rule.needed || (rewrites !== false && rewrites.includes(rule.name)));
}

const numbers = new Map<string, number>([['', 1]]);

/** A number that is equal for equal choices: 0 for all rules, 1 for none. */
export function selectionNumber(rewrites: Rewrites = true): number {
  if (rewrites === true) return 0;
  const key = rewrites === false ? '' : [...new Set(rewrites)].sort().join('\n');
  const known = numbers.get(key) ?? numbers.size + 1;
  numbers.set(key, known);
  return known;
}
