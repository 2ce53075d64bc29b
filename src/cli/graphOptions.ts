// The options of `nabla graph`.
import type { DrawOptions } from '../viz/index.ts';
import { flag, formatOptions, oneOf, parseOptions, path, usage } from './args.ts';

const FORMATS = { svg: 'svg', dot: 'dot', gv: 'dot', txt: 'text' } as const;
export type Format = (typeof FORMATS)[keyof typeof FORMATS];

const TABLE = {
  out: {
    ...path('a name that ends in .svg, .dot or .txt'),
    placeholder: 'FILE',
    help: 'where to write it: .svg, .dot or .txt (default: text, printed)',
  },
  values: flag('each node with its value, and with gradients its adjoint'),
  group: {
    ...oneOf('layer', 'none'),
    placeholder: 'HOW',
    help: 'layer or none (default: layer where there are several)',
  },
  fold: flag('only chains of elementwise nodes as one (default: without values; in large networks whole layers)'),
  direction: { ...oneOf('LR', 'TB'), placeholder: 'WAY', help: 'LR, to the right, or TB, to the bottom' },
  title: { ...path('a text'), placeholder: 'TEXT', help: 'stands over the picture' },
};

export interface GraphOptions {
  module: string;
  /** Null: printed as text. */
  out: string | null;
  format: Format;
  /** Those that were given; they win over the module's. */
  draw: Pick<DrawOptions, 'values' | 'group' | 'fold' | 'direction' | 'title'>;
}

export const GRAPH_HELP = `Draws the graph of a model or an expression.

  nabla graph MODULE [options]

MODULE is a JavaScript file, or TypeScript where the runtime takes it (Node 22.18 and newer, Deno, Bun). Its default
export is what to draw, or a function, async or not, that returns it:

  a tensor, a list of tensors, or an object of named ones
    export default () => nn.mseLoss(model.forward(x), target)
  or these with options of nabla/viz: names, values, gradients, group, fold, title, direction
    export default () => ({ outputs: { y }, names: { x, z }, values: true, gradients: { of: y, wrt: [x, z] } })

${formatOptions(TABLE)}

SVG needs a package: npm install --save-dev @viz-js/viz
`;

/** @throws NablaError `option` */
export function parseGraphOptions(args: readonly string[]): GraphOptions | 'help' {
  const modules: string[] = [];
  const given = parseOptions(TABLE, args, (text) => modules.push(text));
  if (given === 'help') return 'help';
  const [module, another] = modules;
  if (module === undefined) throw usage('no module given; expected a file: nabla graph model.ts --out graph.svg');
  if (another !== undefined) throw usage(`${another}: unexpected argument; expected one module`);
  const { out = null, ...draw } = given;
  return { module, out, format: out === null ? 'text' : formatOf(out), draw };
}

function formatOf(out: string): Format {
  const ending = out.slice(out.lastIndexOf('.') + 1).toLowerCase();
  if (!Object.hasOwn(FORMATS, ending)) throw usage(`--out ${out}: expected ${TABLE.out.expected}`);
  return FORMATS[ending as keyof typeof FORMATS];
}
