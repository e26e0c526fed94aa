import 'uplot/dist/uPlot.min.css';
import { useEffect } from 'react';
import type uPlot from 'uplot';
import { type PlotLook, usePlot } from '../ui/use-plot.ts';
import { formatTime } from '../view-model/format.ts';

interface UsagePlotProps {
  readonly name: string;
  readonly unit: string;
  readonly at: readonly number[];
  readonly lines: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
  /** The axis reaches at least so far: the limit, where there is one. */
  readonly least: number;
}

const HEIGHT = 132;
/** Lines differ by dashes as well as by colour. */
const STYLES = [
  { colour: '--sf-answer-1', dash: [] },
  { colour: '--sf-answer-0', dash: [6, 4] },
] as const;

/** A small plot of the last minutes. Its values are also told in words above it. */
export default function UsagePlot({ name, unit, at, lines, least }: UsagePlotProps) {
  const data = [at, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;

  const labels = lines.map(({ label }) => label);
  const { element, plot } = usePlot({
    shape: JSON.stringify([labels, unit, least]),
    options: (look) => optionsOf(look, labels, unit, least),
    data,
    size: (parent) => ({ width: Math.max(200, parent.clientWidth), height: HEIGHT }),
  });

  useEffect(() => plot.current?.setData(data), [at]);
  return <div ref={element} className="sf-usage__plot" data-usage={name} data-readings={at.length} />;
}

function optionsOf(
  { colour, axis }: PlotLook,
  labels: readonly string[],
  unit: string,
  least: number,
): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(least, high * 1.1)] } },
    axes: [
      { ...axis, size: 24, space: 90, values: (_plot, splits) => splits.map((s) => formatTime(s * 1_000)) },
      { ...axis, size: 70, space: 26, values: (_plot, splits) => splits.map((value) => `${value} ${unit}`) },
    ],
    series: [
      {},
      ...labels.map((label, i) => ({
        label,
        stroke: colour(STYLES[i]!.colour),
        width: 1.6,
        dash: [...STYLES[i]!.dash],
        points: { show: false },
      })),
    ],
  };
}
