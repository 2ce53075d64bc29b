// nabla's own suite, for `npm run bench` and the gate: every workload of RESULTS.md, every family of kernels, and other
// shapes, each with what a call does so many of.
import type { Suite } from '../src/bench/suite.ts';
import { workloads } from './workloads/index.ts';

export default (): Suite =>
  Object.fromEntries(
    workloads().map(({ name, items, unit, prepare }) => [
      name,
      { setup: prepare, run: (call: () => unknown) => call(), ...(items && { items }), ...(unit && { unit }) },
    ]),
  );
