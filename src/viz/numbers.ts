// Numbers as a picture shows them: few digits, small tensors in full, large ones by their range.
import type { Elements } from '../dtype.ts';
import type { Shape } from '../shape.ts';

const MOST_IN_ROW = 6;
const MOST_ROWS = 4;
const MOST_IN_MATRIX_ROW = 4;

/** Four significant digits; whole numbers in full, small ones with an exponent. */
export function formatNumber(x: number): string {
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '-∞';
  if (Number.isInteger(x) && Math.abs(x) < 1e7) return String(x);
  const rounded = Number(x.toPrecision(4));
  return Math.abs(rounded) < 1e-3 ? rounded.toExponential() : String(rounded);
}

/** Of a tensor its elements, one line a row and a column as a row: `[1, 2]ᵀ`; or its range: `-0.31 … 0.42`. */
export function formatElements(elements: Elements, shape: Shape, isBool = false): string[] {
  const show = (x: number) => (isBool ? String(x !== 0) : formatNumber(x));
  const n = elements.length;
  if (n === 1) return [show(elements[0] as number)];
  if (n === 0) return ['no elements'];
  const row = (from: number, length: number) =>
    `[${Array.from(elements.subarray(from, from + length), show).join(', ')}]`;
  if (shape.length === 1 && n <= MOST_IN_ROW) return [row(0, n)];
  const [rows = 0, columns = 0] = shape;
  if (shape.length === 2 && columns === 1 && rows <= MOST_IN_ROW) return [`${row(0, n)}ᵀ`];
  if (shape.length === 2 && rows <= MOST_ROWS && columns <= MOST_IN_MATRIX_ROW) {
    return Array.from({ length: rows }, (_, i) => row(i * columns, columns));
  }
  return [rangeOf(elements, show)];
}

function rangeOf(elements: Elements, show: (x: number) => string): string {
  let [lo, hi, nans] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const x of elements) {
    if (Number.isNaN(x)) nans++;
    if (x < lo) lo = x;
    if (x > hi) hi = x;
  }
  if (nans === elements.length) return 'all NaN';
  const range = lo === hi ? `all ${show(lo)}` : `${show(lo)} … ${show(hi)}`;
  return nans === 0 ? range : `${range}, ${nans} NaN`;
}

/** Bytes with their unit: `512 B`, `1.5 KiB`, `12 MiB`. */
export function formatBytes(nBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [x, unit] = [nBytes, 0];
  while (x >= 1024 && unit < units.length - 1) {
    x /= 1024;
    unit++;
  }
  return `${Number(x.toPrecision(3))} ${units[unit]}`;
}
