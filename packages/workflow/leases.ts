import { hostname } from 'node:os';
import { type Clock, invariant, type Logger, SuperfluidityError } from '@superfluidity/core';
import type { Store } from '@superfluidity/store';
import { type RawBuilder, sql } from 'kysely';
import './errors.ts';
import { limits } from './limits.ts';

export interface LeaseOptions {
  readonly store: Store;
  readonly executorId: string;
  readonly version: string;
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
}

export interface LeaseListener {
  /** Another server has taken this one's work over: stop acting on it. */
  lost(): void;
  /** The lease was obtained again: what is left under this executor's name is nobody's, take it up. */
  regained(): Promise<void>;
  /** A peer is dead and this server was the one to notice: continue its runs. Repeated until it succeeds. */
  peerDied(executorId: string): Promise<void>;
}

/**
 * One server's claim to execute, as a row that it renews. Who has not renewed in time may be taken over; it learns so
 * at the latest when it wants to act, because it may act only within a time that it knows to be its own. All times are
 * compared by the database's clock, except for that last check, which may only be too strict: it counts from before
 * the renewal was sent.
 */
export class Leases {
  readonly executorId: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #version: string;
  readonly #leaseMs: number;
  readonly #heartbeatMs: number;
  readonly #stopped = new AbortController();
  #listener: LeaseListener | undefined;
  #epoch = 0;
  #ownUntilMs = 0;
  /** The token as the latest renewal saw it. */
  #fenceSeen = 0;
  #renewal: Promise<void> | undefined;
  #beating: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.executorId = options.executorId;
    this.#store = options.store;
    this.#clock = options.store.clock;
    this.#log = options.store.log;
    this.#version = options.version;
    this.#leaseMs = options.leaseMs ?? limits.leaseMs;
    this.#heartbeatMs = options.heartbeatMs ?? limits.heartbeatMs;
    invariant(this.#heartbeatMs * 2 <= this.#leaseMs, 'a lease must outlast a missed heartbeat');
  }

  /** Grows whenever the lease is obtained anew. 0: there is none. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Obtains the lease, from a former process of this name too: that one is fenced off. Then keeps it. */
  async start(listener: LeaseListener): Promise<void> {
    this.#listener = listener;
    await this.#acquire();
    this.#beating = this.#beat();
  }

  /** Gives the lease back, so that peers need not wait for it to expire. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#beating;
    await this.#store.db
      .updateTable('executor')
      .set({ expires_at: 0 })
      .where('id', '=', this.executorId)
      .where('epoch', '=', this.#epoch)
      .execute()
      .catch((error: unknown) => this.#log.warn({ error: String(error) }, 'the lease could not be given back'));
  }

  /** Resolves when this server may act now. Rejects with `SF-WORKFLOW-LEASE-LOST` when another one took its work. */
  async check(epoch: number): Promise<void> {
    if (epoch === this.#epoch && this.#clock.now() >= this.#ownUntilMs) await this.#renew();
    if (epoch !== this.#epoch) throw this.#lostError();
  }

  /** The token as it was at the latest heartbeat, if this server may act now. Who is refused with it draws a new one. */
  async fence(epoch: number): Promise<number> {
    await this.check(epoch);
    return this.#fenceSeen;
  }

  /**
   * The token with which this server acts: that of the latest change among the servers, when one came, went or was taken
   * over. All members act with the same one, so that they do not keep each other out of the sites that they share; a
   * member that another one taught a site about first is refused once, and draws again. The row is locked meanwhile, so
   * a server that was taken over draws no token of the time after.
   */
  drawFence(epoch: number): Promise<number> {
    return this.#fence(epoch, sql`(select last_value from fence)`);
  }

  /** Like `drawFence`, but keeps everything out that acted before. */
  raiseFence(epoch: number): Promise<number> {
    return this.#fence(epoch, sql`nextval('fence')`);
  }

  async #fence(epoch: number, token: RawBuilder<unknown>): Promise<number> {
    const { rows } = await sql<{ fence: number }>`
      select ${token} as fence from
        (select 1 from executor where id = ${this.executorId} and epoch = ${epoch} and taken_by is null for share) as mine
    `.execute(this.#store.db);
    if (rows[0] === undefined) throw this.#lostError();
    this.#fenceSeen = Math.max(this.#fenceSeen, rows[0].fence);
    return rows[0].fence;
  }

  /** After a claim has been committed: whoever it was wrested from has drawn all that it could draw. */
  async #closeOff(): Promise<void> {
    const { rows } = await sql<{ fence: number }>`select nextval('fence') as fence`.execute(this.#store.db);
    this.#fenceSeen = rows[0]!.fence;
  }

  /** Runs `work` if the peer's lease has expired and nobody else takes it over. Returns false when not. */
  async whenDead(executorId: string, work: () => Promise<void>): Promise<boolean> {
    if (executorId === this.executorId) return false;
    // The claim is a lease itself: when this server dies meanwhile, another one takes the peer over again.
    const { rows } = await sql<{ epoch: number }>`
      update executor set epoch = nextval('fence'), expires_at = ${this.#nowSql} + ${this.#leaseMs}, taken_by = ${this.executorId}
      where id = ${executorId} and expires_at <= ${this.#nowSql} returning epoch
    `.execute(this.#store.db);
    const claim = rows[0];
    if (claim === undefined) return false;
    await this.#closeOff();
    await work();
    await this.#store.db.deleteFrom('executor').where('id', '=', executorId).where('epoch', '=', claim.epoch).execute();
    return true;
  }

  get #nowSql() {
    return sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
  }

  async #acquire(): Promise<void> {
    for (;;) {
      const asked = this.#clock.now();
      const { rows } = await sql<{ epoch: number }>`
        insert into executor (id, epoch, expires_at, host, pid, version)
        values (${this.executorId}, nextval('fence'), ${this.#nowSql} + ${this.#leaseMs}, ${hostname()}, ${process.pid}, ${this.#version})
        on conflict (id) do update set epoch = excluded.epoch, expires_at = excluded.expires_at, host = excluded.host,
          pid = excluded.pid, version = excluded.version, taken_by = null
        where executor.taken_by is null or executor.expires_at <= ${this.#nowSql}
        returning epoch
      `.execute(this.#store.db);
      if (rows[0] !== undefined) {
        await this.#closeOff();
        this.#epoch = rows[0].epoch;
        this.#ownUntilMs = asked + this.#leaseMs;
        return;
      }
      // A peer is taking the work of this name over at this very moment; that is over within its claim.
      await this.#clock.sleep(Math.min(200, this.#heartbeatMs), this.#stopped.signal);
    }
  }

  /** One renewal at a time; whoever needs it meanwhile shares it. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#renewOnce().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renewOnce(): Promise<void> {
    const epoch = this.#epoch;
    const asked = this.#clock.now();
    const { rows } = await sql<{ fence: number }>`
      update executor set expires_at = ${this.#nowSql} + ${this.#leaseMs}
      where id = ${this.executorId} and epoch = ${epoch} and taken_by is null
      returning (select last_value from fence) as fence
    `.execute(this.#store.db);
    if (rows[0] !== undefined) {
      this.#ownUntilMs = asked + this.#leaseMs;
      this.#fenceSeen = Math.max(this.#fenceSeen, rows[0].fence);
      return;
    }
    this.#log.warn({ executorId: this.executorId, epoch }, 'the lease was lost: another server took the work over');
    this.#epoch = 0;
    this.#listener?.lost();
  }

  /** Failures of the database are met by trying again at the next beat; meanwhile the lease runs out by itself. */
  async #beat(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#clock.sleep(this.#heartbeatMs, this.#stopped.signal).catch(() => {});
      if (this.#stopped.signal.aborted) return;
      try {
        if (this.#epoch !== 0) await this.#renew();
        if (this.#epoch === 0) await this.#regain();
        await this.#lookForDead();
      } catch (error) {
        if (!this.#stopped.signal.aborted) this.#log.warn({ error: String(error) }, 'heartbeat failed');
      }
    }
  }

  async #regain(): Promise<void> {
    await this.#acquire();
    this.#log.info({ executorId: this.executorId, epoch: this.#epoch }, 'the lease was regained');
    await this.#listener?.regained();
  }

  async #lookForDead(): Promise<void> {
    const { rows } = await sql<{ id: string }>`
      select id from executor where expires_at <= ${this.#nowSql} and id <> ${this.executorId}
    `.execute(this.#store.db);
    for (const { id } of rows) await this.#listener?.peerDied(id);
  }

  #lostError(): SuperfluidityError {
    return new SuperfluidityError('SF-WORKFLOW-LEASE-LOST', {
      doing: `act as executor ${this.executorId}`,
      reason: 'the lease of this server has passed to another one',
    });
  }
}
