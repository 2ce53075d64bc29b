// Single operations with their options against PyTorch, to 1e-4: the output and every gradient, in three ways of asking.
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, Tensor, tensor } from '../src/index.ts';
import { closeTo, fixture, random, type Spec, type Summary, specValues } from './helpers.ts';
import { elementwise } from './pytorch.elementwise.ts';
import { LABELLED, losses } from './pytorch.losses.ts';
import { movementRuns } from './pytorch.movement.ts';
import { networks } from './pytorch.networks.ts';
import { productRuns } from './pytorch.products.ts';
import { reductionRuns } from './pytorch.reductions.ts';

const REL = 1e-4;

// biome-ignore lint/suspicious/noExplicitAny: options differ from op to op and come from a file
type Options = any;
interface Case {
  op: string;
  inputs: Spec[];
  options: Options;
  cotangent: number;
  output: Summary;
  gradients: Summary[];
}
type Inputs = [Tensor, Tensor, Tensor?, Tensor?];
type Run = (t: Inputs, options: Options) => Tensor;

/** The name of a method that takes no options and as many operands as the fixture has inputs. */
const method = (name: string): Run =>
  function apply([x, ...others]) {
    const f = (x as unknown as Record<string, unknown>)[name];
    if (typeof f !== 'function') throw new Error(`a tensor has no method ${name}`);
    return f.apply(x, others);
  };

const RUN: Record<string, Run> = {
  ...reductionRuns,
  ...movementRuns,
  ...productRuns,
  conv2d: ([x, w, bias], o) => nn.conv2d(x, w, bias ? { ...o, bias } : o),
  maxPool2d: ([x], { kernel, ...o }) => nn.maxPool2d(x, kernel, o),
  crossEntropy: ([x, labels], o) => nn.crossEntropy(x, labels, o),
  crossEntropyProbabilities: ([x, z], o) => nn.crossEntropy(x, z.softmax(-1), o),
  binaryCrossEntropy: ([p, t], o) => nn.binaryCrossEntropy(p, t, o),
  binaryCrossEntropyWithLogits: ([x, t], o) => nn.binaryCrossEntropyWithLogits(x, t, o),
  mseLoss: ([x, y], o) => nn.mseLoss(x, y, o),
  softmax: ([x], { axis }) => x.softmax(axis),
  logSoftmax: ([x], { axis }) => x.logSoftmax(axis),
  sum: ([x], { axis, keepDim }) => x.sum(axis, keepDim),
  mean: ([x], { axis, keepDim }) => x.mean(axis, keepDim),
  max: ([x], { axis, keepDim }) => x.max(axis, keepDim),
  min: ([x], { axis, keepDim }) => x.min(axis, keepDim),
  reshape: ([x], { shape }) => x.reshape(shape).square(),
  flatten: ([x], { start, end }) => x.flatten(start, end).square(),
  transpose: ([x], { a, b }) => x.transpose(a, b).square(),
  permute: ([x], { axes }) => x.permute(...axes).square(),
  expand: ([x], { shape }) => x.expand(...shape).square(),
  layerNorm: ([x, weight, bias], { shape, ...o }) => nn.layerNorm(x, shape, { weight, bias: bias ?? null, ...o }),
  attention: ([q, k, v], o) => nn.scaledDotProductAttention(q, k, v as Tensor, o),
  attentionMasked: ([q, k, v, attnMask]) =>
    nn.scaledDotProductAttention(q, k, v as Tensor, { attnMask: attnMask as Tensor }),
  embedding: ([weight, index], o) => nn.embedding(index, weight, o),
  powNumber: ([x], { exponent }) => x.pow(exponent),
  ...networks,
  ...(elementwise as Record<string, Run>),
  ...(losses as Record<string, Run>),
};

/** Ops whose second input holds indices. */
const WHOLE = ['crossEntropy', 'embedding', ...LABELLED];

function inputs({ op, inputs: specs, gradients }: Case, requiresGrad: boolean): Inputs {
  const made = specs.map((spec, i) => {
    const values = specValues(spec);
    if (WHOLE.includes(op) && i === 1) return tensor(Int32Array.from(values), { shape: spec.shape });
    return tensor(values, { shape: spec.shape, requiresGrad: requiresGrad && i < gradients.length });
  });
  return made as Inputs;
}

const { cases } = fixture<{ cases: Case[] }>('ops');
const rows = cases.map((c, i) => {
  const shapes = c.inputs.map((s) => `[${s.shape}]`).join(' ');
  return { ...c, title: `${i}: ${c.op} ${shapes} ${JSON.stringify(c.options)}` };
});

describe.each(rows)('$title', (row) => {
  const run = RUN[row.op] ?? method(row.op);
  const cotangent = () => random(row.cotangent, row.output.shape, 0.5, 1.5);
  const check = (output: Tensor, gradients: (Tensor | null | undefined)[]) => {
    closeTo(output, row.output, REL, 'output');
    row.gradients.forEach((expected, i) => {
      expect(gradients[i], `gradient ${i}`).toBeInstanceOf(Tensor);
      closeTo(gradients[i] as Tensor, expected, REL, `gradient ${i}`);
    });
  };

  test('grad', () => {
    const t = inputs(row, false);
    const y = run(t, row.options);
    check(y, grad(y.mul(cotangent()).sum(), t.slice(0, row.gradients.length) as Tensor[]));
  });

  test('backward', () => {
    const t = inputs(row, true);
    const y = run(t, row.options);
    y.mul(cotangent()).sum().backward();
    check(
      y,
      t.map((x) => x?.grad),
    );
  });

  test('compiled', () => {
    const step = compile((c: Tensor, ...t: Tensor[]) => {
      const y = run(t as Inputs, row.options);
      return [y, ...grad(y.mul(c).sum(), t.slice(0, row.gradients.length))];
    });
    const [y, ...gradients] = step(cotangent(), ...(inputs(row, false) as Tensor[]));
    check(y as Tensor, gradients);
  });
});
