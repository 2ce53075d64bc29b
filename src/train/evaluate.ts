// Runs a model over a whole data set in batches and counts what it recognises.
import { compile } from '../compile.ts';
import { batches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { noGrad } from '../functions.ts';
import type { Module } from '../nn/index.ts';
import type { Tensor } from '../tensor.ts';
import { ConfusionMatrix } from './confusion.ts';

/** Evaluates one model; keep it, so that the program is traced once: {@link evaluator}. */
export type Evaluate = (data: Dataset) => ConfusionMatrix;

/**
 * A function that evaluates a model on data sets. While it runs the model is in evaluation mode (no dropout, running
 * statistics in batch norm); afterwards in training mode again if it was before.
 *
 * @param batchSize samples per run; it changes the speed, not the result
 */
export function evaluator(model: Module, batchSize = 256): Evaluate {
  const predict = compile((x: Tensor) => noGrad(() => model.forward(x).argmax(1)));
  return (data) => {
    const confusion = new ConfusionMatrix(data.classes);
    const wasTraining = model.training;
    model.eval();
    try {
      for (const { x, y } of batches(data, { batchSize, shuffle: false })) confusion.add(y.data(), predict(x).data());
    } finally {
      if (wasTraining) model.train();
    }
    return confusion;
  };
}
