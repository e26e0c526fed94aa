import { getBezierPath, type NodeHandle } from '@xyflow/react';
import type { Point } from '../../view-model/layout.ts';
import type { DesignEdge } from './flow.ts';
import { handlesOf } from './handles.ts';
import type { DesignNode } from './nodes.tsx';

/** How the line of an edge runs between two nodes at these places: as xyflow draws it, and without asking it. */
export function lineOf(
  { sourceHandle, targetHandle }: DesignEdge,
  a: DesignNode,
  from: Point,
  b: DesignNode,
  to: Point,
) {
  const [start, end] = [handleOf(a, sourceHandle), handleOf(b, targetHandle)];
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
