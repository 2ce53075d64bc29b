// Reads the constants of a loop once before it. They lie in read-only tables (math/table.ts), which no compiler here
// knows to be read-only, so it would read them again for every vector: a quarter of the time of exp or sigmoid.
// Works on WebAssembly's text format: a module is lists in lists of words.

/** @param {string} text one list @returns {[list: unknown[], end: number]} */
function parse(text, start) {
  const list = [];
  const token = /\s*(\(|\)|"(?:[^"\\]|\\.)*"|;;.*|[^\s()"]+)/y;
  token.lastIndex = start;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const word = found[1];
    if (word === ')') break;
    if (word === '(') {
      const [inner, end] = parse(text, token.lastIndex);
      list.push(inner);
      token.lastIndex = end;
    } else if (!word.startsWith(';;')) list.push(word);
  }
  return [list, token.lastIndex];
}

const print = (x) => (Array.isArray(x) ? `(${x.map(print).join(' ')})` : x);
const contains = (x, word) => Array.isArray(x) && (x[0] === word || x.some((inner) => contains(inner, word)));
const isInnermost = (x) =>
  x[0] === 'loop' && !x.slice(1).some((inner) => contains(inner, 'loop')) && !contains(x, 'call');

/** A constant of a table, in all lanes: `(v128.load32_splat offset=… (i32.const …))`. */
const isConstant = (x) => /^v128\.load(32|64)_splat$/.test(x[0]) && x.at(-1)[0] === 'i32.const';

/** The loop with its constants in locals, after what sets them. New locals are added to `locals`. */
function hoisted(loop, locals) {
  const names = new Map();
  const replace = (x) => {
    if (!Array.isArray(x)) return x;
    if (!isConstant(x)) return x.map(replace);
    const text = print(x);
    if (!names.has(text)) {
      names.set(text, `$constant${locals.length}`);
      locals.push(['local', names.get(text), 'v128']);
    }
    return ['local.get', names.get(text)];
  };
  const inner = replace(loop);
  if (names.size === 0) return loop;
  const result = loop.filter((x) => x[0] === 'result');
  return ['block', ...result, ...[...names].map(([text, name]) => ['local.set', name, text]), inner];
}

function rewrite(x, locals) {
  if (!Array.isArray(x)) return x;
  return isInnermost(x) ? hoisted(x, locals) : x.map((inner) => rewrite(inner, locals));
}

const HEAD = ['export', 'param', 'result', 'type', 'local'];

/** @param {string} text a module in text format @returns {string} */
export function hoistConstants(text) {
  const module = parse(text, text.indexOf('(') + 1)[0].map((part) => {
    if (part[0] !== 'func') return part;
    const locals = [];
    const body = rewrite(part, locals);
    const at = body.findIndex((x) => Array.isArray(x) && !HEAD.includes(x[0]));
    return at < 0 ? part : [...body.slice(0, at), ...locals, ...body.slice(at)];
  });
  return print(module);
}
