import { largest, smallest } from '@superfluidity/core';
import type { Box } from './layout.ts';

/** Steps in layers from left to right, as they come from the layout. */
export interface LayeredBoxes {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly width: number;
  readonly height: number;
  /** Below the row of a step, where lines to the next row go. */
  readonly below?: ReadonlyMap<string, number>;
}

export interface Room {
  readonly width: number;
  readonly height: number;
}

const ROW_GAP = 38;
/** Beside the rows, where lines turn. */
const TURN = 24;

/** How large a drawing can be shown in the room; never larger than it is. */
export function zoomInto(room: Room, drawing: Room): number {
  return Math.min(room.width / drawing.width, room.height / drawing.height, 1);
}

/**
 * Breaks a long graph between its layers, as text is broken between words: into as many rows as let it be shown largest.
 * What fits as it is stays as it is.
 */
export function wrapLayers(layout: LayeredBoxes, room: Room): LayeredBoxes {
  const layers = Map.groupBy(layout.boxes, ([, box]) => box.x);
  const columns = [...layers].toSorted(([a], [b]) => a - b).map(([, members]) => members);
  let best = layout;
  for (let rows = 2; rows <= columns.length; rows += 1) {
    const next = broken(columns, Math.ceil(columns.length / rows));
    if (zoomInto(room, next) > zoomInto(room, best)) best = next;
  }
  return best;
}

type Layer = readonly (readonly [string, Box])[];

function broken(columns: readonly Layer[], perRow: number): LayeredBoxes {
  const boxes = new Map<string, Box>();
  const below = new Map<string, number>();
  let [width, top] = [0, 0];
  for (let first = 0; first < columns.length; first += perRow) {
    const row = columns.slice(first, first + perRow).flat();
    const left = smallest(row.map(([, box]) => box.x));
    const upper = smallest(row.map(([, box]) => box.y));
    const bottom = top + largest(row.map(([, box]) => box.y - upper + box.height));
    for (const [id, box] of row) {
      boxes.set(id, { ...box, x: box.x - left + TURN, y: box.y - upper + top });
      below.set(id, bottom + ROW_GAP / 2);
    }
    width = Math.max(width, ...row.map(([, box]) => box.x - left + box.width + 2 * TURN));
    top = bottom + ROW_GAP;
  }
  return { boxes, width, height: top - ROW_GAP, below };
}
