// The physical limit as a side of its own: one thread that does a workload's multiplications and additions on values
// in registers, and nothing else (assembly/limit.ts). nabla's rate over its rate is the share of the limit reached.
import { LIMIT_FLOPS } from '../../../build/assembly/abi.js';
import { theHeap } from '../../../build/src/run/heap.js';

export function start() {
  const { kernels, simd } = theHeap();
  const job = ({ flops }) => {
    if (flops === null) throw new Error('bound by memory and functions, not by multiply-adds');
    const turns = Math.max(1, Math.round(flops / LIMIT_FLOPS));
    return { step: () => kernels.multiplyAdds(turns, 0.999, 0.001), result: () => null };
  };
  return { version: simd, kinds: new Proxy({}, { get: () => job }) };
}
