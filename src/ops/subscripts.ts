// What an equation of einsum says: a label for every axis of every operand and of the output, checked against shapes.
import { NablaError } from '../error.ts';
import { formatShape, type Shape } from '../shape.ts';

export interface Subscripts {
  /** A label an axis. Letters stand for themselves; axes of an ellipsis are '-1', '-2', … from the right. */
  inputs: string[][];
  output: string[];
  /** Of an axis in all operands that have it; those of an ellipsis may be 1 in some of them. */
  sizes: Map<string, number>;
}

const ELLIPSIS = '...';

function mistake(equation: string, why: string): NablaError {
  return new NablaError('shape', `einsum '${equation}': ${why}`, { op: 'einsum', equation });
}

/** Reads an equation such as 'bij,bjk->bik' for operands of these shapes. */
export function readSubscripts(equation: string, shapes: readonly Shape[]): Subscripts {
  if (typeof equation !== 'string') {
    throw new NablaError('option', `einsum: got ${typeof equation}, expected an equation such as 'ij,jk->ik'`);
  }
  const fail = (why: string) => mistake(equation, why);
  const wrong = equation
    .replaceAll(ELLIPSIS, '')
    .replace('->', '')
    .match(/[^A-Za-z,\s]/);
  if (wrong !== null) throw fail(`'${wrong[0]}' is no subscript; expected letters, ',', '...' and one '->'`);
  const [left, right] = equation.replaceAll(/\s/g, '').split('->') as [string, string | undefined];
  const terms = left.split(',');
  if (terms.length !== shapes.length) {
    const named = `${terms.length} operand${terms.length === 1 ? '' : 's'}`;
    throw fail(`it names ${named}, got ${shapes.length}`);
  }
  const inputs = terms.map((term, k) => {
    const shape = shapes[k] as Shape;
    const letters = term.replace(ELLIPSIS, '');
    checkTerm(term, fail);
    const hidden = shape.length - letters.length;
    if (hidden < 0 || (hidden > 0 && letters === term)) {
      throw fail(`'${term}' has ${letters.length} subscripts, operand ${k} is ${formatShape(shape)}`);
    }
    return labelsOf(term, hidden);
  });
  const widest = Math.max(0, ...inputs.map((labels) => labels.filter(isHidden).length));
  const output = right === undefined ? implied(inputs, widest) : labelsOf(right, widest);
  checkOutput(right ?? '', output, inputs, fail);
  return { inputs, output, sizes: sizesOf(inputs, shapes, fail) };
}

const isHidden = (label: string) => label.startsWith('-');

function checkTerm(term: string, fail: (why: string) => NablaError): void {
  const rest = term.replace(ELLIPSIS, '');
  if (rest.includes('.')) throw fail(`'${term}' has more than one '...'`);
}

/** The labels of a term whose ellipsis stands for `hidden` axes. */
function labelsOf(term: string, hidden: number): string[] {
  const [before = '', after = ''] = term.split(ELLIPSIS);
  if (!term.includes(ELLIPSIS)) return [...before];
  return [...before, ...Array.from({ length: hidden }, (_, i) => `${i - hidden}`), ...after];
}

/** Without '->': the axes of the ellipsis, then the subscripts that stand once, in the order of the alphabet. */
function implied(inputs: readonly string[][], widest: number): string[] {
  const all = inputs.flat();
  const once = all.filter((label) => !isHidden(label) && all.indexOf(label) === all.lastIndexOf(label));
  return [...labelsOf(ELLIPSIS, widest), ...once.sort()];
}

function checkOutput(text: string, output: string[], inputs: string[][], fail: (why: string) => NablaError): void {
  checkTerm(text, fail);
  if (text.includes(',')) throw fail(`the output '${text}' has a ','; expected one term`);
  const known = new Set(inputs.flat());
  const twice = output.find((label, i) => output.indexOf(label) !== i);
  if (twice !== undefined) throw fail(`output subscript '${twice}' is named twice`);
  const unknown = output.find((label) => !known.has(label));
  if (unknown !== undefined) throw fail(`output subscript '${unknown}' stands in no operand`);
}

function sizesOf(inputs: string[][], shapes: readonly Shape[], fail: (why: string) => NablaError): Map<string, number> {
  const sizes = new Map<string, number>();
  const from = new Map<string, number>();
  inputs.forEach((labels, k) => {
    labels.forEach((label, axis) => {
      const size = (shapes[k] as Shape)[axis] as number;
      const known = sizes.get(label);
      if (known === undefined || (known === 1 && isHidden(label))) {
        sizes.set(label, size);
        from.set(label, k);
      } else if (size !== known && !(size === 1 && isHidden(label))) {
        const [a, b] = [from.get(label) as number, k];
        const name = isHidden(label) ? `axis ${label} of '...'` : `'${label}'`;
        throw fail(
          `${name} is ${known} in operand ${a} ${formatShape(shapes[a] as Shape)} and ${size} in operand ${b} ` +
            `${formatShape(shapes[b] as Shape)}`,
        );
      }
    });
  });
  return sizes;
}
