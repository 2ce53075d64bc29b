// What one core of this machine can do at best, measured with the kernels' own SIMD: what a bench compares with.
import { LIMIT_FLOPS } from '../../assembly/abi.ts';
import { type Heap, theHeap } from './heap.ts';

/** Rates of one thread. */
export interface Limits {
  /** Multiply-adds on values in registers, floating-point operations a second. */
  flopsPerSecond: number;
  /** Reading and writing streams of these sizes in all, bytes a second, from the smallest size to the largest. */
  streams: { nBytes: number; bytesPerSecond: number }[];
}

/** From the L1 cache to main memory. */
const STREAM_BYTES = [16, 256, 4096, 32768].map((kib) => kib * 1024);
const SECONDS = 0.02;
const TRIES = 5;

/** Measures for about half a second. */
export function measureLimits(): Limits {
  const heap = theHeap();
  const { kernels } = heap;
  const flops = fastest((turns) => kernels.multiplyAdds(turns, 0.999, 0.001)) * LIMIT_FLOPS;
  return { flopsPerSecond: flops, streams: STREAM_BYTES.map((nBytes) => streamRate(heap, nBytes)) };
}

function streamRate(heap: Heap, nBytes: number): Limits['streams'][number] {
  const half = nBytes / 2;
  // Equal addresses modulo 4,096 would halve the rate.
  const region = { offset: heap.allocate(nBytes + 512), nBytes: nBytes + 512 };
  try {
    const [from, to] = [region.offset, region.offset + half + 512];
    const once = () => heap.kernels.stream(to, from, half);
    return { nBytes, bytesPerSecond: nBytes * fastest((times) => repeat(once, times)) };
  } finally {
    heap.free(region);
  }
}

function repeat(fn: () => void, times: number): void {
  for (let i = 0; i < times; i++) fn();
}

/** Times a second of what `work` does `times` times, at its fastest: a limit is what nothing disturbs. */
function fastest(work: (times: number) => void): number {
  let times = 1;
  let best = 0;
  for (let tries = 0; tries < TRIES; ) {
    const start = performance.now();
    work(times);
    const seconds = (performance.now() - start) / 1000;
    if (seconds < SECONDS / 2) {
      times *= 2;
      continue;
    }
    best = Math.max(best, times / seconds);
    tries++;
  }
  return best;
}
