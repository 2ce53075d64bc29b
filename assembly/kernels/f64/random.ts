// OP_RANDOM with FLAG_F64: Philox-4x32-10 (Salmon et al., SC 2011), see random.ts. A counter b gives elements 2b and
// 2b + 1: each is made of two of its words, 53 bits; both of a pair of normal numbers come from the same counter.
import { RANDOM_NORMAL, STATUS_OK } from '../../abi';
import { operand, shareStart, word } from '../../program';
import { log } from '../../math/double/power';

const ROUNDS = 10;
/** 2⁻⁵³. */
const UNIT: f64 = 1.1102230246251565e-16;
const TWO_PI: f64 = 6.283185307179586;

/** out [n], any alignment; the key is two words. */
export function random64(ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  const out = operand(ins, table, 1), key = operand(ins, table, 2), n = word(ins, 3);
  const end = shareStart(n, thread + 1, threads);
  for (let i = shareStart(n, thread, threads); i < end; i += 2) {
    philox(scratch, <u32>(i >> 1), load<u32>(key), load<u32>(key, 4));
    let a = load<f64>(scratch), b = load<f64>(scratch, 8);
    if (word(ins, 4) == RANDOM_NORMAL) {
      // Box–Muller; a + 2⁻⁵³ lies in (0, 1]: never the logarithm of zero.
      const radius = sqrt<f64>(-2 * log(a + UNIT)), angle = TWO_PI * b;
      a = radius * NativeMath.cos(angle);
      b = radius * NativeMath.sin(angle);
    }
    store<f64>(out + (<usize>i << 3), a);
    if (i + 1 < end) store<f64>(out + (<usize>i << 3), b, 8);
  }
  return STATUS_OK;
}

/** Two numbers in [0, 1) at `to`, of the four words of counter (b, 0, 0, 0). */
function philox(to: usize, b: u32, k0: u32, k1: u32): void {
  let c0 = b, c1: u32 = 0, c2: u32 = 0, c3: u32 = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const p = <u64>c0 * 0xd2511f53, q = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(q >> 32) ^ c1 ^ k0;
    c2 = <u32>(p >> 32) ^ c3 ^ k1;
    c1 = <u32>q;
    c3 = <u32>p;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  store<f64>(to, <f64>(((<u64>c0 << 32) | c1) >> 11) * UNIT);
  store<f64>(to, <f64>(((<u64>c2 << 32) | c3) >> 11) * UNIT, 8);
}
