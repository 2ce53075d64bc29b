// One stroke of a pen: from the points it passes through to anti-aliased ink on a grey image.

/** How many straight pieces a span between two points is cut into. */
const PIECES = 5;

/** A pen's path as straight pieces: vertices in pixels, and the pen's radius at each. */
export class PenPath {
  readonly x: number[] = [];
  readonly y: number[] = [];
  readonly radius: number[] = [];
}

/**
 * A smooth curve through the points (uniform Catmull–Rom, its ends mirrored by repeating them), as straight pieces.
 * A point given twice in a row stays a corner, because each side's tangent then sees one side only.
 */
export function smoothCurve(xs: ArrayLike<number>, ys: ArrayLike<number>): PenPath {
  const path = new PenPath();
  const last = xs.length - 1;
  const at = (values: ArrayLike<number>, i: number) => values[Math.min(Math.max(i, 0), last)] as number;
  for (let i = 0; i < last; i++) {
    if (at(xs, i) === at(xs, i + 1) && at(ys, i) === at(ys, i + 1)) continue;
    for (let piece = 0; piece < PIECES; piece++) {
      const t = piece / PIECES;
      path.x.push(catmullRom(at(xs, i - 1), at(xs, i), at(xs, i + 1), at(xs, i + 2), t));
      path.y.push(catmullRom(at(ys, i - 1), at(ys, i), at(ys, i + 1), at(ys, i + 2), t));
    }
  }
  path.x.push(at(xs, last));
  path.y.push(at(ys, last));
  return path;
}

function catmullRom(p0: number, p1: number, p2: number, p3: number, t: number): number {
  const a = 2 * p1;
  const b = p2 - p0;
  const c = 2 * p0 - 5 * p1 + 4 * p2 - p3;
  const d = 3 * (p1 - p2) + p3 - p0;
  return 0.5 * (a + t * (b + t * (c + t * d)));
}

/**
 * Lowers `distance` to the signed distance from each pixel's middle to the pen's outline (negative: under the pen).
 * Pixels further than `reach` from the outline may be left as they are.
 *
 * @param distance [side, side], row-major
 */
export function stroke(distance: Float32Array, side: number, path: PenPath, reach: number): void {
  for (let i = 0; i + 1 < path.x.length; i++) strokePiece(distance, side, path, i, reach);
}

function strokePiece(distance: Float32Array, side: number, path: PenPath, i: number, reach: number): void {
  const x0 = path.x[i] as number;
  const y0 = path.y[i] as number;
  const r0 = path.radius[i] as number;
  const dx = (path.x[i + 1] as number) - x0;
  const dy = (path.y[i + 1] as number) - y0;
  const dr = (path.radius[i + 1] as number) - r0;
  const margin = Math.max(r0, r0 + dr) + reach;
  const left = Math.max(0, Math.ceil(Math.min(x0, x0 + dx) - margin));
  const right = Math.min(side - 1, Math.floor(Math.max(x0, x0 + dx) + margin));
  const top = Math.max(0, Math.ceil(Math.min(y0, y0 + dy) - margin));
  const bottom = Math.min(side - 1, Math.floor(Math.max(y0, y0 + dy) + margin));
  const perLength = 1 / (dx * dx + dy * dy + 1e-9); // a piece of no length is a dot, not 0/0
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) * perLength));
      const ex = x - x0 - t * dx;
      const ey = y - y0 - t * dy;
      const d = Math.sqrt(ex * ex + ey * ey) - r0 - t * dr;
      const pixel = y * side + x;
      if (d < (distance[pixel] as number)) distance[pixel] = d;
    }
  }
}
