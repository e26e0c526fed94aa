import { type RefObject, useEffect, useEffectEvent, useRef } from 'react';
import uPlot from 'uplot';
import { useStore } from '../data/store.ts';
import { theme } from '../data/theme.ts';

/** What plots take from the styles of the page. */
export interface PlotLook {
  /** Of a custom property. */
  readonly colour: (name: string) => string;
  readonly axis: Pick<uPlot.Axis, 'stroke' | 'font' | 'grid' | 'ticks'>;
}

interface PlotInput {
  /** The plot is made anew when it changes, or the theme. */
  readonly shape: string;
  readonly options: (look: PlotLook) => Omit<uPlot.Options, 'width' | 'height'>;
  readonly data: uPlot.AlignedData;
  readonly size: (parent: HTMLElement) => { readonly width: number; readonly height: number };
}

/** A canvas in an element, as large as its place allows. Whoever uses it brings new data to the plot. */
export function usePlot({ shape, options, data, size }: PlotInput): {
  readonly element: RefObject<HTMLDivElement | null>;
  readonly plot: RefObject<uPlot | undefined>;
} {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const colours = useStore(theme);
  const create = useEffectEvent(
    (parent: HTMLElement) => new uPlot({ ...options(lookOf(parent)), ...size(parent) }, data, parent),
  );
  const resize = useEffectEvent((created: uPlot, parent: HTMLElement) => created.setSize(size(parent)));
  useEffect(() => {
    const parent = element.current;
    if (parent === null) return;
    const created = create(parent);
    plot.current = created;
    const observer = new ResizeObserver(() => resize(created, parent));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = undefined;
    };
  }, [shape, colours]);
  return { element, plot };
}

function lookOf(parent: Element): PlotLook {
  const style = getComputedStyle(parent);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--sf-text-subtle'),
    font: '11px "Red Hat Text", sans-serif',
    grid: { stroke: colour('--sf-grid'), width: 1 },
    ticks: { show: false },
  };
  return { colour, axis };
}
