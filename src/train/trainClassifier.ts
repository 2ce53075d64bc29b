// The training loop: epochs of shuffled batches through one compiled step, an evaluation after each.
import { compile } from '../compile.ts';
import { batches } from '../data/batches.ts';
import { type Dataset, sampleCount } from '../data/dataset.ts';
import { NablaError } from '../error.ts';
import { crossEntropy, type Module } from '../nn/index.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Tensor } from '../tensor.ts';
import type { ConfusionMatrix } from './confusion.ts';
import { evaluator } from './evaluate.ts';
import type { Progress } from './progress.ts';

export interface TrainingOptions {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly train: Dataset;
  /** Evaluated after each epoch; leave it out to skip that. */
  readonly test?: Dataset;
  readonly epochs: number;
  /** Default 64. */
  readonly batchSize?: number;
  /** How the learning rate goes from the optimizer's own: it stays, or falls linearly to 0; default 'constant'. */
  readonly schedule?: Schedule;
  /** Orders the samples; default 0. */
  readonly seed?: number;
  readonly onBatch?: (progress: Progress) => void;
  readonly onEpoch?: (result: EpochResult) => void;
}

export type Schedule = 'constant' | 'linear';

export interface EpochResult {
  /** From 1. */
  readonly epoch: number;
  /** Mean cross-entropy per sample while training. */
  readonly loss: number;
  /** Share recognised while training, from 0 to 1. */
  readonly accuracy: number;
  /** Training alone, without the evaluation. */
  readonly seconds: number;
  /** What the model recognised of `test` after this epoch; null without a test set. */
  readonly test: ConfusionMatrix | null;
}

/** One step on a batch: the mean loss, and how many were recognised before the step. */
type Step = (x: Tensor, y: Tensor) => [loss: Tensor, correct: Tensor];

/**
 * Trains a classifier with cross-entropy. The model is left in training mode and the optimizer with its learning rate.
 *
 * @returns one result per epoch
 * @throws NablaError `option` when the loss is no number any more
 */
export function trainClassifier(options: TrainingOptions): EpochResult[] {
  const { model, optimizer, test, epochs, onEpoch } = options;
  const { lr } = optimizer;
  const step: Step = compile((x: Tensor, y: Tensor): [Tensor, Tensor] => {
    const logits = model.forward(x);
    const loss = crossEntropy(logits, y);
    optimizer.minimize(loss);
    return [loss, logits.argmax(1).eq(y).sum()];
  });
  const evaluate = evaluator(model);
  const results: EpochResult[] = [];
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      model.train();
      const trained = trainEpoch(step, epoch, lr, options);
      const result = { epoch, ...trained, test: test === undefined ? null : evaluate(test) };
      results.push(result);
      onEpoch?.(result);
    }
  } finally {
    optimizer.lr = lr;
  }
  return results;
}

function trainEpoch(
  step: Step,
  epoch: number,
  lr: number,
  options: TrainingOptions,
): { loss: number; accuracy: number; seconds: number } {
  const { train, epochs, batchSize = 64, schedule = 'constant', seed = 0, onBatch } = options;
  const epochBatches = batches(train, { batchSize, seed, epoch });
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let [batch, seen, lossSum, correct] = [0, 0, 0, 0];
  for (const { x, y, size } of epochBatches) {
    const done = (epoch - 1 + batch / epochBatches.length) / epochs;
    options.optimizer.lr = schedule === 'linear' ? lr * (1 - done) : lr;
    const [batchLoss, batchCorrect] = step(x, y);
    batch++;
    seen += size;
    lossSum += size * checkLoss(batchLoss.item(), epoch, batch);
    correct += batchCorrect.item();
    const samplesPerSecond = seen / elapsed();
    onBatch?.({
      epoch,
      epochs,
      batch,
      batches: epochBatches.length,
      loss: lossSum / seen,
      accuracy: correct / seen,
      samplesPerSecond,
      secondsLeft: ((epochs - epoch + 1) * sampleCount(train) - seen) / samplesPerSecond,
    });
  }
  return { loss: lossSum / seen, accuracy: correct / seen, seconds: elapsed() };
}

function checkLoss(loss: number, epoch: number, batch: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new NablaError(
    'option',
    `the loss is ${loss} in epoch ${epoch}, batch ${batch}: training diverged; try a smaller learning rate`,
    { loss, epoch, batch },
  );
}
