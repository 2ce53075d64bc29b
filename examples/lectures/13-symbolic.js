// 13. Symbolic differentiation: an expression, its derivative printed, simplified, evaluated, differentiated again
//
//    node examples/lectures/13-symbolic.js            prints and checks
//    node examples/lectures/13-symbolic.js --draw     also writes pictures/13-symbolic.svg
import assert from 'node:assert';
import { writeFileSync } from 'node:fs';
import { compile, grad, tensor } from 'nabla';
import { toSVG } from 'nabla/viz';

// ---- an expression is a graph
//
// A tensor remembers how it is computed: its node has an op and inputs, which are nodes. Nothing is computed until a
// value is asked for. So an expression can be read like a formula:

const f = (x) => x.mul(x.square().neg().exp()); // x·exp(−x²)

const signs = {
  add: { sign: ' + ', rank: 1 },
  sub: { sign: ' − ', rank: 1 },
  mul: { sign: '·', rank: 2 },
  div: { sign: '/', rank: 2 },
};

/** A node as a formula; brackets where an operator of higher rank stands around it. */
function print({ op, inputs, attrs }, around = 0) {
  if (op.name === 'leaf') return 'x';
  if (op.name === 'constant') return `${attrs.value}`;
  if (!(op.name in signs)) return `${op.name}(${inputs.map((input) => print(input)).join(', ')})`;
  const { sign, rank } = signs[op.name];
  const formula = `${print(inputs[0], rank)}${sign}${print(inputs[1], rank + 1)}`;
  return rank < around ? `(${formula})` : formula;
}

const x = tensor(0.5);
const y = f(x);
console.log(`y   = ${print(y.node)}`);

// ---- its derivative is another graph
//
// grad computes no numbers either. It walks the graph of y backward and builds, from each op's own rule, new nodes:
//
//    mul: dx = dy·other factor        exp: dx = dy·exp(x)        neg: dx = −dy        square: dx = dy·2x

const [dy] = grad(y, [x]);
console.log(`\ny′  = ${print(dy.node)}`);

// ---- simplified
//
// Right, but not as one would write it: factors of 1, a sign amid a product, the same factor twice. We bring it to a sum of
// products. A product is a coefficient and the powers of its factors, which are no sums or products themselves (x, or
// exp(…)). In a sum, products of equal factors become one.
//
//    number c        c                              x               1·x¹
//    a + b           equal products: coefficients   a·b             each product of a by each of b: powers add up
//                    add up                         a²              a·a
//    −a              coefficients change sign
//    any other g(a)  a factor of its own, named after its simplified argument

const sum = (terms) => {
  const all = new Map();
  for (const { coefficient, powers } of terms) {
    const name = [...powers].sort().join(' ');
    const before = all.get(name)?.coefficient ?? 0;
    all.set(name, { coefficient: before + coefficient, powers });
  }
  return [...all.values()].filter(({ coefficient }) => coefficient !== 0);
};
const times = (a, b) => {
  const powers = new Map(a.powers);
  for (const [factor, power] of b.powers) powers.set(factor, (powers.get(factor) ?? 0) + power);
  return { coefficient: a.coefficient * b.coefficient, powers };
};
const product = (a, b) => sum(a.flatMap((left) => b.map((right) => times(left, right))));
const number = (coefficient) => [{ coefficient, powers: new Map() }];
const factor = (name) => [{ coefficient: 1, powers: new Map([[name, 1]]) }];

function simplify({ op, inputs, attrs }) {
  if (op.name === 'leaf') return factor('x');
  if (op.name === 'constant') return number(attrs.value);
  const [a, b] = inputs.map(simplify);
  if (op.name === 'add') return sum([...a, ...b]);
  if (op.name === 'sub') return sum([...a, ...product(number(-1), b)]);
  if (op.name === 'neg') return product(number(-1), a);
  if (op.name === 'mul') return product(a, b);
  if (op.name === 'square') return product(a, a);
  return factor(`${op.name}(${formula(a)})`);
}

/** A sum of products as one writes it, lower powers of x first: exp(−x²) − 2x²·exp(−x²). */
function formula(terms) {
  const superscript = (n) => (n === 1 ? '' : [...`${n}`].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]).join(''));
  const one = ({ coefficient, powers }, i) => {
    const factors = [...powers].sort(([p], [q]) => p.length - q.length).map(([name, n]) => name + superscript(n));
    const size = Math.abs(coefficient);
    const sign = coefficient < 0 ? (i === 0 ? '−' : ' − ') : i === 0 ? '' : ' + ';
    return `${sign}${size === 1 && factors.length > 0 ? '' : size}${factors.join('·')}`;
  };
  const degree = ({ powers }) => powers.get('x') ?? 0;
  return (
    terms
      .toSorted((a, b) => degree(a) - degree(b))
      .map(one)
      .join('') || '0'
  );
}

console.log(`    = ${formula(simplify(dy.node))}`);
assert.equal(formula(simplify(y.node)), 'x·exp(−x²)');
assert.equal(formula(simplify(dy.node)), 'exp(−x²) − 2x²·exp(−x²)');

// ---- differentiated again, and again
//
// The derivative is a graph like any other, so grad takes it too.

const [ddy] = grad(dy, [x]);
const [dddy] = grad(ddy, [x]);
console.log(`\ny″  = ${formula(simplify(ddy.node))}`);
console.log(`y‴  = ${formula(simplify(dddy.node))}`);
assert.equal(formula(simplify(ddy.node)), '−6x·exp(−x²) + 4x³·exp(−x²)');
assert.equal(formula(simplify(dddy.node)), '−6exp(−x²) + 24x²·exp(−x²) − 8x⁴·exp(−x²)');

// ---- evaluated
//
// compile makes a program of all four. Before, nabla simplifies the graph for itself: it drops factors of 1, shares what
// occurs twice, so that there is one exp in the program, and joins chains of arithmetic into a few instructions.
//
// Printed, a line is an instruction. A map goes through a tensor once, with all these operations for each element; madd is
// a·b + c and nmadd c − a·b. In brackets is what it reads and writes: leaf0 is x, own… is a number that stands in the
// program, arena… a place for what is computed.

const all = compile((x) => {
  const y = f(x);
  const [dy] = grad(y, [x]);
  const [ddy] = grad(dy, [x]);
  return [y, dy, ddy, ...grad(ddy, [x])];
});

const program = all.explain(x);
assert.equal(program.match(/ exp /g).length, 1);
console.log(`\n${program}`);

console.log('\n    x         y        y′        y″        y‴');
for (const v of [-2, -0.5, 0, 0.5, 1, 3]) {
  const values = all(tensor(v)).map((t) => t.item());
  const e = Math.exp(-v * v);
  const byHand = [v * e, (1 - 2 * v ** 2) * e, (-6 * v + 4 * v ** 3) * e, (-6 + 24 * v ** 2 - 8 * v ** 4) * e];
  values.forEach((value, i) => {
    assert.ok(Math.abs(value - byHand[i]) < 1e-5);
  });
  console.log([v, ...values].map((value, i) => value.toFixed(i === 0 ? 1 : 5).padStart(i === 0 ? 5 : 10)).join(''));
}

// ---- the picture: y and y′ in one graph

if (process.argv.includes('--draw')) {
  const picture = await toSVG({ y, 'y′': dy }, { names: { x }, values: true });
  writeFileSync(new URL('pictures/13-symbolic.svg', import.meta.url), picture);
}
