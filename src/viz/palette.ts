// Colours that read on a light and on a dark page. A picture is written in the light ones; a style sheet inside the
// SVG puts the dark ones in their place where the reader prefers that.

/** Each part in the light and in the dark. No two parts share a light colour: it is how the style sheet tells them. */
const COLOURS = {
  page: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  faint: ['#59636e', '#9198a1'],
  line: ['#818b98', '#656c76'],
  op: ['#f6f8fa', '#161b22'],
  input: ['#dafbe1', '#0f2d1a'],
  inputLine: ['#1a7f37', '#3fb950'],
  parameter: ['#ddf4ff', '#0c2d4a'],
  parameterLine: ['#0969da', '#4493f8'],
  backward: ['#fff1e5', '#331c0b'],
  backwardLine: ['#bc4c00', '#db6d28'],
  buffer: ['#f3effc', '#221b38'],
  bufferLine: ['#8250df', '#a371f7'],
  frame: ['#d1d9e0', '#3d444d'],
  value: ['#0550ae', '#79c0ff'],
  adjoint: ['#953800', '#ffa657'],
  peak: ['#cf222e', '#f85149'],
} as const;

export type Colour = keyof typeof COLOURS;

/** A part's colour as the picture is written in. */
export const colour = (part: Colour): string => COLOURS[part][0];

/** The style sheet of an SVG that is written in `colour`s. */
export function styleSheet(): string {
  const rules = Object.values(COLOURS).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  return `<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
}

/** Attributes of a text that cut the lines behind it, on ground of this colour. */
export const seam = (ground: Colour): string => ` paint-order="stroke" stroke="${colour(ground)}" stroke-width="4"`;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text inside XML, or inside a label of Graphviz written as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ESCAPES[c] as string);
}
