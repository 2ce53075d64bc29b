// How many times as long one call takes as another.
import { median } from '../../src/bench/statistics.ts';

const ROUNDS = 15;

/**
 * Median of the ratios of `of` to `to`, each round of some calls of the one and then of the other: whatever slows the
 * machine slows both.
 */
export function timeRatio(of: () => unknown, to: () => unknown): number {
  const seconds = (call: () => unknown, calls: number) => {
    const from = performance.now();
    for (let i = 0; i < calls; i++) call();
    return (performance.now() - from) / calls;
  };
  const calls = (call: () => unknown) => Math.max(1, Math.round(20 / seconds(call, 5)));
  const [nOf, nTo] = [calls(of), calls(to)];
  return median(Array.from({ length: ROUNDS }, () => seconds(of, nOf) / seconds(to, nTo)));
}
