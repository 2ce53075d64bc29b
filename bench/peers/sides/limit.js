// The physical limit as a side of its own: one thread that does a workload's multiplications and additions on values
// in registers, and nothing else (assembly/limit.ts). nabla's rate over its rate is the share of the limit reached.
import { theHeap } from '../../../build/src/run/heap.js';
import { FLOPS_PER_TURN } from '../../../build/src/run/limits.js';

export function start() {
  const { kernels, simd } = theHeap();
  const job = ({ flops }) => {
    if (flops === null) throw new Error('bound by memory and functions, not by multiply-adds');
    const turns = Math.max(1, Math.round(flops / FLOPS_PER_TURN));
    return { step: () => kernels.multiplyAdds(turns, 0.999, 0.001), result: () => null };
  };
  return { version: simd, kinds: new Proxy({}, { get: () => job }) };
}
