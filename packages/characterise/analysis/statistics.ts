/** Linear between the two nearest (Hyndman and Fan, type 7). Of sorted numbers, at least one. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low]!;
  return below + (sorted[Math.min(low + 1, sorted.length - 1)]! - below) * (at - low);
}

export const median = (values: ArrayLike<number>): number => quantile(Float64Array.from(values).sort(), 0.5);

/** Interval of a share with 95 % confidence (Wilson, 1927), which holds for few trials and shares near 0 and 1, too. */
export function wilson(hits: number, trials: number, z = 1.96): readonly [number, number] {
  if (trials === 0) return [0, 1];
  const share = hits / trials;
  const centre = (share + z ** 2 / (2 * trials)) / (1 + z ** 2 / trials);
  const half = (z / (1 + z ** 2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
