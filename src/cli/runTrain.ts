// What `npm run train` does: data, model, training, test, saved file; told line by line.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Dataset, sampleCount, slice } from '../data/dataset.ts';
import { drawDigits } from '../data/digits.ts';
import { readMnist } from '../data/mnist.ts';
import { NablaError } from '../error.ts';
import { saveSafetensors } from '../io/safetensors.ts';
import type { Module } from '../nn/index.ts';
import { Adam, type Optimizer, SGD } from '../optim/index.ts';
import { manualSeed } from '../random.ts';
import type { ConfusionMatrix } from '../train/confusion.ts';
import { DIGIT_MODELS } from '../train/models.ts';
import { type ProgressStream, progressReporter } from '../train/progress.ts';
import { type EpochResult, trainClassifier } from '../train/trainClassifier.ts';
import { usage } from './args.ts';
import { parseTrainOptions, TRAIN_HELP, type TrainOptions } from './trainOptions.ts';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

interface Output {
  /** Takes the results. */
  readonly out: { write(text: string): unknown };
  /** Takes progress and errors. */
  readonly err: ProgressStream;
}

/** Runs the command and returns its exit code; an error that a user can mend is one line on `err`, without a stack. */
export function runTrain(args: readonly string[], { out, err }: Output): number {
  try {
    const options = parseTrainOptions(args);
    if (options === 'help') out.write(TRAIN_HELP);
    else trainDigits(options, (line) => out.write(`${line}\n`), err);
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof NablaError)) throw error;
    err.write(`train: ${error.message}\n`);
    return error.code === 'option' ? EXIT_USAGE : EXIT_FAILED;
  }
}

function trainDigits(options: TrainOptions, print: (line: string) => void, err: ProgressStream): void {
  checkSavePath(options.save); // before minutes of training, not after
  const { train, test } = loadDigits(options, print);
  manualSeed(options.seed);
  const model = DIGIT_MODELS[options.model]();
  const optimizer = makeOptimizer(model, options);
  const weights = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  print(`model: ${options.model}, ${weights} parameters; ${options.optimizer}, learning rate ${options.lr}`);
  const reporter = progressReporter(err);
  const { epochs, batchSize, schedule, seed } = options;
  let results: EpochResult[];
  try {
    results = trainClassifier({
      ...{ model, optimizer, train, test, epochs, batchSize, schedule, seed },
      onBatch: (progress) => reporter.update(progress),
      onEpoch: (result) => print(epochLine(result, epochs)),
    });
  } finally {
    reporter.stop();
  }
  const confusion = results.at(-1)?.test as ConfusionMatrix;
  print(`\n${confusion}\n`);
  const accuracy = percent(confusion.accuracy);
  saveSafetensors(options.save, model.stateDict(), {
    ...{ model: options.model, epochs: String(epochs), seed: String(seed) },
    'test accuracy': accuracy,
  });
  print(`saved model to ${options.save}`);
  print(`test accuracy ${accuracy}`);
}

function epochLine({ epoch, loss, accuracy, seconds, test }: EpochResult, epochs: number): string {
  const tested = test === null ? '' : `  test accuracy ${percent(test.accuracy)}`;
  return `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  training accuracy ${percent(accuracy)}${tested}  ${seconds.toFixed(1)} s`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function makeOptimizer(model: Module, { optimizer, lr, momentum }: TrainOptions): Optimizer {
  const parameters = model.parameters();
  return optimizer === 'adam' ? new Adam(parameters, { lr }) : new SGD(parameters, { lr, momentum });
}

function loadDigits(options: TrainOptions, print: (line: string) => void): { train: Dataset; test: Dataset } {
  const started = performance.now();
  const { train, test } = options.data === null ? draw(options) : read(options.data, options);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const source = options.data === null ? 'drawn' : `read from ${options.data}`;
  print(`data: ${sampleCount(train)} training and ${sampleCount(test)} test digits, ${source} in ${seconds} s`);
  return { train, test };
}

function draw({ trainSize, testSize, seed }: TrainOptions): { train: Dataset; test: Dataset } {
  // Two streams of one seed: neither set holds a digit of the other, and one's size does not change the other.
  return {
    train: drawDigits(trainSize as number, { seed, stream: 0 }),
    test: drawDigits(testSize as number, { seed, stream: 1 }),
  };
}

function read(folder: string, { trainSize, testSize }: TrainOptions): { train: Dataset; test: Dataset } {
  const { train, test } = readMnist(folder);
  return { train: firstOf(train, trainSize, '--train-size'), test: firstOf(test, testSize, '--test-size') };
}

function firstOf(data: Dataset, size: number | null, option: string): Dataset {
  if (size === null) return data;
  if (size > sampleCount(data)) throw usage(`${option} ${size}: expected at most ${sampleCount(data)}, all there are`);
  return slice(data, 0, size);
}

function checkSavePath(path: string): void {
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw usage(`--save ${path}: cannot write to ${folder}; expected a path in a folder that exists`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw usage(`--save ${path}: is a folder; expected the path of a file`);
  }
}
