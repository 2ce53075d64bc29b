// Checks every graph and every plan that a test file builds: import it, and nothing wrong passes unseen.
import { checkGraph } from '../../src/graph/check.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { observePlans, type Plan } from '../../src/plan/plan.ts';

let latest: Plan | null = null;

observePlans((plan, roots) => {
  checkGraph(roots);
  checkPlan(plan);
  latest = plan;
});

/** The plan built last. */
export function lastPlan(): Plan {
  if (latest === null) throw new Error('no plan was built yet');
  return latest;
}
