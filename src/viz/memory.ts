// The memory plan of a compiled function as a picture: time to the right, addresses upwards, each buffer a rectangle.
import type { Compiled } from '../compile.ts';
import { NablaError } from '../error.ts';
import { formatBytes } from './numbers.ts';
import { type Colour, colour, escaped, seam, styleSheet } from './palette.ts';

type AnyCompiled<A extends unknown[]> = Pick<Compiled<A, unknown>, 'memoryPlan' | 'memory'>;
type Plan = ReturnType<AnyCompiled<unknown[]>['memoryPlan']>;
type Buffer = Plan['buffers'][number];

/** The memory plan for these arguments as text: a line a buffer, by address. Nothing is computed. */
export function memoryText<A extends unknown[]>(compiled: AnyCompiled<A>, ...args: A): string {
  const plan = planOf('memoryText', compiled, args);
  const rows = plan.buffers.map((b) => [
    `${b.offset}`,
    formatBytes(b.nBytes),
    b.first === b.last ? `${b.first}` : `${b.first}-${b.last}`,
    b.name,
    b.layer,
  ]);
  const table = [['offset', 'size', 'live', 'buffer', rows.some((row) => row[4] !== '') ? 'layer' : ''], ...rows];
  const widths = [0, 1, 2, 3, 4].map((k) => Math.max(...table.map((row) => (row[k] as string).length)));
  const lines = table.map((row) =>
    row
      .map((cell, k) => (k < 3 ? cell.padStart(widths[k] as number) : cell.padEnd(widths[k] as number)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, summary(plan), beside(compiled.memory(...args))].join('\n');
}

/** The memory plan for these arguments as an SVG that reads on light and dark pages. Nothing is computed. */
export function memorySVG<A extends unknown[]>(compiled: AnyCompiled<A>, ...args: A): string {
  const plan = planOf('memorySVG', compiled, args);
  return new Drawing(plan).svg([summary(plan), beside(compiled.memory(...args))]);
}

function planOf<A extends unknown[]>(who: string, compiled: AnyCompiled<A>, args: A): Plan {
  if (typeof compiled?.memoryPlan !== 'function') {
    throw new NablaError(
      'option',
      `${who}: got ${typeof compiled}; expected what compile() returns, then its arguments`,
    );
  }
  return compiled.memoryPlan(...args);
}

function summary({ arenaBytes, peak, instructions, buffers }: Plan): string {
  const sum = buffers.reduce((total, b) => total + b.nBytes, 0);
  const at =
    instructions.length === 0 ? '' : ` at instruction ${peak.instruction} (${instructions[peak.instruction]?.name})`;
  return `arena ${formatBytes(arenaBytes)}; most live: ${formatBytes(peak.nBytes)}${at}; all ${buffers.length} buffers: ${formatBytes(sum)}`;
}

/** What a call holds outside the arena. */
function beside(use: ReturnType<AnyCompiled<unknown[]>['memory']>): string {
  const kinds = [
    ['variables', use.stateBytes],
    ['inputs', use.inputBytes],
    ['outputs', use.outputBytes],
    ['program', use.programBytes],
    ['scratch of kernels', use.scratchBytes],
  ] as const;
  return `beside it: ${kinds.flatMap(([name, n]) => (n > 0 ? [`${name} ${formatBytes(n)}`] : [])).join(', ')}`;
}

// ---- the drawing; sizes in pixels

const LEFT = 70;
const TOP = 34;
const HEIGHT = 420;
const WIDTH = 880;
const MIN_STEP = 16;
const MAX_STEP = 90;
const FONT = 11;
const LINE = 13;
/** Arial's letters are narrower on average. */
const LETTER = FONT * 0.58;

const COLOURS: Record<Buffer['kind'], [Colour, Colour]> = {
  argument: ['input', 'inputLine'],
  intermediate: ['buffer', 'bufferLine'],
  result: ['parameter', 'parameterLine'],
  scratch: ['page', 'line'],
};

class Drawing {
  readonly #plan: Plan;
  readonly #step: number;
  readonly #width: number;

  constructor(plan: Plan) {
    this.#plan = plan;
    const n = Math.max(1, plan.instructions.length);
    this.#step = Math.min(MAX_STEP, Math.max(MIN_STEP, WIDTH / n));
    this.#width = this.#step * n;
  }

  #x(instruction: number): number {
    return LEFT + instruction * this.#step;
  }

  #y(byte: number): number {
    return TOP + HEIGHT * (1 - byte / Math.max(1, this.#plan.arenaBytes));
  }

  svg(notes: readonly string[]): string {
    const axis = this.#instructions();
    const longest = Math.max(0, ...this.#plan.instructions.map(({ name }, i) => `${i} ${name}`.length));
    const below = TOP + HEIGHT + 14 + longest * LETTER;
    const lines = notes.map((note, i) => text(LEFT, below + 16 + 16 * i, note, 'ink'));
    const width = Math.max(LEFT + this.#width, LEFT + Math.max(...notes.map((n) => n.length)) * LETTER) + 20;
    const height = below + 16 * notes.length + 14;
    const size = `width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}"`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="Arial,sans-serif" font-size="${FONT}">`,
      styleSheet(),
      `<rect width="100%" height="100%" fill="${colour('page')}"/>`,
      ...this.#addresses(),
      ...this.#plan.buffers.map((b) => this.#buffer(b)),
      ...this.#peak(),
      ...this.#plan.buffers.flatMap((b) => this.#label(b)),
      ...axis,
      ...lines,
      '</svg>',
      '',
    ].join('\n');
  }

  #addresses(): string[] {
    return [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
      const bytes = this.#plan.arenaBytes * share;
      const y = this.#y(bytes);
      return [
        `<line x1="${LEFT}" x2="${round(LEFT + this.#width)}" y1="${y}" y2="${y}" stroke="${colour('frame')}"/>`,
        text(LEFT - 6, y + 4, formatBytes(bytes), 'faint', 'end'),
      ];
    });
  }

  #box({ nBytes, offset, first, last }: Buffer) {
    const y = this.#y(offset + nBytes);
    return { x: this.#x(first), y, width: this.#step * (last - first + 1), height: Math.max(1, this.#y(offset) - y) };
  }

  #buffer(buffer: Buffer): string {
    const { name, kind, layer, nBytes, first, last } = buffer;
    const { x, y, width, height } = this.#box(buffer);
    const [fill, line] = COLOURS[kind];
    const about = `${name}${layer === '' ? '' : ` in ${layer}`}: ${formatBytes(nBytes)}, instructions ${first} to ${last}`;
    return [
      `<g class="buffer"><title>${escaped(about)}</title>`,
      `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="2" fill="${colour(fill)}" stroke="${colour(line)}"/>`,
      '</g>',
    ].join('');
  }

  /** Its name, and where there is room its layer and size. */
  #label(buffer: Buffer): string[] {
    const { x, y, width, height } = this.#box(buffer);
    const all = [buffer.name, buffer.layer, formatBytes(buffer.nBytes)].filter((word) => word !== '');
    const words = all.slice(0, Math.max(0, Math.floor((height - 2) / LINE))).map((word) => fitted(word, width - 6));
    const top = y + height / 2 + 4 - (LINE * (words.length - 1)) / 2;
    const [fill] = COLOURS[buffer.kind];
    return words.map((word, i) =>
      text(x + width / 2, top + LINE * i, word, i === 0 ? 'ink' : 'faint', 'middle', seam(fill)),
    );
  }

  /** A frame around the instruction at which most is live. */
  #peak(): string[] {
    const { peak, instructions } = this.#plan;
    if (instructions.length === 0) return [];
    const x = this.#x(peak.instruction);
    const middle = Math.min(Math.max(x + this.#step / 2, LEFT + 50), LEFT + this.#width - 50);
    return [
      `<rect class="peak" x="${round(x)}" y="${TOP - 6}" width="${round(this.#step)}" height="${HEIGHT + 6}" fill="none" stroke="${colour('peak')}" stroke-width="1.5" stroke-dasharray="5 3"/>`,
      text(middle, TOP - 14, `peak ${formatBytes(peak.nBytes)}`, 'peak', 'middle'),
    ];
  }

  #instructions(): string[] {
    return this.#plan.instructions.map(({ name, computes, layer }, i) => {
      const [x, y] = [round(this.#x(i + 0.5) - 4), TOP + HEIGHT + 8];
      const about = `${i} ${name}: ${computes}${layer === '' ? '' : ` in ${layer}`}`;
      return `<g transform="translate(${x} ${y}) rotate(90)"><title>${escaped(about)}</title>${text(0, 0, `${i} ${name}`, 'faint')}</g>`;
    });
  }
}

function text(x: number, y: number, words: string, part: Colour, anchor = 'start', more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colour(part)}"${more}>${escaped(words)}</text>`;
}

/** As much of a name as there is room for, or nothing. */
function fitted(name: string, width: number): string {
  const letters = Math.floor(width / LETTER);
  if (name.length <= letters) return name;
  return letters < 3 ? '' : `${name.slice(0, letters - 1)}…`;
}

const round = (x: number) => Math.round(x * 10) / 10;
