// How the reductions of the fixtures are run: see test/fixtures/ops_reductions.py.
import type { Tensor } from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: options differ from op to op and come from a file
export type Options = any;
export type Run = (t: Tensor[], options: Options) => Tensor;

/** The first input, its axes permuted where the options say so. */
export const first = ([x]: Tensor[], { permute }: Options): Tensor =>
  permute ? (x as Tensor).permute(...permute) : (x as Tensor);

const reduced =
  (name: 'prod' | 'logsumexp'): Run =>
  (t, o) =>
    first(t, o)[name](o.axis, o.keepDim);

const deviation =
  (name: 'var' | 'std'): Run =>
  (t, { axis, keepDim, correction, ...o }) =>
    first(t, o)[name](axis, {
      ...(keepDim !== undefined && { keepDim }),
      ...(correction !== undefined && { correction }),
    });

/** What has no gradient is made a factor of the input's sum. */
const truth =
  (name: 'any' | 'all'): Run =>
  ([x], { axis, keepDim }) =>
    (x as Tensor)
      .gt(0)
      [name](axis, keepDim)
      .to('float32')
      .mul((x as Tensor).sum());
const place =
  (name: 'argmax' | 'argmin'): Run =>
  ([x], { axis, keepDim }) =>
    (x as Tensor)
      [name](axis, keepDim)
      .to('float32')
      .mul((x as Tensor).sum());

export const reductionRuns: Record<string, Run> = {
  prod: reduced('prod'),
  logsumexp: reduced('logsumexp'),
  var: deviation('var'),
  std: deviation('std'),
  norm: (t, o) => first(t, o).norm(Number(o.p ?? 2), o.axis, o.keepDim),
  any: truth('any'),
  all: truth('all'),
  argmax: place('argmax'),
  argmin: place('argmin'),
  cumsum: (t, o) => first(t, o).cumsum(o.axis),
  cumprod: (t, o) => first(t, o).cumprod(o.axis),
};
