import type { ListedPool } from '@superfluidity/api';

export interface RatePoint {
  /** From 0, the first look, to 1, the last. */
  readonly x: number;
  /** Share of hits between this look and the one before; undefined: nobody has asked. */
  readonly rate: number | undefined;
}

export function ratesOf({ at, hits, misses }: ListedPool['past']): readonly RatePoint[] {
  const [first, last] = [at[0], at.at(-1)];
  if (first === undefined || last === undefined || last === first) return [];
  return at.slice(1).map((time, i) => {
    const [hit, missed] = [hits[i + 1]! - hits[i]!, misses[i + 1]! - misses[i]!];
    const rate = hit + missed === 0 ? undefined : hit / (hit + missed);
    return { x: (time - first) / (last - first), rate };
  });
}

/** As SVG, `width` wide and `height` high; where nobody has asked, the line has a gap. */
export function pathOfRates(points: readonly RatePoint[], width: number, height: number): string {
  let pen = false;
  return points
    .flatMap(({ x, rate }) => {
      if (rate === undefined) {
        pen = false;
        return [];
      }
      const to = `${(x * width).toFixed(1)} ${((1 - rate) * height).toFixed(1)}`;
      // A point alone is seen as a short line.
      const drawn = pen ? `L${to}` : `M${to}h.1`;
      pen = true;
      return [drawn];
    })
    .join('');
}
