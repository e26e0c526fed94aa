import type { AnomalySignal, ServiceAnomalies } from '@superfluidity/api';
import { tell, type World } from './world.ts';

const SCORES = 400;
const EVERY_MS = 9_000;
const THRESHOLD = 2.6;
/** Windows in which answers took longer than ever. */
const STRANGE = { from: 260, to: 272 };

const noise = (i: number) => Math.sin(i * 12.9898) * 0.5 + Math.sin(i * 78.233) * 0.5;

/** An hour in which something went wrong once. */
export function anomaliesOf(service: string): ServiceAnomalies {
  const begin = Math.floor(Date.now() / EVERY_MS) * EVERY_MS - SCORES * EVERY_MS;
  const score = (i: number) => 1.7 + 0.45 * noise(i) + (i >= STRANGE.from && i <= STRANGE.to ? 2.4 : 0);
  const latency: AnomalySignal = {
    name: 'latency',
    state: 'watching',
    seen: 12_600,
    needed: 6_534,
    threshold: THRESHOLD,
    learnedAt: begin,
    drifts: 0,
    alerts: 1,
    scores: Array.from({ length: SCORES }, (_, i) => ({
      t: begin + i * EVERY_MS,
      score: score(i),
      p: score(i) > THRESHOLD ? 0.0005 : Math.min(1, 0.02 + Math.abs(2.7 - score(i)) / 2),
      anomalous: score(i) > THRESHOLD,
      threshold: THRESHOLD,
    })),
  };
  const learning = { state: 'learning', needed: 6_534, drifts: 0, alerts: 0, scores: [] } as const;
  return {
    service,
    rate: 0.01,
    window: 20,
    inARow: 2,
    signals: [
      latency,
      { ...learning, name: 'rate', seen: 3_380, scores: [] },
      { ...learning, name: 'events', seen: 212, scores: [] },
    ],
  };
}

/** The alert that belongs to it. */
export function makeAnomalies(world: World): void {
  const at = Date.now() - (SCORES - STRANGE.from - 1) * EVERY_MS;
  tell(world, {
    kind: 'anomaly',
    subject: 'mobile-edge',
    service: 'mobile-edge',
    severity: 'warning',
    message:
      'mobile-edge: latency is not as it always was: 4.31 bits a value over 20 values, 2.60 is normal with false alarms in 1 of 100',
    body: { signal: 'latency', score: 4.31, threshold: THRESHOLD, p: 0.0005, t: at, window: 20, rate: 0.01 },
  });
  world.events.at(-1)!.at = at;
}
