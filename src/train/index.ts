// A training loop for classifiers, with its evaluation and its progress bar.
export { ConfusionMatrix } from './confusion.ts';
export { type Evaluate, evaluator } from './evaluate.ts';
export { digitCnn, digitMlp, probabilities } from './models.ts';
export { type Progress, type ProgressReporter, progressReporter } from './progress.ts';
export { type EpochResult, type Schedule, type TrainingOptions, trainClassifier } from './trainClassifier.ts';
