// Updates of variables that read each other: in place where that is right, through scratch where it is not.
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { state, tensor } from '../../src/create.ts';
import type { Tensor } from '../../src/tensor.ts';
import './checked.ts';

describe('updates that read each other', () => {
  const pair = () => [state(tensor([1, 2, 3])), state(tensor([10, 20, 30]))] as [Tensor, Tensor];

  test('two variables swapped', () => {
    const [a, b] = pair();
    const swap = compile(() => {
      const [x, y] = [a.mul(1), b.mul(1)];
      a.assign(y);
      b.assign(x);
      return a.add(b);
    });
    for (const [p, q] of [
      [
        [10, 20, 30],
        [1, 2, 3],
      ],
      [
        [1, 2, 3],
        [10, 20, 30],
      ],
    ]) {
      expect(swap().toArray()).toEqual([11, 22, 33]);
      expect([a.toArray(), b.toArray()]).toEqual([p, q]);
    }
  });

  test('three variables turned round, each a function of the one before', () => {
    const vars = [1, 2, 3].map((x) => state(tensor([x, x])));
    const turn = compile(() => {
      const next = vars.map((_, i) => (vars[(i + 2) % 3] as Tensor).mul(2));
      vars.forEach((v, i) => {
        v.assign(next[i] as Tensor);
      });
    });
    turn();
    expect(vars.map((v) => v.toArray())).toEqual([
      [6, 6],
      [2, 2],
      [4, 4],
    ]);
    turn();
    expect(vars.map((v) => v.toArray())).toEqual([
      [8, 8],
      [12, 12],
      [4, 4],
    ]);
  });

  test('a step on one example: the product goes into the weights, but not where it reads them', () => {
    const w = state(tensor([[1, 2], [3, 4], [5, 6]])); // biome-ignore format: a matrix
    const [column, row] = [tensor([[1], [2], [3]]), tensor([[10, 20]])];
    const step = compile((lr: Tensor) => w.assign(w.sub(column.matmul(row).mul(lr))));
    step(tensor(0.1));
    expect(w.toArray()).toEqual([[0, 0], [1, 0], [2, 0]]); // biome-ignore format: a matrix
    expect(step.explain(tensor(0.1))).toMatch(/gemm +ger/);
    expect(step.explain(tensor(0.1))).not.toContain('copy');

    const m = state(tensor([[1, 2]]));
    const shrink = compile((lr: Tensor) =>
      m.assign(
        m.sub(
          tensor([[3]])
            .matmul(m)
            .mul(lr),
        ),
      ),
    );
    shrink(tensor(0.5));
    expect(m.toArray()).toEqual([[-0.5, -1]]);
  });

  test('an old value read after its own update, by a product that cannot work in step', () => {
    const m = state(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const square = compile(() => {
      const old = m.mul(1);
      m.assign(m.matmul(m));
      return [old, old.matmul(m), m.T.mul(1)];
    });
    const results = square().map((t) => t.toArray());
    expect(results).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [37, 54],
        [81, 118],
      ],
      [
        [7, 15],
        [10, 22],
      ],
    ]);
    expect(m.toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
  });

  test('one variable read in step and as a stretched row of the same tape', () => {
    const row = state(tensor([1, 2, 3]));
    const step = compile((x: Tensor) => {
      const y = x.mul(row);
      row.assign(row.add(1));
      return [y, x.mul(row)];
    });
    const x = tensor([
      [1, 1, 1],
      [2, 2, 2],
      [0, 0, 1],
    ]);
    expect(step(x).map((t) => t.toArray())).toEqual([
      [
        [1, 2, 3],
        [2, 4, 6],
        [0, 0, 3],
      ],
      [
        [2, 3, 4],
        [4, 6, 8],
        [0, 0, 4],
      ],
    ]);
    expect(row.toArray()).toEqual([2, 3, 4]);
  });

  test('nothing is updated when a computed index is out of range', () => {
    const [table, count] = [state(tensor([[1], [2], [3]])), state(tensor([0]))];
    const look = compile((i: Tensor) => {
      count.assign(count.add(1));
      table.assign(table.mul(2));
      return table.indexSelect(0, i.add(1));
    });
    expect(look(tensor([0, 1], { dtype: 'int32' })).toArray()).toEqual([[4], [6]]);
    expect(() => look(tensor([0, 2], { dtype: 'int32' }))).toThrow(/out of range/);
    expect([table.toArray(), count.toArray()]).toEqual([[[2], [4], [6]], [1]]);
  });
});
