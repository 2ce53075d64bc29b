// How the products of the fixtures are run: see test/fixtures/ops_products.py.
import { einsum, nn, type Tensor } from '../src/index.ts';
import type { Run } from './pytorch.reductions.ts';

export const productRuns: Record<string, Run> = {
  einsum: (t, { equation }) => einsum(equation, ...t),
  bilinear: ([a, b, weight, bias]) => nn.bilinear(a as Tensor, b as Tensor, weight as Tensor, bias ?? null),
  matmulTransposed: ([a, b]) => (a as Tensor).T.matmul((b as Tensor).T),
};
