// The error function in float64, for tests.

/** erf in float64: its series, then its continued fraction. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 2.5)) {
    if (!(a < 6)) return Math.sign(x);
    let f = 0;
    for (let k = 60; k > 0; k--) f = k / 2 / (a + f);
    return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f));
  }
  let sum = x;
  let term = x;
  for (let k = 1; k < 100 && Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
