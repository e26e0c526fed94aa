import 'uplot/dist/uPlot.min.css';
import { useEffect } from 'react';
import type uPlot from 'uplot';
import { formatTime } from '../view-model/format.ts';
import { type PlotLook, usePlot } from '../ui/use-plot.ts';
import type { Traffic } from '../view-model/kpi.ts';

interface TrafficPlotProps {
  readonly of: 'latency' | 'rate';
  readonly traffic: Traffic;
}

/** Lines differ by dashes as well as by colour. */
const LINES = {
  latency: {
    title: 'Latency',
    unit: 'ms',
    series: [
      ['median', '--sf-answer-1', []],
      ['95 of 100', '--sf-answer-0', [6, 4]],
      ['99 of 100', '--sf-answer-3', [2, 3]],
    ],
  },
  rate: {
    title: 'Requests a second',
    unit: '/s',
    series: [
      ['all', '--sf-answer-1', []],
      ['failed', '--sf-failed', [6, 4]],
    ],
  },
} as const;

/** One canvas with a legend that tells the values under the pointer. */
export default function TrafficPlot({ of, traffic }: TrafficPlotProps) {
  const { element, plot } = usePlot({
    shape: of,
    options: (look) => optionsOf(of, look),
    data: dataOf(of, traffic),
    size: (parent) => ({ width: Math.max(200, parent.clientWidth), height: 200 }),
  });

  useEffect(() => plot.current?.setData(dataOf(of, traffic)), [of, traffic]);

  return (
    <figure className="sf-insight__figure">
      <figcaption>{LINES[of].title}</figcaption>
      <div ref={element} className="sf-insight__plot" data-plot={of} data-slices={traffic.times.length} />
    </figure>
  );
}

const dataOf = (of: TrafficPlotProps['of'], traffic: Traffic): uPlot.AlignedData =>
  (of === 'latency'
    ? [traffic.times, traffic.p50Ms, traffic.p95Ms, traffic.p99Ms]
    : [traffic.times, traffic.rate, traffic.failedRate]) as unknown as uPlot.AlignedData;

function optionsOf(of: TrafficPlotProps['of'], { colour, axis }: PlotLook): Omit<uPlot.Options, 'width' | 'height'> {
  const { unit, series } = LINES[of];
  return {
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, size: 26, space: 90, values: (_plot, splits) => splits.map((s) => formatTime(s * 1_000)) },
      { ...axis, size: 58, values: (_plot, splits) => splits.map((value) => `${value} ${unit}`) },
    ],
    series: [
      { label: 'at', value: (_plot, s) => (s === null ? '–' : formatTime(s * 1_000)) },
      ...series.map(([label, name, dash]) => ({
        label,
        stroke: colour(name),
        width: 1.8,
        dash: [...dash],
        value: (_plot: uPlot, value: number | null) => (value === null ? '–' : `${value.toFixed(1)} ${unit}`),
      })),
    ],
  };
}
