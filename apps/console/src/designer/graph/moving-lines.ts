import { type FarLine, lookOf, MOVED_LINES } from './far-lines.tsx';
import type { DesignEdge } from './flow.ts';

const SVG = 'http://www.w3.org/2000/svg';

export interface MovingLine {
  readonly edge: DesignEdge;
  readonly path: Element;
}

/** The elements of lines that are to be moved by themselves. */
export function movingLines(
  canvas: Element,
  moves: (edge: DesignEdge) => boolean,
  edges: readonly DesignEdge[],
  far: readonly FarLine[] | undefined,
): readonly MovingLine[] {
  if (far !== undefined) return takenOut(canvas, moves, far);
  return edges.filter(moves).flatMap((edge) => {
    const path = canvas.querySelector(`.react-flow__edge[data-id="${CSS.escape(edge.id)}"] .react-flow__edge-path`);
    return path === null ? [] : [{ edge, path }];
  });
}

/** From afar lines that look alike are one path: those that move are taken out of it, and drawn above. */
function takenOut(
  canvas: Element,
  moves: (edge: DesignEdge) => boolean,
  far: readonly FarLine[],
): readonly MovingLine[] {
  const layer = canvas.querySelector(`.${MOVED_LINES}`);
  if (layer === null) return [];
  layer.replaceChildren();
  const moving: MovingLine[] = [];
  for (const [look, alike] of Map.groupBy(far, ({ edge }) => lookOf(edge))) {
    const own = alike.filter(({ edge }) => moves(edge));
    const all = canvas.querySelector(`path[data-look="${CSS.escape(look)}"]`);
    if (own.length === 0 || all === null) continue;
    const group = all.parentElement!.cloneNode() as Element;
    for (const { edge, d } of own) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', 'react-flow__edge-path');
      path.setAttribute('style', all.getAttribute('style') ?? '');
      path.setAttribute('d', d);
      group.append(path);
      moving.push({ edge, path });
    }
    layer.append(group);
    all.setAttribute(
      'd',
      alike
        .filter(({ edge }) => !moves(edge))
        .map(({ d }) => d)
        .join(''),
    );
  }
  return moving;
}
