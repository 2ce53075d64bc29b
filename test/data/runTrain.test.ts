import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { runTrain } from '../../src/cli/runTrain.ts';
import { TRAIN_HELP } from '../../src/cli/trainOptions.ts';
import { drawDigits } from '../../src/data/digits.ts';
import { loadSafetensors, loadSafetensorsMetadata } from '../../src/io/safetensors.ts';
import { evaluator } from '../../src/train/evaluate.ts';
import { digitMlp } from '../../src/train/models.ts';
import { writeMnist } from './idxFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'nabla-train-'));
afterAll(() => rmSync(folder, { recursive: true }));

class Memory extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

function run(...args: string[]): { code: number; out: string; err: string } {
  const [out, err] = [new Memory(), new Memory()];
  const code = runTrain(args, { out, err });
  return { code, out: out.text, err: err.text };
}

describe('runTrain', () => {
  const save = join(folder, 'model.safetensors');
  const size = ['--train-size', '2000', '--test-size', '200', '--batch-size', '50'];
  const first = run('--model', 'mlp', '--epochs', '2', ...size, '--save', save);
  const lines = first.out.trimEnd().split('\n');

  test('ends with the saved model and the accuracy', () => {
    expect(first.code).toBe(0);
    expect(lines.at(-2)).toBe(`saved model to ${save}`);
    expect(lines.at(-1)).toMatch(/^test accuracy \d{2,3}\.\d{2} %$/);
  });

  test('tells of data, model, every epoch and the confusion', () => {
    expect(lines[0]).toMatch(/^data: 2000 training and 200 test digits, drawn in \d+\.\d s$/);
    expect(lines[1]).toBe('model: mlp, 235146 parameters; adam, learning rate 0.003');
    const epoch =
      /^epoch (\d)\/2 {2}loss \d\.\d{4} {2}training accuracy \d+\.\d\d % {2}test accuracy (\d+\.\d\d %) {2}\d+\.\d s$/;
    expect(lines[2]?.match(epoch)?.[1]).toBe('1');
    expect(lines[3]?.match(epoch)?.[1]).toBe('2');
    expect(`test accuracy ${lines[3]?.match(epoch)?.[2]}`).toBe(lines.at(-1));
    expect(lines[5]).toMatch(/^true \\ predicted {2,}0 {2,}1 .* 9 {2,}recall$/);
    expect(lines).toHaveLength(19);
  });

  test('shows progress on the other stream, a line each tenth', () => {
    expect(first.err.trimEnd().split('\n')).toHaveLength(20);
    expect(first.err).toMatch(/^epoch 1\/2 {2}10 % {2}loss .* accuracy .* % {2}\d+ samples\/s {2}\d+ s left\n/);
  });

  test('the saved model is the one that was tested', () => {
    const model = digitMlp();
    model.loadStateDict(loadSafetensors(save));
    const { accuracy } = evaluator(model)(drawDigits(200, { seed: 1, stream: 1 }));
    expect(lines.at(-1)).toBe(`test accuracy ${(100 * accuracy).toFixed(2)} %`);
    expect(loadSafetensorsMetadata(save)).toEqual({
      model: 'mlp',
      epochs: '2',
      seed: '1',
      'test accuracy': `${(100 * accuracy).toFixed(2)} %`,
    });
  });

  test('is the same again with the same seed', () => {
    const again = run('--model', 'mlp', '--epochs', '2', ...size, '--save', save).out;
    const withoutTimes = (text: string) => text.replace(/\d+\.\d s$/gm, 's');
    expect(withoutTimes(again)).toBe(withoutTimes(first.out));
  });

  test('--help explains the options', () => {
    expect(run('--help')).toEqual({ code: 0, out: TRAIN_HELP, err: '' });
  });
});

describe('runTrain with a folder of MNIST', () => {
  const data = mkdtempSync(join(tmpdir(), 'nabla-mnist-'));
  writeMnist(data, [0, 1, 2, 3, 4], [5, 6, 7]);
  afterAll(() => rmSync(data, { recursive: true }));
  const train = (...more: string[]) =>
    run('--data', data, '--model', 'mlp', '--epochs', '1', '--save', join(folder, 'model.safetensors'), ...more);

  test('takes all there is', () => {
    expect(train().out).toMatch(/^data: 5 training and 3 test digits, read from .* in \d+\.\d s\n/);
  });

  test('takes as many as it is asked to', () => {
    expect(train('--train-size', '4', '--test-size', '2').out).toMatch(/^data: 4 training and 2 test digits, /);
  });

  test('refuses to take more than there are', () => {
    const err = 'train: --test-size 4: expected at most 3, all there are\n';
    expect(train('--test-size', '4')).toEqual({ code: 2, out: '', err });
  });
});

describe('runTrain refuses', () => {
  test.each([
    ['a wrong value', ['--epochs', '-3'], 'train: --epochs -3: expected a whole number, 1 or more\n'],
    [
      'to save where it cannot, before it trains',
      ['--save', '/absent/model'],
      'train: --save /absent/model: cannot write to /absent; expected a path in a folder that exists\n',
    ],
    [
      'to save over a folder',
      ['--save', folder],
      `train: --save ${folder}: is a folder; expected the path of a file\n`,
    ],
  ])('%s, with exit code 2', (_, args, err) => {
    expect(run(...args)).toEqual({ code: 2, out: '', err });
  });

  test('a folder of data that is not there, with exit code 1', () => {
    expect(run('--data', '/absent', '--save', join(folder, 'x'))).toEqual({
      code: 1,
      out: '',
      err: 'train: /absent: no such folder; expected the four files of MNIST in it\n',
    });
  });

  test('and leaves no file behind', () => {
    expect(existsSync(join(folder, 'x'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name !== 'model.safetensors')).toEqual([]);
  });
});
