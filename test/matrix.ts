// Plain float64 matrices for the formulas of the lectures: what a student would write, nothing of the library.
export type Matrix = number[][];

export const zip = (a: Matrix, b: Matrix, f: (x: number, y: number) => number): Matrix =>
  a.map((row, i) => row.map((x, j) => f(x, (b[i] as number[])[j] as number)));

export const map = (a: Matrix, f: (x: number) => number): Matrix => a.map((row) => row.map(f));

export const transpose = (a: Matrix): Matrix => (a[0] as number[]).map((_, j) => a.map((row) => row[j] as number));

export const dot = (a: number[], b: number[]): number => a.reduce((s, x, i) => s + x * (b[i] as number), 0);

export const product = (a: Matrix, b: Matrix): Matrix => {
  const columns = transpose(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
};

/** Adds the column b to every column of a. */
export const addColumn = (a: Matrix, b: Matrix): Matrix =>
  a.map((row, i) => row.map((x) => x + ((b[i] as number[])[0] as number)));

/** The sum of every row, as a column. */
export const rowSums = (a: Matrix): Matrix => a.map((row) => [row.reduce((s, x) => s + x, 0)]);

/** A matrix of a flat list, row by row. */
export const matrix = (rows: number, columns: number, values: ArrayLike<number>): Matrix =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => values[i * columns + j] as number));

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
