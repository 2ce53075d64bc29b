// A graph as SVG: laid out by Graphviz, which @viz-js/viz brings as WebAssembly; loaded when first asked for.
import type { Viz } from '@viz-js/viz';
import { NablaError } from '../error.ts';
import { dotOf } from './dot.ts';
import type { DrawOptions, Outputs } from './options.ts';
import { styleSheet } from './palette.ts';
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
  return svg.slice(svg.indexOf('<svg')).replace(/(<svg[^>]*>)/, `$1\n${styleSheet()}`);
}

async function graphviz(): Promise<Viz> {
  try {
    return await (await import('@viz-js/viz')).instance();
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new NablaError(
      'option',
      'toSVG needs a package: npm install --save-dev @viz-js/viz (toDot and toText do without)',
    );
  }
}
