// What the tests of pictures share: the graph of the first lecture, networks, and a reader of SVG.
import { nn, type Tensor, tensor } from '../../src/index.ts';
import { digitCnn, digitMlp } from '../../src/train/models.ts';
import { random } from '../helpers.ts';

/** y = exp(xz) + xz/log(x) + sin(log x)/(xz) at x = 2, z = 3. */
export function lecture() {
  const [x, z] = [tensor(2), tensor(3)];
  const [a, b] = [x.mul(z), x.log()];
  const y = a.exp().add(a.div(b)).add(b.sin().div(a));
  return { x, z, a, b, y };
}

export class Block extends nn.Module {
  ln = new nn.LayerNorm(8);
  attn = new nn.MultiheadAttention(8, 2);
  mlp = [new nn.Linear(8, 16), new nn.Linear(16, 8)];

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attn.forward(this.ln.forward(x), { isCausal: true }));
    const [up, down] = this.mlp as [nn.Linear, nn.Linear];
    return attended.add(down.forward(up.forward(attended).gelu()));
  }
}

const labels = (n: number) => tensor(Int32Array.from({ length: n }, (_, i) => i % 10));

/** Networks with their loss: what is drawn of each. */
export const NETWORKS = {
  mlp: () => lossOf(digitMlp(), [4, 1, 28, 28]),
  cnn: () => lossOf(digitCnn(), [4, 1, 28, 28]),
  block: () => {
    const model = new Block();
    return {
      model,
      loss: model
        .forward(random(1, [2, 4, 8]))
        .square()
        .mean(),
    };
  },
};

function lossOf(model: nn.Module, shape: number[]) {
  return { model, loss: nn.crossEntropy(model.forward(random(1, shape)), labels(shape[0] as number)) };
}

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: (Element | string)[];
}

/** A reader of XML that takes nothing else: every tag closed, every attribute quoted, no stray < or &. */
export function parseXml(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [] };
  const open = [root];
  const rest = xml.replace(/<!--.*?-->/gs, '');
  const token = /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
  while (token.lastIndex < rest.length) {
    const at = token.lastIndex;
    const found = token.exec(rest);
    if (found === null) throw new Error(`no XML at ${at}: ${rest.slice(at, at + 60)}`);
    const [, close, name, attributes = '', empty, text] = found;
    const parent = open.at(-1) as Element;
    if (text !== undefined) {
      if (/&(?!(amp|lt|gt|quot|#\d+|#x[\da-f]+);)/i.test(text)) throw new Error(`a stray & in ${text}`);
      if (text.trim() !== '') parent.children.push(text);
    } else if (close) {
      if (parent.name !== name) throw new Error(`${parent.name} is closed by ${name}`);
      open.pop();
    } else {
      const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
      const element: Element = { name: name as string, attributes: Object.fromEntries(pairs), children: [] };
      parent.children.push(element);
      if (!empty) open.push(element);
    }
  }
  if (open.length !== 1) throw new Error(`${open.at(-1)?.name} is not closed`);
  return root.children.find((c): c is Element => typeof c !== 'string') as Element;
}

/** Every element below one, itself included. */
export function elements(root: Element): Element[] {
  return [root, ...root.children.flatMap((c) => (typeof c === 'string' ? [] : elements(c)))];
}

const unescaped = (s: string) =>
  s
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');

export function textOf(element: Element): string {
  return element.children.map((c) => (typeof c === 'string' ? unescaped(c) : textOf(c))).join('');
}

/** Rows of text of each node of a graph, by position in the drawing. */
export function nodesOf(svg: string): { rows: string[]; box: Box }[] {
  return elements(parseXml(svg))
    .filter((e) => e.attributes.class === 'node')
    .map((node) => {
      const inside = elements(node);
      const outline = inside.find((e) => e.name === 'path' || e.name === 'polygon') as Element;
      const rows = new Map<string, string>();
      for (const t of inside.filter((e) => e.name === 'text')) {
        const y = t.attributes.y as string;
        rows.set(y, `${rows.get(y) ?? ''}${textOf(t)}`);
      }
      return { rows: [...rows.values()], box: boxOf(outline.attributes.d ?? (outline.attributes.points as string)) };
    });
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function boxOf(path: string): Box {
  const numbers = (path.match(/-?\d+(\.\d+)?/g) as string[]).map(Number);
  const [xs, ys] = [numbers.filter((_, i) => i % 2 === 0), numbers.filter((_, i) => i % 2 === 1)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
