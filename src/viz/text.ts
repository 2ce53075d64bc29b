// A graph as text: a line a node, inputs before users, in columns.

import type { Box, Step } from './box.ts';
import { argument, BEFORE } from './fold.ts';
import type { DrawOptions, Outputs } from './options.ts';
import { pictureOf } from './picture.ts';

/**
 * The graph of `outputs`, one line a node: `v1 = mul(x, z)`, its shape, and where asked for its value, its adjoint and
 * its layer. Nodes without a name are called v1, v2, … (inputs x1, parameters p1, of the backward pass g1).
 */
export function toText(outputs: Outputs, options: DrawOptions = {}): string {
  const { boxes, of, title, grouped } = pictureOf('toText', outputs, options);
  const columns = [
    { head: '', cell: (b: Box) => definition(b) },
    { head: 'shape', cell: (b: Box) => typeText(b) },
    { head: 'value', cell: (b: Box) => rowsText(b.value) },
    { head: `∂${of}/∂node`, cell: (b: Box) => rowsText(b.adjoint) },
    { head: 'layer', cell: (b: Box) => (grouped ? b.layer : '') },
  ].filter(({ cell }) => boxes.some((b) => cell(b) !== ''));
  const table = [columns.map((c) => c.head), ...boxes.map((b) => columns.map((c) => c.cell(b)))];
  const widths = columns.map((_, k) => Math.max(...table.map((row) => (row[k] as string).length)));
  const lines = table.map((row) =>
    row
      .map((cell, k) => cell.padEnd(widths[k] as number))
      .join('  ')
      .trimEnd(),
  );
  return [...(title === '' ? [] : [title]), ...lines].join('\n');
}

function definition(box: Box): string {
  const { kind, id, names, steps, value } = box;
  const left = [id, ...names.slice(1)].join(' = ');
  if (kind === 'op') return `${left} = ${expression(steps)}`;
  return `${left} = ${kind === 'number' ? rowsText(value) : kind}`;
}

/** A chain as nested calls. */
function expression(steps: readonly Step[]): string {
  return steps.reduce((before, step) => {
    const list = step.args.map((a, i) => (a === BEFORE ? before : argument(step, i, (box) => box.id)));
    return `${step.name}(${[...list, ...step.attrs].join(', ')})`;
  }, '');
}

/** `[2,3]`, `int32 [64]`. */
export function typeText({ shape, dtype }: Box): string {
  return `${dtype === 'float32' ? '' : `${dtype} `}[${shape.join(',')}]`;
}

function rowsText(rows: readonly string[] | null): string {
  if (rows === null) return '';
  return rows.length === 1 ? (rows[0] as string) : `[${rows.join(', ')}]`;
}
