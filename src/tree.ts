// Arguments and results of functions: tensors and whatever else in arrays and plain objects.
import { Tensor } from './tensor.ts';

/** A tensor, or what holds no others. */
export const isLeaf = (x: unknown) => x instanceof Tensor || x === null || typeof x !== 'object';

/** Every leaf of a list, from left to right. */
export function flattened(list: readonly unknown[]): readonly unknown[] {
  return list.every(isLeaf) ? list : list.flatMap((x) => (isLeaf(x) ? [x] : flattened(Object.values(x as object))));
}

/** The same arrays and objects with each leaf replaced, in the order of `flattened`. */
export function mapped(x: unknown, f: (leaf: unknown) => unknown): unknown {
  if (isLeaf(x)) return f(x);
  if (Array.isArray(x)) return x.map((inner) => mapped(inner, f));
  return Object.fromEntries(Object.entries(x as object).map(([k, inner]) => [k, mapped(inner, f)]));
}
