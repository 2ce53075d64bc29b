import { describe, expect, test } from 'vitest';
import { FAULT_INDEX, OP_MAXPOOL, OP_MAXPOOL_GRAD, OP_MAXPOOL_PICK } from '../../assembly/abi.ts';
import { BOTH, expectSame, few, THREADS, uniform, whole } from './data.ts';
import { Harness, NONE } from './harness.ts';

interface Pool {
  planes: number;
  size: [number, number];
  window: [number, number];
  stride?: [number, number];
  pad?: [number, number];
  dilation?: [number, number];
}

function geometry(p: Pool) {
  const [H, W] = p.size;
  const [KH, KW] = p.window;
  const [SH, SW] = p.stride ?? [1, 1];
  const [PH, PW] = p.pad ?? [0, 0];
  const [DH, DW] = p.dilation ?? [1, 1];
  const OH = Math.max(0, Math.floor((H + 2 * PH - DH * (KH - 1) - 1) / SH) + 1);
  const OW = Math.max(0, Math.floor((W + 2 * PW - DW * (KW - 1) - 1) / SW) + 1);
  return {
    H,
    W,
    KH,
    KW,
    SH,
    SW,
    PH,
    PW,
    DH,
    DW,
    OH,
    OW,
    words: [p.planes, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW],
  };
}

/** The definition, one tap at a time. */
function reference(p: Pool, x: ArrayLike<number>) {
  const { H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW } = geometry(p);
  const out: number[] = [];
  const index: number[] = [];
  for (let plane = 0; plane < p.planes; plane++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++) {
        let best = Number.NEGATIVE_INFINITY;
        let where = -1;
        for (let i = 0; i < KH; i++)
          for (let j = 0; j < KW; j++) {
            const [h, w] = [oh * SH - PH + i * DH, ow * SW - PW + j * DW];
            if (h < 0 || h >= H || w < 0 || w >= W) continue;
            const v = x[(plane * H + h) * W + w] as number;
            if (where < 0 || v > best || (Number.isNaN(v) && !Number.isNaN(best))) [best, where] = [v, h * W + w];
          }
        out.push(best);
        index.push(where);
      }
  return { out, index };
}

function check(simd: 'baseline' | 'relaxed', p: Pool, x: ArrayLike<number>, misalign = 0) {
  const g = geometry(p);
  const expected = reference(p, x);
  const n = p.planes * g.OH * g.OW;
  for (const threads of THREADS) {
    const h = harnesses[simd];
    h.reset();
    const input = h.put(x, 'f32', misalign);
    const [out, index] = [h.room(n, 'f32', misalign), h.room(n, 'i32', misalign)];
    const [outAlone, indexAlone] = [h.room(n), h.room(n, 'i32')];
    const status = h.run(
      [
        [OP_MAXPOOL, out, index, input, ...g.words],
        [OP_MAXPOOL, outAlone, NONE, input, ...g.words],
        [OP_MAXPOOL, NONE, indexAlone, input, ...g.words],
      ],
      threads,
    );
    expect(status).toBe(0);
    const what = `${JSON.stringify(p)}, ${threads} threads:`;
    expectSame(h.get(out), expected.out, what);
    expectSame(h.get(index), expected.index, what);
    expectSame(h.get(outAlone), expected.out, what);
    expectSame(h.get(indexAlone), expected.index, what);
  }
}

const harnesses = { baseline: new Harness('baseline'), relaxed: new Harness('relaxed') };

describe.each(BOTH)('max-pool, %s', (simd) => {
  test('2×2, stride 2, every small size', () => {
    for (let H = 1; H <= 9; H++)
      for (let W = 1; W <= 18; W++) {
        const p: Pool = { planes: 3, size: [H, W], window: [2, 2], stride: [2, 2] };
        check(simd, p, uniform(3 * H * W, H * 32 + W), (W % 4) * 4);
      }
  });

  test('windows, strides, padding and dilation in all combinations', () => {
    for (const window of [1, 2, 3, 5])
      for (const stride of [1, 2, 3])
        for (const pad of [0, 1, 2])
          for (const dilation of [1, 2])
            for (const [H, W] of [
              [5, 11],
              [3, 4],
              [1, 1],
              [9, 23],
            ] as const) {
              if (2 * pad > window) continue;
              const p: Pool = {
                planes: 2,
                size: [H, W],
                window: [Math.min(window, 3), window],
                stride: [stride, stride],
                pad: [Math.min(pad, 1), pad],
                dilation: [1, dilation],
              };
              check(simd, p, uniform(2 * H * W, window + stride));
            }
  });

  test('of ties the first wins, NaN wins over all, −∞ can win, and windows may be all negative', () => {
    const extra = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const values of [[], extra, [Number.NEGATIVE_INFINITY]]) {
      for (let seed = 0; seed < 4; seed++) {
        check(simd, { planes: 2, size: [8, 19], window: [2, 2], stride: [2, 2] }, few(2 * 8 * 19, seed, values));
        check(simd, { planes: 1, size: [9, 17], window: [3, 3], pad: [1, 1] }, few(9 * 17, seed, values));
      }
    }
    const low = new Float32Array(64).fill(Number.NEGATIVE_INFINITY);
    check(simd, { planes: 1, size: [4, 16], window: [2, 2], stride: [2, 2] }, low);
    check(simd, { planes: 1, size: [16, 4], window: [2, 2], stride: [2, 2] }, low);
  });

  test('a window of padding alone gives −∞ and no index', () => {
    check(simd, { planes: 1, size: [1, 1], window: [1, 2], pad: [0, 1], dilation: [1, 2] }, [5]);
    expect(reference({ planes: 1, size: [1, 1], window: [1, 2], pad: [0, 1], dilation: [1, 2] }, [5]).index).toEqual([
      -1,
    ]);
  });

  test('no planes', () => check(simd, { planes: 0, size: [4, 4], window: [2, 2] }, []));

  test('the gradient adds each dy where its index points, and zero elsewhere', () => {
    const h = harnesses[simd];
    for (const window of [2, 3]) {
      for (const [planes, H, W] of [
        [1, 4, 4],
        [5, 7, 9],
        [40, 3, 5],
        [3, 24, 24],
        [0, 4, 4],
      ] as const) {
        const p: Pool = {
          planes,
          size: [H, W],
          window: [window, window],
          stride: [window - 1, window - 1],
          pad: [1, 1],
        };
        const { OH, OW } = geometry(p);
        const { index } = reference(p, few(planes * H * W, window));
        const dy = uniform(planes * OH * OW, 7);
        const expected = new Float32Array(planes * H * W);
        index.forEach((at, i) => {
          const k = Math.floor(i / (OH * OW)) * H * W + at;
          expected[k] = (expected[k] as number) + (dy[i] as number);
        });
        for (const threads of THREADS) {
          h.reset();
          const dx = h.room(planes * H * W);
          const status = h.run(
            [[OP_MAXPOOL_GRAD, dx, h.put(dy), h.put(index, 'i32'), planes, H * W, OH * OW]],
            threads,
          );
          expect(status).toBe(0);
          expectSame(h.get(dx), expected);
        }
      }
    }
  });

  test('the gradient passes over −1 and refuses any other index outside its plane', () => {
    const h = harnesses[simd];
    for (const [bad, fault] of [
      [-1, 0],
      [-2, FAULT_INDEX],
      [6, FAULT_INDEX],
      [5, 0],
    ] as const) {
      for (let at = 0; at < 6; at++) {
        h.reset();
        const index = [0, 1, 2, 3, 4, 0];
        index[at] = bad;
        const dx = h.room(6);
        const run = [OP_MAXPOOL_GRAD, dx, h.put(uniform(6, 1)), h.put(index, 'i32'), 1, 6, 6];
        expect(h.run([run])).toBe(fault);
        if (fault) expect([...h.get(dx)].every(Number.isNaN)).toBe(true);
      }
    }
  });

  test('a pick takes what stands at each index, and 0 at −1', () => {
    const h = harnesses[simd];
    for (const [planes, size, n] of [
      [1, 1, 1],
      [3, 4, 9],
      [40, 7, 3],
      [2, 100, 65],
      [0, 4, 4],
    ] as const) {
      const x = uniform(planes * size, n);
      const index = whole(planes * n, size, size + 1).map((i) => i - 1);
      const expected = Float32Array.from(index, (at, i) => (at < 0 ? 0 : (x[Math.floor(i / n) * size + at] as number)));
      for (const threads of THREADS) {
        h.reset();
        const out = h.room(planes * n, 'f32', 4);
        const run = [OP_MAXPOOL_PICK, out, h.put(x, 'f32', 8), h.put(index, 'i32', 4), planes, size, n];
        expect(h.run([run], threads)).toBe(0);
        expectSame(h.get(out), expected);
      }
    }
  });

  test('a pick refuses an index outside its plane, and nothing is written', () => {
    const h = harnesses[simd];
    for (const bad of [-2, 6]) {
      for (let at = 0; at < 6; at++) {
        h.reset();
        const index = [0, 1, 2, 3, 4, 0];
        index[at] = bad;
        const out = h.room(6);
        expect(h.run([[OP_MAXPOOL_PICK, out, h.put(uniform(6, 1)), h.put(index, 'i32'), 1, 6, 6]])).toBe(FAULT_INDEX);
        expect([...h.get(out)].every(Number.isNaN)).toBe(true);
      }
    }
  });
});
