import { describe, expect, test } from 'vitest';
import { parseTrainOptions, TRAIN_HELP } from '../../src/cli/trainOptions.ts';

const DEFAULTS = {
  data: null,
  trainSize: 20000,
  testSize: 4000,
  model: 'cnn',
  epochs: 3,
  batchSize: 64,
  optimizer: 'adam',
  lr: 0.003,
  schedule: 'linear',
  momentum: 0.9,
  seed: 1,
  save: 'digits-cnn.safetensors',
};

describe('parseTrainOptions', () => {
  test('has a default for everything', () => {
    expect(parseTrainOptions([])).toEqual(DEFAULTS);
  });

  test('takes every option', () => {
    const args =
      '--data mnist --train-size 100 --test-size=50 --model mlp --epochs 7 --batch-size 32 --optimizer sgd --lr 1e-2 ' +
      '--schedule constant --momentum 0 --seed 0 --save out.safetensors';
    expect(parseTrainOptions(args.split(' '))).toEqual({
      data: 'mnist',
      trainSize: 100,
      testSize: 50,
      model: 'mlp',
      epochs: 7,
      batchSize: 32,
      optimizer: 'sgd',
      lr: 0.01,
      schedule: 'constant',
      momentum: 0,
      seed: 0,
      save: 'out.safetensors',
    });
  });

  test('defaults follow the optimizer, the model and the data', () => {
    expect(parseTrainOptions(['--optimizer', 'sgd'])).toEqual({ ...DEFAULTS, optimizer: 'sgd', lr: 0.05 });
    expect(parseTrainOptions(['--model', 'mlp'])).toEqual({
      ...DEFAULTS,
      model: 'mlp',
      save: 'digits-mlp.safetensors',
    });
    expect(parseTrainOptions(['--data', 'x'])).toEqual({ ...DEFAULTS, data: 'x', trainSize: null, testSize: null });
  });

  test.each([
    ['--epochs', '--epochs: no value given; expected a whole number, 1 or more'],
    ['--epochs --lr 0.1', '--epochs: no value given; expected a whole number, 1 or more'],
    ['--epochs -3', '--epochs -3: expected a whole number, 1 or more'],
    ['--epochs=-3', '--epochs -3: expected a whole number, 1 or more'],
    ['--epochs 0', '--epochs 0: expected a whole number, 1 or more'],
    ['--epochs 2.5', '--epochs 2.5: expected a whole number, 1 or more'],
    ['--epochs 1e400', '--epochs 1e400: expected a whole number, 1 or more'],
    ['--epochs 99999999999999999999', '--epochs 99999999999999999999: expected a whole number, 1 or more'],
    ['--epochs=', "--epochs '': expected a whole number, 1 or more"],
    ['--epochs 1 --epochs 2', '--epochs: given twice; expected once'],
    ['--batch-size many', '--batch-size many: expected a whole number, 1 or more'],
    ['--train-size 500001', '--train-size 500001: expected a whole number, 1 to 500000'],
    ['--test-size 0', '--test-size 0: expected a whole number, 1 to 500000'],
    ['--seed -1', '--seed -1: expected a whole number, 0 or more'],
    ['--lr 0', '--lr 0: expected a number above 0'],
    ['--lr -0.1', '--lr -0.1: expected a number above 0'],
    ['--lr NaN', '--lr NaN: expected a number above 0'],
    ['--lr Infinity', '--lr Infinity: expected a number above 0'],
    ['--lr 1e999', '--lr 1e999: expected a number above 0'],
    ['--lr 0.1x', '--lr 0.1x: expected a number above 0'],
    ['--optimizer sgd --momentum 1', '--momentum 1: expected a number from 0, below 1'],
    ['--momentum 0.5', '--momentum 0.5: adam has none; expected only with --optimizer sgd'],
    ['--model rnn', '--model rnn: expected cnn or mlp'],
    ['--optimizer rmsprop', '--optimizer rmsprop: expected sgd or adam'],
    ['--data', '--data: no value given; expected a folder with the four files of MNIST'],
    ['--save=', "--save '': expected the path of a file"],
    ['--epoch 3', '--epoch: unknown option; did you mean --epochs?'],
    ['--verbose', '--verbose: unknown option; --help lists the options'],
    ['--toString 1', '--toString: unknown option; --help lists the options'],
    ['-e 3', '-e: unknown option; --help lists the options'],
    ['cnn', 'cnn: unexpected argument; options begin with --'],
  ])('refuses %s', (args, message) => {
    expect(() => parseTrainOptions(args.split(' '))).toThrow(expect.objectContaining({ code: 'option', message }));
  });

  test.each(['--help', '-h', '--epochs -3 --help', '--nonsense -h'])('%s asks for help', (args) => {
    expect(parseTrainOptions(args.split(' '))).toBe('help');
  });
});

test('the help names every option with its default', () => {
  for (const name of Object.keys(DEFAULTS)) {
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    expect(TRAIN_HELP).toMatch(new RegExp(`^  --${option} .*\\(default: .*\\)$`, 'm'));
  }
  for (const value of ['20000', '4000', 'cnn', '3', '64', 'adam', '0.003', '0.05', 'linear', '0.9', '1']) {
    expect(TRAIN_HELP).toMatch(new RegExp(`\\(default: [^)]*\\b${value.replace('.', '\\.')}\\b`));
  }
  for (const line of TRAIN_HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});
