import type { ScalingDecision, ScalingOutcome } from '@superfluidity/api';
import { isSuperfluidityError, reportError } from '@superfluidity/core';
import type { Autoscale } from '@superfluidity/model';
import { autoscaleDefaults, type Decider, measure, type Measured, memoryS } from '@superfluidity/scale';
import { sql } from '@superfluidity/store';
import type { LifecycleOptions } from '../options.ts';
import type { Operations } from '../operations.ts';
import type { Services } from '../services.ts';
import { deciderOf } from './policies.ts';
import type { DueUnit, NewDecision, ScalingRecords } from './records.ts';
import type { Scaling } from './scaling.ts';

export interface AutoscalerParts {
  readonly services: Services;
  readonly operations: Operations;
  readonly records: ScalingRecords;
  readonly scaling: Pick<Scaling, 'scaleOf' | 'takeOver'>;
}

interface Kept {
  readonly updatedAt: number;
  readonly decider: Decider;
}

/** Samples of a service that are looked at for one decision. */
const SAMPLES_MAX = 20_000;
/** Policies that are kept ready: tables and models are large. */
const DECIDERS_MAX = 200;

/**
 * Compares what units have with what their policies ask for, at each turn of each policy: level by level, one decision a turn,
 * on whichever server takes the turn. All that a decision hangs on is measured or in the database, so that after `kill -9`
 * another server goes on; what a decision starts is an operation like any other.
 */
export class Autoscaler {
  readonly #options: LifecycleOptions;
  readonly #parts: AutoscalerParts;
  readonly #deciders = new Map<string, Kept>();
  readonly #counts = new Map<string, number>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: LifecycleOptions, parts: AutoscalerParts) {
    this.#options = options;
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#loop();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Decisions of this server, by kind and outcome. */
  counts(): readonly { readonly kind: string; readonly outcome: string; readonly count: number }[] {
    return [...this.#counts].map(([key, count]) => {
      const [kind, outcome] = key.split(' ') as [string, string];
      return { kind, outcome, count };
    });
  }

  async #loop(): Promise<void> {
    const { clock, limits, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.look();
      } catch (error) {
        log.warn({ error: reportError(error) }, 'scaling was not decided on');
      }
      await clock.sleep(limits.scalingLookMs, this.#stop.signal).catch(() => {});
    }
  }

  /** Decides on every unit whose turn it is. */
  async look(): Promise<void> {
    const { fence, limits, log } = this.#options;
    await this.#parts.scaling.takeOver(limits.scalingAtOnce);
    const due = await this.#parts.records.claim(limits.scalingAtOnce);
    if (due.length === 0) return;
    // A server whose work another one has taken over is refused here.
    await fence();
    for (const unit of due) {
      if (this.#stop.signal.aborted) return;
      try {
        await this.#decide(unit);
      } catch (error) {
        log.warn({ ...unit, error: reportError(error) }, 'scaling of a unit was not decided on');
      }
    }
  }

  async #decide(due: DueUnit): Promise<void> {
    const { clock } = this.#options;
    const { records } = this.#parts;
    const { service, unit } = due;
    const decider = await this.#deciderFor(due);
    if (decider === undefined) return;
    const { policy } = decider;
    const nowMs = clock.now();
    const { wanted, running } = await this.#instances(service, unit);
    const last = await records.last(service, unit);
    const base = { at: nowMs, service, unit, kind: policy.kind, from: wanted, to: wanted, reasons: [], metrics: {} };
    const tell = (decision: Omit<NewDecision, keyof typeof base> & Partial<NewDecision>) =>
      this.#keep({ ...base, ...decision }, last);

    const busy = await this.#underWay(service);
    if (busy !== undefined) {
      await tell({ outcome: 'refused', reasons: [`operation ${busy} of the service is under way`] });
      return;
    }
    const seen = this.#measured(service, policy, nowMs);
    if ('nothing' in seen) {
      await tell({ outcome: 'no-data', reasons: [seen.nothing] });
      return;
    }
    const past = await records.past(service, unit, nowMs - memoryS(policy) * 1_000);
    const decision = decider.decide({ nowMs, replicas: wanted, ready: running, measured: seen, past });
    const metrics = seen.values as Record<string, number>;
    const decided = { ...decision, reasons: [...decision.reasons], metrics };
    if (decision.to === wanted) await tell({ ...decided, outcome: 'kept' });
    else if (policy.recommendOnly === true) await tell({ ...decided, outcome: 'recommended' });
    else await this.#scale({ ...base, ...decided, outcome: 'scaling' }, last);
  }

  /** The decision is written first: who comes after a crash in between waits for the cool-down. */
  async #scale(decision: NewDecision, last: ScalingDecision | undefined): Promise<void> {
    const { records, services } = this.#parts;
    const { service, unit, to } = decision;
    const id = await records.add(decision);
    try {
      const { operation } = await services.scale(service, unit, to, true);
      await records.amend(id, { operation });
      this.#tell(decision, last, operation);
      void this.#end(operation);
    } catch (error) {
      const report = reportError(error);
      const reasons = [...decision.reasons, `${report.message}${report.code === undefined ? '' : ` (${report.code})`}`];
      await records.amend(id, { outcome: 'refused', reasons });
      this.#tell({ ...decision, outcome: 'refused', reasons }, last);
      if (!isSuperfluidityError(error)) throw error;
    }
  }

  /** Nobody is there to decide on an automatic operation that has failed: it is over. */
  async #end(operation: string): Promise<void> {
    const { operations } = this.#parts;
    try {
      const { state } = await operations.settled(operation, this.#stop.signal);
      if (state === 'FAILED_TEMP') await operations.fail(operation);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#options.log.warn({ operation, error: reportError(error) }, 'not ended');
    }
  }

  async #keep(decision: NewDecision, last: ScalingDecision | undefined): Promise<void> {
    await this.#parts.records.add(decision);
    this.#tell(decision, last);
  }

  /** What is as it was at the turn before is no event. */
  #tell(decision: NewDecision, last: ScalingDecision | undefined, operation?: string): void {
    const { kind, outcome, service, unit, from, to, reasons, metrics } = decision;
    const key = `${kind} ${outcome}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    const again = last?.outcome === outcome && last.to === to;
    if (
      outcome !== 'scaling' &&
      (again || (outcome === 'kept' && last?.outcome !== 'refused' && last?.outcome !== 'no-data'))
    )
      return;
    this.#options.events.append({
      kind: 'scaling',
      subject: unit,
      service,
      severity: outcome === 'refused' || outcome === 'no-data' ? 'warning' : 'info',
      message: `${service}: ${sentence(outcome, unit, from, to)} ${reasons.join('; ')}`,
      body: { policy: kind, outcome, from, to, reasons, metrics, ...(operation === undefined ? {} : { operation }) },
    });
  }

  #measured(service: string, policy: Autoscale, nowMs: number): Measured | { readonly nothing: string } {
    const { windowS = autoscaleDefaults.windowS, measuredBy } = policy;
    const all = this.#options.telemetry.list(service, 0, SAMPLES_MAX);
    // Samples are told by instances: `ue/client#0`.
    const counts = (unit: string) => measuredBy?.includes(unit.replace(/#\d+$/, '')) ?? true;
    const samples = all.filter(({ unit }) => counts(unit));
    const first = samples.reduce((least, { t }) => Math.min(least, t), nowMs);
    return measure(samples, nowMs, windowS, first - 1);
  }

  async #deciderFor({ service, unit, updatedAt }: DueUnit): Promise<Decider | undefined> {
    const { records, scaling } = this.#parts;
    const key = `${service} ${unit}`;
    const kept = this.#deciders.get(key);
    this.#deciders.delete(key);
    let fresh = kept?.updatedAt === updatedAt ? kept : undefined;
    if (fresh === undefined) {
      const stored = await records.policy(service, unit);
      const scale = await scaling.scaleOf(service, unit);
      if (stored === undefined || scale === undefined) return undefined;
      fresh = { updatedAt, decider: deciderOf(stored.policy, scale, unit) };
    }
    this.#deciders.set(key, fresh);
    for (const [oldest] of this.#deciders) if (this.#deciders.size > DECIDERS_MAX) this.#deciders.delete(oldest);
    return fresh.decider;
  }

  async #instances(service: string, unit: string): Promise<{ readonly wanted: number; readonly running: number }> {
    const row = await this.#options.store.db
      .selectFrom('unit')
      .select([
        sql<number>`count(*)::int`.as('wanted'),
        sql<number>`(count(*) filter (where state = 'running'))::int`.as('running'),
      ])
      .where('service', '=', service)
      .where('path', '=', unit)
      .executeTakeFirstOrThrow();
    return row;
  }

  /** The operation that keeps the service busy. One that scaled and failed, and whose server died then, is ended. */
  async #underWay(service: string): Promise<string | undefined> {
    const row = await this.#options.store.db
      .selectFrom('operation')
      .select(['id', 'kind', 'state', 'automatic'])
      .where('service', '=', service)
      .where('state', 'in', ['STARTING', 'PROCESSING', 'FAILED_TEMP', 'ROLLING_BACK'])
      .executeTakeFirst();
    if (row?.state === 'FAILED_TEMP' && row.automatic && row.kind === 'SCALE')
      await this.#parts.operations.fail(row.id);
    return row?.id;
  }
}

function sentence(outcome: ScalingOutcome, unit: string, from: number, to: number): string {
  const change = `${unit} from ${from} to ${to}`;
  const texts: Readonly<Record<ScalingOutcome, string>> = {
    scaling: `scaling ${change}:`,
    recommended: `would scale ${change}:`,
    refused: `not scaling ${from === to ? unit : change}:`,
    'no-data': `nothing decided on ${unit}:`,
    kept: `deciding on ${unit} again, ${from} stay:`,
  };
  return texts[outcome];
}
