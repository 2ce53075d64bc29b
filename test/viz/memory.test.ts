// The memory plan as data, as text and as a picture.
import { describe, expect, test } from 'vitest';
import { compile, nn, optim, type Tensor, tensor } from '../../src/index.ts';
import { digitMlp } from '../../src/train/models.ts';
import { memorySVG, memoryText } from '../../src/viz/index.ts';
import { random } from '../helpers.ts';
import { elements, overlap, parseXml, textOf } from './pictures.ts';

const product = () => {
  const w = nn.parameter(random(1, [64, 64]));
  return compile((x: Tensor, k: number) => x.matmul(w).relu().matmul(w).mul(k).sum());
};

function mlpStep() {
  const model = digitMlp();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const step = compile((x: Tensor, labels: Tensor) => {
    const loss = nn.crossEntropy(model.forward(x), labels);
    optimizer.minimize(loss);
    return loss;
  });
  return { step, args: [random(1, [8, 1, 28, 28]), tensor(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8))] as const };
}

test('as text, to the letter', () => {
  const f = product();
  const text = memoryText(f, random(2, [64, 64]), 0.5);
  const [table, notes] = [text.split('\n').slice(0, -2), text.split('\n').slice(-2)];
  expect(table.join('\n')).toBe(TABLE);
  expect(notes[0]).toBe('arena 32.6 KiB; most live: 32.6 KiB at instruction 0 (gemm); all 4 buffers: 49 KiB');
  expect(notes[1]).toMatch(/^beside it: variables 16.3 KiB, program \d+ B, scratch of kernels \d+ MiB$/);
  expect(f.traces).toBe(1);
});

const TABLE = `\
offset      size  live  buffer
     0  16.3 KiB     0  argument 0
     0  16.3 KiB   1-2  matmul
 16704  16.3 KiB   0-1  matmul
 16704      64 B     2  sum`;

describe('a training step', () => {
  const { step, args } = mlpStep();
  const { buffers, peak, arenaBytes, instructions } = step.memoryPlan(...args);

  test('the plan: no two buffers share a byte at one time, and the peak is where most is live', () => {
    const live = instructions.map((_, i) =>
      buffers.filter((b) => b.first <= i && i <= b.last).reduce((sum, b) => sum + b.nBytes, 0),
    );
    expect(peak.nBytes).toBe(Math.max(...live));
    expect(live.indexOf(peak.nBytes)).toBe(peak.instruction);
    expect(Math.max(...buffers.map((b) => b.offset + b.nBytes))).toBe(arenaBytes);
    expect(arenaBytes).toBe(step.memory(...args).arenaBytes);
    const boxes = buffers.map((b) => ({
      left: b.first,
      right: b.last + 1,
      top: b.offset,
      bottom: b.offset + b.nBytes,
    }));
    expect(boxes.filter((a, i) => boxes.some((b, j) => j < i && overlap(a, b)))).toEqual([]);
  });

  test('names: arguments by their number, results, layers', () => {
    const find = (kind: string) => buffers.filter((b) => b.kind === kind);
    expect(
      find('argument')
        .map((b) => b.name)
        .sort(),
    ).toEqual(['argument 0', 'argument 1']);
    expect(find('result').length).toBeGreaterThan(0);
    expect(new Set(find('intermediate').map((b) => b.layer))).toContain('3 (Linear)');
    expect(buffers.every((b) => b.name !== '')).toBe(true);
  });

  test('the picture: a rectangle a buffer, within the frame, the peak marked', () => {
    const svg = memorySVG(step, ...args);
    const root = parseXml(svg);
    const drawn = elements(root).filter((e) => e.attributes.class === 'buffer');
    expect(drawn.map((e) => textOf(e).split(':')[0])).toEqual(
      buffers.map((b) => (b.layer === '' ? b.name : `${b.name} in ${b.layer}`)),
    );
    const [width, height] = [Number(root.attributes.width), Number(root.attributes.height)];
    for (const { name, attributes: a } of elements(root)) {
      if (name !== 'rect' || a.width === '100%') continue;
      const [x, y, w, h] = [a.x, a.y, a.width, a.height].map(Number) as [number, number, number, number];
      expect(x >= 0 && y >= 0 && x + w <= width && y + h <= height, JSON.stringify(a)).toBe(true);
    }
    expect(elements(root).filter((e) => e.attributes.class === 'peak')).toHaveLength(1);
    expect(textOf(root)).toContain('peak ');
  });

  test('no label lies over another', () => {
    const labels = elements(parseXml(memorySVG(step, ...args))).flatMap((e) => {
      if (e.name !== 'text' || e.attributes['text-anchor'] !== 'middle') return [];
      const [x, y, w] = [Number(e.attributes.x), Number(e.attributes.y), textOf(e).length * 5.5];
      return [{ left: x - w / 2, right: x + w / 2, top: y - 9, bottom: y }];
    });
    expect(labels.length).toBeGreaterThan(4);
    expect(labels.filter((a, i) => labels.some((b, j) => j < i && overlap(a, b)))).toEqual([]);
  });

  test('nothing was computed', () => {
    expect(step.traces).toBe(1);
  });
});

test('a function that computes nothing', () => {
  const f = compile((x: Tensor) => x);
  const svg = memorySVG(f, tensor([1, 2]));
  expect(parseXml(svg).name).toBe('svg');
  expect(memoryText(f, tensor([1, 2]))).toContain('argument 0');
});
