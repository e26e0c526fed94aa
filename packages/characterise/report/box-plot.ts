import { largest, smallest } from '@superfluidity/core';
import { escaped, short, ticks } from './markup.ts';

export interface Box {
  /** Beside the box, cut where it is too long; `title` says everything when one points at it. */
  readonly label: string;
  readonly title: string;
  readonly colour: string;
  /** The 5th, 25th, 50th, 75th and 95th percentile. */
  readonly percentiles: readonly number[];
  /** Drawn with a mark: it was chosen. */
  readonly marked: boolean;
}

const [WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM] = [960, 20, 380, 24, 8, 40];

/** One line for each configuration: whiskers from the 5th to the 95th percentile, a box around the middle half, the median. */
export function boxPlot(metric: string, boxes: readonly Box[], bounds: readonly number[]): string {
  const all = [...boxes.flatMap(({ percentiles }) => percentiles), ...bounds];
  const high = Math.max(largest(all), Number.MIN_VALUE) * 1.02;
  const low = smallest(all) > high / 2 ? smallest(all) * 0.98 : 0;
  const height = TOP + boxes.length * ROW + BOTTOM;
  const x = (value: number) => round(LEFT + ((value - low) / (high - low)) * (WIDTH - LEFT - RIGHT));
  const bottom = height - BOTTOM;
  const grid = ticks(low, high).map(
    (value) =>
      `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${bottom}"/><text x="${x(value)}" y="${bottom + 16}" text-anchor="middle">${short(value)}</text>`,
  );
  const rows = boxes.map(({ label, title, colour, percentiles, marked }, i) => {
    const [p5, p25, p50, p75, p95] = percentiles.map(x) as [number, number, number, number, number];
    const y = TOP + i * ROW + ROW / 2;
    return [
      `<g><title>${escaped(`${title}: ${percentiles.map(short).join(', ')}`)}</title>`,
      `<text class="${marked ? 'chosen' : 'row'}" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${marked ? '&#9733; ' : ''}${escaped(cut(label))}</text>`,
      `<line x1="${p5}" x2="${p95}" y1="${y}" y2="${y}" stroke="${colour}"/>`,
      `<rect x="${p25}" y="${y - 6}" width="${Math.max(1, round(p75 - p25))}" height="12" fill="${colour}" fill-opacity="0.35" stroke="${colour}"/>`,
      `<line x1="${p50}" x2="${p50}" y1="${y - 6}" y2="${y + 6}" stroke="${colour}" stroke-width="3"/></g>`,
    ].join('');
  });
  const limits = bounds.map(
    (bound) => `<line class="bound" x1="${x(bound)}" x2="${x(bound)}" y1="${TOP}" y2="${bottom}"/>`,
  );
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(metric)} of each configuration">`,
    ...grid,
    ...limits,
    ...rows,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 6}" text-anchor="middle">${escaped(metric)}</text></svg>`,
  ].join('\n');
}

/** What fits left of the boxes, in letters that are wider than most. */
const LETTERS = 52;
const cut = (text: string) => (text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text);
const round = (value: number) => Math.round(value * 10) / 10;
