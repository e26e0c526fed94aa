import { largest, smallest } from '@superfluidity/core';

/** Configurations as boxes over one metric: where everything is drawn, in a picture of WIDTH units. */
export interface BoxPlot {
  readonly height: number;
  readonly boxes: readonly PlottedBox[];
  readonly ticks: readonly { readonly x: number; readonly text: string }[];
  readonly bounds: readonly number[];
}

export interface PlottedBox {
  readonly y: number;
  /** Of the 5th, 25th, 50th, 75th and 95th percentile. */
  readonly x: readonly [number, number, number, number, number];
}

export const PLOT = { width: 900, row: 22, left: 330, right: 16, top: 6, bottom: 30 } as const;
const TICKS = 6;

/** The scale has everything in it, bounds too; it begins at 0 unless all values are far from it. */
export function layoutBoxes(percentiles: readonly (readonly number[])[], bounds: readonly number[]): BoxPlot {
  const all = [...percentiles.flat(), ...bounds];
  const high = all.length === 0 ? 1 : Math.max(largest(all), Number.MIN_VALUE) * 1.02;
  const least = all.length === 0 ? 0 : smallest(all);
  const low = least > high / 2 ? least * 0.98 : Math.min(0, least);
  const span = high - low;
  const x = (value: number) =>
    Math.round((PLOT.left + ((value - low) / span) * (PLOT.width - PLOT.left - PLOT.right)) * 10) / 10;
  const step = niceStep(span / TICKS);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return {
    height: PLOT.top + percentiles.length * PLOT.row + PLOT.bottom,
    boxes: percentiles.map((own, i) => ({
      y: PLOT.top + i * PLOT.row + PLOT.row / 2,
      x: [0, 1, 2, 3, 4].map((at) => x(own[at] ?? 0)) as unknown as PlottedBox['x'],
    })),
    ticks: Array.from({ length: Math.min(count, 2 * TICKS) }, (_, i) => {
      const value = (first + i) * step;
      return { x: x(value), text: shortNumber(value) };
    }),
    bounds: bounds.map(x),
  };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** As many digits as tell it from its neighbours, no more. */
export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const digits = Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
  return String(Number(digits));
}
