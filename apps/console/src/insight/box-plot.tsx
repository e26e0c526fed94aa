import type { CharacterisationReport } from '@superfluidity/api';
import { layoutBoxes, PLOT, shortNumber } from '../view-model/box-plot.ts';

/** Letters of a configuration that fit beside its box. */
const LETTERS = 44;

/** One line for each configuration: whiskers from the 5th to the 95th percentile, the middle half, the median. */
export function BoxPlot(props: {
  readonly metric: CharacterisationReport['metrics'][number];
  readonly configurations: CharacterisationReport['configurations'];
  readonly labelOf: (configuration: CharacterisationReport['configurations'][number]) => string;
  readonly colourOf: (label: string) => string;
}) {
  const { metric, colourOf, labelOf } = props;
  const shown = props.configurations.filter((one) => one.metrics[metric.name] !== undefined);
  const plot = layoutBoxes(
    shown.map((one) => one.metrics[metric.name]!),
    metric.bounds,
  );
  const bottom = plot.height - PLOT.bottom;
  return (
    <figure className="sf-insight__figure" data-box-plot={metric.name}>
      <figcaption>{metric.name}</figcaption>
      <div className="sf-boxes" role="region" aria-label={`${metric.name} of each configuration`} tabIndex={0}>
        <svg
          viewBox={`0 0 ${PLOT.width} ${plot.height}`}
          role="img"
          aria-label={`${metric.name}, a box for each configuration`}
        >
          {plot.ticks.map(({ x, text }) => (
            <g key={text}>
              <line className="sf-boxes__grid" x1={x} x2={x} y1={PLOT.top} y2={bottom} />
              <text x={x} y={bottom + 18} textAnchor="middle">
                {text}
              </text>
            </g>
          ))}
          {plot.bounds.map((x, i) => (
            <line key={metric.bounds[i]} className="sf-boxes__bound" x1={x} x2={x} y1={PLOT.top} y2={bottom} />
          ))}
          {shown.map((one, i) => {
            const { y, x } = plot.boxes[i]!;
            const colour = colourOf(one.label);
            const text = labelOf(one);
            return (
              <g key={one.text} style={{ color: colour }}>
                <title>{`${one.text}: ${one.label}; ${one.metrics[metric.name]!.map(shortNumber).join(', ')}`}</title>
                <text
                  className={one.chosen ? 'sf-boxes__chosen' : undefined}
                  x={PLOT.left - 8}
                  y={y + 4}
                  textAnchor="end"
                >
                  {one.chosen ? '★ ' : ''}
                  {text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text}
                </text>
                <line stroke="currentColor" x1={x[0]} x2={x[4]} y1={y} y2={y} />
                <rect
                  fill="currentColor"
                  fillOpacity={0.3}
                  stroke="currentColor"
                  x={x[1]}
                  width={Math.max(1, x[3] - x[1])}
                  y={y - 6}
                  height={12}
                />
                <line stroke="currentColor" strokeWidth={3} x1={x[2]} x2={x[2]} y1={y - 6} y2={y + 6} />
              </g>
            );
          })}
        </svg>
      </div>
    </figure>
  );
}
