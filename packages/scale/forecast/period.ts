/** Correlation with itself a period later that makes a season. */
const CORRELATED = 0.3;
/** Of peaks that are nearly as high the first is the period, and not one of its multiples. */
const NEARLY = 0.9;

/**
 * The period with which values return, in values, by the first high peak of their autocorrelation about a straight line: at
 * most half of what there is, as it must have come twice. Undefined: none. O(n^2).
 */
export function findPeriod(values: ArrayLike<number>): number | undefined {
  const n = values.length;
  if (n < 8) return undefined;
  const rest = withoutLine(values);
  const variance = rest.reduce((sum, value) => sum + value * value, 0) / n;
  if (!(variance > 0)) return undefined;
  const correlations = new Float64Array(Math.floor(n / 2) + 1);
  for (let lag = 0; lag < correlations.length; lag += 1) {
    let sum = 0;
    for (let i = lag; i < n; i += 1) sum += rest[i]! * rest[i - lag]!;
    correlations[lag] = sum / (n - lag) / variance;
  }
  const peaks: number[] = [];
  let [least, highest] = [1, 0];
  for (let lag = 1; lag + 1 < correlations.length; lag += 1) {
    const here = correlations[lag]!;
    least = Math.min(least, here);
    // What only fades has no period: it must have been less like itself in between.
    if (here <= correlations[lag - 1]! || here < correlations[lag + 1]! || least > here / 2) continue;
    if (here < Math.max(CORRELATED, 3 / Math.sqrt(n))) continue;
    peaks.push(lag);
    highest = Math.max(highest, here);
  }
  const lag = peaks.find((each) => correlations[each]! >= NEARLY * highest);
  if (lag === undefined) return undefined;
  // The top of the parabola through the peak and what is beside it.
  const [before, here, after] = [correlations[lag - 1]!, correlations[lag]!, correlations[lag + 1]!];
  return lag + (before - after) / (2 * (before - 2 * here + after));
}

function withoutLine(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  let [sum, moment] = [0, 0];
  for (let i = 0; i < n; i += 1) {
    sum += values[i]!;
    moment += (i - (n - 1) / 2) * values[i]!;
  }
  const slope = moment / ((n * (n * n - 1)) / 12);
  return Float64Array.from(values, (value, i) => value - sum / n - slope * (i - (n - 1) / 2));
}
