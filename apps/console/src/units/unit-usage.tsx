import { lazy, type ReactNode, Suspense } from 'react';
import { useUnitUsage } from '../data/unit-usage.ts';
import { Empty } from '../ui/empty.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';

const UsagePlot = lazy(() => import('./usage-plot.tsx'));

/** Processor, memory and traffic of one unit, over the last minutes. */
export function UnitUsage({ service, unit }: { readonly service: string; readonly unit: string }) {
  const { usage, measured, error } = useUnitUsage(service, unit);
  const { at, cores, memoryMiB, inKbps, outKbps, last } = usage;
  if (error !== undefined) return <ErrorView error={errorBodyOf(error)} title="What it uses cannot be read" />;
  if (!measured && last === undefined) {
    return (
      <Empty title="Nothing is measured">The site of this unit does not measure what units use, or it has ended.</Empty>
    );
  }
  const plot = (name: string, unitName: string, least: number, lines: Parameters<typeof UsagePlot>[0]['lines']) => (
    <Suspense fallback={<div className="sf-usage__plot" />}>
      <UsagePlot name={name} unit={unitName} at={at} lines={lines} least={least} />
    </Suspense>
  );
  return (
    <div className="sf-usage">
      <Figure title="Processors" now={`${told(cores.at(-1), 2)} of ${last?.cpu ?? '–'} cores`}>
        {plot('cores', 'cores', last?.cpu ?? 0.1, [{ label: 'busy', values: cores }])}
      </Figure>
      <Figure title="Memory" now={`${told(memoryMiB.at(-1), 1)} of ${last?.memoryMiB ?? '–'} MiB`}>
        {plot('memory', 'MiB', 1, [{ label: 'used', values: memoryMiB }])}
      </Figure>
      <Figure
        title={`Traffic of ${last?.ports.map(({ name }) => name).join(', ') || 'its ports'}`}
        now={`in ${told(inKbps.at(-1), 1)}, out ${told(outKbps.at(-1), 1)} kbit/s`}
      >
        {plot('traffic', 'kbit/s', 1, [
          { label: 'in', values: inKbps },
          { label: 'out', values: outKbps },
        ])}
      </Figure>
      <p className="sf-subtle">
        {last?.processes === undefined ? '' : `${last.processes} processes. `}
        {last?.throttledMs === undefined || last.throttledMs === 0
          ? ''
          : `Held back by its limit for ${Math.round(last.throttledMs)} ms so far. `}
        Read every two seconds while it is looked at; the server keeps the last half hour, at ten.
      </p>
    </div>
  );
}

function Figure(props: { readonly title: string; readonly now: string; readonly children: ReactNode }) {
  return (
    <figure>
      <figcaption>
        <b>{props.title}</b> <span>{props.now}</span>
      </figcaption>
      {props.children}
    </figure>
  );
}

const told = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined ? '–' : value.toFixed(digits);
