/** Release 8 of C4.5 and its successors take a quarter. */
export const CONFIDENCE = 0.25;

/**
 * Errors that are to be expected of `cases` on which `errors` were made: cases times the upper limit of the binomial rate
 * at this confidence (Clopper and Pearson), which is the rate at which so few errors have just that probability. Both may
 * have fractions.
 */
export function expectedErrors(cases: number, errors: number, confidence = CONFIDENCE): number {
  return cases <= 0 ? 0 : cases * upperErrorRate(errors, cases, confidence);
}

/** U_CF(E, N) of Quinlan: the p at which I_p(E + 1, N - E), the chance of more than E errors, is 1 - confidence. */
export function upperErrorRate(errors: number, cases: number, confidence = CONFIDENCE): number {
  if (errors >= cases - 1e-9) return 1;
  if (errors < 1e-9) return 1 - confidence ** (1 / cases);
  const [a, b] = [errors + 1, cases - errors];
  const beta = logGamma(a) + logGamma(b) - logGamma(a + b);
  let [low, high] = [errors / cases, 1];
  let p = Math.min(0.999, (errors + 1) / (cases + 1));
  // Newton on a function that bisection keeps within its bracket.
  for (let round = 0; round < 60; round += 1) {
    const off = incompleteBeta(p, a, b, beta) - (1 - confidence);
    if (off > 0) high = p;
    else low = p;
    const slope = Math.exp((a - 1) * Math.log(p) + (b - 1) * Math.log1p(-p) - beta);
    let next = p - off / slope;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - p) < 1e-12) return next;
    p = next;
  }
  return p;
}

/** Regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8, Lentz's method). */
function incompleteBeta(x: number, a: number, b: number, logBeta: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a, logBeta);
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  const ROUNDS = 10_000;
  for (let m = 1; m <= ROUNDS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const step of [even, odd]) {
      d = 1 + step * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + step / c;
      if (Math.abs(c) < tiny) c = tiny;
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-14) break;
  }
  return (Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta) / a) * fraction;
}

/** Stirling's series, after a shift to where it holds to 15 digits. */
export function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  while (at < 12) {
    shift -= Math.log(at);
    at += 1;
  }
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return shift + (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series;
}
