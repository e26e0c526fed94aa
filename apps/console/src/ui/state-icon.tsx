import type { StepState } from '@superfluidity/api';
import type { UnitState } from '../view-model/topology.ts';

/** States differ in shape as well as in colour: ring, arc, tick, cross, arrow back, dash. */
type Shape = 'ring' | 'arc' | 'tick' | 'cross' | 'back' | 'dash' | 'down';

const SHAPES: Readonly<Record<StepState | UnitState, Shape>> = {
  pending: 'ring',
  starting: 'arc',
  running: 'arc',
  done: 'tick',
  failed: 'cross',
  undoing: 'back',
  undone: 'back',
  skipped: 'dash',
  draining: 'down',
  stopped: 'dash',
};

const PATHS: Readonly<Record<Shape, string>> = {
  ring: '',
  arc: 'M8 2.5a5.5 5.5 0 0 1 5.5 5.5',
  tick: 'M4.8 8.3l2.2 2.2 4.3-4.6',
  cross: 'M5.5 5.5l5 5m0-5l-5 5',
  back: 'M5 8h5.5M7 5.5L4.7 8 7 10.5',
  dash: 'M5 8h6',
  down: 'M8 4.8v6M5.6 8.6L8 11l2.4-2.4',
};

export function StateIcon({ state, of }: { readonly state: StepState | UnitState; readonly of: 'step' | 'unit' }) {
  // A running unit is as it should be; a running step is on its way.
  const shape = of === 'unit' && state === 'running' ? 'tick' : SHAPES[state];
  return (
    <svg className={`sf-state sf-state--${of}-${state}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r={shape === 'arc' || shape === 'ring' ? 5.5 : 7} />
      <path d={PATHS[shape]} />
    </svg>
  );
}
