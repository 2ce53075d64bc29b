// The command line of the side-by-side bench.
import { expect, test } from 'vitest';
import { parseOptions } from '../../bench/peers/options.js';

const known = { only: ['W1', 'W2', 'W2b'], peers: ['tfjs-wasm', 'jax-js'] };
const parse = (...args) => parseOptions(args, known);

test('everything by default', () => {
  expect(parse()).toMatchObject({ only: known.only, peers: known.peers, threads: [1, 2], rounds: 9, seconds: 0.3 });
});

test('lists and numbers', () => {
  const options = parse('--only', 'W2,W2b', '--peers=jax-js', '--threads', '4', '--rounds', '3', '--seconds', '0.1');
  expect(options).toMatchObject({ only: ['W2', 'W2b'], peers: ['jax-js'], threads: [4], rounds: 3, seconds: 0.1 });
  expect(parse('--json', 'out.json').json).toBe('out.json');
});

test.each([
  [['--only', 'W3'], '--only: "W3" is unknown; expected some of W1,W2,W2b'],
  [['--peers', 'jax'], '--peers: "jax" is unknown'],
  [['--threads', '1,0'], '--threads: "0"; expected a whole number from 1'],
  [['--rounds', 'many'], '--rounds: "many"; expected a whole number from 1'],
  [['--seconds', '-'], '--seconds: "-"; expected a number above 0'],
  [['--fast'], '--fast'],
])('%s is refused', (args, message) => {
  expect(() => parse(...args)).toThrow(message);
});
