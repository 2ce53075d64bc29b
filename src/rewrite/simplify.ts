// Simplification: fewer nodes with the same result, NaN and ∞ included. Equal nodes are shared by the driver, and what
// nothing reads any more is no part of a graph.
import type { Op } from '../graph/op.ts';
import * as e from '../ops/elementwise.ts';
import * as fn from '../ops/functions.ts';
import * as g from '../ops/gelu.ts';
import { arithmetic } from './arithmetic.ts';
import { elementwise } from './elementwise.ts';
import type { Rule } from './match.ts';
import { movement } from './movement.ts';
import { reductions } from './reductions.ts';

const broadcasting: Op[] = [e, fn, g]
  .flatMap((family) => Object.values(family))
  .filter((v): v is Op => typeof v === 'object' && 'forms' in v);

export const simplify: Rule[] = [
  ...arithmetic,
  ...movement,
  ...reductions,
  ...elementwise(broadcasting.filter((op) => op !== e.expandOp)),
];
