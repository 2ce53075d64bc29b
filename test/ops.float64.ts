// Rows of the op table between float32 and float64; in float64 itself the other rows run too: see inFloat64.
import type { Node } from '../src/graph/node.ts';
import * as e from '../src/ops/elementwise.ts';
import { away, bools, type Domain, each, ODD, ONE, type Row } from './ops.row.ts';
import { EXACT, INTS, LARGE_INTS, SPREAD, unary } from './ops.words.ts';

const DOUBLES: Domain = { ...away(-3, 3), dtype: 'float64' };
/** Between two float32: nearer to one, halfway, beyond the largest, below the least. */
const BETWEEN = [
  0.1,
  1 + 2 ** -24,
  1 + 3 * 2 ** -24,
  1 + 2 ** -23 + 2 ** -40,
  3.4028235677973366e38,
  1e300,
  1e-46,
  2 ** -150,
];
const WHY = {
  smooth: 0 as const,
  note: 'its gradient is in test/float64.test.ts: it has another dtype than what is differentiated',
};
const widened = (name: string, domain: Domain, values: readonly number[]): Row =>
  unary(e.toFloat64Op, (x: Node) => e.cast(x, 'float64'), domain, EXACT, {
    ...{ name, cases: ONE, edges: each(values), signedZero: true },
    ...WHY,
  });

export const precisions: readonly Row[] = [
  widened('toFloat64', SPREAD, ODD),
  widened('toFloat64 of int32', INTS, LARGE_INTS),
  widened('toFloat64 of bool', bools, [0, 1, 1, 0, 1]),
  unary(e.toFloat32Op, (x) => e.cast(x, 'float32'), DOUBLES, EXACT, {
    ...{ edges: each([...ODD, ...BETWEEN]), signedZero: true },
    ...WHY,
  }),
  unary(e.castOp, (x) => e.cast(x, 'int32'), DOUBLES, EXACT, {
    ...{
      name: 'cast of float64 to int32',
      edges: each([...ODD, ...BETWEEN, 2 ** 31 - 0.5, -(2 ** 31) - 0.5, 2147483646.75]),
    },
    ...{ smooth: 0, note: 'truncates, saturates, NaN gives 0' },
  }),
  unary(e.neOp, (x) => e.cast(x, 'bool'), DOUBLES, EXACT, {
    ...{
      name: 'cast of float64 to bool',
      edges: each([...ODD, 1e-300]),
      smooth: 0,
      note: 'NaN is true, as it is not 0',
    },
  }),
];
