import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import type uPlot from 'uplot';
import { type PlotLook, usePlot } from '../ui/use-plot.ts';
import { formatTime } from '../view-model/format.ts';
import { ceilingMs, type LatencySeries, type Mark } from '../view-model/latency.ts';

export interface LatencyPlotProps {
  readonly series: LatencySeries;
  readonly marks: readonly Mark[];
  /** Sites in a fixed order: the index chooses colour and shape. */
  readonly answerers: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * One canvas, redrawn with the data. The scale fits nearly all answers, the few slower ones lie on its upper edge. Points differ in shape and colour by the site that answered; failures are crosses
 * on the upper edge, where they cannot hide; moves are bands from their beginning to their end.
 */
export default function LatencyPlot(props: LatencyPlotProps) {
  const latest = useRef(props);
  latest.current = props;
  const { element, plot } = usePlot({
    shape: props.series.answered.map((column) => column.by).join('\n'),
    options: (look) => options(latest, look),
    data: dataOf(props),
    size: (parent) => ({ width: Math.max(100, parent.clientWidth), height: Math.max(80, parent.clientHeight) }),
  });

  useEffect(() => {
    plot.current?.setData(dataOf(props), false);
    // Sets the range and draws: an explicit range of x makes everything new.
    plot.current?.setScale('x', { min: props.fromMs / 1000, max: props.toMs / 1000 });
  }, [props]);

  return (
    <div ref={element} className="sf-plot" data-points={props.series.times.length} data-marks={props.marks.length} />
  );
}

const dataOf = ({ series }: LatencyPlotProps): uPlot.AlignedData =>
  [series.times, ...series.answered.map((column) => column.latencies), series.failed] as unknown as uPlot.AlignedData;

const POINT = 3.2;

function options(
  latest: { readonly current: LatencyPlotProps },
  { colour, axis }: PlotLook,
): Omit<uPlot.Options, 'width' | 'height'> {
  // Asked for once: each answer makes the browser work out the styles of the page.
  const [move, moveText, failed] = ['--sf-move', '--sf-move-text', '--sf-failed'].map(colour) as [
    string,
    string,
    string,
  ];
  const { answered } = latest.current.series;
  return {
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    padding: [18, 8, 0, 0],
    scales: {
      x: { time: true },
      y: { range: () => [0, ceilingMs(latest.current.series)] },
    },
    axes: [
      { ...axis, size: 26, space: 90, values: clocks },
      { ...axis, size: 52, values: (_plot, splits) => splits.map((ms) => `${ms} ms`) },
    ],
    series: [
      {},
      ...answered.map((column) => {
        const index = Math.max(0, latest.current.answerers.indexOf(column.by));
        const stroke = colour(`--sf-answer-${index % 4}`);
        return {
          label: column.by,
          stroke,
          paths: () => null,
          points: { show: true, paths: shape(index), fill: stroke, stroke, size: 2 * POINT },
        } satisfies uPlot.Series;
      }),
      // Drawn on the upper edge, wherever that is: a time-out of seconds must not flatten the answers.
      { label: 'failed', auto: false, stroke: failed, paths: () => null, points: { show: false } },
    ],
    hooks: {
      drawClear: [(plot) => drawMoves(plot, latest.current.marks, move, moveText)],
      draw: [(plot) => drawFailures(plot, latest.current.series, failed)],
    },
  };
}

/** Half a label, without the padding beside the plot: nearer to its end a label would be cut off. */
const LABEL_ROOM = 18;

function clocks(plot: uPlot, splits: readonly number[]): string[] {
  const end = plot.over.clientWidth - LABEL_ROOM;
  return splits.map((t) => (plot.valToPos(t, 'x') > end ? '' : clock(t)));
}

const clock = (seconds: number): string => formatTime(seconds * 1_000);

/** Discs, squares, triangles, diamonds. */
function shape(index: number): uPlot.Series.Points.PathBuilder {
  return (plot, seriesIndex, first, last) => {
    const path = new Path2D();
    const r = POINT * devicePixelRatio;
    const values = plot.data[seriesIndex]!;
    for (let i = first; i <= last; i += 1) {
      const value = values[i];
      if (value === null || value === undefined) continue;
      const x = plot.valToPos(plot.data[0][i]!, 'x', true);
      // Beyond the scale: on its edge.
      const y = Math.max(plot.bbox.top + r, plot.valToPos(value, 'y', true));
      if (index % 4 === 0) {
        path.moveTo(x + r, y);
        path.arc(x, y, r, 0, 2 * Math.PI);
      } else if (index % 4 === 1) path.rect(x - r * 0.9, y - r * 0.9, 1.8 * r, 1.8 * r);
      else if (index % 4 === 2)
        polygon(path, [
          [x, y - r],
          [x + r, y + r],
          [x - r, y + r],
        ]);
      else
        polygon(path, [
          [x, y - r],
          [x + r, y],
          [x, y + r],
          [x - r, y],
        ]);
    }
    return { stroke: path, fill: path };
  };
}

function polygon(path: Path2D, points: readonly (readonly [number, number])[]): void {
  points.forEach(([x, y], i) => (i === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
  path.closePath();
}

function drawFailures(plot: uPlot, series: LatencySeries, colour: string): void {
  const { ctx, bbox } = plot;
  const r = 4.5 * devicePixelRatio;
  const y = bbox.top + r + 2;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  series.failed.forEach((value, i) => {
    if (value === null) return;
    const x = plot.valToPos(series.times[i]!, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  });
  ctx.stroke();
  ctx.restore();
}

function drawMoves(plot: uPlot, marks: readonly Mark[], colour: string, text: string): void {
  const { ctx, bbox } = plot;
  const dpr = devicePixelRatio;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.font = `600 ${11 * dpr}px "Red Hat Text", sans-serif`;
  // From the newest to the oldest: where two labels would overlap, the newer one is shown.
  let free = right;
  for (let i = marks.length - 1; i >= 0; i -= 1) {
    const mark = marks[i]!;
    if (mark.kind !== 'begin') continue;
    const next = marks[i + 1];
    const x = plot.valToPos(mark.at / 1000, 'x', true);
    const end = next?.kind === 'end' ? plot.valToPos(next.at / 1000, 'x', true) : right;
    const [from, to] = [Math.max(bbox.left, x), Math.min(right, end)];
    if (end < bbox.left || x > right) continue;
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = colour;
    ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5 * dpr;
    ctx.setLineDash([5 * dpr, 4 * dpr]);
    for (const edge of [x, end]) {
      if (edge < bbox.left || edge >= right) continue;
      ctx.beginPath();
      ctx.moveTo(edge, bbox.top);
      ctx.lineTo(edge, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.fillStyle = text;
    const width = ctx.measureText(mark.label).width;
    const at = Math.max(bbox.left, Math.min(from, right - width));
    if (at + width > free) continue;
    ctx.fillText(mark.label, at, bbox.top - 6 * dpr);
    free = at - 12 * dpr;
  }
  ctx.restore();
}
