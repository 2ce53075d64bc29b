import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { formatProgress, formatSeconds, type Progress, progressReporter } from '../../src/train/progress.ts';

/** A stream that remembers what was written to it. */
class Memory extends Writable {
  text = '';
  isTTY: boolean;
  columns = 120;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }

  // What Node's terminal streams can do besides; the bar calls them.
  cursorTo(): void {}
  moveCursor(): void {}
  clearLine(): void {}
}

function progress(batch: number, batches: number, epoch = 1): Progress {
  const figures = { loss: 0.43126, accuracy: 0.875, samplesPerSecond: 4210.4, secondsLeft: 11.2 };
  return { epoch, epochs: 3, batch, batches, ...figures };
}

describe('progressReporter without a terminal', () => {
  const lines = (batches: number) => {
    const stream = new Memory(false);
    const reporter = progressReporter(stream);
    for (let batch = 1; batch <= batches; batch++) reporter.update(progress(batch, batches));
    reporter.stop();
    return stream.text.split('\n').slice(0, -1);
  };

  test('writes a line each tenth of an epoch', () => {
    expect(lines(200)).toHaveLength(10);
    expect(lines(200)[0]).toBe('epoch 1/3  10 %  loss 0.4313  accuracy 87.50 %  4210 samples/s  12 s left');
    expect(lines(200)[9]).toMatch(/^epoch 1\/3 100 % {2}loss/);
  });

  test('writes a line each batch if there are fewer than ten', () => {
    expect(lines(3).map((line) => line.slice(10, 15))).toEqual([' 33 %', ' 66 %', '100 %']);
  });
});

describe('progressReporter on a terminal', () => {
  test('draws a bar that ends full, one per epoch, and leaves cursor and wrapping alone', () => {
    const stream = new Memory(true);
    const reporter = progressReporter(stream);
    for (const epoch of [1, 2]) for (let batch = 1; batch <= 4; batch++) reporter.update(progress(batch, 4, epoch));
    reporter.stop();
    const last = 'epoch 2/3 ████████████████████ 100 %  loss 0.4313  accuracy 87.50 %  4210 samples/s  12 s left';
    expect(stream.text).toContain(last);
    expect(stream.text).toContain('epoch 1/3 ████████████████████ 100 %');
    for (const hidden of ['\x1b[?25l', '\x1b[?7l']) expect(stream.text).not.toContain(hidden);
  });

  test('stop ends a bar that is not full', () => {
    const stream = new Memory(true);
    const reporter = progressReporter(stream);
    reporter.update(progress(1, 4));
    reporter.stop();
    reporter.stop();
    expect(stream.text.match(/\n/g)).toHaveLength(1);
  });
});

test('formatProgress and formatSeconds', () => {
  expect(formatProgress(progress(1, 2))).toBe('loss 0.4313  accuracy 87.50 %  4210 samples/s  12 s left');
  expect([0, 0.2, 59.5, 60, 185, 3600, 7850].map(formatSeconds)).toEqual([
    '0 s',
    '1 s',
    '1 min 00 s',
    '1 min 00 s',
    '3 min 05 s',
    '1 h 00 min',
    '2 h 10 min',
  ]);
});
