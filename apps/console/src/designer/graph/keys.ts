import type { KeyboardEvent } from 'react';
import type { Point } from '../../view-model/layout.ts';
import type { Level, LevelNode } from '../core/level.ts';
import type { GraphViewProps } from './graph-view.tsx';

export function focused(target: EventTarget, byId: ReadonlyMap<string, LevelNode>): LevelNode | undefined {
  const id =
    target instanceof Element ? target.closest('.react-flow__node, .sf-far-node')?.getAttribute('data-id') : undefined;
  return byId.get(id ?? '');
}

/** What a key does in the graph; undefined for keys that are others' matter. */
export function keyOf(
  event: KeyboardEvent,
  props: GraphViewProps,
  level: Level,
  node: LevelNode | undefined,
): (() => void) | undefined {
  const { key } = event;
  if (event.ctrlKey || event.metaKey) {
    if (key === 'z' && !event.shiftKey) return props.onUndo;
    if (key === 'y' || key.toLowerCase() === 'z') return props.onRedo;
    if (key === 'a') return () => props.onSelect(level.nodes.map(({ id }) => id));
    return undefined;
  }
  if (key === 'Delete' || key === 'Backspace') return props.onDelete;
  if (key === 'Escape') return () => props.onSelect([]);
  if (event.altKey && key === 'ArrowUp') return props.onUp;
  if (node === undefined) return undefined;
  const { id, opens } = node;
  if (event.altKey && key === 'ArrowDown' && opens !== undefined) return () => props.onOpen(opens);
  if (key === 'Enter' || key === ' ') {
    const has = props.selected.includes(id);
    // Space adds to what is selected, so that two can be connected without a mouse.
    if (key === ' ')
      return () => props.onSelect(has ? props.selected.filter((one) => one !== id) : [...props.selected, id]);
    return () => props.onSelect([id]);
  }
  if (key === 'l' && !event.altKey) {
    const line = nextLine(level, id, props.selected);
    return line === undefined ? undefined : () => props.onSelect([line]);
  }
  return undefined;
}

const STEP = 20;
const directions: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * Where an arrow puts the node that has the focus, with all that are selected if it is one of them; undefined for other keys.
 * The graph would move what is selected too, but tells nobody.
 */
export function movedBy(
  {
    key,
    shiftKey,
    altKey,
    ctrlKey,
    metaKey,
  }: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'ctrlKey' | 'metaKey'>,
  node: string | undefined,
  { selected, places }: Pick<GraphViewProps, 'selected' | 'places'>,
): Readonly<Record<string, Point>> | undefined {
  const direction = directions[key];
  if (direction === undefined || node === undefined || altKey || ctrlKey || metaKey) return undefined;
  const far = shiftKey ? 5 * STEP : STEP;
  const moving = selected.includes(node) ? selected : [node];
  return Object.fromEntries(
    moving.flatMap((id) => {
      const at = places.get(id);
      return at === undefined ? [] : [[id, { x: at.x + far * direction[0], y: at.y + far * direction[1] }]];
    }),
  );
}

/** From afar lines have no elements that could be focused: from a node one gets to each of its own, round and round. */
export function nextLine({ edges }: Level, node: string, selected: readonly string[]): string | undefined {
  const own = edges.filter(({ source, target }) => source === node || target === node);
  return own[(own.findIndex(({ id }) => selected.includes(id)) + 1) % own.length]?.id;
}
