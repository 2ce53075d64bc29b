// Turns of the side-by-side bench, on sides that only pretend to work.
import { expect, test } from 'vitest';
import { interleave } from '../../bench/peers/interleave.js';
import { SideError } from '../../bench/peers/process.js';

const workload = { amount: 10, tolerance: 0.01 };
const options = { rounds: 2, seconds: 0.1, budget: 60 };

/** Answers with `values`, or fails with them if they are an error; notes its turns. */
function side(label, values, { turns = [], fails = Number.POSITIVE_INFINITY } = {}) {
  let asked = 0;
  const ask = async (request) => {
    turns.push(`${request} ${label}`);
    if (values instanceof Error) throw values;
    if (request === 'open') return { values };
    if (++asked > fails) throw new SideError('it broke');
    return { calls: 6, seconds: 0.5 };
  };
  return { label, ask };
}

test('sides are checked first, then timed in turn', async () => {
  const turns = [];
  const outcomes = await interleave(workload, [side('a', [[1]], { turns }), side('b', [[1]], { turns })], options);
  expect(turns).toEqual(['open a', 'open b', 'time a', 'time b', 'time a', 'time b']);
  expect(outcomes).toEqual({ a: { rates: [120, 120] }, b: { rates: [120, 120] } });
});

test('another result than the first side’s is no rate', async () => {
  const turns = [];
  const outcomes = await interleave(workload, [side('a', [[1]]), side('b', [[1.02]], { turns })], options);
  expect(outcomes.b.error).toMatch('another result: off by 2.0e-2, allowed 1e-2');
  expect(turns).toEqual(['open b']);
});

test('a side that computes nothing, as the limit, is not compared', async () => {
  const outcomes = await interleave(workload, [side('limit', null), side('a', [[1]]), side('b', [[1]])], options);
  expect(Object.values(outcomes).map(({ rates }) => rates.length)).toEqual([2, 2, 2]);
});

test('a side that cannot says why, and the next says what is right', async () => {
  const sides = [side('a', new SideError('no such kernel\n  at line 1')), side('b', [[2]]), side('c', [[2]])];
  const outcomes = await interleave(workload, sides, options);
  expect(outcomes.a).toEqual({ error: 'no such kernel' });
  expect(outcomes.c).toEqual({ rates: [120, 120] });
});

test('a side that breaks between its turns is out', async () => {
  const outcomes = await interleave(workload, [side('a', [[1]]), side('b', [[1]], { fails: 1 })], options);
  expect(outcomes.b).toEqual({ error: 'it broke' });
  expect(outcomes.a.rates.length).toBe(2);
});

test('a slow side has one turn at least, and sits out the rest once its time is spent', async () => {
  const outcomes = await interleave(workload, [side('a', [[1]])], { ...options, budget: 0 });
  expect(outcomes.a.rates).toEqual([120]);
});

test('a fault of the bench itself is not taken for a side’s', async () => {
  await expect(interleave(workload, [side('a', new TypeError('a bug'))], options)).rejects.toThrow('a bug');
});
