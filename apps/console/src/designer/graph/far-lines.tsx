import { ViewportPortal } from '@xyflow/react';
import { useLayoutEffect, useMemo, useRef } from 'react';
import type { DesignEdge } from './flow.ts';
import { lineOf } from './lines.ts';
import type { DesignNode } from './nodes.tsx';

/** How near a click has to be to a line, in pixels of the screen. */
const NEAR = 8;

export interface FarLine {
  readonly edge: DesignEdge;
  readonly d: string;
}

/** The lines of a large graph that is looked at from afar. */
export function farLines(nodes: readonly DesignNode[], edges: readonly DesignEdge[]): readonly FarLine[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return edges.flatMap((edge) => {
    const [a, b] = [byId.get(edge.source), byId.get(edge.target)];
    return a === undefined || b === undefined ? [] : [{ edge, d: lineOf(edge, a, a.position, b, b.position) }];
  });
}

export const lookOf = ({ className, style, selected }: DesignEdge): string =>
  [className, selected === true ? 'selected' : '', style?.stroke ?? ''].join('|');

/** What is moved has lines of its own, which use-light-drag.ts draws; they leave these here. */
export const MOVED_LINES = 'sf-far-lines--moved';

/**
 * Lines that look alike are one path: with one element for each of hundreds, the browser and xyflow take longer than a frame
 * for every change of any of them. Who comes nearer gets each by itself.
 */
export function FarLines({ lines }: { readonly lines: readonly FarLine[] }) {
  const moved = useRef<SVGSVGElement>(null);
  // What has moved is among all the others again.
  useLayoutEffect(() => moved.current?.replaceChildren(), [lines]);
  const groups = useMemo(() => [...Map.groupBy(lines, ({ edge }) => lookOf(edge))], [lines]);
  return (
    <ViewportPortal>
      <svg className="sf-far-lines" width="1" height="1" aria-hidden="true" data-far-lines={lines.length}>
        {groups.map(([look, alike]) => {
          const { className, style, selected } = alike[0]!.edge;
          return (
            <g key={look} className={`${className ?? ''} react-flow__edge ${selected === true ? 'selected' : ''}`}>
              <path
                className="react-flow__edge-path"
                style={style}
                data-look={look}
                d={alike.map(({ d }) => d).join('')}
              />
            </g>
          );
        })}
      </svg>
      <svg ref={moved} className={`sf-far-lines ${MOVED_LINES}`} width="1" height="1" aria-hidden="true" />
    </ViewportPortal>
  );
}

/** The line at a place of the graph: where many are one path, nothing of the page says which was clicked. */
export function lineAt(
  lines: readonly FarLine[],
  at: { readonly x: number; readonly y: number },
  zoom: number,
): string | undefined {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return undefined;
  context.lineWidth = (2 * NEAR) / zoom;
  return lines.findLast(({ d }) => context.isPointInStroke(new Path2D(d), at.x, at.y))?.edge.id;
}
