// A graph in DOT, the language of Graphviz. Layers are clusters; the backward pass runs back beside the forward one.

import type { Box, Step } from './box.ts';
import { argument, BEFORE, inputsOf } from './fold.ts';
import type { DrawOptions, Outputs } from './options.ts';
import { colour, escaped } from './palette.ts';
import { layerPath, type Picture, pictureOf } from './picture.ts';
import { typeText } from './text.ts';

/** The graph of `outputs` as DOT, for any tool that reads it: `dot -Tsvg`, an editor, a page. */
export function toDot(outputs: Outputs, options: DrawOptions = {}): string {
  return dotOf(pictureOf('toDot', outputs, options));
}

const FONT = 'fontname="Arial"';

export function dotOf(picture: Picture): string {
  const { boxes, direction, title } = picture;
  const name = new Map(boxes.map((box, i) => [box, `n${i}`]));
  const heading = title === '' ? '' : ` label=${quoted(title)} labelloc=t`;
  return [
    'digraph nabla {',
    `  graph [rankdir=${direction} bgcolor="${colour('page')}" ${FONT} fontcolor="${colour('ink')}" nodesep=0.25 ranksep=0.35${heading}]`,
    `  node [shape=box style="rounded,filled" margin="0.12,0.06" height=0.3 ${FONT} fontsize=12 fontcolor="${colour('ink')}"]`,
    `  edge [arrowsize=0.6 color="${colour('line')}"]`,
    ...nodeLines(picture, name),
    ...edgeLines(boxes, name),
    '}',
    '',
  ].join('\n');
}

// ---- nodes

interface Layer {
  boxes: Box[];
  inner: Map<string, Layer>;
}

function nodeLines(picture: Picture, name: ReadonlyMap<Box, string>): string[] {
  const root: Layer = { boxes: [], inner: new Map() };
  for (const box of picture.boxes) {
    let at = root;
    for (const part of picture.grouped ? layerPath(box.layer) : []) {
      const inner = at.inner.get(part) ?? { boxes: [], inner: new Map() };
      at.inner.set(part, inner);
      at = inner;
    }
    at.boxes.push(box);
  }
  let clusters = 0;
  const lines = (layer: Layer, indent: string): string[] => [
    ...layer.boxes.map((box) => `${indent}${name.get(box)} [${nodeAttributes(box, picture)}]`),
    ...[...layer.inner].flatMap(([title, inner]) => [
      `${indent}subgraph cluster_${clusters++} {`,
      `${indent}  graph [label=${quoted(title)} style=rounded color="${colour('frame')}" fontcolor="${colour('faint')}" fontsize=11 labeljust=l]`,
      ...lines(inner, `${indent}  `),
      `${indent}}`,
    ]),
  ];
  return lines(root, '  ');
}

function nodeAttributes(box: Box, picture: Picture): string {
  const [fill, line] = coloursOf(box);
  const width = box.isOutput ? ' penwidth=2' : '';
  return `label=<${label(box, picture)}> fillcolor="${fill}" color="${line}"${width}`;
}

function coloursOf({ kind, isBackward }: Box): [string, string] {
  if (isBackward) return [colour('backward'), colour('backwardLine')];
  if (kind === 'parameter' || kind === 'state') return [colour('parameter'), colour('parameterLine')];
  if (kind === 'input') return [colour('input'), colour('inputLine')];
  return [colour('op'), colour('line')];
}

/** Rows: what it is, its shape, its value, its adjoint. */
function label(box: Box, { of, boxes }: Picture): string {
  const { id, value, adjoint } = box;
  const rows = heads(box);
  const scalars = boxes.every((b) => b.shape.length === 0 && b.dtype === 'float32');
  if (!scalars) rows.push(font('faint', typeText(box), 10));
  for (const row of value ?? []) rows.push(font('value', row));
  for (const [i, row] of (adjoint ?? []).entries()) {
    rows.push(font('adjoint', i === 0 ? `∂${of}/∂${id} = ${row}` : row));
  }
  const cells = rows.map((row) => `<tr><td>${row}</td></tr>`);
  return `<table border="0" cellborder="0" cellspacing="0" cellpadding="1">${cells.join('')}</table>`;
}

/** Longest name and operation that stand in one row. */
const ROW = 24;

/** Names in bold, and a row for each operation; `a = mul(x, z)` in one row where it is short. */
function heads({ kind, id, names, showsId, steps }: Box): string[] {
  const words = names.length === 0 && showsId ? [id] : names;
  if (kind !== 'op') return words.length > 0 ? words.map(bold) : [kind];
  const [first, ...rest] = steps.flatMap(stepRows) as [string, ...string[]];
  if (words.length === 0) return [first, ...rest];
  const row = `${words.join(' = ')} = ${call(steps[0] as Step)}`;
  // Graphviz measures what is not ASCII too wide, so such a name must not stand before anything.
  const isShort = row.length <= ROW && !/[^\x20-\x7e]/.test(words.join());
  const own = isShort ? [`${words.map(bold).join(' = ')} = ${first}`] : [...words.map(bold), first];
  return [...own, ...rest];
}

/** An operation, with its settings under it where there is no room behind. */
function stepRows(step: Step): string[] {
  const [operation, settings] = [call(step), step.attrs.join(', ')];
  if (settings === '') return [escaped(operation)];
  if (!step.isPiece && operation.length + settings.length < ROW) return [escaped(`${operation} ${settings}`)];
  return [escaped(operation), font('faint', settings, 10)];
}

const bold = (word: string) => `<b>${escaped(word)}</b>`;

function font(part: 'faint' | 'value' | 'adjoint', text: string, size?: number): string {
  const points = size === undefined ? '' : ` point-size="${size}"`;
  return `<font color="${colour(part)}"${points}>${escaped(text)}</font>`;
}

/** `mul`, `mul(·, 2)`, `mul(x, z)`: arguments that have names or are numbers, · for those that only the edges show. */
function call(step: Step): string {
  if (step.isPiece) return step.name;
  const list = step.args.map((_, i) => argument(step, i, (box) => (box.showsId ? box.id : BEFORE)));
  return list.every((a) => a === BEFORE) ? step.name : `${step.name}(${list.join(', ')})`;
}

// ---- edges

/**
 * Within the backward pass an edge is laid out against its arrow, so that gradients flow back beside the layers they
 * belong to. What that pass reads of the forward one its boxes call by name; an edge for each would hide all others.
 */
function edgeLines(boxes: readonly Box[], name: ReadonlyMap<Box, string>): string[] {
  const used = new Set(boxes.filter((b) => b.isBackward).flatMap(inputsOf));
  return boxes.flatMap((box) => {
    const to = name.get(box);
    const inputs = inputsOf(box);
    if (!box.isBackward) return inputs.map((input) => `  ${name.get(input)} -> ${to}`);
    const gradients = inputs.filter((input) => input.isBackward);
    if (gradients.length > 0) {
      return gradients.map((g) => `  ${to} -> ${name.get(g)} [dir=back color="${colour('backwardLine')}"]`);
    }
    // Where the backward pass begins: after the last it reads. Shown only where nothing else connects it.
    const last = boxes.findLast((b) => inputs.includes(b) && b.kind === 'op') ?? inputs[0];
    const style = used.has(box) ? 'style=invis' : `style=dashed color="${colour('backwardLine')}"`;
    return last === undefined ? [] : [`  ${name.get(last)} -> ${to} [${style}]`];
  });
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
