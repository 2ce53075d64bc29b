// A graph as SVG: laid out by Graphviz, which @viz-js/viz brings as WebAssembly; loaded when first asked for.
import type { Viz } from '@viz-js/viz';
import { NablaError } from '../error.ts';
import { dotOf } from './dot.ts';
import type { DrawOptions, Outputs } from './options.ts';
import { seam, styleSheet } from './palette.ts';
import { pictureOf } from './picture.ts';

/**
 * The graph of `outputs` as an SVG that reads on light and dark pages. It needs the package @viz-js/viz.
 *
 * @throws NablaError `option` where that is not installed
 */
export async function toSVG(outputs: Outputs, options: DrawOptions = {}): Promise<string> {
  const dot = dotOf(pictureOf('toSVG', outputs, options)); // first: the graph may change while the package is loaded
  const svg = (await graphviz()).renderString(dot, { format: 'svg' });
  // Without the prologue, so that it can stand in a page.
  const bare = svg.slice(svg.indexOf('<svg')).replace(/(<svg[^>]*>)/, `$1\n${styleSheet()}`);
  return labelsOnTop(bare.replace(/<g [^>]*class="node">.*?<\/g>/gs, centred));
}

/**
 * A node with each row that is one text centred: Graphviz puts its left end where the width that it supposes asks for,
 * which is another one in another font, and wrong for letters like ∂.
 */
function centred(node: string): string {
  const outline = node.match(/ (?:d|points)="([^"]*)"/)?.[1] ?? '';
  const xs = [...outline.matchAll(/(-?[\d.]+),-?[\d.]+/g)].map(([, x]) => Number(x));
  const middle = ((Math.min(...xs) + Math.max(...xs)) / 2).toFixed(2);
  const rows = [...node.matchAll(/<text[^>]* y="([^"]*)"/g)].map(([, y]) => y);
  return node.replace(/text-anchor="start" x="[^"]*" y="([^"]*)"/g, (text, y) =>
    rows.indexOf(y) === rows.lastIndexOf(y) ? `text-anchor="middle" x="${middle}" y="${y}"` : text,
  );
}

/** Graphviz draws edges over the names of layers: here these come last, with a seam that cuts the edge. */
function labelsOnTop(svg: string): string {
  const labels: string[] = [];
  const without = svg.replace(/(<g [^>]*class="cluster">.*?)(<text .*?<\/text>\n)/gs, (_, before, label) => {
    labels.push(label.replace('<text', `<text${seam('page')}`));
    return before;
  });
  return without.replace(/<\/g>\n<\/svg>/, `${labels.join('')}$&`);
}

async function graphviz(): Promise<Viz> {
  try {
    return await (await import('@viz-js/viz')).instance();
  } catch (error) {
    // Node, Deno and Bun each say it in their own way, with the name in it.
    if (!String((error as Partial<Error> | null)?.message).includes('@viz-js/viz')) throw error;
    throw new NablaError(
      'option',
      'toSVG needs a package: npm install --save-dev @viz-js/viz (toDot and toText do without)',
    );
  }
}
