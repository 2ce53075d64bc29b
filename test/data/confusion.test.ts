import { describe, expect, test } from 'vitest';
import { ConfusionMatrix } from '../../src/train/confusion.ts';

function filled(): ConfusionMatrix {
  const confusion = new ConfusionMatrix(3);
  confusion.add([0, 0, 0, 1], [0, 0, 1, 1]);
  confusion.add(Int32Array.of(0), Int32Array.of(2));
  return confusion;
}

describe('ConfusionMatrix', () => {
  test('counts batches: rows true, columns predicted', () => {
    expect([...filled().counts]).toEqual([2, 1, 1, 0, 1, 0, 0, 0, 0]);
    expect(filled().count(0, 2)).toBe(1);
  });

  test('gives accuracy and recall', () => {
    const confusion = filled();
    expect([confusion.total, confusion.correct, confusion.accuracy]).toEqual([5, 3, 0.6]);
    expect([confusion.recall(0), confusion.recall(1), confusion.recall(2)]).toEqual([0.5, 1, Number.NaN]);
    expect(new ConfusionMatrix(2).accuracy).toBeNaN();
  });

  test('prints an aligned table', () => {
    const confusion = filled();
    confusion.add(new Array(120).fill(1), new Array(120).fill(1));
    expect(confusion.toString()).toBe(
      [
        'true \\ predicted  0    1  2    recall',
        '               0  2    1  1   50.00 %',
        '               1  0  121  0  100.00 %',
        '               2  0    0  0         –',
      ].join('\n'),
    );
  });

  test('refuses lengths that differ and classes out of range', () => {
    const confusion = new ConfusionMatrix(3);
    expect(() => confusion.add([0, 1], [0])).toThrow('2 labels, 1 predictions: expected one each');
    expect(() => confusion.add([3], [0])).toThrow('class 3: expected 0 to 2');
    expect(() => confusion.add([0], [-1])).toThrow('class -1: expected 0 to 2');
    expect(() => confusion.add([0], [0.5])).toThrow('class 0.5: expected 0 to 2');
  });
});
