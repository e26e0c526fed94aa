/**
 * The division of sorted numbers into at most `clusters` neighbourhoods with the least sum of squares, exactly: on a line it
 * is found by dynamic programming (Wang and Song 2011), in which the best start of the last cluster only moves up
 * (Grønlund et al. 2017). Gives the middles of the gaps between clusters. O(clusters x n log n) for n different values.
 */
export function kMeansCuts(sorted: Float64Array, clusters: number): readonly number[] {
  const values: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    if (values.length > 0 && value === values.at(-1)) counts[counts.length - 1]! += 1;
    else {
      values.push(value);
      counts.push(1);
    }
  }
  const n = values.length;
  const k = Math.min(clusters, n);
  // Around the middle, so that squares of large numbers near to each other do not lose their digits.
  const middle = values[n >> 1]!;
  const weight = new Float64Array(n + 1);
  const sum = new Float64Array(n + 1);
  const squares = new Float64Array(n + 1);
  values.forEach((value, i) => {
    const shifted = value - middle;
    weight[i + 1] = weight[i]! + counts[i]!;
    sum[i + 1] = sum[i]! + counts[i]! * shifted;
    squares[i + 1] = squares[i]! + counts[i]! * shifted * shifted;
  });
  /** Squares around the mean of the values from `from` up to, but not, `to`. */
  const within = (from: number, to: number) => {
    const s = sum[to]! - sum[from]!;
    return Math.max(0, squares[to]! - squares[from]! - (s * s) / (weight[to]! - weight[from]!));
  };
  let before = Float64Array.from({ length: n + 1 }, (_, to) => (to === 0 ? 0 : within(0, to)));
  const starts: Int32Array[] = [new Int32Array(n + 1)];
  for (let c = 2; c <= k; c += 1) {
    const cost = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    const start = new Int32Array(n + 1);
    const solve = (low: number, high: number, from: number, to: number): void => {
      if (low > high) return;
      const at = (low + high) >> 1;
      for (let s = Math.max(from, c - 1); s <= Math.min(to, at - 1); s += 1) {
        const total = before[s]! + within(s, at);
        if (total >= cost[at]!) continue;
        cost[at] = total;
        start[at] = s;
      }
      solve(low, at - 1, from, start[at]!);
      solve(at + 1, high, start[at]!, to);
    };
    solve(c, n, c - 1, n - 1);
    before = cost;
    starts.push(start);
  }
  const cuts: number[] = [];
  for (let c = k - 1, end = n; c > 0; c -= 1) {
    end = starts[c]![end]!;
    cuts.unshift(values[end - 1]! + (values[end]! - values[end - 1]!) / 2);
  }
  return cuts;
}
