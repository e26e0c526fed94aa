import { useEffect, useMemo, useState } from 'react';
import type { Point } from '../../view-model/layout.ts';
import { arrange } from '../core/arrange.ts';
import type { Level } from '../core/level.ts';
import { designLimits } from '../core/limits.ts';
import { layoutLevel } from './layout-level.ts';

type Places = Readonly<Record<string, Point>>;
const NONE: ReadonlyMap<string, Point> = new Map();

/** Where things are: as somebody put them, else as ELK does where links lead through the level, else in rows. */
export function usePlaces(level: Level, byHand: Places | undefined, onFailure: (why: string) => void) {
  const rows = useMemo(() => arrange(level), [level]);
  const isLinked = level.edges.some(({ kind }) => kind === 'link') && level.nodes.length <= designLimits.arranged;
  const shape = useMemo(
    () =>
      isLinked
        ? JSON.stringify([
            level.nodes.map(({ id, ports }) => [id, ports.length]),
            level.edges.map(({ source, target }) => [source, target]),
          ])
        : '',
    [level, isLinked],
  );
  const [byElk, setByElk] = useState<{ readonly shape: string; readonly places: ReadonlyMap<string, Point> }>();
  useEffect(() => {
    if (shape === '') return undefined;
    let wanted = true;
    layoutLevel(level).then(
      (places) => {
        if (wanted) setByElk({ shape, places });
      },
      (error: unknown) => {
        if (wanted) onFailure(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      wanted = false;
    };
    // The shape says all that the layout depends on.
  }, [shape]);
  const elk = byElk?.shape === shape ? byElk.places : NONE;
  const places = useMemo(() => {
    const found = new Map<string, Point>();
    for (const { id } of level.nodes) found.set(id, byHand?.[id] ?? elk.get(id) ?? rows.get(id) ?? { x: 0, y: 0 });
    return found;
  }, [level, byHand, elk, rows]);
  return { places, arranged: `${level.open.path} ${elk === NONE ? 'rows' : shape}` };
}
