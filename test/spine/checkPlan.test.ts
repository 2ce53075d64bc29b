// checkPlan sees what it is there to see: good plans broken one way each.
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { state } from '../../src/create.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Buffer } from '../../src/plan/memory.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Tensor } from '../../src/tensor.ts';
import { lastPlan } from './checked.ts';
import { generator, randomTensor } from './randomGraph.ts';

describe('checkPlan', () => {
  let size = 2;
  /** A plan of its own each time, since a test breaks it. */
  const goodPlan = () => {
    const n = size++;
    const v = state(randomTensor(generator(n), [n, n]));
    compile((x: Tensor) => {
      const y = x.matmul(v).softmax().matmul(x).softmax();
      v.assign(v.add(y));
      return y.sum();
    })(randomTensor(generator(n), [n, n]));
    return lastPlan();
  };
  const broken = (change: (p: { -readonly [K in keyof Plan]: Plan[K] }) => void) => {
    const plan = { ...goodPlan() };
    change(plan);
    return () => checkPlan(plan);
  };

  test('sees two live buffers that share bytes', () => {
    expect(
      broken((p) => {
        const live = p.buffers.filter((b) => b.offset >= 0);
        for (const b of live) b.offset = 0;
      }),
    ).toThrow(/share bytes|lies/);
  });
  test('sees a result read before it is computed', () => {
    expect(
      broken((p) => {
        p.instructions = [...p.instructions].reverse();
      }),
    ).toThrow(/reads #\d+ where/);
  });
  test('sees an update before the last reader of the old value', () => {
    expect(
      broken((p) => {
        const at = p.instructions.findIndex(({ words }) =>
          words.some((w) => w !== null && typeof w === 'object' && w.writes && (w.buffer as Buffer).kind === 'leaf'),
        );
        const update = p.instructions[at] as Plan['instructions'][number];
        const early = {
          ...update,
          words: update.words.filter((w) => w === null || typeof w === 'number' || w.writes),
          opcode: 11,
        };
        p.instructions = [early, ...p.instructions];
      }),
    ).toThrow(/reads #\d+ where #\d+ lies/);
  });
  test('sees a result that is never written', () => {
    expect(
      broken((p) => {
        p.instructions = p.instructions.slice(0, -1);
      }),
    ).toThrow(/at the end/);
  });
});
