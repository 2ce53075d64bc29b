// Imports run one way: a room knows only those to its left in the design's chain.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/** Folders and top-level files from left to right; those in one row may know each other. */
const RANKS: readonly (readonly string[])[] = [
  ['error', 'dtype', 'shape', 'options'],
  ['graph'],
  ['ops'],
  ['rewrite'],
  ['grad'],
  ['plan'],
  ['run'],
  ['realise', 'random'],
  ['explanation'],
  ['backward'],
  ['tensor'],
  ['create'],
  ['tree'],
  ['differentiated'],
  ['checkpoint', 'customGradient', 'derivatives', 'matrices'],
  ['functions', 'sample'],
  ['slopes'],
  ['gradcheck'],
  ['compile'],
  ['nn', 'optim', 'data', 'train', 'io', 'viz', 'bench', 'cli'],
  ['index'],
];
const USERS = RANKS.find((row) => row.includes('nn')) as readonly string[];

/** What a user could import, and the pure helpers that hold no state. */
const PUBLIC = ['error', 'dtype', 'shape', 'options', 'random', 'tensor', 'create', 'functions', 'sample', 'compile'];

/** The few files of the user's side that reach behind the public surface, and why. */
const BRIDGES: Record<string, readonly string[]> = {
  // Asks whichever copy of nabla the suite uses for counters and limits.
  'bench/worker.ts': ['run'],
  // Says what these are in a saved result.
  'bench/result.ts': ['run'],
  // Make tensor functions of ops; losses and layers go through them.
  'nn/attention.ts': ['ops'],
  'nn/functional.ts': ['ops'],
  'nn/windows.ts': ['ops', 'graph'],
  'nn/norms.ts': ['ops', 'graph'],
  // Names layers in nodes and guards the fields it reads.
  'nn/module.ts': ['graph'],
  // Guards its options, and realises a whole step in one program.
  'optim/optimizer.ts': ['graph', 'realise'],
  // Shows the nodes themselves, with all adjoints from one pass and all values from one program.
  'viz/picture.ts': ['graph', 'grad', 'rewrite', 'realise'],
};

interface Import {
  from: string;
  to: string;
  /** Nothing of it is left when types are erased. */
  typeOnly: boolean;
}

const roomOf = (file: string) => (file.split('/')[0] as string).replace(/\.ts$/, '');
const rankOf = (file: string) => RANKS.findIndex((row) => row.includes(roomOf(file)));

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((f) => f.replaceAll('\\', '/'))
  .filter((f) => f.endsWith('.ts'));

/** Every import and re-export of another file of src, types included. */
const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(SRC, from), 'utf8');
  const found = text.matchAll(/\b(?:import|export)\b([^;'"`]*?)(?:\bfrom\s*)?\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g);
  return [...found].flatMap(([, names = '', path = '']) => {
    const to = relative(SRC, resolve(join(SRC, dirname(from)), path)).replaceAll('\\', '/');
    const listed = names
      .match(/\{([^}]*)\}/)?.[1]
      ?.split(',')
      .filter((n) => n.trim() !== '');
    const typeOnly = /^\s*type\b/.test(names) || (listed ?? ['']).every((n) => /^\s*type\s/.test(n));
    return to.startsWith('..') ? [] : [{ from, to, typeOnly }];
  });
});
const show = ({ from, to }: Import) => `${from} → ${to}`;

test('the walk sees the imports', () => {
  expect(imports.length).toBeGreaterThan(150);
  expect(imports.map(show)).toContain('compile.ts → tensor.ts');
  expect(imports.filter(({ to }) => !files.includes(to)).map(show)).toEqual([]);
});

test('every file has a place in the chain', () => {
  expect(files.filter((f) => rankOf(f) < 0)).toEqual([]);
});

test('no import runs back', () => {
  expect(imports.filter(({ from, to }) => rankOf(to) > rankOf(from)).map(show)).toEqual([]);
});

test('nobody imports the public surface, which holds nothing of its own', () => {
  expect(imports.filter(({ to }) => to === 'index.ts').map(show)).toEqual([]);
});

test('layers, optimizers, data and commands use what a user could', () => {
  const behind = imports.filter(({ from, to }) => {
    if (!USERS.includes(roomOf(from))) return false;
    return ![...USERS, ...PUBLIC, ...(BRIDGES[from] ?? [])].includes(roomOf(to));
  });
  expect(behind.map(show)).toEqual([]);
});

test('every bridge is still needed', () => {
  const idle = Object.entries(BRIDGES).flatMap(([file, rooms]) =>
    rooms.filter((room) => !imports.some(({ from, to }) => from === file && roomOf(to) === room)),
  );
  expect(idle).toEqual([]);
});

test('no two files import each other, however far around, but for types', () => {
  const below = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) below.set(from, [...(below.get(from) ?? []), to]);
  const cycles: string[] = [];
  for (const start of files) {
    const seen = new Set(below.get(start));
    for (const at of seen) for (const next of below.get(at) ?? []) seen.add(next);
    if (seen.has(start)) cycles.push(start);
  }
  expect(cycles).toEqual([]);
});
