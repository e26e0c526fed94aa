import { cursorAt, type Event, type ListPage, positionOf } from '@superfluidity/api';
import { type Clock, type Logger, SuperfluidityError } from '@superfluidity/core';
import { contains, pageOfRows, sql, type Store } from '@superfluidity/store';
import { EventTail } from './event-tail.ts';
import type { EventFilter, EventLog, EventQuery, NewEvent } from './types.ts';

export interface EventLogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<EventLogLimits>;
}

export interface EventLogLimits {
  /** Older ones are deleted. */
  readonly kept: number;
  /** Waiting to be written while the database is away; above it the oldest are lost, with a warning in the log. */
  readonly queued: number;
  readonly batch: number;
  /** How long the first one waits for others. */
  readonly gatherMs: number;
  /** How often the table is looked at though nobody said that something happened: notifications may be lost. */
  readonly pollMs: number;
  readonly retryMs: number;
  /** Newest events held in memory for followers. */
  readonly tail: number;
  readonly page: number;
}

export const eventLogLimits: EventLogLimits = {
  kept: 200_000,
  queued: 20_000,
  batch: 500,
  gatherMs: 20,
  pollMs: 1_000,
  retryMs: 500,
  tail: 2_000,
  page: 500,
};

export interface ClosableEventLog extends EventLog {
  /** Writes what is waiting, and ends all followers. */
  close(): Promise<void>;
}

const CHANNEL = 'superfluidity_event';
/** Any constant; two servers must use the same one. */
const ORDER_LOCK = 7_083_140;

interface Row {
  readonly at: number;
  readonly kind: string;
  readonly subject: string;
  readonly body: StoredBody;
}

/** What the table has no column for travels in its body. */
interface StoredBody {
  readonly service?: string;
  readonly by?: string;
  readonly severity: Event['severity'];
  readonly message: string;
  readonly body: Event['body'];
}

export async function createEventLog(options: EventLogOptions): Promise<ClosableEventLog> {
  const { store, clock, log } = options;
  const limits = { ...eventLogLimits, ...options.limits };
  const closed = new AbortController();
  const tail = new EventTail(limits.tail, await newestId(store));
  const appended = new Bell();
  const hurried = new Bell();
  const written = new Bell();
  const happened = new Bell();
  const grown = new Bell();
  let queue: Row[] = [];
  let accepted = 0;
  let settled = 0;
  let lost = 0;
  let sinceTrim = 0;
  let failure: unknown;

  async function write(rows: readonly Row[]): Promise<void> {
    // Ids are given when a row is inserted but seen when it is committed. Without the lock, a follower could see the
    // event 8 of one server, go on from there, and never learn of the event 7 that another one commits later. The lock
    // is taken before the first id: no row of the join is there without it.
    await sql`
      with locked as materialized (select pg_advisory_xact_lock(${ORDER_LOCK})),
      inserted as (
        insert into event (at, kind, subject, body)
        select row.at, row.kind, row.subject, row.body
        from locked, jsonb_populate_recordset(null::event, ${JSON.stringify(rows)}::jsonb) as row
        returning 1)
      select pg_notify(${CHANNEL}, '') from (select count(*) from inserted) as all_of_them
    `.execute(store.db);
    sinceTrim += rows.length;
    if (sinceTrim < limits.kept / 100) return;
    sinceTrim = 0;
    await store.db
      .deleteFrom('event')
      .where('id', '<=', (await newestId(store)) - limits.kept)
      .execute();
  }

  // Loops of their own, never started from `append`: a caller inside a database transaction would lend them its context.
  async function writer(): Promise<void> {
    while (!closed.signal.aborted || queue.length > 0) {
      if (queue.length === 0) {
        await appended.heard(closed.signal);
        continue;
      }
      // Events come in groups; and what a user waits for should not find the database busy with what happened before.
      await hurried.heard(closed.signal, clock, limits.gatherMs);
      const rows = queue.splice(0, limits.batch);
      try {
        await write(rows);
        settled += rows.length;
        failure = undefined;
      } catch (error) {
        failure = error;
        queue = [...rows, ...queue];
        log.warn({ err: error, waiting: queue.length }, 'events cannot be written now');
      }
      written.ring();
      if (failure === undefined) happened.ring();
      else if (closed.signal.aborted) return;
      else await clock.sleep(limits.retryMs, closed.signal).catch(() => {});
    }
  }

  async function reader(): Promise<void> {
    while (!closed.signal.aborted) {
      try {
        const events = await read(store, { after: tail.head, limit: limits.page });
        if (events.length > 0) {
          tail.add(events);
          grown.ring();
          continue;
        }
      } catch (error) {
        log.warn({ err: error }, 'events cannot be read now');
      }
      await happened.heard(closed.signal, clock, limits.pollMs);
    }
  }

  const unlisten = await store.listen(CHANNEL, () => happened.ring());
  const loops = Promise.all([writer(), reader()]);

  return {
    append(event) {
      if (closed.signal.aborted) return;
      accepted += 1;
      queue.push(toRow(event, clock.now()));
      if (queue.length > limits.queued) {
        queue.shift();
        settled += 1;
        lost += 1;
        if (lost % 1_000 === 1) log.error({ lost }, 'events were lost: the database does not take them');
      }
      appended.ring();
    },
    async flush() {
      const until = accepted;
      if (settled < until) hurried.ring();
      while (settled < until) {
        await written.heard(closed.signal);
        if (failure !== undefined) throw notWritten(failure);
      }
    },
    list: (query) => listed(store, query),
    async *follow({ after, signal, ...filter }) {
      const over = AbortSignal.any([signal, closed.signal]);
      const newest = await newestId(store);
      // An id from the future comes from a former database.
      let last = Math.min(after ?? newest, newest);
      while (!over.aborted) {
        const recent = tail.after(last);
        const head = tail.head;
        const events = recent ?? (await read(store, { after: last, limit: limits.page }));
        for (const event of events) {
          if (over.aborted) return;
          last = event.id;
          if (letsThrough(filter, event)) yield event;
        }
        if (events.length > 0) continue;
        // Nothing between `last` and `head` is kept any more: go on with what comes.
        if (recent === undefined) last = head;
        else await grown.heard(over);
      }
    },
    async close() {
      closed.abort();
      await loops;
      await unlisten();
    },
  };
}

async function newestId(store: Store): Promise<number> {
  const row = await store.db
    .selectFrom('event')
    .select((eb) => eb.fn.max('id').as('id'))
    .executeTakeFirst();
  return Number(row?.id ?? 0);
}

interface ReadFilter {
  readonly after: number;
  readonly limit: number;
}

async function read(store: Store, { after, limit }: ReadFilter): Promise<readonly Event[]> {
  const rows = await store.db
    .selectFrom('event')
    .selectAll()
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(toEvent);
}

async function listed(store: Store, query: EventQuery): Promise<ListPage<Event>> {
  const { afterId = 0, since, until, kind, severity, service, subject, by, search, limit } = query;
  const { field: _id, ...position } = positionOf(query);
  const found = await pageOfRows(
    store.db
      .selectFrom('event')
      .selectAll()
      .where('id', '>', afterId)
      .$if(since !== undefined, (all) => all.where('at', '>=', since!))
      .$if(until !== undefined, (all) => all.where('at', '<=', until!))
      .$if(kind !== undefined, (all) => all.where('kind', 'in', kind!))
      .$if(subject !== undefined, (all) => all.where('subject', 'in', subject!))
      .$if(severity !== undefined, (all) => all.where(ofBody('severity'), 'in', severity!))
      .$if(service !== undefined, (all) => all.where(ofBody('service'), 'in', service!))
      .$if(by !== undefined, (all) => all.where(ofBody('by'), 'in', by!))
      .$if(search !== undefined, (all) => all.where(contains([ofBody('message'), sql.ref('subject')], search!))),
    { sort: sql.ref('id'), key: sql.ref('id'), limit, ...position },
  );
  return {
    items: found.rows.map(toEvent),
    total: found.total,
    ...(found.next === undefined ? {} : { next: cursorAt(query.sort, found.next.value, found.next.key) }),
  };
}

/** The same of an event that `listed` asks of the table. */
function letsThrough({ search, ...wanted }: EventFilter, event: Event): boolean {
  const fits = (['kind', 'severity', 'service', 'subject', 'by'] as const).every((field) => {
    const values: readonly (string | undefined)[] | undefined = wanted[field];
    return values === undefined || values.includes(event[field] ?? '');
  });
  const text = `${event.message} ${event.subject}`.toLowerCase();
  return fits && (search === undefined || text.includes(search.toLowerCase()));
}

const ofBody = (name: keyof StoredBody) => sql<string>`${sql.ref('body')} ->> ${sql.lit(name)}`;

function toEvent(row: { id: number; at: number; kind: string; subject: string; body: unknown }): Event {
  const { service, by, severity, message, body } = row.body as StoredBody;
  return {
    id: row.id,
    at: row.at,
    kind: row.kind,
    subject: row.subject,
    ...(service === undefined ? {} : { service }),
    ...(by === undefined ? {} : { by }),
    severity,
    message,
    body,
  };
}

function toRow(event: NewEvent, at: number): Row {
  const { kind, subject, service, by, severity, message, body } = event;
  const given = { ...(service === undefined ? {} : { service }), ...(by === undefined ? {} : { by }) };
  return { at, kind, subject, body: { ...given, severity, message, body } };
}

function notWritten(cause: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-OBSERVE-NOT-WRITTEN', {
    doing: 'write events',
    reason: 'the database did not take them; they are kept and tried again',
    cause,
  });
}

/** Given as a reason, it spares the making of an error. */
const HEARD = 'heard';

/** Wakes everybody who waits. Ringing while nobody does is remembered for the next one who listens. */
class Bell {
  #rung = false;
  #waiting: (() => void)[] = [];

  ring(): void {
    this.#rung = this.#waiting.length === 0;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async heard(signal: AbortSignal, clock?: Clock, timeoutMs?: number): Promise<void> {
    if (this.#rung || signal.aborted) {
      this.#rung = false;
      return;
    }
    const done = new AbortController();
    const rung = new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), { signal: done.signal });
    });
    const late =
      clock !== undefined && timeoutMs !== undefined ? clock.sleep(timeoutMs, done.signal).catch(() => {}) : rung;
    await Promise.race([rung, late]);
    done.abort(HEARD);
  }
}
