import { useReactFlow } from '@xyflow/react';
import { type PointerEvent, useCallback } from 'react';
import type { Point } from '../../view-model/layout.ts';
import type { FarLine } from './far-lines.tsx';
import type { DesignEdge } from './flow.ts';
import { lineOf } from './lines.ts';
import { type MovingLine, movingLines } from './moving-lines.ts';
import type { DesignNode } from './nodes.tsx';

const THRESHOLD = 3;

/**
 * Moves nodes without asking the graph: xyflow tells each of its nodes and lines about every step of a drag, which with 500
 * of them takes longer than a frame. Here the elements are moved themselves, with the lines that end at them, and the graph
 * is told once, when they are let go.
 */
export function useLightDrag(
  nodes: readonly DesignNode[],
  edges: readonly DesignEdge[],
  /** Where lines are not drawn one by one. */
  far: readonly FarLine[] | undefined,
  onMove: (places: Readonly<Record<string, Point>>) => void,
) {
  const { getZoom } = useReactFlow();
  return useCallback(
    (event: PointerEvent) => {
      const { target, currentTarget } = event;
      const kind = far === undefined ? '.react-flow__node' : '.sf-far-node';
      if (event.button !== 0 || !(target instanceof Element) || target.closest('.react-flow__handle') !== null) return;
      const taken = target.closest(kind)?.getAttribute('data-id');
      const grabbed = nodes.find(({ id }) => id === taken);
      if (grabbed === undefined) return;
      const moving = grabbed.selected === true ? nodes.filter(({ selected }) => selected === true) : [grabbed];
      const zoom = getZoom();
      const ids = new Set(moving.map(({ id }) => id));
      const elements = moving.map((node) =>
        currentTarget.querySelector<HTMLElement>(`${kind}[data-id="${CSS.escape(node.id)}"]`),
      );
      const byId = new Map(nodes.map((node) => [node.id, node]));
      let lines: readonly MovingLine[] | undefined;
      let moved: Point = { x: 0, y: 0 };
      let frame = 0;
      const begin = () => {
        // On layers of their own nothing else has to be painted again.
        for (const element of elements) if (element !== null) element.style.willChange = 'transform';
        return movingLines(currentTarget, ({ source, target: end }) => ids.has(source) || ids.has(end), edges, far);
      };
      const draw = () => {
        frame = 0;
        lines ??= begin();
        const placeOf = (node: DesignNode): Point =>
          ids.has(node.id) ? { x: node.position.x + moved.x, y: node.position.y + moved.y } : node.position;
        moving.forEach((node, i) => {
          const { x, y } = far === undefined ? placeOf(node) : moved;
          if (elements[i] !== null) elements[i]!.style.transform = `translate(${x}px,${y}px)`;
        });
        for (const { edge, path } of lines) {
          const [a, b] = [byId.get(edge.source), byId.get(edge.target)];
          if (a !== undefined && b !== undefined) path.setAttribute('d', lineOf(edge, a, placeOf(a), b, placeOf(b)));
        }
      };
      const move = (now: globalThis.PointerEvent) => {
        const [x, y] = [(now.clientX - event.clientX) / zoom, (now.clientY - event.clientY) / zoom];
        if (Math.hypot(x, y) * zoom < THRESHOLD && moved.x === 0) return;
        moved = { x, y };
        if (frame === 0) frame = requestAnimationFrame(draw);
      };
      const end = () => {
        cancelAnimationFrame(frame);
        removeEventListener('pointermove', move);
        removeEventListener('pointerup', end);
        removeEventListener('pointercancel', end);
        if (moved.x === 0 && moved.y === 0) return;
        draw();
        const places = moving.map(({ position }) => ({ x: position.x + moved.x, y: position.y + moved.y }));
        elements.forEach((element, i) => {
          if (element !== null) settle(element, places[i]!, far !== undefined);
        });
        onMove(Object.fromEntries(moving.map(({ id }, i) => [id, places[i]!])));
      };
      addEventListener('pointermove', move);
      addEventListener('pointerup', end);
      addEventListener('pointercancel', end);
    },
    [nodes, edges, far, onMove, getZoom],
  );
}

/** As the graph will draw it in a moment. */
function settle({ style }: HTMLElement, { x, y }: Point, isFar: boolean): void {
  style.removeProperty('will-change');
  if (!isFar) return;
  style.removeProperty('transform');
  style.left = `${x}px`;
  style.top = `${y}px`;
}
