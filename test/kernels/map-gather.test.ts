// OP_MAP's views, temps and reductions against a plain float64 walk over the elements, for several thread counts.
import { describe, expect, test } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { expectNear, expectSame, numbers } from './compare.ts';
import { Harness } from './harness.ts';
import { micro, reduce, streamIn, streamOut, tape, temp, view } from './tape.ts';

const THREADS = [1, 2, 3, 7];
const { max: nanMax, min: nanMin } = Math; // NaN wins in both

describe.each(['baseline', 'relaxed'] as const)('map: views and reductions, %s', (simd) => {
  const harness = new Harness(simd);
  const run = (words: number[], threads = 1) => expect(harness.run([words], threads)).toBe(abi.STATUS_OK);

  describe('views', () => {
    const shapes: [inner: number, period: number][] = [
      [1, 1], [1, 2], [1, 3], [1, 10], [1, 64], [1, 1000], [1, 1024], [1, 1500], [2, 5], [3, 7], [10, 300], [49, 8],
      [1024, 3], [1500, 2], [5000, 1], [7, 1],
    ]; // biome-ignore format: a table

    test.each(shapes)('inner %i, period %i', (inner, period) => {
      harness.reset();
      for (const n of [1, 5, 39, 1023, 1025, 5003]) {
        for (const block of [1024, 1000, 64]) {
          for (const threads of THREADS) {
            const [x, v] = [numbers(n, 1), numbers(period, 2)];
            const [a, b, d] = [harness.put(x), harness.put(v), harness.room(n)];
            run(
              tape(n, [streamIn(a), view(b, inner, period), streamOut(d)], [micro(abi.MICRO_ADD, 2, 0, 1)], { block }),
              threads,
            );
            const exact = x.map((xi, i) => xi + (v[Math.floor(i / inner) % period] as number));
            expectSame(harness.get(d), exact);
          }
        }
      }
    });
  });

  test('temps, several outputs, an output read again and a view beside streams', () => {
    harness.reset();
    for (const n of [0, 1, 7, 1026, 5003]) {
      for (const threads of THREADS) {
        const [x, dy, w] = [numbers(n, 1), numbers(n, 2), numbers(10, 3)];
        const [a, b, c] = [harness.put(x), harness.put(dy), harness.put(w)];
        const [y, dx] = [harness.room(n), b];
        const slots = [streamIn(a), streamIn(b), view(c, 1, 10), temp(), temp(), streamOut(y), streamOut(dx)];
        const micros = [
          micro(abi.MICRO_MUL, 3, 0, 2),
          micro(abi.MICRO_TANH, 5, 3),
          micro(abi.MICRO_TANH_GRAD, 4, 5, 1),
          micro(abi.MICRO_MUL, 6, 4, 2),
        ];
        run(tape(n, slots, micros, { block: 1020 }), threads);
        const z = Array.from(x, (v, i) => Math.tanh(v * (w[i % 10] as number)));
        expectNear(harness.get(y), z, 6, undefined, 'y'); // x·w is rounded once, and tanh to 2 ulp
        // 1 − y² cancels near |y| = 1: relative to dy·w, at most 9.
        const exact = z.map((t, i) => (dy[i] as number) * (1 - t * t) * (w[i % 10] as number));
        expectNear(
          harness.get(dx),
          exact,
          4,
          exact.map(() => 9),
          'dx',
        );
      }
    }
  });

  describe('reductions', () => {
    const KINDS: [name: string, op: number, f: (a: number, b: number) => number, empty: number][] = [
      ['sum', abi.MICRO_SUM, (a, b) => a + b, 0],
      ['max', abi.MICRO_REDUCE_MAX, nanMax, -Infinity],
      ['min', abi.MICRO_REDUCE_MIN, nanMin, Infinity],
      ['prod', abi.MICRO_PROD, (a, b) => a * b, 1],
    ];
    // n, inner, period, slices: full, trailing rows, leading, channels; short, odd and long ones.
    const SHAPES: [n: number, inner: number, period: number, slices: number][] = [
      [1, 1, 1, 1], [3, 1, 1, 1], [37, 1, 1, 1], [1026, 1, 1, 1], [9001, 1, 1, 3], [5000, 1, 1, 7], [10, 1, 1, 16],
      [9001, 9001, 1, 1], [10, 10, 1, 1],
      [650, 10, 65, 1], [6500, 10, 650, 1], [51, 1, 51, 1], [200, 3, 67, 1], [6000, 1500, 4, 1], [9000, 1024, 9, 1],
      [2500, 1000, 3, 1], [1700, 17, 100, 1],
      [650, 1, 65, 1], [6500, 1, 10, 4], [6500, 1, 650, 1], [300, 1, 3, 2], [90, 1, 9, 1], [5000, 1, 1000, 2],
      [9000, 1, 1500, 3], [12290, 1, 2458, 1], [4096, 1, 64, 5], [66, 1, 2, 3], [7140, 1, 102, 2],
      [8 * 3 * 49, 49, 3, 2], [6 * 5 * 4, 4, 5, 1], [4 * 2 * 1500, 1500, 2, 3], [5 * 7 * 3, 3, 7, 9], [3 * 4 * 1024, 1024, 4, 1],
    ]; // biome-ignore format: a table

    /** The reduction in float64, and the sum of magnitudes that bounds the rounding errors. */
    function reference(
      x: Float32Array,
      shape: (typeof SHAPES)[number],
      f: (a: number, b: number) => number,
      empty: number,
    ) {
      const [n, inner, period, slices] = shape;
      const whole = inner * period;
      const step = whole >= n ? n : Math.ceil(Math.ceil(n / whole) / slices) * whole;
      const out = new Float64Array(period * slices).fill(empty);
      const magnitude = new Float64Array(period * slices);
      x.forEach((v, i) => {
        const slice = Math.floor(i / step);
        const o = slice * period + (Math.floor((i - slice * step) / inner) % period);
        out[o] = f(out[o] as number, v);
        magnitude[o] = (magnitude[o] as number) + Math.abs(v);
      });
      return { out, magnitude };
    }

    describe.each(KINDS)('%s', (name, op, f, empty) => {
      test.each(SHAPES)('n %i, inner %i, period %i, slices %i', (...shape) => {
        harness.reset();
        const [n, inner, period, slices] = shape;
        const isProduct = op === abi.MICRO_PROD;
        const x = isProduct ? numbers(n, n, 0.99, 1.01) : numbers(n, n);
        if (!isProduct && op !== abi.MICRO_SUM && n > 30) x[n >> 1] = NaN;
        const { out, magnitude } = reference(x, shape, f, empty);
        const a = harness.put(x, 'f32', 4);
        let first: ArrayLike<number> | undefined;
        for (const threads of THREADS) {
          // The terms of one sum are spread over 16 lanes, blocks and a second level: fewer than 100 roundings in a
          // row here, so 8 ulp of the sum of magnitudes is far out for a right sum; a product has up to one a factor.
          const [d, y] = [harness.room(out.length), harness.room(n)];
          const slots = [streamIn(a), streamOut(y), reduce(d, inner, period)];
          run(tape(n, slots, [micro(abi.MICRO_NEG, 1, 0), micro(op, 2, 0)], { slices }), threads);
          const got = harness.get(d);
          if (op === abi.MICRO_SUM) expectNear(got, out, 8, magnitude, name);
          else expectNear(got, out, isProduct ? 64 : 0, undefined, name);
          expectSame(
            harness.get(y),
            x.map((v) => -v),
          );
          first ??= got;
          expectSame(got, first, `${threads} threads`);
        }
      });

      test('of nothing', () => {
        harness.reset();
        for (const [inner, period, slices] of [
          [1, 1, 1],
          [0, 5, 1],
          [1, 20, 1],
          [7, 3, 1],
        ] as const) {
          const [a, d] = [harness.put([]), harness.room(period * slices)];
          run(tape(0, [streamIn(a), reduce(d, inner, period)], [micro(op, 1, 0)], { slices }), 2);
          expect(Array.from(harness.get(d))).toEqual(Array(period * slices).fill(empty));
        }
      });
    });

    test('two of one instruction, over a temp', () => {
      harness.reset();
      const x = numbers(700, 1);
      const [a, s, m] = [harness.put(x), harness.room(70), harness.room(70)];
      const slots = [streamIn(a), temp(), reduce(s, 10, 70), reduce(m, 10, 70)];
      run(
        tape(700, slots, [
          micro(abi.MICRO_SQUARE, 1, 0),
          micro(abi.MICRO_SUM, 2, 1),
          micro(abi.MICRO_REDUCE_MAX, 3, 0),
        ]),
      );
      const row = (o: number) => Array.from(x.slice(10 * o, 10 * o + 10));
      const outputs = Array.from({ length: 70 }, (_, o) => o);
      const squares = outputs.map((o) => row(o).reduce((t, v) => t + v * v, 0));
      expectNear(harness.get(s), squares, 3); // positive terms: at most 5 roundings in a row
      expectSame(
        harness.get(m),
        Float32Array.from(outputs, (o) => Math.max(...row(o))),
      );
    });

    test('a sum of a million is as good as pairwise', () => {
      harness.reset();
      const n = 1 << 20;
      const x = numbers(n, 1, 0, 1);
      const a = harness.put(x);
      for (const [inner, period] of [
        [1, 1],
        [n, 1],
        [1, 10],
        [1, 2048],
        [64, 16],
        [n / 2, 2],
      ] as const) {
        const d = harness.room(period);
        run(tape(n, [streamIn(a), reduce(d, inner, period)], [micro(abi.MICRO_SUM, 1, 0)]));
        const { out } = reference(x, [n, inner, period, 1], (p, q) => p + q, 0);
        // The second level adds up at most 1,024 blocks of one sign; one level alone drifts past 10 ulp.
        expectNear(harness.get(d), out, 4, undefined, `${inner}, ${period}`);
      }
    });
  });
});
