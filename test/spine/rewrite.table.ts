// One row a rule: an expression it is for, and the graph it leaves, as text.

import { tensor } from '../../src/create.ts';
import { concat, grad, where } from '../../src/functions.ts';
import type { Node } from '../../src/graph/node.ts';
import { printGraph } from '../../src/graph/print.ts';
import * as nn from '../../src/nn/index.ts';
import * as e from '../../src/ops/elementwise.ts';
import { constant } from '../../src/ops/leaf.ts';
import { Tensor } from '../../src/tensor.ts';

export interface Row {
  rule: string;
  phase: 'stabilise' | 'simplify' | 'fuse';
  /** Of x, y [2,3], w [3,2], v [3] and s [], whose elements lie in (0, 1). */
  build(x: Tensor, y: Tensor, w: Tensor, v: Tensor, s: Tensor): Tensor;
  /** Lines of the rewritten graph that are no leaves. */
  after: string;
}

/** The lines of a graph that compute something, and its result; `; ` between them, float32 left out. */
export function brief(nodes: readonly Node[]): string {
  const lines = printGraph(nodes).split('\n');
  return lines
    .filter((line) => !/^\d+ (leaf|placeholder)\b/.test(line))
    .map((line) => line.replace(' float32', ''))
    .join('; ');
}

const labels = () => tensor(Int32Array.of(2, 0));
const firstGrad = (y: Tensor, x: Tensor) => grad(y.sum(), [x])[0] as Tensor;
const image = (x: Tensor) => x.reshape(1, 1, 2, 3);
const kernel = (v: Tensor) => v.reshape(1, 1, 1, 3);

export const ROWS: readonly Row[] = [
  { rule: 'log softmax', phase: 'stabilise', build: (x) => x.softmax().log(), after: '1 logSoftmax(0) [2,3]; → 1' },
  {
    rule: 'log softmax, moved axis',
    phase: 'stabilise',
    build: (x) => x.softmax(0).log(),
    after: '1 permute(0) {axes: [1,0]} [3,2]; 2 logSoftmax(1) [3,2]; 3 permute(2) {axes: [1,0]} [2,3]; → 3',
  },
  {
    rule: 'log sigmoid',
    phase: 'stabilise',
    build: (x) => x.sigmoid().log(),
    after: '1 neg(0) [2,3]; 2 softplus(1) [2,3]; 3 neg(2) [2,3]; → 3',
  },
  {
    rule: 'log of one minus sigmoid',
    phase: 'stabilise',
    build: (x) => new Tensor(e.log(e.sub(constant(1), x.sigmoid().node))),
    after: '1 softplus(0) [2,3]; 2 neg(1) [2,3]; → 2',
  },
  {
    rule: 'log of minus sigmoid plus one',
    phase: 'stabilise',
    build: (x) => x.sigmoid().neg().add(1).log(),
    after: '1 softplus(0) [2,3]; 2 neg(1) [2,3]; → 2',
  },
  {
    rule: 'binary entropy of sigmoid',
    phase: 'stabilise',
    build: (x, y) => nn.binaryCrossEntropy(x.sigmoid(), y, { reduction: 'none' }),
    after: '1 softplus(0) [2,3]; 3 mul(2, 0) [2,3]; 4 sub(1, 3) [2,3]; → 4',
  },
  {
    rule: 'log of one plus exp',
    phase: 'stabilise',
    build: (x) => x.exp().add(1).log(),
    after: '1 softplus(0) [2,3]; → 1',
  },
  { rule: 'log1p of exp', phase: 'stabilise', build: (x) => x.exp().log1p(), after: '1 softplus(0) [2,3]; → 1' },
  { rule: 'log of one plus', phase: 'stabilise', build: (x) => x.add(1).log(), after: '1 log1p(0) [2,3]; → 1' },
  { rule: 'exp minus one', phase: 'stabilise', build: (x) => x.exp().sub(1), after: '1 expm1(0) [2,3]; → 1' },
  { rule: 'exp plus minus one', phase: 'stabilise', build: (x) => x.exp().add(-1), after: '1 expm1(0) [2,3]; → 1' },
  { rule: 'log of exp', phase: 'stabilise', build: (x) => x.exp().log(), after: '→ 0' },
  {
    rule: 'log of one minus exp',
    phase: 'stabilise',
    build: (x) => x.neg().exp().neg().add(1).log(),
    after:
      '0 constant -0.6931471805599453 []; 2 neg(1) [2,3]; 3 lt(0, 2) bool [2,3]; 4 constant -1 []; 5 where(3, 2, 4) [2,3]; 6 expm1(5) [2,3]; 7 neg(6) [2,3]; 8 log(7) [2,3]; 9 where(3, 4, 2) [2,3]; 10 exp(9) [2,3]; 11 neg(10) [2,3]; 12 log1p(11) [2,3]; 13 where(3, 8, 12) [2,3]; → 13',
  },
  {
    rule: 'log of one minus',
    phase: 'stabilise',
    build: (x) => new Tensor(e.log(e.sub(constant(1), x.node))),
    after: '1 neg(0) [2,3]; 2 log1p(1) [2,3]; → 2',
  },
  {
    rule: 'one minus exp',
    phase: 'stabilise',
    build: (x) => new Tensor(e.sub(constant(1), x.exp().node)),
    after: '1 expm1(0) [2,3]; 2 neg(1) [2,3]; → 2',
  },
  {
    rule: 'minus exp plus one',
    phase: 'stabilise',
    build: (x) => x.exp().neg().add(1),
    after: '1 expm1(0) [2,3]; 2 neg(1) [2,3]; → 2',
  },
  {
    rule: 'softmax by hand',
    phase: 'stabilise',
    build: (x) => x.exp().div(x.exp().sum(0, true)),
    after: '1 permute(0) {axes: [1,0]} [3,2]; 2 softmax(1) [3,2]; 3 permute(2) {axes: [1,0]} [2,3]; → 3',
  },
  {
    rule: 'softmax of x − max x',
    phase: 'stabilise',
    build: (x) => x.sub(x.max(-1, true).detach()).softmax(),
    after: '1 softmax(0) [2,3]; → 1',
  },
  {
    rule: 'sigmoid by hand',
    phase: 'stabilise',
    build: (x) => new Tensor(e.div(constant(1), x.neg().exp().add(1).node)),
    after: '1 sigmoid(0) [2,3]; → 1',
  },
  {
    rule: 'reciprocal of one plus exp',
    phase: 'stabilise',
    build: (x) => x.exp().add(1).reciprocal(),
    after: '1 neg(0) [2,3]; 2 sigmoid(1) [2,3]; → 2',
  },
  {
    rule: 'exp over one plus exp',
    phase: 'stabilise',
    build: (x) => x.exp().div(x.exp().add(1)),
    after: '1 sigmoid(0) [2,3]; → 1',
  },
  {
    rule: 'tanh by hand',
    phase: 'stabilise',
    build: (x) => x.exp().sub(x.neg().exp()).div(x.exp().add(x.neg().exp())),
    after: '1 tanh(0) [2,3]; → 1',
  },
  {
    rule: '1 − tanh²',
    phase: 'stabilise',
    build: (x) => x.tanh().square().neg().add(1),
    after:
      '1 abs(0) [2,3]; 2 constant 1 []; 3 lt(1, 2) bool [2,3]; 4 tanh(0) [2,3]; 5 square(4) [2,3]; 6 sub(5, 2) [2,3]; 7 neg(6) [2,3]; 8 constant 2 []; 9 mul(0, 8) [2,3]; 10 sigmoid(9) [2,3]; 11 neg(9) [2,3]; 12 sigmoid(11) [2,3]; 13 mul(10, 12) [2,3]; 14 constant 4 []; 15 mul(13, 14) [2,3]; 16 where(3, 7, 15) [2,3]; → 16',
  },
  {
    rule: 'σ(1 − σ)',
    phase: 'stabilise',
    build: (x) => x.sigmoid().mul(x.sigmoid().neg().add(1)),
    after: '1 sigmoid(0) [2,3]; 2 neg(0) [2,3]; 3 sigmoid(2) [2,3]; 4 mul(1, 3) [2,3]; → 4',
  },
  {
    rule: 'log of sum of exp',
    phase: 'stabilise',
    build: (x) => x.exp().sum(1).log(),
    after:
      '1 max(0) {axes: [1]} [2,1]; 2 abs(1) [2,1]; 3 constant Infinity []; 4 lt(2, 3) bool [2,1]; 5 constant 0 []; 6 where(4, 1, 5) [2,1]; 7 detach(6) [2,1]; 8 sub(0, 7) [2,3]; 9 exp(8) [2,3]; 10 sum(9) {axes: [1]} [2,1]; 11 log(10) [2,1]; 12 add(11, 7) [2,1]; 13 reshape(12) [2]; → 13',
  },
  {
    rule: 'mean of squares minus square of mean',
    phase: 'stabilise',
    build: (x) => x.square().mean(1).sub(x.mean(1).square()),
    after:
      '1 sum(0) {axes: [1]} [2,1]; 2 constant 0.3333333333333333 []; 3 mul(1, 2) [2,1]; 4 sub(0, 3) [2,3]; 5 square(4) [2,3]; 6 sum(5) {axes: [1]} [2,1]; 7 mul(6, 2) [2,1]; 8 reshape(7) [2]; → 8',
  },
  {
    rule: 'a² − 2ab + b²',
    phase: 'stabilise',
    build: (x, y) => x.square().sub(x.mul(y).mul(2)).add(y.square()),
    after: '2 sub(0, 1) [2,3]; 3 square(2) [2,3]; → 3',
  },
  { rule: 'root of a square', phase: 'stabilise', build: (x) => x.square().sqrt(), after: '1 abs(0) [2,3]; → 1' },
  {
    rule: 'x / ‖x‖',
    phase: 'stabilise',
    build: (x) => x.div(x.square().sum(1, true).sqrt()),
    after:
      '1 abs(0) [2,3]; 2 max(1) {axes: [1]} [2,1]; 3 constant 1.1754943508222875e-38 []; 4 maximum(2, 3) [2,1]; 5 constant 1.7014118346046923e+38 []; 6 minimum(4, 5) [2,1]; 7 detach(6) [2,1]; 8 div(0, 7) [2,3]; 9 square(8) [2,3]; 10 sum(9) {axes: [1]} [2,1]; 11 constant 0 []; 12 eq(10, 11) bool [2,1]; 13 constant 1 []; 14 where(12, 13, 10) [2,1]; 15 sqrt(14) [2,1]; 16 where(12, 11, 15) [2,1]; 17 div(8, 16) [2,3]; → 17',
  },
  {
    rule: 'norm at 0',
    phase: 'stabilise',
    build: (x) => x.square().sum().sqrt(),
    after:
      '1 square(0) [2,3]; 2 sum(1) {axes: [0,1]} [1,1]; 3 reshape(2) []; 4 constant 0 []; 5 eq(3, 4) bool []; 6 constant 1 []; 7 where(5, 6, 3) []; 8 sqrt(7) []; 9 where(5, 4, 8) []; → 9',
  },
  {
    rule: 'cross-entropy by hand',
    phase: 'stabilise',
    build: (x, y) => x.logSoftmax().mul(y).sum(),
    after:
      '2 crossEntropy(0, 1) [2]; 3 sum(2) {axes: [0]} [1]; 4 reshape(3) []; 5 reshape(4) [1,1]; 6 reshape(5) []; 7 neg(6) []; → 7',
  },
  {
    rule: 'label of softmax',
    phase: 'stabilise',
    build: (x) => x.softmax().mul(labels().oneHot(3).to(x.dtype)).sum(-1),
    after: '1 softmax(0) [2,3]; 3 reshape(2) int32 [2,1]; 4 takeAlong(1, 3) {axis: 1} [2,1]; 5 reshape(4) [2]; → 5',
  },
  {
    rule: 'log of a label of softmax',
    phase: 'stabilise',
    build: (x) => x.softmax().gather(1, labels().unsqueeze(1)).log(),
    after:
      '2 reshape(1) int32 [2,1]; 3 reshape(2) int32 [2]; 4 crossEntropy(0, 3) [2]; 5 reshape(4) [2,1]; 6 neg(5) [2,1]; → 6',
  },
  {
    rule: 'label of log-softmax',
    phase: 'stabilise',
    build: (x) => x.logSoftmax().gather(1, labels().unsqueeze(1)),
    after:
      '2 reshape(1) int32 [2,1]; 3 reshape(2) int32 [2]; 4 crossEntropy(0, 3) [2]; 5 reshape(4) [2,1]; 6 neg(5) [2,1]; → 6',
  },
  {
    rule: 'cross-entropy of one-hot labels',
    phase: 'stabilise',
    build: (x) => nn.crossEntropy(x, labels().oneHot(3).to(x.dtype), { reduction: 'none' }),
    after: '2 reshape(1) int32 [2,1]; 3 reshape(2) int32 [2]; 4 crossEntropy(0, 3) [2]; → 4',
  },
  {
    rule: '(−x) · y',
    phase: 'stabilise',
    build: (x, y) => x.neg().mul(y),
    after: '2 mul(0, 1) [2,3]; 3 neg(2) [2,3]; → 3',
  },
  {
    rule: 'sum of −x',
    phase: 'stabilise',
    build: (x) => x.neg().sum(1),
    after: '1 sum(0) {axes: [1]} [2,1]; 2 reshape(1) [2]; 3 neg(2) [2]; → 3',
  },
  {
    rule: 'reshape of −x',
    phase: 'stabilise',
    build: (x) => x.neg().reshape(6),
    after: '1 reshape(0) [6]; 2 neg(1) [6]; → 2',
  },

  { rule: 'x + 0', phase: 'simplify', build: (x) => x.add(0), after: '→ 0' },
  { rule: 'x − 0', phase: 'simplify', build: (x) => x.sub(0), after: '→ 0' },
  { rule: 'x · 1', phase: 'simplify', build: (x) => x.mul(1), after: '→ 0' },
  { rule: 'x / 1', phase: 'simplify', build: (x) => x.div(1), after: '→ 0' },
  { rule: 'x ^ 1', phase: 'simplify', build: (x) => x.pow(1), after: '→ 0' },
  { rule: 'copy of x', phase: 'simplify', build: (x) => x.clone(), after: '→ 0' },
  { rule: 'detached x', phase: 'simplify', build: (x) => x.detach(), after: '→ 0' },
  { rule: 'x · −1', phase: 'simplify', build: (x) => x.mul(-1), after: '1 neg(0) [2,3]; → 1' },
  { rule: '−(−x)', phase: 'simplify', build: (x) => x.neg().neg(), after: '→ 0' },
  { rule: 'x + (−y)', phase: 'simplify', build: (x, y) => x.neg().add(y), after: '2 sub(0, 1) [2,3]; → 2' },
  { rule: 'x − (−y)', phase: 'simplify', build: (x, y) => x.sub(y.neg()), after: '2 add(0, 1) [2,3]; → 2' },
  { rule: 'x · x', phase: 'simplify', build: (x) => x.mul(x), after: '1 square(0) [2,3]; → 1' },
  { rule: 'x ^ 2', phase: 'simplify', build: (x) => x.pow(2), after: '1 square(0) [2,3]; → 1' },
  { rule: 'x ^ −1', phase: 'simplify', build: (x) => x.pow(-1), after: '1 reciprocal(0) [2,3]; → 1' },
  {
    rule: 'reshape of reshape',
    phase: 'simplify',
    build: (x) => x.reshape(6).reshape(3, 2),
    after: '1 reshape(0) [3,2]; → 1',
  },
  {
    rule: 'reshape of a number',
    phase: 'simplify',
    build: (_x, _y, _w, _v, s) => s.reshape(1, 1),
    after: '1 expand(0) [1,1]; → 1',
  },
  {
    rule: 'permute of permute',
    phase: 'simplify',
    build: (x) => x.reshape(1, 2, 3).expand(4, 2, 3).permute(1, 2, 0).permute(1, 2, 0),
    after: '1 reshape(0) [1,2,3]; 2 expand(1) [4,2,3]; 3 permute(2) {axes: [2,0,1]} [3,4,2]; → 3',
  },
  {
    rule: 'expand of expand',
    phase: 'simplify',
    build: (_x, _y, _w, v) => v.expand(2, 3).expand(4, 2, 3),
    after: '1 expand(0) [4,2,3]; → 1',
  },
  {
    rule: 'expand of a constant scale of a loss',
    phase: 'simplify',
    build: (x) => grad(nn.crossEntropy(x, tensor(Int32Array.of(0, 2))), [x])[0] as Tensor,
    after: '2 constant 0.5 []; 3 crossEntropyGrad(0, 1, 2) [2,3]; → 3',
  },
  {
    rule: 'sum over axes of one',
    phase: 'simplify',
    build: (x) => x.reshape(2, 1, 3).sum(1, true),
    after: '1 reshape(0) [2,1,3]; → 1',
  },
  {
    rule: 'transpose · b',
    phase: 'simplify',
    build: (x, y) => x.T.matmul(y),
    after: '2 matmul(0, 1) {transA: true, transB: false} [3,3]; → 2',
  },
  {
    rule: 'a · transpose',
    phase: 'simplify',
    build: (x, y) => x.matmul(y.T),
    after: '2 matmul(0, 1) {transA: false, transB: true} [2,2]; → 2',
  },
  {
    rule: 'transpose of a · b',
    phase: 'simplify',
    build: (x, _y, w) => x.matmul(w).T,
    after: '2 matmul(0, 1) {transA: true, transB: true} [2,2]; → 2',
  },
  { rule: 'x ^ 0', phase: 'simplify', build: (x) => x.pow(0), after: '0 constant 1 []; 1 expand(0) [2,3]; → 1' },
  { rule: 'max(x, x)', phase: 'simplify', build: (x) => x.maximum(x), after: '→ 0' },
  { rule: 'where(c, x, x)', phase: 'simplify', build: (x, y) => where(x.gt(0.5), y, y), after: '→ 0' },
  {
    rule: 'x² or |x| of −x or |x|',
    phase: 'simplify',
    build: (x) => x.neg().square(),
    after: '1 square(0) [2,3]; → 1',
  },
  { rule: 'relu of relu', phase: 'simplify', build: (x) => x.relu().relu(), after: '1 relu(0) [2,3]; → 1' },
  { rule: 'x ^ 3', phase: 'simplify', build: (x) => x.pow(3), after: '1 square(0) [2,3]; 2 mul(1, 0) [2,3]; → 2' },
  { rule: 'x ^ 4', phase: 'simplify', build: (x) => x.pow(4), after: '1 square(0) [2,3]; 2 square(1) [2,3]; → 2' },
  {
    rule: 'x ^ −2',
    phase: 'simplify',
    build: (x) => x.pow(-2),
    after: '1 square(0) [2,3]; 2 reciprocal(1) [2,3]; → 2',
  },
  {
    rule: '1 / x',
    phase: 'simplify',
    build: (x) => new Tensor(e.div(constant(1), x.node)),
    after: '1 reciprocal(0) [2,3]; → 1',
  },
  { rule: 'x / c', phase: 'simplify', build: (x) => x.div(2), after: '1 constant 0.5 []; 2 mul(0, 1) [2,3]; → 2' },
  { rule: '(x · c₁) · c₂', phase: 'simplify', build: (x) => x.mul(0.5).mul(2), after: '→ 0' },
  {
    rule: 'a·c + b·c',
    phase: 'simplify',
    build: (x, y) => x.mul(2).sub(y.mul(2)),
    after: '2 sub(0, 1) [2,3]; 3 constant 2 []; 4 mul(2, 3) [2,3]; → 4',
  },
  {
    rule: 'where of constants',
    phase: 'simplify',
    build: (x) => firstGrad(x.pow(3), x),
    after: '0 constant 3 []; 2 square(1) [2,3]; 3 mul(0, 2) [2,3]; → 3',
  },
  {
    rule: 'permute of axes of one',
    phase: 'simplify',
    build: (x) => x.reshape(2, 1, 3).permute(1, 0, 2),
    after: '1 reshape(0) [1,2,3]; → 1',
  },
  { rule: 'slice of everything', phase: 'simplify', build: (x) => x.slice(null), after: '→ 0' },
  { rule: 'concat of one', phase: 'simplify', build: (x) => concat([x]), after: '→ 0' },
  {
    rule: 'sum of expand',
    phase: 'simplify',
    build: (_x, _y, _w, v) => v.expand(2, 3).sum(0),
    after: '1 reshape(0) [1,3]; 2 constant 2 []; 3 mul(1, 2) [1,3]; 4 reshape(3) [3]; → 4',
  },
  {
    rule: 'max of expand',
    phase: 'simplify',
    build: (_x, _y, _w, v) => v.expand(2, 3).max(),
    after: '1 reshape(0) [1,3]; 2 max(1) {axes: [1]} [1,1]; 3 reshape(2) []; → 3',
  },
  { rule: 'min of expand', phase: 'simplify', build: (_x, _y, _w, v) => v.expand(2, 3).min(0), after: '→ 0' },
  {
    rule: 'sum of sum',
    phase: 'simplify',
    build: (x) => x.sum(0, true).sum(1, true),
    after: '1 sum(0) {axes: [0,1]} [1,1]; → 1',
  },
  {
    rule: 'max of max',
    phase: 'simplify',
    build: (x) => x.max(0, true).max(1, true),
    after: '1 max(0) {axes: [0,1]} [1,1]; → 1',
  },
  {
    rule: 'min of min',
    phase: 'simplify',
    build: (x) => x.min(0, true).min(1, true),
    after: '1 min(0) {axes: [0,1]} [1,1]; → 1',
  },

  {
    rule: 'matmul + bias',
    phase: 'fuse',
    build: (x, y, _w, v) => x.matmul(y.T.matmul(x)).add(v),
    after:
      '2 permute(1) {axes: [1,0]} [3,2]; 3 matmul(2, 0) {transA: false, transB: false} [3,3]; 5 matmul(0, 3, 4) {transA: false, transB: false} [2,3]; → 5',
  },
  {
    rule: 'relu of matmul',
    phase: 'fuse',
    build: (x, _y, w) => x.matmul(w).relu(),
    after: '2 matmul(0, 1) {transA: false, transB: false, act: 1} [2,2]; → 2',
  },
  {
    rule: 'sigmoid of matmul',
    phase: 'fuse',
    build: (x, _y, w) => x.matmul(w).sigmoid(),
    after: '2 matmul(0, 1) {transA: false, transB: false, act: 2} [2,2]; → 2',
  },
  {
    rule: 'tanh of matmul',
    phase: 'fuse',
    build: (x, _y, w) => x.matmul(w).tanh(),
    after: '2 matmul(0, 1) {transA: false, transB: false, act: 3} [2,2]; → 2',
  },
  {
    rule: 'conv2d + bias',
    phase: 'fuse',
    build: (x, _y, _w, v, s) => nn.conv2d(image(x), kernel(v), { bias: s.reshape(1) }),
    after:
      '1 reshape(0) [1,1,2,3]; 3 reshape(2) [1,1,1,3]; 5 reshape(4) [1]; 6 reshape(5) [1,1,1]; 7 reshape(6) [1]; 8 conv2d(1, 3, 7) {stride: [1,1], padding: [0,0], dilation: [1,1], groups: 1} [1,1,2,1]; → 8',
  },
  {
    rule: 'relu of conv2d',
    phase: 'fuse',
    build: (x, _y, _w, v) => nn.conv2d(image(x), kernel(v)).relu(),
    after:
      '1 reshape(0) [1,1,2,3]; 3 reshape(2) [1,1,1,3]; 4 conv2d(1, 3) {stride: [1,1], padding: [0,0], dilation: [1,1], groups: 1, act: 1} [1,1,2,1]; → 4',
  },
  {
    rule: 'sigmoid of conv2d',
    phase: 'fuse',
    build: (x, _y, _w, v) => nn.conv2d(image(x), kernel(v)).sigmoid(),
    after:
      '1 reshape(0) [1,1,2,3]; 3 reshape(2) [1,1,1,3]; 4 conv2d(1, 3) {stride: [1,1], padding: [0,0], dilation: [1,1], groups: 1, act: 2} [1,1,2,1]; → 4',
  },
  {
    rule: 'tanh of conv2d',
    phase: 'fuse',
    build: (x, _y, _w, v) => nn.conv2d(image(x), kernel(v)).tanh(),
    after:
      '1 reshape(0) [1,1,2,3]; 3 reshape(2) [1,1,1,3]; 4 conv2d(1, 3) {stride: [1,1], padding: [0,0], dilation: [1,1], groups: 1, act: 3} [1,1,2,1]; → 4',
  },
  {
    rule: 'relu gradient',
    phase: 'fuse',
    build: (x, y) => firstGrad(x.relu().mul(y), x),
    after:
      '1 relu(0) [2,3]; 2 constant 1 []; 3 reshape(2) [1,1]; 4 expand(3) [2,3]; 6 mul(4, 5) [2,3]; 7 reluGrad(1, 6) [2,3]; → 7',
  },
  {
    rule: 'tanh gradient',
    phase: 'fuse',
    build: (x, y) => firstGrad(x.tanh().mul(y), x),
    after:
      '1 tanh(0) [2,3]; 2 constant 1 []; 3 reshape(2) [1,1]; 4 expand(3) [2,3]; 6 mul(4, 5) [2,3]; 7 tanhGrad(1, 6) [2,3]; → 7',
  },
  {
    rule: 'sigmoid gradient',
    phase: 'fuse',
    build: (x, y) => firstGrad(x.sigmoid().mul(y), x),
    after:
      '1 sigmoid(0) [2,3]; 2 constant 1 []; 3 reshape(2) [1,1]; 4 expand(3) [2,3]; 6 mul(4, 5) [2,3]; 7 sigmoidGrad(1, 6) [2,3]; → 7',
  },
  {
    rule: 'a + c·(b − a)',
    phase: 'fuse',
    build: (x, y, _w, _v, s) => x.add(y.sub(x).mul(s)),
    after: '3 lerpScalar(0, 1, 2) [2,3]; → 3',
  },
  { rule: 'a·b + c', phase: 'fuse', build: (x, y, _w, v) => x.mul(y).add(v), after: '3 madd(0, 1, 2) [2,3]; → 3' },
  { rule: 'c − a·b', phase: 'fuse', build: (x, y, _w, v) => v.sub(x.mul(y)), after: '3 nmadd(0, 1, 2) [2,3]; → 3' },
  {
    rule: 'c − a·(column · row)',
    phase: 'fuse',
    build: (x, y, _w, v, s) => x.sub(y.slice(null, { stop: 1 }).matmul(v.reshape(1, 3)).mul(s)),
    after:
      '2 neg(1) []; 4 slice(3) {starts: [0,0], steps: [1,1], size: [2,1]} [2,1]; 6 reshape(5) [1,3]; 7 ger(0, 2, 4, 6) {transA: false, transB: false} [2,3]; → 7',
  },
  {
    rule: 'elementwise over a broadcast that is no view',
    phase: 'fuse',
    build: (x, y) => x.reshape(2, 1, 3).add(y.reshape(2, 3, 1).expand(2, 3, 3)),
    after:
      '1 reshape(0) [2,1,3]; 2 layout(1) [2,3,3]; 4 reshape(3) [2,3,1]; 5 expand(4) [2,3,3]; 6 add(2, 5) [2,3,3]; → 6',
  },
  {
    rule: 'reduction over scattered axes',
    phase: 'fuse',
    build: (x, y) =>
      x
        .reshape(2, 3, 1)
        .mul(y.reshape(2, 1, 3))
        .sum(1),
    after:
      '1 reshape(0) [2,3,1]; 3 reshape(2) [2,1,3]; 4 layout(3) [2,3,3]; 5 mul(1, 4) [2,3,3]; 6 permute(5) {axes: [0,2,1]} [2,3,3]; 7 sum(6) {axes: [2]} [2,3,1]; 8 reshape(7) [2,1,3]; 9 reshape(8) [2,3]; → 9',
  },
  {
    rule: 'reduction over scattered axes',
    phase: 'fuse',
    build: (x) => x.reshape(1, 2, 3).expand(2, 2, 3).max(1),
    after:
      '1 reshape(0) [1,2,3]; 2 expand(1) [2,2,3]; 3 permute(2) {axes: [0,2,1]} [2,3,2]; 4 max(3) {axes: [2]} [2,3,1]; 5 reshape(4) [2,1,3]; 6 reshape(5) [2,3]; → 6',
  },
  {
    rule: 'reduction over scattered axes',
    phase: 'fuse',
    build: (x) => x.reshape(1, 2, 3).expand(2, 2, 3).min(1),
    after:
      '1 reshape(0) [1,2,3]; 2 expand(1) [2,2,3]; 3 permute(2) {axes: [0,2,1]} [2,3,2]; 4 min(3) {axes: [2]} [2,3,1]; 5 reshape(4) [2,1,3]; 6 reshape(5) [2,3]; → 6',
  },
  {
    rule: 'reduction over scattered axes',
    phase: 'fuse',
    build: (x) => x.reshape(1, 2, 3).expand(2, 2, 3).prod(1),
    after:
      '1 reshape(0) [1,2,3]; 2 expand(1) [2,2,3]; 3 permute(2) {axes: [0,2,1]} [2,3,2]; 4 prod(3) {axes: [2]} [2,3,1]; 5 reshape(4) [2,1,3]; 6 reshape(5) [2,3]; → 6',
  },
  {
    rule: 'elementwise over a broadcast that is no view',
    phase: 'fuse',
    build: (x, y) => where(x.reshape(2, 1, 3).gt(0.25), y.reshape(2, 3, 1), 2),
    after:
      '0 operand []; 2 reshape(1) [2,1,3]; 3 lt(0, 2) bool [2,1,3]; 4 layout(3) bool [2,3,3]; 6 reshape(5) [2,3,1]; 7 constant 2 []; 8 where(4, 6, 7) [2,3,3]; → 8',
  },
];
