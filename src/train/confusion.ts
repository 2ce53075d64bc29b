// Counts how often each class was taken for each other one.
import { NablaError } from '../error.ts';

/** A confusion matrix: rows are the true class, columns the predicted one. */
export class ConfusionMatrix {
  readonly classes: number;
  /** [classes, classes], row-major. */
  readonly counts: Int32Array;

  constructor(classes: number) {
    this.classes = classes;
    this.counts = new Int32Array(classes * classes);
  }

  /**
   * Counts a batch.
   *
   * @throws NablaError `data` if the lengths differ or a class is out of range
   */
  add(labels: ArrayLike<number>, predictions: ArrayLike<number>): void {
    if (labels.length !== predictions.length) {
      throw new NablaError('data', `${labels.length} labels, ${predictions.length} predictions: expected one each`);
    }
    for (let i = 0; i < labels.length; i++) {
      const cell = this.#check(labels[i] as number) * this.classes + this.#check(predictions[i] as number);
      this.counts[cell] = (this.counts[cell] as number) + 1;
    }
  }

  count(label: number, prediction: number): number {
    return this.counts[this.#check(label) * this.classes + this.#check(prediction)] as number;
  }

  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  get correct(): number {
    let sum = 0;
    for (let c = 0; c < this.classes; c++) sum += this.count(c, c);
    return sum;
  }

  /** From 0 to 1; NaN before anything was counted. */
  get accuracy(): number {
    return this.correct / this.total;
  }

  /** The share of a true class that was recognised, from 0 to 1; NaN if there was none of it. */
  recall(label: number): number {
    const row = this.counts.subarray(label * this.classes, (label + 1) * this.classes);
    return this.count(label, label) / row.reduce((sum, count) => sum + count, 0);
  }

  /** A table in aligned columns, each row's recall at its end. */
  toString(): string {
    const classes = Array.from({ length: this.classes }, (_, c) => c);
    const header = ['true \\ predicted', ...classes.map(String), 'recall'];
    const rows = classes.map((label) => [
      String(label),
      ...classes.map((prediction) => String(this.count(label, prediction))),
      Number.isNaN(this.recall(label)) ? '–' : `${(100 * this.recall(label)).toFixed(2)} %`,
    ]);
    const lines = [header, ...rows];
    const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
    return lines
      .map((line) => line.map((cell, column) => cell.padStart(widths[column] as number)).join('  '))
      .join('\n');
  }

  #check(value: number): number {
    if (Number.isInteger(value) && value >= 0 && value < this.classes) return value;
    throw new NablaError('data', `class ${value}: expected 0 to ${this.classes - 1}`, { value });
  }
}
