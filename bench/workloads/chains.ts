// Graphs of about n nodes each, for what grows with the length of a graph: compile time, and the stack.
import type { Tensor } from '../../src/index.ts';
import { data } from './workload.ts';

/** For a number of nodes, a function of x [8, 8]. */
export const chains: Record<string, (n: number) => (x: Tensor) => Tensor> = {
  'elementwise chain': (n) => (x) => {
    let y = x;
    for (let i = 0; i < n; i++) y = i % 2 === 0 ? y.sin() : y.mul(x);
    return y;
  },
  'deep linear chain': (n) => {
    const [w, b] = [data(8, 8), data(8)];
    return (x) => {
      let y = x;
      for (let i = 0; i < n; i += 2) y = y.matmul(w).add(b);
      return y;
    };
  },
  'wide sum': (n) => {
    const terms = Array.from({ length: Math.ceil(n / 2) }, () => data(8, 8));
    return (x) => terms.reduce((sum, term) => sum.add(x.mul(term)), x);
  },
};
