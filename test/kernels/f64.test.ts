// The kernels with FLAG_F64: functions in units of the last place; every instruction between guards, its output written
// whole, the same bits on any number of threads. That results are right is for the op table.
import { describe, expect, test } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { erfReference } from '../../src/ops/elementwise.ts';
import { expectSame } from './compare.ts';
import { BOTH, generator, THREADS, whole } from './data.ts';
import { Harness, NONE } from './harness.ts';
import { micro, reduce, scalar, streamIn, streamOut, tape, temp, view } from './tape.ts';

const random = (n: number, seed: number, low = -2, high = 2) => {
  const next = generator(seed);
  return Float64Array.from({ length: n }, () => low + (high - low) * (next() + 2 ** -32 * next()));
};

/** The opcode with its flag. */
const double = ([opcode, ...words]: number[]) => [(opcode as number) | (abi.FLAG_F64 << 8), ...words];

const ulps = (got: number, exact: number): number => {
  if (Object.is(got, exact) || got === exact) return 0;
  const size = Math.max(Math.abs(exact), 2 ** -1022);
  return Math.abs(got - exact) / 2 ** (Math.floor(Math.log2(size)) - 52);
};

// JavaScript's functions are off by up to a unit themselves.
const FUNCTIONS: [name: string, op: number, f: (x: number) => number, low: number, high: number, ulp: number][] = [
  ['exp', abi.MICRO_EXP, Math.exp, -745, 709, 2],
  ['exp near 0', abi.MICRO_EXP, Math.exp, -1, 1, 2],
  ['expm1', abi.MICRO_EXPM1, Math.expm1, -3, 3, 2.5],
  ['log', abi.MICRO_LOG, Math.log, 0, 10, 2],
  ['log near 1', abi.MICRO_LOG, Math.log, 0.99, 1.01, 2],
  ['log1p', abi.MICRO_LOG1P, Math.log1p, -0.9, 3, 2],
  ['sin', abi.MICRO_SIN, Math.sin, -100, 100, 2],
  ['cos', abi.MICRO_COS, Math.cos, -100, 100, 2],
  ['tanh', abi.MICRO_TANH, Math.tanh, -3, 3, 3.5],
  // Its reference is a series in float64, off by some units itself; exact values are below.
  ['erf', abi.MICRO_ERF, erfReference, -4, 4, 8],
  ['exp2', abi.MICRO_EXP2, (x) => 2 ** x, -1074, 1023, 2],
  ['log2', abi.MICRO_LOG2, Math.log2, 0, 10, 3],
  ['atan', abi.MICRO_ATAN, Math.atan, -9, 9, 2],
  ['sigmoid', abi.MICRO_SIGMOID, (x) => 1 / (1 + Math.exp(-x)), -30, 30, 4],
];
const EDGES = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  5e-324,
  -5e-324,
  2 ** -1022,
  1e308,
  -1e308,
  709.78,
  709.79,
  -745.1,
];

describe.each(BOTH)('functions, %s', (simd) => {
  const harness = new Harness(simd);
  const apply = (op: number, ...x: Float64Array[]): Float64Array => {
    harness.reset();
    const n = (x[0] as Float64Array).length;
    const [out, ...inputs] = [harness.room(n, 'f64'), ...x.map((values) => harness.put(values, 'f64'))];
    const slots = [streamOut(out as number), ...inputs.map(streamIn)];
    expect(harness.run([double(tape(n, slots, [micro(op, ...slots.keys())]))])).toBe(abi.STATUS_OK);
    return harness.get(out as number) as Float64Array;
  };

  test.each(FUNCTIONS)('%s', (_, op, f, low, high, most) => {
    const x = Float64Array.of(...random(3001, op, low, high), ...EDGES);
    apply(op, x).forEach((y, i) => {
      const off = ulps(y, f(x[i] as number));
      if (!(off <= most)) expect.fail(`f(${x[i]}) is ${y}, expected ${f(x[i] as number)}: ${off} ulp`);
    });
  });

  test('erf to all digits', () => {
    const known = new Map([
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [3, 0.9999779095030014],
    ]);
    const found = apply(abi.MICRO_ERF, Float64Array.from(known.keys()));
    [...known.values()].forEach((exact, i) => expect(ulps(found[i] as number, exact)).toBeLessThan(2.5));
  });

  test('log of subnormal numbers and of powers of two', () => {
    const x = Float64Array.from({ length: 2098 }, (_, i) => 2 ** (i - 1074));
    apply(abi.MICRO_LOG, x).forEach((y, i) => expect(ulps(y, Math.log(x[i] as number))).toBeLessThan(2));
  });

  test('exp2 and log2 are exact of whole numbers and powers of two', () => {
    const k = Float64Array.from({ length: 2098 }, (_, i) => i - 1074);
    const powers = apply(abi.MICRO_EXP2, k);
    powers.forEach((y, i) => expect(y).toBe(2 ** (k[i] as number)));
    expect(apply(abi.MICRO_LOG2, powers)).toEqual(k);
  });

  test('the remainder of a division is exact, and angles are those of C', () => {
    const edges = [0, -0, 1, -1, 5.3, -7.9, 0.1, 1e300, -1e-300, Infinity, -Infinity, NaN];
    const a = Float64Array.from({ length: 144 }, (_, i) => edges[i % 12] as number);
    const b = Float64Array.from({ length: 144 }, (_, i) => edges[Math.floor(i / 12)] as number);
    expectSame(
      apply(abi.MICRO_FMOD, a, b),
      a.map((x, i) => x % (b[i] as number)),
    );
    apply(abi.MICRO_ATAN2, a, b).forEach((y, i) => {
      const exact = Math.atan2(a[i] as number, b[i] as number);
      if (ulps(y, exact) > 2 || Object.is(y, -0) !== Object.is(exact, -0)) expect.fail(`${a[i]}, ${b[i]}: ${y}`);
    });
  });

  test('pow, over all results and at the edges as C has them', () => {
    const x = random(3001, 5, 1e-3, 20);
    const y = random(3001, 6, -200, 200);
    // To a power as large as 200 JavaScript's own is off by some units.
    apply(abi.MICRO_POW, x, y).forEach((p, i) => expect(ulps(p, (x[i] as number) ** (y[i] as number))).toBeLessThan(4));
    const edges = [0, -0, 1, -1, 2, -2, 0.5, 3, -3, 2.5, Infinity, -Infinity, NaN, 1e300, -1e300, 5e-324, 2 ** 53];
    const a = Float64Array.from({ length: edges.length ** 2 }, (_, i) => edges[i % edges.length] as number);
    const b = Float64Array.from({ length: edges.length ** 2 }, (_, i) => edges[Math.floor(i / edges.length)] as number);
    apply(abi.MICRO_POW, a, b).forEach((p, i) => {
      const [u, v] = [a[i] as number, b[i] as number];
      const exact = u === 1 || (u === -1 && Math.abs(v) === Infinity) ? 1 : u ** v;
      if (ulps(p, exact) > 1 || Object.is(p, -0) !== Object.is(exact, -0))
        expect.fail(`${u} ^ ${v} is ${p}, not ${exact}`);
    });
  });
});

interface Ready {
  words: number[];
  outputs: number[];
}
type Kind = (h: Harness, n: number) => Ready;

const put = (h: Harness, n: number, seed: number) => h.put(random(n, seed), 'f64');
const room = (h: Harness, n: number) => h.room(n, 'f64');

const KINDS: Record<string, Kind> = {
  'a tape of every kind of slot': (h, n) => {
    const [out, flags, whole32] = [room(h, n), h.room(n, 'f32'), h.room(n, 'i32')];
    const row = Math.max(1, n % 7);
    const slots = [
      ...[streamOut(out), streamIn(put(h, n, 1)), scalar(put(h, 1, 2)), view(put(h, row, 3), 1, row), temp()],
      ...[view(put(h, 5, 4), 3, 5), streamOut(flags), streamOut(whole32)],
      ...[streamIn(h.put(whole(n, 5, 9), 'i32')), streamIn(h.put(random(n, 6)))],
    ];
    const stored = new Map([
      [6, abi.STORED_F32],
      [7, abi.STORED_I32],
      [8, abi.STORED_I32],
      [9, abi.STORED_F32],
    ]);
    for (const [slot, how] of stored) (slots[slot] as number[])[0]! |= how;
    const micros = [
      micro(abi.MICRO_AXPY, 4, 1, 2, 3),
      micro(abi.MICRO_MADD, 4, 4, 5, 8),
      micro(abi.MICRO_LT, 6, 4, 9),
      micro(abi.MICRO_TO_I32, 7, 4),
      micro(abi.MICRO_WHERE, 0, 6, 4, 1),
    ];
    return { words: tape(n, slots, micros), outputs: [out, flags, whole32] };
  },
  'sums of runs': (h, n) => {
    const out = room(h, n);
    const slots = [reduce(out, 5, n), streamIn(put(h, n * 5, 1))];
    return { words: tape(n * 5, slots, [micro(abi.MICRO_SUM, 0, 1)]), outputs: [out] };
  },
  'sums of long runs': (h, n) => {
    const out = room(h, n);
    const slots = [reduce(out, 700, n), streamIn(put(h, n * 700, 1))];
    return { words: tape(n * 700, slots, [micro(abi.MICRO_SUM, 0, 1)]), outputs: [out] };
  },
  'products of columns, in slices': (h, n) => {
    const out = room(h, n * 4);
    const slots = [reduce(out, 1, n), streamIn(put(h, n * 30, 1))];
    return { words: tape(n * 30, slots, [micro(abi.MICRO_PROD, 0, 1)], { slices: 4 }), outputs: [out] };
  },
  'a product': (h, n) => {
    const out = room(h, n * (n + 3));
    const operands = [out, put(h, n * 9, 1), put(h, (n + 3) * 9, 2), put(h, n, 3), NONE];
    const flags = abi.GEMM_TRANS_B | abi.GEMM_BIAS_ROWS;
    const words = [n, n + 3, 9, 9, 9, n + 3, flags, 1, 0, 0, 0, NONE, NONE, abi.ACT_TANH];
    return { words: [abi.OP_GEMM, ...operands, ...words], outputs: [out] };
  },
  'a batch of deep products': (h, n) => {
    const out = room(h, 2 * n * 3);
    const operands = [out, put(h, 2 * n * 1030, 1), put(h, 1030 * 3, 2), NONE, NONE];
    const words = [n, 3, 1030, n, 3, 3, abi.GEMM_TRANS_A, 2, n * 1030, 0, n * 3, NONE, NONE, abi.ACT_NONE];
    return { words: [abi.OP_GEMM, ...operands, ...words], outputs: [out] };
  },
  'a convolution': (h, n) => {
    const out = room(h, 2 * 3 * (n + 2) * (n + 1));
    const operands = [out, put(h, 2 * 2 * (n + 2) * (n + 2), 1), put(h, 3 * 2 * 6, 2), put(h, 3, 3)];
    const words = [2, 2, n + 2, n + 2, 3, 3, 2, 1, 1, 1, 0, 1, 1, 1, n + 2, n + 1, abi.ACT_RELU];
    return { words: [abi.OP_CONV, ...operands, ...words], outputs: [out] };
  },
  'its gradient by x': (h, n) => {
    const out = room(h, 2 * 2 * (n + 2) * (n + 2));
    const operands = [out, put(h, 2 * 3 * (n + 2) * (n + 1), 1), put(h, 3 * 2 * 6, 2), NONE];
    const words = [2, 2, n + 2, n + 2, 3, 3, 2, 1, 1, 1, 0, 1, 1, 1, n + 2, n + 1, abi.ACT_NONE];
    return { words: [abi.OP_CONV_DX, ...operands, ...words], outputs: [out] };
  },
  'its gradient by w': (h, n) => {
    const out = room(h, 3 * 2 * 6);
    const operands = [out, put(h, 2 * 2 * (n + 2) * (n + 2), 1), put(h, 2 * 3 * (n + 2) * (n + 1), 2), NONE];
    const words = [2, 2, n + 2, n + 2, 3, 3, 2, 1, 1, 1, 0, 1, 1, 1, n + 2, n + 1, abi.ACT_NONE];
    return { words: [abi.OP_CONV_DW, ...operands, ...words], outputs: [out] };
  },
  'max-pooling': (h, n) => {
    const [out, index] = [room(h, 3 * n * n), h.room(3 * n * n, 'i32')];
    const words = [3, n, n, 3, 3, 1, 1, 1, 1, 1, 1, n, n];
    return { words: [abi.OP_MAXPOOL, out, index, put(h, 3 * n * n, 1), ...words], outputs: [out, index] };
  },
  'its gradient': (h, n) => {
    const out = room(h, 3 * n);
    const words = [out, put(h, 3 * 5, 1), h.put(whole(15, 2, n), 'i32'), 3, n, 5];
    return { words: [abi.OP_MAXPOOL_GRAD, ...words], outputs: [out] };
  },
  'a causal softmax': (h, n) => {
    const out = room(h, 2 * n * n);
    return { words: [abi.OP_SOFTMAX, out, put(h, 2 * n * n, 1), 2 * n, n, 0, n, 1], outputs: [out] };
  },
  'the gradient of a log-softmax': (h, n) => {
    const out = room(h, 9 * n);
    return { words: [abi.OP_SOFTMAX_GRAD, out, put(h, 9 * n, 1), put(h, 9 * n, 2), 9, n, 1, 0, 0], outputs: [out] };
  },
  'cross-entropy of labels': (h, n) => {
    const [loss, dx] = [room(h, 9), room(h, 9 * n)];
    const words = [loss, dx, put(h, 9 * n, 1), h.put(whole(9, 2, n), 'i32'), put(h, 9, 3), 9, n, abi.CE_DY_ROWS];
    return { words: [abi.OP_CROSS_ENTROPY, ...words], outputs: [loss, dx] };
  },
  'layer norm': (h, n) => {
    const out = room(h, 9 * n);
    const words = [out, put(h, 9 * n, 1), put(h, n, 2), put(h, n, 3), 9, n, h.put([1e-5], 'f64')];
    return { words: [abi.OP_LAYER_NORM, ...words], outputs: [out] };
  },
  'its gradients, in slices': (h, n) => {
    const outputs = [room(h, 9 * n), room(h, 3 * n), room(h, 3 * n)];
    const words = [...outputs, put(h, 9 * n, 1), put(h, 9 * n, 2), put(h, n, 3), 9, n, h.put([1e-5], 'f64'), 3];
    return { words: [abi.OP_LAYER_NORM_GRAD, ...words], outputs };
  },
  argmax: (h, n) => {
    const out = h.room(5 * n, 'i32');
    return { words: [abi.OP_ARGMAX, out, put(h, 5 * 7 * n, 1), 5, 7, n, 1], outputs: [out] };
  },
  'a transpose': (h, n) => {
    const out = room(h, 7 * n);
    return { words: [abi.OP_COPY, out, put(h, 7 * n, 1), 2, 0, 0, n, 7, 1, 7, 1, n], outputs: [out] };
  },
  'a gather': (h, n) => {
    const out = room(h, 9 * n);
    return { words: [abi.OP_GATHER, out, put(h, 4 * n, 1), h.put(whole(9, 2, 4), 'i32'), 9, n, 4], outputs: [out] };
  },
  'a scatter': (h, n) => {
    const out = room(h, 4 * n);
    return {
      words: [abi.OP_SCATTER_ADD, out, put(h, 9 * n, 1), h.put(whole(9, 2, 4), 'i32'), 9, n, 4],
      outputs: [out],
    };
  },
  'running sums, backwards': (h, n) => {
    const out = room(h, 3 * 7 * n);
    const words = [out, put(h, 3 * 7 * n, 1), put(h, 3 * 7 * n, 2), 3, 7, n, abi.SCAN_REVERSE];
    return { words: [abi.OP_SCAN, ...words], outputs: [out] };
  },
  'places in order': (h, n) => {
    const out = h.room(9 * n, 'i32');
    return { words: [abi.OP_SORT, out, put(h, 9 * n, 1), NONE, 9, n, abi.SORT_DESCENDING], outputs: [out] };
  },
  'elements picked along an axis': (h, n) => {
    const out = room(h, 3 * 5 * n);
    const words = [out, put(h, 3 * 4 * n, 1), h.put(whole(3 * 5 * n, 2, 4), 'i32'), 3, 5, n, 4];
    return { words: [abi.OP_TAKE_ALONG, ...words], outputs: [out] };
  },
  'elements added along an axis': (h, n) => {
    const out = room(h, 3 * 4 * n);
    const words = [out, put(h, 3 * 5 * n, 1), h.put(whole(3 * 5 * n, 2, 4), 'i32'), 3, 5, n, 4];
    return { words: [abi.OP_ADD_ALONG, ...words], outputs: [out] };
  },
  'places of maxima picked': (h, n) => {
    const out = room(h, 3 * 5);
    const words = [out, put(h, 3 * n, 1), h.put(whole(15, 2, n), 'i32'), 3, n, 5];
    return { words: [abi.OP_MAXPOOL_PICK, ...words], outputs: [out] };
  },
  'a band': (h, n) => {
    const out = room(h, 3 * 4 * n);
    const spans = h.put([0, 2, 1, 3, 2, 0, 3, 2], 'i32');
    return { words: [abi.OP_BAND, out, put(h, 3 * 5 * n, 1), spans, put(h, 12, 2), 3, 5, 4, n, 3], outputs: [out] };
  },
  'uniform numbers': (h, n) => {
    const out = room(h, n);
    return { words: [abi.OP_RANDOM, out, h.put([3, 4], 'i32'), n, abi.RANDOM_UNIFORM], outputs: [out] };
  },
  'normal numbers': (h, n) => {
    const out = room(h, n);
    return { words: [abi.OP_RANDOM, out, h.put([3, 4], 'i32'), n, abi.RANDOM_NORMAL], outputs: [out] };
  },
};

describe.each(BOTH)('between guards, on any number of threads, %s', (simd) => {
  const harness = new Harness(simd);
  test.each(Object.entries(KINDS))('%s', (_, kind) => {
    for (const n of [1, 2, 3, 4, 5, 8, 9, 17, 33, 70]) {
      const results = THREADS.map((threads) => {
        harness.reset();
        const { words, outputs } = kind(harness, n);
        expect(harness.run([double(words)], threads)).toBe(abi.STATUS_OK);
        return outputs.map((k) => harness.get(k));
      });
      for (const found of results) {
        found.forEach((y, k) => {
          expectSame(y, results[0]?.[k] as ArrayLike<number>, `n = ${n}`);
          if (y.some((v) => Number.isNaN(v) || v === 0x7fa5a5a5)) expect.fail(`n = ${n}: not all is written`);
        });
      }
    }
  });

  test('a micro-operation that float64 does not have is a fault', () => {
    harness.reset();
    const slots = [streamOut(room(harness, 3)), streamIn(put(harness, 3, 1))];
    for (const op of [abi.MICRO_NEG_I32, 55, 63, 79, 95, 100]) {
      expect(harness.run([double(tape(3, slots, [micro(op, 0, 1, 1, 1)]))]) & 0xff).toBe(abi.FAULT_OPCODE);
    }
  });
});
