import type { AnomalySignal, Sample, ServiceAnomalies } from '@superfluidity/api';
import { type Clock, isSuperfluidityError } from '@superfluidity/core';
import type { QuantiserMethod } from '../detect/quantise.ts';
import { LEARNED_OF_TEN } from '../detect/detector.ts';
import { detectLimits } from '../detect/errors.ts';
import { TenantDetectors } from '../detect/tenants.ts';
import { scoresNeeded } from '../detect/threshold.ts';
import type { NewEvent } from '../types.ts';
import { SecondCounter } from './second-counter.ts';

export interface AnomalyOptions {
  /** False alarms: part of normal windows that are said to be anomalies, between 0 and 1. */
  readonly rate: number;
  /** Values that are judged together. */
  readonly window: number;
  /** Above it the service that was silent for longest is forgotten. */
  readonly services?: number;
}

export const anomalyDefaults = { rate: 0.01, window: 20, services: 200 } as const;

/** Scores that are kept of each signal of each service. */
const SCORES_MAX = 2_000;
/** So many windows in a row are above the threshold before it is an alert: by chance that is the square of the rate. */
const IN_A_ROW = 2;
/** Between two alerts on one signal of one service. */
const QUIET_MS = 60_000;

interface Signal {
  readonly name: AnomalySignal['name'];
  readonly quantiser: QuantiserMethod;
}

/** What is watched: how long each answer took, how many requests a second brings, how long it is from event to event. */
const SIGNALS: readonly Signal[] = [
  { name: 'latency', quantiser: 'log' },
  { name: 'rate', quantiser: 'k-means' },
  { name: 'events', quantiser: 'log' },
];

type Score = AnomalySignal['scores'][number];

interface Watched {
  seen: number;
  threshold: number | undefined;
  learnedAt: number | undefined;
  drifts: number;
  alerts: number;
  inARow: number;
  quietUntil: number;
  scores: Score[];
}

/**
 * Detectors for each service, fed with its telemetry and its events as they come: learned from its own first values, and anew when
 * behaviour has changed for good. Memory is bounded by services, values to learn from and scores that are kept.
 */
export class AnomalyWatch {
  readonly #clock: Clock;
  readonly #tell: (event: NewEvent) => void;
  readonly #options: Required<AnomalyOptions>;
  readonly #learn: number;
  readonly #detectors: ReadonlyMap<AnomalySignal['name'], TenantDetectors>;
  /** In the order in which they were last heard of. */
  readonly #services = new Map<string, Map<AnomalySignal['name'], Watched>>();
  readonly #counters = new Map<string, SecondCounter>();
  readonly #lastEvent = new Map<string, number>();
  readonly #begunAt: number;

  /** Rejects with SF-DETECT-DATA and SF-DETECT-LIMIT a rate or window that no detector can have. */
  constructor(clock: Clock, tell: (event: NewEvent) => void, options: AnomalyOptions) {
    this.#clock = clock;
    this.#tell = tell;
    this.#options = { services: anomalyDefaults.services, ...options };
    this.#begunAt = clock.now();
    const { rate, window, services: tenants } = this.#options;
    this.#learn = Math.ceil((scoresNeeded('conformal', rate) * window * 10) / (10 - LEARNED_OF_TEN));
    this.#detectors = new Map(
      SIGNALS.map(({ name, quantiser }) => [
        name,
        new TenantDetectors({ detector: { window, rate, quantiser }, learn: this.#learn, tenants, adapt: true }),
      ]),
    );
  }

  /** Of one service, as telemetry keeps them. */
  record(service: string, samples: readonly Sample[]): void {
    const counter = this.#counter(service);
    for (const { t, latencyMs, ok } of samples) {
      if (ok) this.#push(service, 'latency', latencyMs, t);
      for (const { at, count } of counter.push(t)) this.#push(service, 'rate', count, at);
    }
  }

  /** Of any service; what this tells itself is no news. */
  heard({ service, kind }: NewEvent): void {
    if (service === undefined || kind === 'anomaly' || kind === 'audit') return;
    const now = this.#clock.now();
    const before = this.#lastEvent.get(service);
    this.#lastEvent.set(service, now);
    if (before !== undefined) this.#push(service, 'events', now - before, now);
  }

  show(service: string, since: number, limit: number): ServiceAnomalies {
    const { rate, window } = this.#options;
    const watched = this.#services.get(service);
    return {
      service,
      rate,
      window,
      inARow: IN_A_ROW,
      signals: SIGNALS.flatMap(({ name }): AnomalySignal[] => {
        const one = watched?.get(name);
        if (one === undefined) return [];
        const { seen, threshold, learnedAt, drifts, alerts, scores } = one;
        return [
          {
            name,
            state: threshold === undefined ? 'learning' : 'watching',
            seen,
            needed: this.#learn,
            drifts,
            alerts,
            ...(threshold === undefined ? {} : { threshold }),
            ...(learnedAt === undefined ? {} : { learnedAt }),
            scores: scores.filter(({ t }) => t > since).slice(-limit),
          },
        ];
      }),
    };
  }

  #push(service: string, name: AnomalySignal['name'], value: number, t: number): void {
    const one = this.#watched(service, name);
    one.seen += 1;
    try {
      for (const found of this.#detectors.get(name)!.push(service, value)) {
        if (found.kind === 'learned') {
          one.threshold = found.detector.threshold.value;
          one.learnedAt = t;
        } else if (found.kind === 'drift') {
          one.drifts += 1;
          if (found.relearned) {
            one.threshold = undefined;
            // Half of what is learned from then is there already.
            one.seen = Math.floor(this.#learn / 2);
            one.inARow = 0;
          }
          this.#alert(
            service,
            t,
            `${name} has changed for good: ${found.relearned ? 'it is learned anew' : 'see why'}`,
            {
              signal: name,
              drift: true,
            },
          );
        } else this.#judged(service, name, one, { ...found.verdict, t });
      }
    } catch (error) {
      // A value that is no number ends no other service.
      if (!isSuperfluidityError(error, 'SF-DETECT-DATA')) throw error;
    }
  }

  #judged(
    service: string,
    name: AnomalySignal['name'],
    one: Watched,
    { score, p, anomalous, t }: { score: number; p: number; anomalous: boolean; t: number },
  ): void {
    const threshold = one.threshold ?? 0;
    one.scores.push({ t, score, p, anomalous, threshold });
    if (one.scores.length > 1.5 * SCORES_MAX) one.scores = one.scores.slice(-SCORES_MAX);
    one.inARow = anomalous ? one.inARow + 1 : 0;
    if (one.inARow < IN_A_ROW || t < one.quietUntil) return;
    one.quietUntil = t + QUIET_MS;
    one.alerts += 1;
    const { rate, window } = this.#options;
    const message = `${name} is not as it always was: ${score.toFixed(2)} bits a value over ${window} values, ${threshold.toFixed(2)} is normal with false alarms in ${Number((100 * rate).toPrecision(3))} of 100`;
    this.#alert(service, t, message, { signal: name, score, threshold, p, t, window, rate });
  }

  /** What happened before this server was started was told by the one before it. */
  #alert(service: string, t: number, message: string, body: Record<string, unknown>): void {
    if (t < this.#begunAt) return;
    this.#tell({
      kind: 'anomaly',
      subject: service,
      service,
      severity: 'warning',
      message: `${service}: ${message}`,
      body,
    });
  }

  #watched(service: string, name: AnomalySignal['name']): Watched {
    const signals = this.#services.get(service) ?? new Map<AnomalySignal['name'], Watched>();
    this.#services.delete(service);
    this.#services.set(service, signals);
    if (this.#services.size > this.#options.services) this.#forget(this.#services.keys().next().value!);
    let one = signals.get(name);
    if (one === undefined) {
      one = {
        seen: 0,
        threshold: undefined,
        learnedAt: undefined,
        drifts: 0,
        alerts: 0,
        inARow: 0,
        quietUntil: 0,
        scores: [],
      };
      signals.set(name, one);
    }
    return one;
  }

  #counter(service: string): SecondCounter {
    let counter = this.#counters.get(service);
    if (counter === undefined) {
      counter = new SecondCounter();
      this.#counters.set(service, counter);
    }
    return counter;
  }

  #forget(service: string): void {
    this.#services.delete(service);
    this.#counters.delete(service);
    this.#lastEvent.delete(service);
    for (const detectors of this.#detectors.values()) detectors.forget(service);
  }
}

/** What the options of a server mean. */
export function checkAnomalyOptions({ rate, window }: AnomalyOptions): string | undefined {
  if (!(rate >= 0.001 && rate <= 0.2)) return 'a false-alarm rate is 0.001 to 0.2';
  if (!Number.isSafeInteger(window) || window < 2 || window > 1_000) return 'a window is 2 to 1000 values';
  const learn = (scoresNeeded('conformal', rate) * window * 10) / (10 - LEARNED_OF_TEN);
  return learn > detectLimits.learnt ? 'with this rate and window there is too much to learn from' : undefined;
}
