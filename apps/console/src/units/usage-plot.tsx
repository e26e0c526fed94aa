import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useStore } from '../data/store.ts';
import { theme } from '../data/theme.ts';
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
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = [at, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const labels = lines.map(({ label }) => label).join();
  const colours = useStore(theme);

  useEffect(() => {
    const parent = element.current!;
    const size = () => ({ width: Math.max(200, parent.clientWidth), height: HEIGHT });
    const created = new uPlot(
      { ...optionsOf(parent, labels.split(','), unit, least), ...size() },
      latest.current,
      parent,
    );
    plot.current = created;
    const observer = new ResizeObserver(() => created.setSize(size()));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = undefined;
    };
  }, [labels, unit, least, colours]);

  useEffect(() => plot.current?.setData(latest.current), [at]);
  return <div ref={element} className="sf-usage__plot" data-usage={name} data-readings={at.length} />;
}

function optionsOf(
  parent: Element,
  labels: readonly string[],
  unit: string,
  least: number,
): Omit<uPlot.Options, 'width' | 'height'> {
  const style = getComputedStyle(parent);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--sf-text-subtle'),
    font: '11px "Red Hat Text", sans-serif',
    grid: { stroke: colour('--sf-grid'), width: 1 },
    ticks: { show: false },
  };
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
