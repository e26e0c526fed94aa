import type { HandlerInput, ListPage, ScalingDecision, ScalingOutcome } from '@superfluidity/api';
import { cursorAt, positionOf } from '@superfluidity/api';
import type { Autoscale } from '@superfluidity/model';
import type { PastDecision } from '@superfluidity/scale';
import { contains, type Database, pageOfRows, sql, type Store, toJson } from '@superfluidity/store';
import type { Selectable, Transaction } from 'kysely';

/** A unit whose turn it is. */
export interface DueUnit {
  readonly service: string;
  readonly unit: string;
  /** Of the policy: grows when it is set. */
  readonly updatedAt: number;
}

export interface StoredPolicy {
  readonly service: string;
  readonly unit: string;
  readonly policy: Autoscale;
  readonly origin: 'descriptor' | 'user';
  readonly active: boolean;
  readonly updatedAt: number;
}

export type NewDecision = Omit<ScalingDecision, 'id' | 'operation' | 'executor'>;

/** Every so many decisions of a server, old ones are removed. */
const PRUNE_EVERY = 50;

type PolicyRow = Selectable<Database['scaling_policy']>;
type DecisionRow = Selectable<Database['scaling_decision']>;

/** The rows of tables `scaling_policy` and `scaling_decision`. */
export class ScalingRecords {
  readonly #store: Store;
  readonly #executor: string;
  readonly #keep: number;
  #written = 0;

  constructor(store: Store, executor: string, keep: number) {
    this.#store = store;
    this.#executor = executor;
    this.#keep = keep;
  }

  /** In the transaction of whoever makes the service, or by itself. */
  async put(
    { service, unit, policy, origin }: Pick<StoredPolicy, 'service' | 'unit' | 'policy' | 'origin'>,
    everyS: number,
    trx?: Transaction<Database>,
  ): Promise<void> {
    const now = this.#store.clock.now();
    const values = {
      policy: toJson(policy) as never,
      origin,
      active: true,
      every_ms: Math.round(everyS * 1_000),
      decided_at: 0,
      // Later than the one before, be it in the same millisecond: who keeps a policy in memory notices.
      updated_at: sql<number>`greatest(${now}::bigint, coalesce((select updated_at + 1 from scaling_policy where service = ${service} and unit = ${unit}), 0))`,
    };
    await (trx ?? this.#store.db)
      .insertInto('scaling_policy')
      .values({ service, unit, created_at: now, ...values })
      .onConflict((conflict) => conflict.columns(['service', 'unit']).doUpdateSet(values))
      .execute();
  }

  /** Services that are made from another descriptor than the one whose policies they have. */
  async changed(most: number): Promise<readonly { readonly service: string; readonly descriptor: string }[]> {
    const rows = await this.#store.db
      .selectFrom('service')
      .select(['name', 'descriptor_id'])
      .where('state', '=', 'INSTANTIATED')
      .where(sql<boolean>`scaling_from is distinct from descriptor_id`)
      .limit(most)
      .execute();
    return rows.map(({ name, descriptor_id }) => ({ service: name, descriptor: descriptor_id }));
  }

  /** Takes over what a descriptor says, unless another server has, or it is another descriptor by now. */
  async replace(
    service: string,
    descriptor: string,
    policies: readonly { readonly unit: string; readonly policy: Autoscale; readonly everyS: number }[],
    units: readonly string[],
  ): Promise<void> {
    await this.#store.transaction(async (trx) => {
      const mine = await trx
        .updateTable('service')
        .set({ scaling_from: descriptor })
        .where('name', '=', service)
        .where('descriptor_id', '=', descriptor)
        .where(sql<boolean>`scaling_from is distinct from ${descriptor}`)
        .executeTakeFirst();
      if (mine.numUpdatedRows === 0n) return;
      await trx
        .deleteFrom('scaling_policy')
        .where('service', '=', service)
        .where((or) => or.or([or('origin', '=', 'descriptor'), or('unit', 'not in', units)]))
        .execute();
      // Bounds may have changed: who keeps a policy in memory reads it again.
      await trx
        .updateTable('scaling_policy')
        .set({ updated_at: sql<number>`updated_at + 1` })
        .where('service', '=', service)
        .execute();
      const kept = new Set(
        (await trx.selectFrom('scaling_policy').select('unit').where('service', '=', service).execute()).map(
          ({ unit }) => unit,
        ),
      );
      for (const { unit, policy, everyS } of policies) {
        if (!kept.has(unit)) await this.put({ service, unit, policy, origin: 'descriptor' }, everyS, trx);
      }
    });
  }

  async stop(service: string, unit: string): Promise<boolean> {
    const result = await this.#store.db
      .updateTable('scaling_policy')
      .set({ active: false })
      .where('service', '=', service)
      .where('unit', '=', unit)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async ofService(service: string): Promise<readonly StoredPolicy[]> {
    const rows = await this.#store.db
      .selectFrom('scaling_policy')
      .selectAll()
      .where('service', '=', service)
      .orderBy('unit')
      .execute();
    return rows.map(policyOf);
  }

  async policy(service: string, unit: string): Promise<StoredPolicy | undefined> {
    const row = await this.#store.db
      .selectFrom('scaling_policy')
      .selectAll()
      .where('service', '=', service)
      .where('unit', '=', unit)
      .executeTakeFirst();
    return row === undefined ? undefined : policyOf(row);
  }

  /**
   * Takes those whose turn it is, and moves their time on in the same statement: of two servers that ask, one gets a unit. Times
   * are those of the database.
   */
  async claim(most: number): Promise<readonly DueUnit[]> {
    const now = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
    const { rows } = await sql<{ service: string; unit: string; updated_at: number }>`
      update scaling_policy as mine set decided_at = ${now}
      from (
        select p.service, p.unit from scaling_policy p join service s on s.name = p.service
        where p.active and s.state = 'INSTANTIATED' and p.decided_at + p.every_ms <= ${now}
        order by p.decided_at limit ${most} for update of p skip locked
      ) as due
      where mine.service = due.service and mine.unit = due.unit
      returning mine.service, mine.unit, mine.updated_at
    `.execute(this.#store.db);
    return rows.map(({ service, unit, updated_at }) => ({ service, unit, updatedAt: Number(updated_at) }));
  }

  /** Oldest first; those that say nothing on what was recommended are left out. */
  async past(service: string, unit: string, sinceMs: number): Promise<readonly PastDecision[]> {
    const rows = await this.#store.db
      .selectFrom('scaling_decision')
      .select(['at', 'recommended', 'replicas', 'decided', 'outcome'])
      .where('service', '=', service)
      .where('unit', '=', unit)
      .where('at', '>', sinceMs)
      .where('recommended', 'is not', null)
      .orderBy('id', 'desc')
      .limit(this.#keep)
      .execute();
    return rows.toReversed().map(({ at, recommended, replicas, decided, outcome }) => ({
      atMs: at,
      recommended: recommended!,
      from: replicas,
      to: decided,
      done: outcome === 'scaling',
    }));
  }

  async last(service: string, unit: string): Promise<ScalingDecision | undefined> {
    const row = await this.#store.db
      .selectFrom('scaling_decision')
      .selectAll()
      .where('service', '=', service)
      .where('unit', '=', unit)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? undefined : decisionView(row);
  }

  async add(decision: NewDecision): Promise<number> {
    const { at, service, unit, kind, outcome, from, to, recommended, reasons, metrics } = decision;
    const { id } = await this.#store.db
      .insertInto('scaling_decision')
      .values({
        at,
        service,
        unit,
        kind,
        outcome,
        replicas: from,
        decided: to,
        recommended: recommended ?? null,
        reasons: toJson(reasons) as never,
        metrics: toJson(metrics) as never,
        executor: this.#executor,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    this.#written += 1;
    if (this.#written % PRUNE_EVERY === 0) await this.#prune(service, unit);
    return Number(id);
  }

  async amend(id: number, what: { operation: string } | { outcome: ScalingOutcome; reasons: readonly string[] }) {
    const set = 'operation' in what ? what : { outcome: what.outcome, reasons: toJson(what.reasons) as never };
    await this.#store.db.updateTable('scaling_decision').set(set).where('id', '=', id).execute();
  }

  async #prune(service: string, unit: string): Promise<void> {
    await sql`
      delete from scaling_decision where service = ${service} and unit = ${unit} and id <= (
        select id from scaling_decision where service = ${service} and unit = ${unit}
        order by id desc offset ${this.#keep} limit 1)
    `.execute(this.#store.db);
  }

  async list(query: HandlerInput<'listScalingDecisions'>['query']): Promise<ListPage<ScalingDecision>> {
    const { service, unit, outcome, search, limit } = query;
    const { field: _at, ...position } = positionOf(query);
    const found = await pageOfRows(
      this.#store.db
        .selectFrom('scaling_decision')
        .selectAll()
        .$if(service !== undefined, (all) => all.where('service', 'in', service!))
        .$if(unit !== undefined, (all) => all.where('unit', 'in', unit!))
        .$if(outcome !== undefined, (all) => all.where('outcome', 'in', outcome!))
        .$if(search !== undefined, (all) =>
          all.where(contains([sql.ref('service'), sql.ref('unit'), sql`reasons::text`], search!)),
        ),
      // In the order in which they were made: clocks of several servers may differ.
      { sort: sql.ref('id'), key: sql.ref('id'), limit, ...position },
    );
    return {
      items: found.rows.map(decisionView),
      total: found.total,
      ...(found.next === undefined ? {} : { next: cursorAt(query.sort, found.next.value, found.next.key) }),
    };
  }
}

function policyOf(row: PolicyRow): StoredPolicy {
  const { service, unit, policy, origin, active, updated_at } = row;
  return { service, unit, policy: policy as unknown as Autoscale, origin, active, updatedAt: Number(updated_at) };
}

function decisionView(row: DecisionRow): ScalingDecision {
  return {
    id: Number(row.id),
    at: row.at,
    service: row.service,
    unit: row.unit,
    kind: row.kind,
    outcome: row.outcome,
    from: row.replicas,
    to: row.decided,
    ...(row.recommended === null ? {} : { recommended: row.recommended }),
    reasons: row.reasons as unknown as string[],
    metrics: row.metrics as unknown as Record<string, number>,
    ...(row.operation === null ? {} : { operation: row.operation }),
    executor: row.executor,
  };
}
