// The sizes of a convolution, read from its instruction.
import { word } from '../../program';
import { holds } from './window';

// @ts-ignore: decorator
@unmanaged
export class Shape {
  n: i32;
  c: i32;
  h: i32;
  w: i32;
  o: i32;
  kh: i32;
  kw: i32;
  strideH: i32;
  strideW: i32;
  padH: i32;
  padW: i32;
  dilationH: i32;
  dilationW: i32;
  groups: i32;
  oh: i32;
  ow: i32;
  act: i32;
}

/** Words 5 to 21 are the fields of `Shape` in order. */
export function readShape(ins: usize, at: usize): Shape {
  for (let i = 0; i < 17; i++) store<i32>(at + (<usize>i << 2), word(ins, 5 + i));
  const s = changetype<Shape>(at);
  flatten(s);
  return s;
}

/** Whether the window of one pixel of the output can be copied. */
export function holdsWindow(s: Shape): bool {
  const rowReach = <i64>(s.kh - 1) * s.dilationH, colReach = <i64>(s.kw - 1) * s.dilationW;
  return holds(<i64>s.kh * s.kw, rowReach, colReach, s.strideW);
}

/** Whether, for the gradient, the window on dy of one pixel of the input can be copied. */
export function holdsGradientWindow(s: Shape): bool {
  const rowReach = <i64>(s.kh - 1) * s.dilationH, colReach = <i64>(s.kw - 1) * s.dilationW;
  return holds(<i64>s.kh * s.kw, rowReach / s.strideH, colReach / s.strideW, 1);
}

/** A pointwise convolution sees no neighbours, so an image is one long row: no row ends in a partial quad. */
function flatten(s: Shape): void {
  if (s.kh != 1 || s.kw != 1 || s.strideH != 1 || s.strideW != 1 || s.padH != 0 || s.padW != 0) return;
  s.w *= s.h;
  s.ow *= s.oh;
  s.h = s.oh = 1;
}
