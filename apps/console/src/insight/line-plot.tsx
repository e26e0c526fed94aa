import 'uplot/dist/uPlot.min.css';
import { useEffect } from 'react';
import uPlot from 'uplot';
import { type PlotLook, usePlot } from '../ui/use-plot.ts';
import { formatTime } from '../view-model/format.ts';

export interface PlotLine {
  readonly label: string;
  /** Name of a custom property. */
  readonly colour: string;
  /** Lines differ by it as well as by colour. */
  readonly dash?: readonly number[];
  readonly values: readonly (number | null)[];
  readonly unit: string;
  /** Stays until the next value, and has an axis of whole numbers on the right. */
  readonly steps?: boolean;
  /** Points without a line. */
  readonly points?: boolean;
}

/** Lines over time on one canvas, with a legend that tells the values under the pointer. */
export default function LinePlot(props: {
  readonly name: string;
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
}) {
  const { name, title, times, lines } = props;
  const data = [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;

  const { element, plot } = usePlot({
    shape: JSON.stringify(lines.map(({ values: _values, ...rest }) => rest)),
    options: (look) => optionsOf(lines, look),
    data,
    size: (parent) => ({ width: Math.max(200, parent.clientWidth), height: 220 }),
  });

  useEffect(() => plot.current?.setData(data), [times, lines]);

  return (
    <figure className="sf-insight__figure">
      <figcaption>{title}</figcaption>
      <div ref={element} className="sf-insight__plot" data-plot={name} data-points={times.length} />
    </figure>
  );
}

function optionsOf(
  lines: readonly Omit<PlotLine, 'values'>[],
  { colour, axis }: PlotLook,
): Omit<uPlot.Options, 'width' | 'height'> {
  const stepped = lines.some(({ steps }) => steps === true);
  const unit = lines.find(({ steps }) => steps !== true)?.unit ?? '';
  const fromZero: uPlot.Scale.Range = (_plot, _low, high) => [0, Math.max(1, (high ?? 0) * 1.1)];
  return {
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: fromZero }, ...(stepped ? { count: { range: fromZero } } : {}) },
    axes: [
      { ...axis, size: 26, space: 90, values: (_plot, splits) => splits.map((s) => formatTime(s * 1_000)) },
      { ...axis, size: 62, values: (_plot, splits) => splits.map((value) => `${value} ${unit}`) },
      ...(stepped
        ? [
            {
              ...axis,
              side: 1 as const,
              scale: 'count',
              size: 34,
              grid: { show: false },
              values: (_plot: uPlot, splits: number[]) =>
                splits.map((value) => (Number.isInteger(value) ? String(value) : '')),
            },
          ]
        : []),
    ],
    series: [
      { label: 'at', value: (_plot, s) => (s === null ? '–' : formatTime(s * 1_000)) },
      ...lines.map(
        ({ label, colour: name, dash = [], unit: of, steps, points }): uPlot.Series => ({
          label,
          stroke: colour(name),
          width: points === true ? 0 : 1.8,
          dash: [...dash],
          scale: steps === true ? 'count' : 'y',
          points: points === true ? { show: true, size: 7, fill: colour(name) } : { show: false },
          ...(steps === true ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
          value: (_plot, value) => (value === null ? '–' : `${Number(value.toFixed(2))} ${of}`.trim()),
        }),
      ),
    ],
  };
}
