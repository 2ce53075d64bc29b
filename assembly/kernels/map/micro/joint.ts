// Micro-operations that give a function and its derivative at once, sharing what is dear: `y, slope, a`. y or slope may
// be a.
import {
  exponential, geluOf, geluSlopeOf, geluTanhOf, geluTanhSlopeOf, logistic, nearTanh, normal,
} from '../../../math/gelu';
import { loadPart, storePart } from '../../../tail';
import { address } from '../frame';

export function geluBoth(m: usize, frame: usize, n: i32): void {
  let y = address(m, frame, 1), slope = address(m, frame, 2), a = address(m, frame, 3);
  for (; n > 0; n -= 4) {
    const x = loadPart(a, n);
    const distribution = normal(x);
    storePart(y, geluOf(x, distribution), n);
    storePart(slope, geluSlopeOf(x, distribution), n);
    a += 16;
    y += 16;
    slope += 16;
  }
}

export function geluTanhBoth(m: usize, frame: usize, n: i32): void {
  let y = address(m, frame, 1), slope = address(m, frame, 2), a = address(m, frame, 3);
  for (; n > 0; n -= 4) {
    const x = loadPart(a, n);
    const near = nearTanh(x), e = exponential(near), s = logistic(e);
    storePart(y, geluTanhOf(x, s), n);
    storePart(slope, geluTanhSlopeOf(near, e, s), n);
    a += 16;
    y += 16;
    slope += 16;
  }
}
