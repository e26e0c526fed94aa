import { useReactFlow } from '@xyflow/react';
import { type RefObject, useEffect, useRef } from 'react';
import type { Point } from '../../view-model/layout.ts';
import { sizeOf } from '../core/arrange.ts';
import type { DesignNode } from './nodes.tsx';

export const FIT = { padding: 0.12, maxZoom: 1.1, minZoom: 0.05 } as const;

interface Shown {
  readonly nodes: readonly DesignNode[];
  readonly places: ReadonlyMap<string, Point>;
  readonly arranged: string;
  readonly selected: readonly string[];
}

/** What is looked at: a level as a whole when all of it has been put elsewhere, and always the one thing that is selected. */
export function useView(canvas: RefObject<HTMLElement | null>, { nodes, places, arranged, selected }: Shown): void {
  const { fitView, getViewport, setCenter } = useReactFlow();
  const fitted = useRef(nodes.length === 0 ? '' : arranged);
  const revealed = useRef(selected.length === 1 ? selected[0] : undefined);
  const [only] = selected.length === 1 ? selected : [];
  useEffect(() => {
    if (fitted.current === arranged && revealed.current === only) return undefined;
    // Before the nodes are where they belong, there is nothing to look at.
    if (nodes.length === 0 || !nodes.every(({ id, position }) => isAt(position, places.get(id)))) return undefined;
    const look = () => {
      const chosen = nodes.find(({ id }) => id === only);
      if (fitted.current !== arranged) void fitView(FIT);
      else if (chosen !== undefined && !isSeen(chosen, getViewport(), canvas.current!)) {
        const { width, height } = sizeOf(chosen.data.node);
        const { x, y } = chosen.position;
        void setCenter(x + width / 2, y + height / 2, { zoom: getViewport().zoom });
      }
      fitted.current = arranged;
      if (only === undefined || chosen !== undefined) revealed.current = only;
    };
    const frame = requestAnimationFrame(look);
    return () => cancelAnimationFrame(frame);
  }, [nodes, places, arranged, only, canvas, fitView, getViewport, setCenter]);
}

function isAt(position: Point, place: Point | undefined): boolean {
  return place === undefined || (position.x === place.x && position.y === place.y);
}

function isSeen(node: DesignNode, viewport: Point & { readonly zoom: number }, canvas: HTMLElement): boolean {
  const { width, height } = sizeOf(node.data.node);
  const x = (node.position.x + width / 2) * viewport.zoom + viewport.x;
  const y = (node.position.y + height / 2) * viewport.zoom + viewport.y;
  return x >= 0 && y >= 0 && x <= canvas.clientWidth && y <= canvas.clientHeight;
}
