// Random numbers, counter-based: a node takes its key when it is made, so computing it twice gives the same numbers.
import * as abi from '../../assembly/abi.ts';
import type { DType, Float } from '../dtype.ts';
import { apply, type Node } from '../graph/node.ts';
import type { Op } from '../graph/op.ts';
import type { Shape } from '../shape.ts';
import { operand } from './leaf.ts';

function define(name: string, distribution: number): Op {
  return {
    name,
    shape: (_, attrs) => attrs.shape as Shape,
    dtype: (_, attrs) => attrs.dtype as DType,
    lower: ([node], l) => {
      const key = (node as Node).inputs[0] as Node;
      l.emit(abi.OP_RANDOM, [l.write(node as Node), l.read(key), (node as Node).nElems, distribution]);
    },
  };
}
/** Uniform in [0, 1). */
export const uniformOp: Op = define('uniform', abi.RANDOM_UNIFORM);
/** Normal with mean 0 and variance 1. */
export const normalOp: Op = define('normal', abi.RANDOM_NORMAL);

/** `key` gives two 32-bit words at each run. */
export function uniform(shape: Shape, key: () => readonly number[], dtype: Float = 'float32'): Node {
  return apply(uniformOp, [operand(key, 'int32')], { shape, dtype });
}
export function normal(shape: Shape, key: () => readonly number[], dtype: Float = 'float32'): Node {
  return apply(normalOp, [operand(key, 'int32')], { shape, dtype });
}
