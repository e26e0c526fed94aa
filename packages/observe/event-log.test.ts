import { setTimeout as delay } from 'node:timers/promises';
import type { Event } from '@superfluidity/api';
import { silentLogger, systemClock } from '@superfluidity/core';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ClosableEventLog, createEventLog, type EventLogLimits } from './index.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore('pglite:memory');
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.deleteFrom('event').execute();
});

const open: ClosableEventLog[] = [];
async function makeLog(limits: Partial<EventLogLimits> = {}): Promise<ClosableEventLog> {
  const log = await createEventLog({ store, clock: systemClock, log: silentLogger, limits: { pollMs: 50, ...limits } });
  open.push(log);
  return log;
}

function entry(n: number, service = 'video') {
  return { kind: 'unit', subject: `unit-${n}`, service, severity: 'info', message: `event ${n}`, body: { n } } as const;
}

async function take(source: AsyncIterable<Event>, count: number): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of source) {
    seen.push(event.body['n'] as number);
    if (seen.length === count) break;
  }
  return seen;
}

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

describe('event log', () => {
  test('keeps the order of the calls', async () => {
    const log = await makeLog({ batch: 7 });
    for (const n of upTo(50)) log.append(entry(n));
    await log.flush();
    const { items: events } = await log.list({ sort: 'id', limit: 100 });
    expect(events.map((event) => event.body['n'])).toEqual(upTo(50));
    expect(events.map((event) => event.id)).toEqual(events.map((event) => event.id).toSorted((a, b) => a - b));
    expect(events[0]).toMatchObject({ ...entry(0), at: expect.any(Number) });
    await log.close();
  });

  test('lists pages, and one service alone', async () => {
    const log = await makeLog();
    for (const n of upTo(10)) log.append(entry(n, n % 2 === 0 ? 'even' : 'odd'));
    await log.flush();
    const numbers = async (query: Omit<Parameters<ClosableEventLog['list']>[0], 'limit'>, limit = 100) =>
      (await log.list({ ...query, limit })).items.map((event) => event.body['n']);
    const first = await log.list({ sort: 'id', limit: 4 });
    expect(first.total).toBe(10);
    const rest = await log.list({ sort: 'id', limit: 100, after: first.next });
    expect([...first.items, ...rest.items].map((event) => event.body['n'])).toEqual(upTo(10));
    expect(rest.next).toBeUndefined();
    expect(await numbers({ sort: '-id' }, 3)).toEqual([9, 8, 7]);
    expect(await numbers({ sort: 'id', service: ['even'] })).toEqual([0, 2, 4, 6, 8]);
    expect(await numbers({ sort: 'id', afterId: first.items.at(-1)!.id, service: ['odd'] })).toEqual([5, 7, 9]);
    expect(await numbers({ sort: 'id', severity: ['error'] })).toEqual([]);
    expect(await numbers({ sort: 'id', search: first.items[3]!.message.toUpperCase() })).toContain(3);
    await log.close();
  });

  test('a follower gets history and then what happens, once each, also when the tail is shorter than that', async () => {
    const log = await makeLog({ tail: 5, page: 3, batch: 4 });
    for (const n of upTo(20)) log.append(entry(n));
    await log.flush();
    const all = take(log.follow({ after: 0, signal: AbortSignal.timeout(5_000) }), 60);
    for (const n of upTo(40, 20)) {
      log.append(entry(n));
      if (n % 10 === 0) await delay(1);
    }
    expect(await all).toEqual(upTo(60));
    await log.close();
  });

  test('a follower and a list have the same filters', async () => {
    const log = await makeLog();
    const events: readonly Parameters<ClosableEventLog['append']>[0][] = [
      { ...entry(0), kind: 'audit', by: 'ann' },
      { ...entry(1), kind: 'audit', by: 'bob', severity: 'error' },
      { ...entry(2, 'radio'), severity: 'warning' },
      { kind: 'site', subject: 'Core', severity: 'info', message: 'it is up', body: { n: 3 } },
      { ...entry(4), message: 'last', body: { n: 4 } },
    ];
    for (const event of events) log.append(event);
    await log.flush();
    const filters = [
      [{}, [0, 1, 2, 3, 4]],
      [{ kind: ['audit', 'site'] }, [0, 1, 3]],
      [{ by: ['bob'] }, [1]],
      [{ severity: ['error', 'warning'] }, [1, 2]],
      [{ service: ['radio'], subject: ['unit-2', 'Core'] }, [2]],
      [{ search: 'UP core' }, [3]],
      [{ kind: ['audit'], search: 'T-0' }, [0]],
    ] as const;
    for (const [filter, expected] of filters) {
      const { items } = await log.list({ ...filter, sort: 'id', limit: 100 });
      expect(items.map(({ body }) => body['n'])).toEqual(expected);
      const followed = log.follow({ ...filter, after: items[0]!.id - 1, signal: AbortSignal.timeout(5_000) });
      expect(await take(followed, expected.length)).toEqual(expected);
    }
    await log.close();
  });

  test('a follower without a starting point gets only what comes', async () => {
    const log = await makeLog();
    log.append(entry(0));
    await log.flush();
    const live = take(log.follow({ signal: AbortSignal.timeout(5_000) }), 2);
    await delay(20);
    log.append(entry(1));
    log.append(entry(2));
    expect(await live).toEqual([1, 2]);
    await log.close();
  });

  test('what another server writes arrives too, without gaps while both write', async () => {
    const [one, two] = [await makeLog({ batch: 3 }), await makeLog({ batch: 5 })];
    const seen = take(one.follow({ after: 0, signal: AbortSignal.timeout(5_000) }), 200);
    for (const n of upTo(100)) {
      one.append(entry(n));
      two.append(entry(100 + n));
      if (n % 20 === 0) await delay(1);
    }
    expect((await seen).sort((a, b) => a - b)).toEqual(upTo(200));
    await Promise.all([one.close(), two.close()]);
  });

  test('a starting point from a former database does not wait for ever', async () => {
    const log = await makeLog();
    const live = take(log.follow({ after: 1_000_000_000, signal: AbortSignal.timeout(5_000) }), 1);
    await delay(20);
    log.append(entry(7));
    expect(await live).toEqual([7]);
    await log.close();
  });

  test('keeps no more than it is told to', async () => {
    const log = await makeLog({ kept: 40, batch: 10 });
    for (const n of upTo(150)) log.append(entry(n));
    await log.flush();
    await log.close();
    const kept = await store.db
      .selectFrom('event')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    expect(kept.n).toBeGreaterThanOrEqual(40);
    expect(kept.n).toBeLessThan(60);
  });

  test('appending inside a transaction neither waits nor fails', async () => {
    const log = await makeLog();
    await store.transaction(async (transaction) => {
      log.append(entry(1));
      await transaction.selectFrom('event').selectAll().execute();
    });
    await log.flush();
    expect((await log.list({ sort: 'id', limit: 10 })).total).toBe(1);
    await log.close();
  });

  test('the signal and the end of the log end a follower', async () => {
    const log = await makeLog();
    const leaving = new AbortController();
    const left = take(log.follow({ signal: leaving.signal }), 1);
    const closed = take(log.follow({ signal: new AbortController().signal }), 1);
    leaving.abort();
    expect(await left).toEqual([]);
    await log.close();
    expect(await closed).toEqual([]);
  });
});

describe('event log whose database is away', () => {
  test('keeps the newest, says so, and writes them when it is back', async () => {
    let away = false;
    const flaky: Store = {
      ...store,
      get db() {
        if (away) throw new Error('no connection');
        return store.db;
      },
    };
    const log = await createEventLog({
      store: flaky,
      clock: systemClock,
      log: silentLogger,
      limits: { queued: 10, retryMs: 5, pollMs: 20, batch: 3 },
    });
    away = true;
    for (const n of upTo(25)) log.append(entry(n));
    await expect(log.flush()).rejects.toMatchObject({ code: 'SF-OBSERVE-NOT-WRITTEN' });
    away = false;
    await delay(30);
    await log.flush();
    const { items: events } = await log.list({ sort: 'id', limit: 100 });
    expect(events.map((event) => event.body['n'])).toEqual(upTo(10, 15));
    await log.close();
  });
});
