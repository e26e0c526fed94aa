import { getBezierPath, type NodeHandle, useReactFlow } from '@xyflow/react';
import { type PointerEvent, useCallback } from 'react';
import type { Point } from '../../view-model/layout.ts';
import type { DesignEdge } from './flow.ts';
import { handlesOf } from './handles.ts';
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
  onMove: (places: Readonly<Record<string, Point>>) => void,
) {
  const { getZoom } = useReactFlow();
  return useCallback(
    (event: PointerEvent) => {
      const { target, currentTarget } = event;
      if (event.button !== 0 || !(target instanceof Element) || target.closest('.react-flow__handle') !== null) return;
      const taken = target.closest('.react-flow__node')?.getAttribute('data-id');
      const grabbed = nodes.find(({ id }) => id === taken);
      if (grabbed === undefined) return;
      const moving = grabbed.selected === true ? nodes.filter(({ selected }) => selected === true) : [grabbed];
      const zoom = getZoom();
      const ids = new Set(moving.map(({ id }) => id));
      const find = (selector: string) => currentTarget.querySelector<HTMLElement>(selector);
      const elements = moving.map((node) => find(`.react-flow__node[data-id="${CSS.escape(node.id)}"]`));
      const byId = new Map(nodes.map((node) => [node.id, node]));
      const lines = edges
        .filter(({ source, target: end }) => ids.has(source) || ids.has(end))
        .flatMap((edge) => {
          const path = find(`.react-flow__edge[data-id="${CSS.escape(edge.id)}"] .react-flow__edge-path`);
          return path === null ? [] : [{ edge, path }];
        });
      let moved: Point = { x: 0, y: 0 };
      let frame = 0;
      const draw = () => {
        frame = 0;
        const placeOf = (node: DesignNode): Point =>
          ids.has(node.id) ? { x: node.position.x + moved.x, y: node.position.y + moved.y } : node.position;
        moving.forEach((node, i) => {
          const { x, y } = placeOf(node);
          if (elements[i] !== null) elements[i]!.style.transform = `translate(${x}px,${y}px)`;
        });
        for (const { edge, path } of lines) {
          const [a, b] = [byId.get(edge.source), byId.get(edge.target)];
          if (a !== undefined && b !== undefined)
            path.setAttribute('d', lineOf(a, placeOf(a), edge.sourceHandle, b, placeOf(b), edge.targetHandle));
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
        onMove(
          Object.fromEntries(
            moving.map(({ id, position }) => [id, { x: position.x + moved.x, y: position.y + moved.y }]),
          ),
        );
      };
      addEventListener('pointermove', move);
      addEventListener('pointerup', end);
      addEventListener('pointercancel', end);
    },
    [nodes, edges, onMove, getZoom],
  );
}

function lineOf(
  a: DesignNode,
  from: Point,
  fromHandle: string | null | undefined,
  b: DesignNode,
  to: Point,
  toHandle: string | null | undefined,
): string {
  const [start, end] = [handleOf(a, fromHandle), handleOf(b, toHandle)];
  const [path] = getBezierPath({
    ...named('source', endAt(start, from)),
    sourcePosition: start.position,
    ...named('target', endAt(end, to)),
    targetPosition: end.position,
  });
  return path;
}

function handleOf({ data, handles }: DesignNode, id: string | null | undefined): NodeHandle {
  const all = handles ?? handlesOf(data.node);
  return all.find((handle) => handle.id === id) ?? all[0]!;
}

/** In the middle of the side of the handle on which the line leaves it. */
function endAt({ x, y, width = 1, height = 1, position }: NodeHandle, at: Point): Point {
  const across = position === 'left' ? 0 : position === 'right' ? width : width / 2;
  const down = position === 'top' ? 0 : position === 'bottom' ? height : height / 2;
  return { x: at.x + x + across, y: at.y + y + down };
}

const named = <N extends 'source' | 'target'>(end: N, { x, y }: Point) =>
  ({ [`${end}X`]: x, [`${end}Y`]: y }) as { readonly [K in `${N}X` | `${N}Y`]: number };
