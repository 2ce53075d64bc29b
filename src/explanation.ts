// How a program came about, as `explain` shows it: the graph before and after each phase, the rules that fired, the
// plan and its memory.
import type { Node } from './graph/node.ts';
import { printGraph } from './graph/print.ts';
import { walk } from './graph/walk.ts';
import { printPlan } from './plan/plan.ts';
import type { MemoryUse } from './plan/usage.ts';
import type { Account } from './realise.ts';

/** What one phase of rewriting made of a graph. */
export interface PhaseOf {
  /** `stabilise`, `simplify` or `fuse`; `spell` where names such as `silu` gave way to their expressions. */
  readonly name: string;
  /** Nodes that compute something, before and after: leaves and constants do not count. */
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** How often each rule fired, or each name was spelled out. */
  readonly fired: Readonly<Record<string, number>>;
  /** Nodes that gave way to equal ones. */
  readonly shared: number;
  /** The graph after the phase. */
  readonly graph: string;
}

/** How a function's program came about; `toString()` tells it all. */
export class Explanation {
  /** The graph as it was written, gradients included. */
  readonly graph: string;
  readonly phases: readonly PhaseOf[];
  /** Instructions of the program. */
  readonly instructions: number;
  /** The plan as text. */
  readonly plan: string;
  readonly memory: MemoryUse;

  constructor({ roots, phases, plan }: Account, memory: MemoryUse) {
    this.graph = printGraph(roots);
    let before = computing(roots);
    this.phases = phases.map(({ name, roots: after, fired, shared }) => {
      const nodesBefore = before;
      before = computing(after);
      return { name, nodesBefore, nodesAfter: before, fired: byName(fired), shared, graph: printGraph(after) };
    });
    this.instructions = plan.instructions.length;
    this.plan = printPlan(plan);
    this.memory = memory;
  }

  toString(): string {
    const nodes = this.phases[0]?.nodesBefore ?? 0;
    const written = [`As written: ${count(nodes, 'node')} and their leaves`, this.graph];
    return [...written, ...this.phases.flatMap(phaseLines), '', 'Plan', this.plan, memoryLine(this.memory)].join('\n');
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const computing = (roots: readonly Node[]) => walk(roots).filter((n) => n.inputs.length > 0 && n.value === null).length;
const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

function byName(fired: ReadonlyMap<{ name: string }, number>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [{ name }, times] of fired) found[name] = (found[name] ?? 0) + times;
  return found;
}

function phaseLines({ name, nodesBefore, nodesAfter, fired, shared, graph }: PhaseOf): string[] {
  const rules = Object.entries(fired).map(([rule, times]) => `  ${times} × ${rule}`);
  if (shared > 0) rules.push(`  ${shared} × equal nodes shared`);
  const title = `After ${name}: ${nodesBefore} → ${count(nodesAfter, 'node')}`;
  return rules.length === 0 ? ['', `${title}; no rule fired`] : ['', title, ...rules, graph];
}

function memoryLine({ arenaBytes, unsharedBytes, peakBytes }: MemoryUse): string {
  const share = unsharedBytes > 0 ? ` (${Math.round((100 * arenaBytes) / unsharedBytes)} %)` : '';
  return `memory: ${arenaBytes} bytes for intermediates, of ${unsharedBytes} if none shared any${share}; ${peakBytes} in all`;
}
