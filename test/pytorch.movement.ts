// How the movement of the fixtures is run: see test/fixtures/ops_movement.py.
import { concat, stack, type Tensor, tensor } from '../src/index.ts';
import { first, type Options, type Run } from './pytorch.reductions.ts';

type Range = [start: number, stop: number, step: number];

const whole = (values: number[] | number[][]): Tensor => tensor(values, { dtype: 'int32' });

/** The fixtures flip an axis first and then step forward, for PyTorch has no negative steps: one slice does both. */
function cut(x: Tensor, ranges: Range[]): Tensor {
  return x.slice(
    ...ranges.map(([start, stop, step], i) => {
      if (step > 0) return { start, stop, step };
      const size = x.shape[i] as number;
      const end = size - 1 - stop;
      return { start: size - 1 - start, ...(end >= 0 && { stop: end }), step };
    }),
  );
}

const MOVES: Record<string, (x: Tensor, o: Options, t: Tensor[]) => Tensor> = {
  squeeze: (x, o) => x.squeeze(o.axes),
  unsqueeze: (x, o) => x.unsqueeze(o.axis),
  slice: (x, o) => cut(x, o.ranges),
  select: (x, o) => x.select(o.axis, o.i),
  index: (x, o) => x.index(...o.entries.map((e: number | null | number[]) => (Array.isArray(e) ? whole(e) : e))),
  indexSelect: (x, o) => x.indexSelect(o.axis, whole(o.index)),
  gather: (x, o) => x.gather(o.axis, whole(o.index)),
  scatterAdd: (x, o, t) => x.scatterAdd(o.axis, whole(o.index), t[1] as Tensor),
  take: (x, o) => x.take(whole(o.index)),
  concat: (_, o, t) => concat(t, o.axis),
  stack: (_, o, t) => stack(t, o.axis),
  split: (x, o) => x.split(o.sizes, o.axis)[o.part] as Tensor,
  chunk: (x, o) => x.chunk(o.n, o.axis)[o.part] as Tensor,
  pad: (x, { widths, mode, value }) =>
    x.pad(...widths, { ...(mode !== undefined && { mode }), ...(value !== undefined && { value }) }),
  flip: (x, o) => x.flip(o.axes),
  roll: (x, o) => x.roll(o.shifts, o.axes),
  tile: (x, o) => x.tile(...o.counts),
  repeat: (x, o) => x.repeat(o.counts),
  tril: (x, o) => x.tril(o.k),
  triu: (x, o) => x.triu(o.k),
  diagonal: (x, o) => x.diagonal(o.offset, o.axis1, o.axis2),
  diag: (x, o) => x.diag(o.k),
  trace: (x) => x.trace(),
  sort: (x, o) => x.sort(o.axis, o.descending).values,
  topk: (x, o) => x.topk(o.k, o.axis, o.largest).values,
  maskedFill: (x, o) => x.maskedFill(tensor(o.mask), o.value),
};

export const movementRuns: Record<string, Run> = {
  ...Object.fromEntries(
    Object.entries(MOVES).map(([name, move]) => [name, (t: Tensor[], o: Options) => move(first(t, o), o, t).square()]),
  ),
  argsort: (t, o) => first(t, o).argsort(o.axis, o.descending).to('float32').mul(first(t, o)),
  topkPlaces: (t, o) => first(t, o).topk(o.k, o.axis, o.largest).indices.to('float32').mul(first(t, o).sum()),
  oneHot: (t, o) => whole(o.index).oneHot(o.classes).mul(first(t, o)),
};
