import { useReactFlow } from '@xyflow/react';
import { type RefObject, useEffect, useRef } from 'react';
import type { Point } from '../../view-model/layout.ts';
import { sizeOf } from '../core/arrange.ts';
import { designLimits } from '../core/limits.ts';
import type { DesignNode } from './nodes.tsx';

export const FIT = { padding: 0.12, maxZoom: 1.1, minZoom: 0.05 } as const;

interface Shown {
  readonly nodes: readonly DesignNode[];
  readonly places: ReadonlyMap<string, Point>;
  readonly arranged: string;
  readonly selected: readonly string[];
}

/**
 * What is looked at: a level as a whole when all of it has been put elsewhere, or when what was selected now lies outside;
 * of a level that is too large for that, what was selected.
 */
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
      const isHidden = chosen !== undefined && !isSeen(chosen, getViewport(), canvas.current!);
      if (fitted.current !== arranged || (isHidden && nodes.length <= designLimits.arranged)) void fitView(FIT);
      else if (isHidden) void setCenter(...middle(chosen), { zoom: getViewport().zoom });
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

function isSeen(node: DesignNode, { x, y, zoom }: Point & { readonly zoom: number }, canvas: HTMLElement): boolean {
  const [midX, midY] = middle(node);
  const [left, top] = [midX * zoom + x, midY * zoom + y];
  return left >= 0 && top >= 0 && left <= canvas.clientWidth && top <= canvas.clientHeight;
}

function middle({ position, data }: DesignNode): [number, number] {
  const { width, height } = sizeOf(data.node);
  return [position.x + width / 2, position.y + height / 2];
}
