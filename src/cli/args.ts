// Reads command-line options by a table that says of each what it takes, and writes the help from the same table.
import { parseArgs } from 'node:util';
import { NablaError } from '../error.ts';

/** One option. */
export interface OptionSpec<T> {
  /** What stands for the value in the help: `N`, `FILE`; nothing where the option takes none. */
  readonly placeholder: string;
  readonly help: string;
  /** What the value must be, as the errors say it: `a whole number, 1 or more`. */
  readonly expected: string;
  /** The value, or undefined if the text is not as expected. */
  readonly parse: (text: string) => T | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds options of any type
export type OptionTable = Record<string, OptionSpec<any>>;

/** The options that were given, by their names in the table. */
export type Parsed<Table extends OptionTable> = {
  [Name in keyof Table]?: Table[Name] extends OptionSpec<infer T> ? T : never;
};

export function wholeNumber(
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): Pick<OptionSpec<number>, 'expected' | 'parse'> {
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
  return {
    expected: `a whole number, ${range}`,
    parse: (text) => (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  };
}

export function realNumber(
  expected: string,
  fits: (value: number) => boolean,
): Pick<OptionSpec<number>, 'expected' | 'parse'> {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  return {
    expected: `a number ${expected}`,
    parse: (text) => (number.test(text) && fits(Number(text)) ? Number(text) : undefined),
  };
}

export function oneOf<T extends string>(...choices: T[]): Pick<OptionSpec<T>, 'expected' | 'parse'> {
  return { expected: choices.join(' or '), parse: (text) => choices.find((choice) => choice === text) };
}

export function path(what: string): Pick<OptionSpec<string>, 'expected' | 'parse'> {
  return { expected: what, parse: (text) => (text === '' ? undefined : text) };
}

/** An option without a value: true where it is given. */
export const flag = (help: string): OptionSpec<true> => ({
  placeholder: '',
  help,
  expected: 'no value',
  parse: () => true,
});

/**
 * Reads the options given; `--help` and `-h` win over everything else. What is no option goes to `take`.
 *
 * @throws NablaError `option` naming the option, the value given and what is expected
 */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
  take: (text: string) => void = refuse,
): Parsed<Table> | 'help' {
  const type = (spec: OptionSpec<unknown>) => (spec.placeholder === '' ? 'boolean' : 'string');
  const options = Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [name, { type: type(spec) } as const]),
  );
  // Not strict: its own errors neither name what is expected nor accept `--epochs -3` as a (wrong) value.
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return 'help';
  const parsed = new Map<string, unknown>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      take(token.value);
      continue;
    }
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, Object.keys(table));
    if (parsed.has(token.name)) throw usage(`--${token.name}: given twice; expected once`);
    parsed.set(token.name, parseValue(token.name, token.value, spec));
  }
  return Object.fromEntries(parsed) as Parsed<Table>;
}

/** The options as aligned lines, `--help` last. */
export function formatOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, { placeholder, help }]) => [
    `--${name} ${placeholder}`.trimEnd(),
    help,
  ]);
  rows.push(['--help', 'this text']);
  const width = Math.max(...rows.map(([left]) => (left as string).length));
  return rows.map(([left, help]) => `  ${(left as string).padEnd(width)}  ${help}`).join('\n');
}

export function usage(message: string): NablaError {
  return new NablaError('option', message);
}

function refuse(text: string): never {
  throw usage(`${text}: unexpected argument; options begin with --`);
}

function parseValue(name: string, text: string | undefined, spec: OptionSpec<unknown>): unknown {
  const { expected, parse, placeholder } = spec;
  if (placeholder === '') {
    if (text === undefined) return parse('');
    throw usage(`--${name}=${text}: expected no value`);
  }
  if (text === undefined || text.startsWith('--')) throw usage(`--${name}: no value given; expected ${expected}`);
  const value = parse(text);
  if (value === undefined) throw usage(`--${name} ${text === '' ? "''" : text}: expected ${expected}`);
  return value;
}

function unknownOption(given: string, names: string[]): NablaError {
  const isClose = (name: string, distance: number) => distance <= 2 && distance < name.length / 2;
  const close = names.find((name) => isClose(name, editDistance(given.replace(/^-+/, ''), name)));
  const hint = close === undefined ? '--help lists the options' : `did you mean --${close}?`;
  return usage(`${given}: unknown option; ${hint}`);
}

/** Levenshtein: how many letters must be added, dropped or changed. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, changed));
    }
    row = next;
  }
  return row[b.length] as number;
}
